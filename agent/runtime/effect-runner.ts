/** Carries out the core's effects, in their order. A failure is counted and told; none is thrown. */
import { assertNever } from '../../proto/rules/assert-never.js';
import { formatIp, type IpAddress } from '../../proto/rules/ip.js';
import { type Instant, MICROS_PER_SECOND } from '../../proto/rules/time.js';
import type { Refusal } from '../net/system-error.js';
import { describeNotice, describeReason, type Effect } from '../vrrp/index.js';
import type { AddressKeeper } from './address-keeper.js';
import type { Announcer } from './announcer.js';
import type { Channels } from './channels.js';
import type { ElectionClock } from './edges.js';
import type { AcceptGuard } from './firewall.js';
import type { NeighborGroups } from './neighbor-groups.js';
import type { Outbox } from './outbox.js';
import type { Probe } from './probe.js';
import { Renewals } from './renewals.js';
import type { RouteKeeper } from './route-keeper.js';
import type { RuleKeeper } from './rule-keeper.js';
import type { RunningRouter, WantedAddress } from './running-router.js';
import type { Trouble } from './trouble.js';
import type { VirtualMacs } from './virtual-macs.js';

/** An active router that hears lower-priority advertisements tells of them at most this often. */
const LOWER_PRIORITY_TOLD_EVERY = MICROS_PER_SECOND;

export interface EffectTools {
  readonly keeper: AddressKeeper;
  readonly routes: RouteKeeper;
  readonly rules: RuleKeeper;
  readonly guard: AcceptGuard;
  readonly macs: VirtualMacs;
  readonly groups: NeighborGroups;
  readonly announcer: Announcer;
  readonly probe: Probe;
  readonly channels: Channels;
  readonly outbox: Outbox;
  readonly trouble: Trouble;
  readonly clock: ElectionClock;
}

type Transition = Extract<Effect, { readonly kind: 'transitioned' }>;

export class EffectRunner {
  readonly renewals: Renewals;

  constructor(private readonly tools: EffectTools) {
    const { keeper, clock } = tools;
    this.renewals = new Renewals({ renew: (renewals) => keeper.renew(renewals), clock });
  }

  run(router: RunningRouter, effect: Effect, now: Instant): void {
    const { outbox } = this.tools;
    switch (effect.kind) {
      case 'advertise':
        this.#advertise(router, effect.priority, now);
        return;
      case 'addAddresses':
        this.#promote(router, now);
        return;
      case 'syncAddresses':
        // What is no longer wanted was removed with the change of the settings.
        this.#sync(router, now);
        return;
      case 'removeAddresses':
        this.#demote(router, now);
        return;
      case 'renewAddresses':
        this.renewals.add(router, now);
        return;
      case 'announceAddresses':
        this.#announce(router, router.wanted, effect.repeat, now);
        return;
      case 'probeAddresses':
        this.tools.probe.start(router, now);
        return;
      case 'listenForAnnouncements':
        router.announced.clear();
        this.tools.probe.listen(router, effect.on);
        return;
      case 'transitioned':
        this.#transitioned(router, effect);
        return;
      case 'pausedTooLong':
        outbox.tell({ kind: 'leaseLost', router: router.name, away: effect.away });
        return;
      case 'noticed': {
        const { notice, source } = effect;
        router.count(`notices.${notice}`);
        outbox.tell({
          kind: 'notice',
          router: router.name,
          notice,
          ...(source === undefined ? {} : { source: formatIp(source) }),
          sentence: describeNotice(notice, source),
        });
        return;
      }
      case 'lowerPriorityHeard':
        this.#lowerPriorityHeard(router, effect.source, effect.priority, now);
        return;
      default:
        assertNever(effect);
    }
  }

  /** At the end of every turn: what was due in it for several routers together. */
  flush(now: Instant): void {
    this.tools.guard.tidy(now);
    this.renewals.onTime(now);
    this.tools.probe.flush(now);
  }

  /** A running router's settings were replaced: of an active one `gone` addresses are removed, before others are added. */
  settingsChanged(router: RunningRouter, gone: readonly WantedAddress[]): void {
    if (!router.isActive) return;
    this.tools.announcer.retain(router);
    if (gone.length > 0) this.tools.keeper.remove(router, gone);
  }

  /** Adds and announces what an active router wants and does not hold, and drops what it no longer wants. */
  addMissing(router: RunningRouter, now: Instant): void {
    const added = this.#sync(router, now);
    if (added.length > 0) this.#announce(router, added, Math.max(1, router.router.announcements.repeat), now);
  }

