/**
 * Looks for other holders of the virtual addresses: asks when they are claimed and now and then while they are held, and
 * listens all the time in between (RFC 5227, RFC 4862).
 *
 * The router that was active before answers until it has heard of its successor. So while a router holds its addresses a
 * stranger is believed in only when it is heard again a second later, after it was asked; before they are claimed (refuse)
 * every answer counts.
 */
import { formatIp, type IpAddress } from '../../proto/rules/ip.js';
import { type Instant, MICROS_PER_SECOND, type Micros } from '../../proto/rules/time.js';
import type { Claim } from '../net/claim.js';
import type { Outcome } from '../net/system-error.js';
import { hardwareAddressText } from '../wire/ethernet.js';
import { Deadlines, type Waiting } from './deadlines.js';
import type { InterfaceTable } from './interface-table.js';
import type { Outbox } from './outbox.js';
import type { Conflict, RunningRouter, WantedAddress } from './running-router.js';
import type { Timed } from './timed.js';
import type { Trouble } from './trouble.js';

/** How long a predecessor has to give the addresses up before it counts as somebody else. */
const GRACE: Micros = MICROS_PER_SECOND;
/** How long answers are waited for before the addresses are claimed; longer than the core waits. */
const PROBING: Micros = 500_000;
/** While the addresses are held they are asked for this often. */
const ASKED_EVERY: Micros = 60 * MICROS_PER_SECOND;
/** A stranger that stays is told of again this often. */
const TOLD_EVERY: Micros = 600 * MICROS_PER_SECOND;
/** Per router: whoever claims from ever new MAC addresses fills no memory. */
const MAX_ROWS = 16;
/** An address is claimed back from a stranger at most this often (RFC 5227 section 2.4). */
const DEFENDED_EVERY: Micros = 10 * MICROS_PER_SECOND;

/** The part of a channel that is used here. */
export interface ProbingChannel {
  /** Undefined: nothing to ask with. */
  probe(addresses: readonly IpAddress[]): Outcome | undefined;
  /** Hears others' claims to these addresses; none: stops. */
  watch(router: RunningRouter, addresses: readonly IpAddress[]): Outcome | undefined;
}

export interface ProbeTools {
  readonly channels: { get(name: string): ProbingChannel | undefined };
  readonly table: Pick<InterfaceTable, 'links'>;
  readonly outbox: Outbox;
  readonly trouble: Trouble;
  /** The routers that have the address on the interface while they are active. */
  readonly wanting: (address: IpAddress, device: string) => readonly RunningRouter[];
  /** Before its addresses were claimed: somebody else has one (the core's input addressConflict). */
  readonly onConflict: (router: RunningRouter, now: Instant) => void;
  /** A stranger has told others that it has the address: they are to be told otherwise. */
  readonly defend: (router: RunningRouter, wanted: WantedAddress, now: Instant) => void;
}

/** What is known and wanted of one router. */
class Watch implements Waiting {
  /** Why its addresses are watched. Before they are claimed only until then: whoever is active later is no stranger. */
  probingUntil: Instant | undefined;
  isHolding = false;
  isHandingOver = false;
  /** Where they are, as it was last asked of the channels. */
  devices: ReadonlySet<string> = new Set();
  /** When the addresses are asked for again; undefined: not. */
  askAt: Instant | undefined;
  queuedAt: Instant | undefined;
  /** By address and MAC: heard while it was held, not yet believed. */
  readonly suspects = new Map<string, Instant>();
  /** By address and MAC: when it was told of. */
  readonly told = new Map<string, Instant>();
  /** By address: when it was last claimed back. */
  readonly defended = new Map<IpAddress, Instant>();

  constructor(readonly router: RunningRouter) {}

  get name(): string {
    return this.router.name;
  }

  get deadline(): Instant | undefined {
    const { probingUntil, askAt } = this;
    if (probingUntil === undefined || askAt === undefined) return probingUntil ?? askAt;
    return Math.min(probingUntil, askAt);
  }
}

export class Probe implements Timed {
  readonly #watches = new Map<RunningRouter, Watch>();
  readonly #deadlines = new Deadlines<Watch>();
  /** What is listened for, and asked, no longer fits: done at the end of the turn, after the advertisement has left. */
  readonly #unfit = new Set<RunningRouter>();
  readonly #unasked = new Set<RunningRouter>();

  constructor(private readonly tools: ProbeTools) {}

