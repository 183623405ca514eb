/**
 * Announces addresses, each on its own interface: gratuitous ARP for IPv4, unsolicited neighbour advertisements for IPv6.
 * Without a spacing all rounds leave at once. With one, what is due waits in a queue for each interface, or for each group
 * of interfaces that share a limit, where an address stands at most once: the queues are bounded by the addresses.
 */
import { familyOf, type IpAddress } from '../../proto/rules/ip.js';
import type { Instant, Micros } from '../../proto/rules/time.js';
import type { Link } from '../link/rtnetlink.js';
import type { Outcome } from '../net/system-error.js';
import type { AnnouncementSpacing, HostNetworkSettings } from './messages.js';
import type { RunningRouter, WantedAddress } from './running-router.js';
import type { Timed } from './timed.js';
import type { Trouble } from './trouble.js';

/** IFF_NOARP of linux/if.h: nobody there asks for addresses, so nobody is told of them. */
const NOARP = 0x80;
/**
 * A spacing that is shorter than the timer is precise is kept on average: what this time before the timer's turn was due
 * leaves in it together.
 */
const TIMER_GRAIN: Micros = 1_000;
const NO_SPACING: AnnouncementSpacing = { arp: 0, neighbor: 0 };

/** The part of a channel that is used here. */
export interface AnnouncingChannel {
  /**
   * `repeat` rounds over the addresses, now. `isRouter`: the router flag of neighbour advertisements. Undefined: nothing
   * to announce with.
   */
  announce(addresses: readonly IpAddress[], repeat: number, isRouter: boolean): Outcome | undefined;
}

export interface AnnouncerTools {
  readonly channels: { get(name: string): AnnouncingChannel | undefined };
  readonly table: { link(name: string): Link | undefined };
  /** Whether this host forwards IPv6 on the interface. */
  readonly forwardsIpv6: (interfaceName: string) => boolean;
  readonly trouble: Trouble;
}

/** An address of a router that waits for its turn. */
interface Waiting {
  readonly router: RunningRouter;
  readonly wanted: WantedAddress;
  roundsLeft: number;
}

/** One minimum spacing, of one interface or of several together. */
interface Limiter {
  spacing: Micros;
  /** No announcement before. */
  freeAt: Instant;
  /** By router and address, in the order in which they leave. */
  readonly queue: Map<string, Waiting>;
}

/** When an active router announces its addresses on other interfaces again. */
interface ExtraRefresh {
  readonly addresses: readonly WantedAddress[];
  at: Instant;
}

type Kind = keyof AnnouncementSpacing;

export class Announcer implements Timed {
  #spacings: ReadonlyMap<string, AnnouncementSpacing> = new Map();
  /** Which group an interface's limit is shared in. */
  #groups: ReadonlyMap<string, string> = new Map();
  readonly #limiters = new Map<string, Limiter>();
  readonly #extra = new Map<RunningRouter, ExtraRefresh>();

  constructor(private readonly tools: AnnouncerTools) {}

