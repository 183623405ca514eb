/**
 * Everything that keeps something on this host for the routers, put together: addresses, routes, rules, the packet
 * filter, virtual MAC interfaces, announcements, and what the host has by itself.
 */
import type { Family, IpPrefix } from '../../proto/rules/ip.js';
import { parseIp } from '../../proto/rules/ip.js';
import type { Instant } from '../../proto/rules/time.js';
import type { Rtnetlink } from '../link/rtnetlink.js';
import type { Claim } from '../net/claim.js';
import { AddressKeeper } from './address-keeper.js';
import type { Alarm } from './alarm.js';
import { Announcer } from './announcer.js';
import type { Channels } from './channels.js';
import type { Edges, ElectionClock } from './edges.js';
import { EffectRunner } from './effect-runner.js';
import { AcceptGuard } from './firewall.js';
import { HostNetworks } from './host-network.js';
import type { InterfaceTable } from './interface-table.js';
import type { ElectionItemStatus, HostNetworkSettings, RouteSettings } from './messages.js';
import { NeighborGroups } from './neighbor-groups.js';
import type { Outbox } from './outbox.js';
import { Probe } from './probe.js';
import type { Roster } from './roster.js';
import { RouteKeeper } from './route-keeper.js';
import { RuleKeeper } from './rule-keeper.js';
import type { RunningRouter } from './running-router.js';
import { SysctlLoans } from './sysctl-loans.js';
import { earliestOf, type Timed } from './timed.js';
import type { Trouble } from './trouble.js';
import { VirtualMacs } from './virtual-macs.js';

const FORWARDING = 'forwarding';

export interface KeepersTools {
  readonly kernel: Rtnetlink;
  readonly edges: Edges;
  readonly table: InterfaceTable;
  readonly channels: Channels;
  readonly roster: Roster;
  readonly alarm: Alarm;
  readonly outbox: Outbox;
  readonly trouble: Trouble;
  readonly clock: ElectionClock;
  /** Somebody else answered before the router's addresses were claimed. */
  readonly onConflict: (router: RunningRouter, now: Instant) => void;
}

/** What somebody here wants to be told of when others change it. */
export interface WatchedItems {
  readonly destinations: readonly IpPrefix[];
  readonly rules: boolean;
}

export class Keepers implements Timed {
  readonly effects: EffectRunner;
  readonly #addresses: AddressKeeper;
  readonly #guard: AcceptGuard;
  readonly #loans: SysctlLoans;
  readonly #macs: VirtualMacs;
  readonly #groups: NeighborGroups;
  readonly #networks: HostNetworks;
  readonly #announcer: Announcer;
  readonly #probe: Probe;
  #areItemsSuspect = false;
  #watched: WatchedItems = { destinations: [], rules: false };