  /** Asks for other holders now (effect probeAddresses). Until `hold` every answer is a conflict at once. */
  start(router: RunningRouter, now: Instant): void {
    const watch = this.#watchOf(router);
    if (!watch.isHolding && !router.isActive) {
      watch.probingUntil = now + PROBING;
      this.#deadlines.changed(watch);
    }
    this.#unfit.add(router);
    this.#unasked.add(router);
  }

  /** The router holds its addresses: after the first second, and then now and then, they are asked for. */
  hold(router: RunningRouter, now: Instant): void {
    const watch = this.#watchOf(router);
    watch.probingUntil = undefined;
    if (router.router.duplicateProbe === 'off') {
      watch.isHolding = false;
      watch.askAt = undefined;
    } else if (!watch.isHolding) {
      watch.isHolding = true;
      watch.askAt = now + GRACE;
      this.#deadlines.changed(watch);
    }
    this.#unfit.add(router);
  }

  /** The router gave its addresses up, or does not claim them after all. */
  release(router: RunningRouter): void {
    const watch = this.#watches.get(router);
    if (watch === undefined) return;
    this.#unasked.delete(router);
    watch.probingUntil = undefined;
    watch.isHolding = false;
    watch.askAt = undefined;
    watch.suspects.clear();
    watch.defended.clear();
    this.#unfit.add(router);
  }

  /** Others' announcements are wanted (effect listenForAnnouncements). */
  listen(router: RunningRouter, on: boolean): void {
    const watch = this.#watchOf(router);
    watch.isHandingOver = on;
    this.#unfit.add(router);
  }

  /** At the end of every turn. */
  flush(now: Instant): void {
    if (this.#unfit.size > 0) {
      for (const router of this.#unfit) this.#fit(router, this.#watchOf(router), now);
      this.#unfit.clear();
    }
    if (this.#unasked.size > 0) {
      for (const router of this.#unasked) this.#ask(router, now);
      this.#unasked.clear();
    }
  }

  /** The router is no more: nothing is kept of it. */
  forget(router: RunningRouter, now: Instant): void {
    const watch = this.#watches.get(router);
    if (watch === undefined) return;
    this.release(router);
    watch.isHandingOver = false;
    this.#fit(router, watch, now);
    this.#unfit.delete(router);
    this.#watches.delete(router);
  }

  /** Another station said on the interface that it has an address. */
  heard(device: string, claim: Claim, now: Instant): void {
    for (const router of this.tools.wanting(claim.address, device)) {
      const watch = this.#watches.get(router);
      if (watch === undefined || (watch.probingUntil === undefined && !watch.isHolding)) continue;
      const wanted = router.wanted.find((each) => each.address === claim.address && each.device === device);
      if (wanted === undefined || router.hostOwned.has(wanted.address)) continue;
      const mac = hardwareAddressText(claim.hardwareAddress);
      if (this.#isOurs(router, mac)) continue;
      this.#heardStranger(router, watch, wanted, mac, claim.kind, now);
    }
  }

  /** The kernel's duplicate address detection found another holder, whose MAC it does not tell. */
  duplicateDetected(router: RunningRouter, wanted: WantedAddress, now: Instant): void {
    this.#conflict(router, this.#watchOf(router), wanted, 'unknown', now);
  }

  get nextAt(): Instant | undefined {
    return this.#deadlines.next;
  }

  onTime(now: Instant): void {
    for (const watch of this.#deadlines.takeDue(now)) {
      const { router } = watch;
      if (watch.probingUntil !== undefined && now >= watch.probingUntil) {
        watch.probingUntil = undefined;
        this.#unfit.add(router);
      }
      if (watch.askAt !== undefined && now >= watch.askAt) {
        watch.askAt = now + ASKED_EVERY;
        this.#unasked.add(router);
      }
      this.#deadlines.changed(watch);
    }
  }

  #heardStranger(
    router: RunningRouter,
    watch: Watch,
    wanted: WantedAddress,
    mac: string,
    kind: Claim['kind'],
    now: Instant,
  ): void {
    if (watch.probingUntil !== undefined) {
      watch.probingUntil = undefined;
      this.#unfit.add(router);
      this.#conflict(router, watch, wanted, mac, now);
      this.tools.onConflict(router, now);
      return;
    }
    const key = `${formatIp(wanted.address)} ${mac}`;
    const since = watch.suspects.get(key);
    if (since === undefined) {
      bound(watch.suspects);
      watch.suspects.set(key, now);
    }
    const believedAt = (since ?? now) + GRACE;
    if (now < believedAt) {
      // Asked once more when it has had time to give the address up.
      if (watch.askAt === undefined || believedAt < watch.askAt) watch.askAt = believedAt;
      this.#deadlines.changed(watch);
      return;
    }
    this.#conflict(router, watch, wanted, mac, now);
    const defendedAt = watch.defended.get(wanted.address);
    if (kind === 'question' || (defendedAt !== undefined && now - defendedAt < DEFENDED_EVERY)) return;
    watch.defended.set(wanted.address, now);
    this.tools.defend(router, wanted, now);
  }

  #conflict(router: RunningRouter, watch: Watch, wanted: WantedAddress, mac: string, now: Instant): void {
    const address = formatIp(wanted.address);
    const key = `${address} ${mac}`;
    this.#note(router, key, { address, mac, lastAt: now });
    router.count('conflicts');
    const toldAt = watch.told.get(key);
    if (toldAt !== undefined && now - toldAt < TOLD_EVERY) return;
    watch.told.delete(key);
    bound(watch.told);
    watch.told.set(key, now);
    const who = mac === 'unknown' ? 'another host' : `another host (${mac})`;
    this.tools.outbox.tell({
      kind: 'addressConflict',
      router: router.name,
      address,
      interface: wanted.device,
      mac,
      sentence: `${who} on ${wanted.device} says that it has ${address}, an address of this virtual router: remove it there`,
    });
  }

  #note(router: RunningRouter, key: string, conflict: Conflict): void {
    router.conflicts.delete(key);
    bound(router.conflicts);
    router.conflicts.set(key, conflict);
  }