  /**
   * Puts back what an active router should have and has not. True: something was lost that the router cannot do without
   * (the core's input addressLost).
   *
   * @param areItemsSuspect whether routes and rules may have gone
   */
  restore(router: RunningRouter, areItemsSuspect: boolean, now: Instant): boolean {
    const { keeper, routes, rules, guard, probe } = this.tools;
    guard.sync(router, now);
    const { restored, isLost, duplicates } = keeper.restore(router, now);
    for (const wanted of duplicates) probe.duplicateDetected(router, wanted, now);
    if (restored.length > 0) this.#announce(router, restored, Math.max(1, router.router.announcements.repeat), now);
    // An address that was away took with it what depended on it.
    if (!areItemsSuspect && restored.length === 0) return isLost;
    const isRouteLost = routes.restore(router, now);
    const isRuleLost = rules.restore(router, now);
    return isLost || isRouteLost || isRuleLost;
  }

  /** Removes what a former run left of a router that does not start as active. */
  removeLeftovers(router: RunningRouter): void {
    const { keeper, routes, rules } = this.tools;
    rules.removeLeftovers(router);
    routes.removeLeftovers(router);
    keeper.removeLeftovers(router);
  }

  /** The router has ended and will not come back: nothing of it waits or is kept. */
  forget(router: RunningRouter, now: Instant): void {
    this.renewals.delete(router);
    this.tools.announcer.cancel(router);
    this.tools.probe.forget(router, now);
  }

  /** keepalived's order: firewall, addresses, routes, rules. */
  #promote(router: RunningRouter, now: Instant): void {
    const { keeper, routes, rules, guard, macs, groups, probe } = this.tools;
    guard.sync(router, now);
    groups.hold(router, now);
    keeper.add(router);
    // Not before the host has the addresses: it would forward what is addressed to them (RFC 9568 section 8.3.1).
    macs.serve(router, true, now);
    routes.sync(router);
    rules.sync(router);
    probe.hold(router, now);
  }

  #sync(router: RunningRouter, now: Instant): readonly WantedAddress[] {
    const { keeper, routes, rules, guard, groups, probe } = this.tools;
    guard.sync(router, now);
    groups.hold(router, now);
    const added = keeper.sync(router);
    routes.sync(router);
    rules.sync(router);
    probe.hold(router, now);
    return added;
  }

  /** The same backwards; nothing of it is announced any more. */
  #demote(router: RunningRouter, now: Instant): void {
    const { keeper, routes, rules, guard, macs, groups, announcer, probe } = this.tools;
    this.renewals.delete(router);
    rules.remove(router);
    routes.remove(router);
    announcer.cancel(router);
    probe.release(router);
    macs.serve(router, false, now);
    keeper.remove(router);
    groups.release(router, now);
    guard.release(router, now);
  }

  #announce(router: RunningRouter, addresses: readonly WantedAddress[], repeat: number, now: Instant): void {
    this.tools.announcer.announce(router, addresses, repeat, now);
  }

  #advertise(router: RunningRouter, priority: number, now: Instant): void {
    const channel = this.tools.channels.get(router.sendingDevice);
    const adverts = router.encodedAdverts();
    if (channel === undefined || adverts === undefined) {
      router.count('errors.no-source');
      return;
    }
    for (const { bytes, destination } of adverts.packets(priority)) {
      const outcome = channel.send(router.family, bytes, destination);
      if (outcome === undefined) {
        router.count('errors.no-socket');
        continue;
      }
      // Not by `count`, as this is done for every packet: Reception does the same.
      if (outcome.ok) router.counters['advertisements-sent'] = (router.counters['advertisements-sent'] ?? 0) + 1;
      else this.#failedToSend(router, outcome, channel.name, now);
    }
  }

  #failedToSend(router: RunningRouter, { code, message }: Refusal, device: string, now: Instant): void {
    router.count(`errors.advertisements.${code}`);
    this.tools.trouble.failed('an advertisement could not be sent', `${router.name} on ${device}`, message, now);
  }

  #transitioned(router: RunningRouter, { from, to, reason, effectivePriority }: Transition): void {
    router.count('transitions');
    router.sinceWallMs = this.tools.clock.wallMs();
    router.cause = reason.code;
    router.sentence = describeReason(reason);
    this.tools.outbox.tell({
      kind: 'transition',
      router: router.name,
      vrid: router.router.vrid,
      from,
      to,
      cause: router.cause,
      sentence: router.sentence,
      effectivePriority,
      ...('peer' in reason ? { peer: formatIp(reason.peer) } : {}),
    });
  }

  #lowerPriorityHeard(router: RunningRouter, source: IpAddress, priority: number, now: Instant): void {
    router.count('lower-priority-heard');
    const toldAt = router.lowerPriorityToldAt;
    if (toldAt !== undefined && now - toldAt < LOWER_PRIORITY_TOLD_EVERY) return;
    router.lowerPriorityToldAt = now;
    this.tools.outbox.tell({
      kind: 'lowerPriorityHeard',
      router: router.name,
      source: formatIp(source),
      priority,
      effectivePriority: router.effectivePriority,
    });
  }
}