  constructor(private readonly tools: KeepersTools) {
    const { kernel, edges, table, channels, outbox, trouble, clock, onConflict } = tools;
    const { sysctl } = edges;
    this.#loans = new SysctlLoans(kernel, trouble);
    this.#addresses = new AddressKeeper(kernel, table, outbox, this.#loans);
    this.#guard = new AcceptGuard(edges.openFirewall(), table, trouble);
    this.#macs = new VirtualMacs({ kernel, sysctl, loans: this.#loans, guard: this.#guard, table, outbox, trouble });
    this.#groups = new NeighborGroups({ open: edges.openGroupMembership, table, trouble });
    const routes = new RouteKeeper(kernel, table, outbox);
    const rules = new RuleKeeper(kernel, outbox);
    this.#networks = new HostNetworks({ kernel, table, routes, rules, outbox });
    const announcer = new Announcer({
      channels,
      table,
      forwardsIpv6: (interfaceName) => {
        const forwarding = sysctl.read({ family: 6, interfaceName, key: FORWARDING });
        return forwarding.ok && forwarding.value !== 0;
      },
      trouble,
    });
    this.#announcer = announcer;
    this.#probe = new Probe({
      channels,
      table,
      outbox,
      trouble,
      wanting: (address, device) => tools.roster.wanting(address, device),
      onConflict,
      defend: (router, wanted, now) => announcer.announce(router, [wanted], 1, now),
    });
    this.effects = new EffectRunner({
      keeper: this.#addresses,
      routes,
      rules,
      guard: this.#guard,
      macs: this.#macs,
      groups: this.#groups,
      announcer,
      probe: this.#probe,
      channels,
      outbox,
      trouble,
      clock,
    });
  }

  /** With every configuration, before its routers move. */
  configure(routers: readonly RunningRouter[], networks: readonly HostNetworkSettings[], now: Instant): void {
    if (!this.#macs.arrange(routers, now)) this.tools.alarm.retryLater(now);
    this.#networks.configure(networks, now);
    this.#announcer.configure(routers, networks, now);
    this.#addresses.guardSecondaries(routers, now);
    this.#watched = {
      destinations: [...routers.map(({ settings }) => settings), ...networks].flatMap(({ routes }) =>
        routes.flatMap((route) => destinationOf(route) ?? []),
      ),
      rules: [...routers.map(({ settings }) => settings), ...networks].some(({ rules }) => rules.length > 0),
    };
  }

  get watched(): WatchedItems {
    return this.#watched;
  }

  /**
   * After a change of the host, the tables being up to date and before its routers are told.
   *
   * @param areItemsSuspect whether routes and rules may have gone
   */
  hostChanged(areItemsSuspect: boolean, now: Instant): void {
    this.#areItemsSuspect = areItemsSuspect;
    if (!this.#macs.fit(now)) this.tools.alarm.retryLater(now);
    this.#groups.fit(now);
    this.#networks.restore(areItemsSuspect, now);
    this.#addresses.guardSecondaries(this.tools.roster.all(), now);
  }

  /** Puts back what an active router should have. True: something that it cannot do without is lost. */
  restore(router: RunningRouter, now: Instant): boolean {
    return this.effects.restore(router, this.#areItemsSuspect, now);
  }

  /** Tells of addresses that somebody else put here. */
  tellForeign(router: RunningRouter): void {
    this.#addresses.tellForeign(router);
  }

  claimHeard(device: string, claim: Claim, now: Instant): void {
    this.#probe.heard(device, claim, now);
  }

  /** At the end of every turn. */
  flush(now: Instant): void {
    this.effects.flush(now);
    // Without a lease nothing else would come back to it.
    if (this.#addresses.takeFailure()) this.tools.alarm.retryLater(now);
    this.tools.alarm.by(this.effects.renewals.nextAt);
  }

  isOurMacvlan(router: RunningRouter, name: string): boolean {
    return this.#macs.isOurs(router, name);
  }

  /** Undefined: there is no such host network. */
  isComplete(hostNetwork: string): boolean | undefined {
    return this.#networks.isComplete(hostNetwork);
  }

  get hostItems(): readonly ElectionItemStatus[] {
    return this.#networks.items;
  }

  get nextAt(): Instant | undefined {
    return earliestOf([this.#announcer, this.#probe, this.effects.renewals]);
  }

  onTime(now: Instant): void {
    this.#announcer.onTime(now);
    this.#probe.onTime(now);
  }

  /**
   * Gives everything back, routers having ended already.
   *
   * @param keep all stays in force, for the process that goes on
   */
  close(keep: boolean, now: Instant): void {
    if (keep) this.effects.renewals.finish();
    this.#networks.close(keep);
    this.#groups.close();
    this.#macs.close(keep, now);
    this.#loans.close(keep, now);
    this.#guard.close(keep);
    this.tools.kernel.close();
  }
}

/** What routes of these settings lead to. Undefined: it is no prefix. */
function destinationOf({ to, family }: RouteSettings): IpPrefix | undefined {
  if (to === undefined) return { address: anyOf(family), prefixLength: 0 };
  const address = parseIp(to.address);
  return address === undefined ? undefined : { address, prefixLength: to.prefixLength };
}

function anyOf(family: Family): IpPrefix['address'] {
  return family === 6 ? 0n : 0;
}