  /** With every configuration: the longest spacing that a router has for an interface holds there, unless a group's does. */
  configure(routers: readonly RunningRouter[], networks: readonly HostNetworkSettings[], now: Instant): void {
    const spacings = new Map<string, AnnouncementSpacing>();
    for (const { settings, wanted } of routers) {
      for (const device of new Set([settings.interface, ...wanted.map((address) => address.device)])) {
        spacings.set(device, longest(spacings.get(device) ?? NO_SPACING, settings.spacing));
      }
    }
    const groups = new Map<string, string>();
    for (const { name, announcementLimits } of networks) {
      for (const [index, { interfaces, spacing }] of announcementLimits.entries()) {
        for (const device of interfaces) {
          groups.set(device, `${name} ${index}`);
          spacings.set(device, {
            arp: spacing.arp > 0 ? spacing.arp : (spacings.get(device) ?? NO_SPACING).arp,
            neighbor: spacing.neighbor > 0 ? spacing.neighbor : (spacings.get(device) ?? NO_SPACING).neighbor,
          });
        }
      }
    }
    this.#spacings = spacings;
    this.#groups = groups;
    for (const [key, { queue }] of this.#limiters) if (queue.size === 0) this.#limiters.delete(key);
    for (const router of routers) {
      // Its settings may have been changed, or it may have had nothing to announce elsewhere until now.
      if (!router.isActive) continue;
      const planned = this.#extra.get(router)?.at ?? Number.POSITIVE_INFINITY;
      this.#scheduleExtra(router, Math.min(planned, now + router.settings.extraRefresh));
    }
  }

  /** `repeat` rounds over these addresses. The first leaves at once where the spacing allows it. */
  announce(router: RunningRouter, addresses: readonly WantedAddress[], repeat: number, now: Instant): void {
    if (repeat <= 0) return;
    if (!this.#extra.has(router)) this.#scheduleExtra(router, now + router.settings.extraRefresh);
    /** Those that need not wait, by interface. */
    const atOnce = new Map<string, IpAddress[]>();
    const limiters = new Set<Limiter>();
    for (const wanted of addresses) {
      const limiter = this.#limiterOf(wanted);
      if (limiter === undefined) {
        const others = atOnce.get(wanted.device);
        if (others === undefined) atOnce.set(wanted.device, [wanted.address]);
        else others.push(wanted.address);
        continue;
      }
      const key = turnOf(router, wanted);
      const waiting = limiter.queue.get(key);
      if (waiting === undefined) limiter.queue.set(key, { router, wanted, roundsLeft: repeat });
      else waiting.roundsLeft = Math.max(waiting.roundsLeft, repeat);
      limiters.add(limiter);
    }
    for (const limiter of limiters) this.#sendDue(limiter, now);
    for (const [device, announced] of atOnce) this.#send(router, device, announced, repeat, now);
  }

  /** Its settings, its name too perhaps, were replaced: what waits goes on, but for addresses that it no longer wants. */
  retain(router: RunningRouter): void {
    const wanted = new Map(router.wanted.map((each) => [each.key, each]));
    for (const { queue } of this.#limiters.values()) {
      const all = [...queue];
      if (!all.some(([, waiting]) => waiting.router === router)) continue;
      // Built anew, so that everybody keeps his turn.
      queue.clear();
      for (const [key, waiting] of all) {
        const still = waiting.router === router ? wanted.get(waiting.wanted.key) : undefined;
        if (still !== undefined) queue.set(turnOf(router, still), { ...waiting, wanted: still });
        else if (waiting.router !== router) queue.set(key, waiting);
      }
    }
  }

  /** Nothing of the router is announced any more: it gives its addresses up. */
  cancel(router: RunningRouter): void {
    this.#extra.delete(router);
    for (const { queue } of this.#limiters.values()) {
      for (const [key, waiting] of queue) if (waiting.router === router) queue.delete(key);
    }
  }

  get nextAt(): Instant | undefined {
    let next: Instant | undefined;
    for (const { queue, freeAt } of this.#limiters.values()) {
      if (queue.size > 0 && (next === undefined || freeAt < next)) next = freeAt;
    }
    for (const { at } of this.#extra.values()) if (next === undefined || at < next) next = at;
    return next;
  }

  onTime(now: Instant): void {
    for (const limiter of this.#limiters.values()) this.#sendDue(limiter, now);
    for (const [router, extra] of this.#extra) {
      if (now < extra.at) continue;
      extra.at = now + router.settings.extraRefresh;
      this.announce(router, extra.addresses, 1, now);
    }
  }

  #limiterOf({ device, address }: WantedAddress): Limiter | undefined {
    const kind: Kind = familyOf(address) === 4 ? 'arp' : 'neighbor';
    const spacing = this.#spacings.get(device)?.[kind] ?? 0;
    if (spacing <= 0) return undefined;
    const key = `${kind} ${this.#groups.get(device) ?? `\n${device}`}`;
    const known = this.#limiters.get(key);
    if (known !== undefined) {
      known.spacing = spacing;
      return known;
    }
    const limiter: Limiter = { spacing, freeAt: 0, queue: new Map() };
    this.#limiters.set(key, limiter);
    return limiter;
  }

  #sendDue(limiter: Limiter, now: Instant): void {
    for (const [key, waiting] of limiter.queue) {
      if (now < limiter.freeAt) return;
      limiter.freeAt = Math.max(limiter.freeAt, now - Math.max(0, TIMER_GRAIN - limiter.spacing)) + limiter.spacing;
      limiter.queue.delete(key);
      waiting.roundsLeft -= 1;
      // To the end: a round is over all addresses.
      if (waiting.roundsLeft > 0) limiter.queue.set(key, waiting);
      this.#send(waiting.router, waiting.wanted.device, [waiting.wanted.address], 1, now);
    }
  }

  #send(router: RunningRouter, device: string, addresses: readonly IpAddress[], repeat: number, now: Instant): void {
    const link = this.tools.table.link(device);
    if (link !== undefined && (link.flags & NOARP) !== 0) return;
    const isRouter = addresses.some((address) => familyOf(address) === 6) && this.tools.forwardsIpv6(device);
    const outcome = this.tools.channels.get(device)?.announce(addresses, repeat, isRouter);
    if (outcome === undefined) return;
    router.count('announcements', addresses.length * repeat);
    if (outcome.ok) return;
    router.count(`errors.announcements.${outcome.code}`);
    this.tools.trouble.failed('an address could not be announced', device, outcome.message, now);
  }

  /** keepalived's garp_extra_if: addresses elsewhere than on the router's own interface, for switches that forget. */
  #scheduleExtra(router: RunningRouter, at: Instant): void {
    const { settings, wanted } = router;
    this.#extra.delete(router);
    if (settings.extraRefresh <= 0) return;
    const own = settings.virtualMac?.name ?? settings.interface;
    const addresses = wanted.filter(
      ({ device, settings: address }) =>
        device !== own && device !== settings.interface && (settings.extraRefreshAll || address.virtualMac === true),
    );
    if (addresses.length > 0) this.#extra.set(router, { addresses, at });
  }
}

/** What an address of a router waits under. */
function turnOf(router: RunningRouter, { key }: WantedAddress): string {
  return `${router.name}\n${key}`;
}

function longest(a: AnnouncementSpacing, b: AnnouncementSpacing): AnnouncementSpacing {
  return { arp: Math.max(a.arp, b.arp), neighbor: Math.max(a.neighbor, b.neighbor) };
}
