/**
 * Puts a configuration in force by the smallest difference. A router that stays keeps its state and every address that it
 * keeps. One that goes while it is active hands over; whoever needs what it still has (its name, its VRID, an address)
 * waits until it has ended.
 */
import type { Instant } from '../../proto/rules/time.js';
import { type Hmac, makeHmac } from '../net/hmac.js';
import type { Input, VirtualRouter } from '../vrrp/index.js';
import { type ChangedRouter, changeBetween, identityOf } from './change.js';
import type { ElectionClock } from './edges.js';
import type { Elector } from './elector.js';
import type { HostSide } from './host-side.js';
import { hostOwnedAddresses } from './host-view.js';
import type { InterfaceTable } from './interface-table.js';
import type { Keepers } from './keepers.js';
import type { ElectionSettings, GroupSettings, ResumedRouter, RouterSettings } from './messages.js';
import { type Roster, RunningGroup } from './roster.js';
import { RunningRouter } from './running-router.js';
import type { TrackStates } from './track-states.js';

export interface ReconfigurationTools {
  readonly roster: Roster;
  readonly elector: Elector;
  readonly keepers: Keepers;
  readonly host: HostSide;
  readonly tracks: TrackStates;
  readonly table: InterfaceTable;
  readonly clock: ElectionClock;
  /** Everything about interfaces that the routers (and what is on its way out) and host networks need, before they move. */
  readonly arrange: (settings: ElectionSettings, now: Instant) => void;
}

interface ChangedInput {
  readonly router: RunningRouter;
  readonly input: Input;
}

const NOTHING: ElectionSettings = { routers: [], groups: [], hostNetworks: [] };

export class Reconfiguration {
  /** What is in force, or will be once those that leave have left. */
  #settings: ElectionSettings = NOTHING;
  /** Routers that wait for one that leaves. */
  #waiting: readonly RouterSettings[] = [];

  constructor(private readonly tools: ReconfigurationTools) {}