  #ask(router: RunningRouter, now: Instant): void {
    const byDevice = new Map<string, IpAddress[]>();
    for (const { device, address } of router.wanted) {
      if (router.hostOwned.has(address)) continue;
      const others = byDevice.get(device);
      if (others === undefined) byDevice.set(device, [address]);
      else others.push(address);
    }
    for (const [device, addresses] of byDevice) {
      const outcome = this.tools.channels.get(device)?.probe(addresses);
      if (outcome === undefined) continue;
      router.count('probes', addresses.length);
      if (outcome.ok) continue;
      router.count(`errors.probes.${outcome.code}`);
      this.tools.trouble.failed('other holders of an address could not be asked for', device, outcome.message, now);
    }
  }

  /** Watches where it is wanted, and no longer elsewhere. */
  #fit(router: RunningRouter, watch: Watch, now: Instant): void {
    const isWanted = watch.probingUntil !== undefined || watch.isHolding || watch.isHandingOver;
    const byDevice = new Map<string, IpAddress[]>();
    for (const device of watch.devices) byDevice.set(device, []);
    if (isWanted) {
      for (const { device, address } of router.wanted) {
        const others = byDevice.get(device);
        if (others === undefined) byDevice.set(device, [address]);
        else others.push(address);
      }
    }
    const devices = new Set<string>();
    for (const [device, addresses] of byDevice) {
      if (addresses.length > 0) devices.add(device);
      const outcome = this.tools.channels.get(device)?.watch(router, addresses);
      if (outcome === undefined || outcome.ok) continue;
      router.count(`errors.listen.${outcome.code}`);
      this.tools.trouble.failed('cannot listen for others that claim virtual addresses', device, outcome.message, now);
    }
    watch.devices = devices;
  }

  #watchOf(router: RunningRouter): Watch {
    let watch = this.#watches.get(router);
    if (watch === undefined) {
      watch = new Watch(router);
      this.#watches.set(router, watch);
    }
    return watch;
  }

  /** Of an interface of this host, or the virtual router's own, which another member may answer with. */
  #isOurs(router: RunningRouter, mac: string): boolean {
    if (router.settings.virtualMac?.address.toLowerCase() === mac) return true;
    if (/^00:00:5e:00:0[12]:/.test(mac) && Number.parseInt(mac.slice(15), 16) === router.router.vrid) return true;
    for (const { hardwareAddress } of this.tools.table.links) {
      if (hardwareAddress !== undefined && hardwareAddressText(hardwareAddress) === mac) return true;
    }
    return false;
  }
}

/** Makes room for one more: the oldest goes. */
function bound(rows: Map<string, unknown>): void {
  if (rows.size < MAX_ROWS) return;
  for (const oldest of rows.keys()) {
    rows.delete(oldest);
    return;
  }
}