  /** Called for settings that problemsOf has found no fault with. */
  putInForce(settings: ElectionSettings, resumed: readonly ResumedRouter[], now: Instant): void {
    const { roster } = this.tools;
    this.#settings = settings;
    const recalled = this.#recall(settings.routers);
    const running = [...roster.running.values()].map((router) => router.settings);
    const { stop, change, start } = changeBetween(running, settings.routers);
    this.#stop(stop, settings.routers, now);
    const changed = this.#change(change);
    this.#waiting = start.filter((each) => this.#mustWait(each));
    const started = start.filter((each) => !this.#waiting.includes(each)).map((each) => this.#add(each));
    for (const router of started) router.isResuming = resumed.some(({ name }) => name === router.name);
    const regrouped = this.#regroup(settings.groups);
    this.#arrange(now);
    for (const { router, input } of changed) this.tools.elector.step(router, input, now);
    for (const router of recalled) this.tools.elector.step(router, { kind: 'startup' }, now);
    this.#feed(now);
    for (const router of roster.running.values())
      if (router.isActive) this.tools.keepers.effects.addMissing(router, now);
    for (const router of started) {
      const resume = resumed.find(({ name }) => name === router.name);
      const startup: Input =
        resume === undefined ? { kind: 'startup' } : { kind: 'startup', resume: { lastAdvertAt: resume.lastAdvertAt } };
      this.#start(router, startup, now);
    }
    for (const group of regrouped) this.#judge(group, now);
    this.tools.tracks.keepOnly(settings.routers);
  }

  /** After a router that leaves has ended: those that waited for it start. Called at the end of every turn. */
  settle(now: Instant): void {
    const { roster } = this.tools;
    let hasAnyLeft = false;
    for (const router of roster.leaving) {
      if (!router.isStopped) continue;
      roster.leaving.delete(router);
      this.tools.keepers.effects.forget(router, now);
      hasAnyLeft = true;
    }
    if (!hasAnyLeft) return;
    const ready = this.#waiting.filter((each) => !this.#mustWait(each));
    this.#waiting = this.#waiting.filter((each) => !ready.includes(each));
    const started = ready.map((each) => this.#add(each));
    const regrouped = this.#regroup(this.#settings.groups);
    this.#arrange(now);
    this.#feed(now);
    for (const router of started) this.#start(router, { kind: 'startup' }, now);
    for (const group of regrouped) this.#judge(group, now);
  }

  /** Everything stops: nobody who waits starts any more. */
  stop(): void {
    this.#waiting = [];
  }

  /** One that is on its way out and is wanted again after all is wanted as it was. */
  #recall(wanted: readonly RouterSettings[]): readonly RunningRouter[] {
    const { roster } = this.tools;
    const recalled: RunningRouter[] = [];
    for (const router of roster.leaving) {
      const identity = identityOf(router.settings);
      const again = wanted.find((settings) => identityOf(settings) === identity);
      if (again === undefined || roster.running.has(router.name)) continue;
      roster.leaving.delete(router);
      roster.running.set(router.name, router);
      recalled.push(router);
    }
    return recalled;
  }

  #stop(names: readonly string[], wanted: readonly RouterSettings[], now: Instant): void {
    const { roster, elector, keepers } = this.tools;
    const stopping = new Set(names);
    for (const group of roster.groups.values()) {
      const members = [...group.members.values()];
      // As a whole, so that none of them gives up while a successor still waits for another one.
      if (!members.every((member) => stopping.has(member.name) && this.#canHandOver(member, wanted))) continue;
      for (const member of members) elector.step(member, { kind: 'shutdown', handover: true }, now);
    }
    for (const name of names) {
      const router = roster.running.get(name);
      if (router === undefined) continue;
      roster.running.delete(name);
      router.group?.members.delete(name);
      router.group = undefined;
      elector.step(router, { kind: 'shutdown', handover: this.#canHandOver(router, wanted) }, now);
      if (router.isStopped) keepers.effects.forget(router, now);
      else roster.leaving.add(router);
    }
    // One that left before may have an address that a router which goes on is to have from now on.
    for (const router of roster.leaving) {
      if (this.#canHandOver(router, wanted)) continue;
      elector.step(router, { kind: 'shutdown', handover: false }, now);
      roster.leaving.delete(router);
      keepers.effects.forget(router, now);
    }
  }

  /** Not where a router that goes on takes one of the addresses over: it has it at once. */
  #canHandOver(router: RunningRouter, wanted: readonly RouterSettings[]): boolean {
    const { roster } = this.tools;
    const staying = new Set([...roster.running.values()].map(({ settings }) => identityOf(settings)));
    const held = new Set([...router.settings.addresses, ...router.settings.excludedAddresses].map(addressKey));
    return !wanted.some(
      (settings) =>
        staying.has(identityOf(settings)) &&
        [...settings.addresses, ...settings.excludedAddresses].some((address) => held.has(addressKey(address))),
    );
  }

  /** What one gives up goes before another takes it: an address may move from one router to the other. */
  #change(changes: readonly ChangedRouter[]): readonly ChangedInput[] {
    const { roster, keepers, table, clock } = this.tools;
    const changed: ChangedInput[] = [];
    for (const { name } of changes) {
      const router = roster.running.get(name);
      if (router !== undefined) changed.push({ router, input: { kind: 'reconfigured', previous: router.router } });
    }
    // First all of them, then by their new names: two may have exchanged theirs.
    for (const { router } of changed) roster.running.delete(router.name);
    for (const [index, { router }] of changed.entries()) {
      const settings = changes[index]?.settings;
      if (settings === undefined) continue;
      const gone = router.replaceSettings(settings);
      router.authentication = hmacOf(settings, clock, router.authentication);
      router.hostOwned = hostOwnedAddresses(router, table);
      roster.running.set(router.name, router);
      keepers.effects.settingsChanged(router, gone);
    }
    return changed;
  }

  #mustWait(settings: RouterSettings): boolean {
    const addresses = [...settings.addresses, ...settings.excludedAddresses].map(addressKey);
    for (const { settings: leaving } of this.tools.roster.leaving) {
      if (leaving.router.name === settings.router.name || wireKey(leaving) === wireKey(settings)) return true;
      const held = new Set([...leaving.addresses, ...leaving.excludedAddresses].map(addressKey));
      if (addresses.some((key) => held.has(key))) return true;
      const macvlan = leaving.virtualMac?.name;
      if (macvlan !== undefined && macvlan === settings.virtualMac?.name) return true;
    }
    return false;
  }

  #add(settings: RouterSettings): RunningRouter {
    const { roster, table, clock } = this.tools;
    const router = new RunningRouter(settings, clock.wallMs());
    router.authentication = hmacOf(settings, clock);
    roster.running.set(router.name, router);
    router.hostOwned = hostOwnedAddresses(router, table);
    return router;
  }

  /** Members and settings of the groups as they are wanted. Gives those that changed. */
  #regroup(groups: readonly GroupSettings[]): readonly RunningGroup[] {
    const { roster, clock } = this.tools;
    const changed: RunningGroup[] = [];
    const names = new Set(groups.map(({ name }) => name));
    for (const [name, group] of roster.groups) {
      if (names.has(name)) continue;
      for (const member of group.members.values()) member.group = undefined;
      roster.groups.delete(name);
    }
    for (const settings of groups) {
      const known = roster.groups.get(settings.name);
      const group = known ?? new RunningGroup(settings, clock.wallMs());
      roster.groups.set(settings.name, group);
      const before = new Set(group.members.values());
      const hasOtherPolicy = group.settings.policy !== settings.policy;
      group.settings = settings;
      group.members.clear();
      for (const name of settings.routers) {
        const router = roster.running.get(name);
        if (router !== undefined) group.members.set(name, router);
      }
      const members = [...group.members.values()];
      const isSame = members.length === before.size && members.every((member) => before.has(member));
      if (known === undefined || hasOtherPolicy || !isSame) changed.push(group);
    }
    for (const router of roster.running.values()) router.group = undefined;
    for (const group of roster.groups.values()) for (const member of group.members.values()) member.group = group;
    return changed;
  }

  #arrange(now: Instant): void {
    this.tools.roster.changed();
    this.tools.arrange(this.#settings, now);
  }

  #feed(now: Instant): void {
    const { roster, host, tracks, elector } = this.tools;
    const own = host.ownAddresses();
    for (const router of roster.all()) {
      host.feed(router, own, now);
      for (const { id, state } of tracks.newsFor(router, now)) elector.step(router, { kind: 'track', id, state }, now);
    }
  }

  #start(router: RunningRouter, startup: Input, now: Instant): void {
    this.tools.elector.step(router, startup, now);
    if (router.isActive) return;
    this.tools.keepers.effects.removeLeftovers(router);
    if (!router.isResuming) return;
    router.isResuming = false;
    this.tools.host.feed(router, this.tools.host.ownAddresses(), now);
  }

  /** A changed group comes together, and tells of its state. */
  #judge(group: RunningGroup, now: Instant): void {
    const [member] = group.members.values();
    if (member !== undefined) {
      this.tools.elector.step(member, { kind: 'reconfigured', previous: previousOf(member) }, now);
    }
    this.tools.elector.judgeGroup(group);
  }
}

function hmacOf({ hmac, router }: RouterSettings, clock: ElectionClock, previous?: Hmac): Hmac | undefined {
  return hmac === undefined ? undefined : makeHmac(hmac, router.advertisementInterval, clock, previous);
}

/** The router itself did not change, its group did. */
function previousOf({ router }: RunningRouter): VirtualRouter {
  return router;
}

function wireKey({ family, interface: device, router }: RouterSettings): string {
  return `${family} ${device} ${router.vrid}`;
}

function addressKey({ address, device }: RouterSettings['addresses'][number]): string {
  return `${device} ${address}`;
}
