/**
 * The macvlan interfaces that carry routers' virtual MAC addresses (RFC 9568 section 7.3): made, marked as ours by their
 * alias, kept up with the interface they are on, made again when somebody deletes them, and removed at the end. One that a
 * former run left is adopted if it is still wanted, and else removed; nothing without the mark is ever touched
 * (docs/decisions/0017).
 */
import { familyOf } from '../../proto/rules/ip.js';
import type { Instant } from '../../proto/rules/time.js';
import type { Ipv4Conf, Link, Rtnetlink } from '../link/rtnetlink.js';
import { RtnetlinkError } from '../link/rtnetlink.js';
import type { Sysctl } from '../link/sysctl.js';
import type { Outcome } from '../net/system-error.js';
import { hardwareAddressText } from '../wire/ethernet.js';
import type { AcceptGuard } from './firewall.js';
import type { InterfaceTable } from './interface-table.js';
import type { Outbox } from './outbox.js';
import { macvlansOf, type WantedMacvlan } from './placement.js';
import type { RunningRouter } from './running-router.js';
import type { SysctlLoans } from './sysctl-loans.js';
import type { Trouble } from './trouble.js';

/** Begins the alias of our interfaces; the router's name follows. */
const MARK = 'baton ';
const IFF_UP = 0x1;
/** Purpose of loans of arp_ignore and arp_announce. */
const ONE_ANSWER = 'virtual mac';

/**
 * The macvlan answers ARP for what is on it and nothing else; packets to it are accepted though their way back is by
 * the base interface (2, loose, also overrules a stricter "all"); it forwards nothing while its router is not active.
 */
const MACVLAN_CONF: Ipv4Conf = {
  arpIgnore: 1,
  arpFilter: 0,
  rpFilter: 2,
  acceptLocal: 1,
  forwarding: 0,
  acceptRedirects: 0,
  sendRedirects: 0,
  promoteSecondaries: 1,
};
/** It asks for nothing and learns nothing by IPv6: a backup's would tell switches a wrong port for the virtual MAC. */
const MACVLAN_IPV6: Readonly<Record<string, number>> = {
  accept_ra: 0,
  autoconf: 0,
  router_solicitations: 0,
  forwarding: 0,
};
/**
 * The base interface must not answer for addresses that are on the macvlan, nor ask from them: both would teach the
 * neighbours its own MAC address for them.
 */
const BASE_CONF: Ipv4Conf = { arpIgnore: 1, arpAnnounce: 2 };

export interface VirtualMacTools {
  readonly kernel: Pick<Rtnetlink, 'createMacvlan' | 'setLink' | 'deleteLink' | 'link' | 'ipv4Conf' | 'setIpv4Conf'>;
  readonly sysctl: Sysctl;
  readonly loans: SysctlLoans;
  readonly guard: AcceptGuard;
  readonly table: InterfaceTable;
  readonly outbox: Outbox;
  readonly trouble: Trouble;
}

interface Macvlan extends WantedMacvlan {
  readonly router: RunningRouter;
  /** Families of the addresses that are to be on it. */
  readonly hasIpv4: boolean;
  readonly hasIpv6: boolean;
}

export class VirtualMacs {
  /** By interface name. */
  #wanted: ReadonlyMap<string, Macvlan> = new Map();
  /** Those that are there and ours, by name, with their index. */
  readonly #ours = new Map<string, number>();
  #isFirst = true;

  constructor(private readonly tools: VirtualMacTools) {}

  /**
   * With every configuration, before its routers move: makes what is wanted, removes what is not wanted any more. False:
   * one could not be made; `fit` is to be called again in a while.
   */
  arrange(routers: Iterable<RunningRouter>, now: Instant): boolean {
    const wanted = new Map<string, Macvlan>();
    for (const router of routers) {
      for (const macvlan of macvlansOf(router.settings)) {
        const addresses = router.wanted.filter(({ device }) => device === macvlan.name);
        wanted.set(macvlan.name, {
          ...macvlan,
          router,
          hasIpv4: addresses.some(({ address }) => familyOf(address) === 4),
          hasIpv6: addresses.some(({ address }) => familyOf(address) === 6),
        });
      }
    }
    this.#wanted = wanted;
    this.tools.guard.configured();
    this.#removeUnwanted(now);
    return this.fit(now);
  }

  /** After every change of interfaces, the table being up to date. False: as `arrange`. */
  fit(now: Instant): boolean {
    let areAllThere = true;
    for (const macvlan of this.#wanted.values()) {
      if (!this.#ensure(macvlan, now)) areAllThere = false;
    }
    const needs = new Map<number, Ipv4Conf>();
    for (const { name, base, hasIpv4 } of this.#wanted.values()) {
      const index = this.tools.table.link(base)?.index;
      if (hasIpv4 && index !== undefined && this.#ours.has(name)) needs.set(index, BASE_CONF);
    }
    this.tools.loans.want(ONE_ANSWER, needs, now);
    this.tools.guard.silence(new Set(this.#ours.values()), now);
    this.#raise(now);
    return areAllThere;
  }

  /** Whether a macvlan interface of this router is there. */
  isOurs(router: RunningRouter, name: string): boolean {
    const index = this.#ours.get(name);
    return (
      index !== undefined && this.#wanted.get(name)?.router === router && this.tools.table.link(name)?.index === index
    );
  }

  /**
   * What comes to the virtual MAC address is forwarded by the active router alone (RFC 9568 section 6.4.1: a backup must
   * discard it), and there as the base interface does.
   */
  serve(router: RunningRouter, isActive: boolean, now: Instant): void {
    for (const { name, base, router: owner } of this.#wanted.values()) {
      const index = owner === router ? this.#ours.get(name) : undefined;
      if (index === undefined) continue;
      const on = { family: 6, interfaceName: base, key: 'forwarding' } as const;
      const ipv6 = isActive ? this.tools.sysctl.read(on) : undefined;
      const what = 'forwarding of a virtual MAC interface could not be set';
      const ipv4 = isActive ? (this.#confOf(base)?.forwarding ?? 0) : 0;
      this.#judge(this.tools.kernel.setIpv4Conf(index, { forwarding: ipv4 }), what, name, now);
      const written = this.tools.sysctl.write({ ...on, interfaceName: name }, ipv6?.ok === true ? ipv6.value : 0);
      if (!written.ok && written.code !== 'ENOENT') this.#judge(written, what, name, now);
    }
  }

  /** Removes all that are ours; `keep`: leaves them, for the process that goes on. */
  close(keep: boolean, now: Instant): void {
    this.#wanted = new Map();
    if (!keep) for (const [name, index] of this.#ours) this.#delete(name, index, now);
    this.#ours.clear();
  }

  #ensure(macvlan: Macvlan, now: Instant): boolean {
    const { table, trouble } = this.tools;
    const { name, base, address, router } = macvlan;
    const baseLink = table.link(base);
    let there = table.link(name);
    if (there === undefined) this.#ours.delete(name);
    // It comes and goes with the interface that it is on: its return is told by an event.
    if (baseLink === undefined) return true;
    if (there !== undefined && !isMarked(there)) {
      // Its making is told before its mark is there, and the mark of an interface that is down is not told at all.
      this.#refresh(name, now);
      there = table.link(name);
    }
    if (there !== undefined && !isMarked(there)) {
      const what = 'an interface with the name of a virtual MAC interface exists and is not ours';
      trouble.failed(what, name, `rename or remove it, or give router ${router.name} another virtual MAC name`, now);
      this.#ours.delete(name);
      return false;
    }
    if (there !== undefined && there.parentIndex === baseLink.index && macOf(there) === address.toLowerCase()) {
      if (this.#ours.get(name) !== there.index) this.#adopt(macvlan, there, now);
      return true;
    }
    if (there !== undefined && !this.#delete(name, there.index, now)) return false;
    return this.#make(macvlan, baseLink, now);
  }

  #make(macvlan: Macvlan, base: Link, now: Instant): boolean {
    const { name, address, router } = macvlan;
    const made = this.tools.kernel.createMacvlan({
      name,
      baseIndex: base.index,
      address: bytesOf(address),
      alias: aliasOf(router),
      ipv4Conf: MACVLAN_CONF,
    });
    if (!made.ok) {
      this.tools.trouble.failed(
        'a virtual MAC interface could not be made',
        `${name} on ${base.name}`,
        made.message,
        now,
      );
      return false;
    }
    this.tools.table.linkChanged(made.link);
    this.#ours.set(name, made.link.index);
    this.#setIpv6(macvlan, now);
    if (router.isActive) this.serve(router, true, now);
    return true;
  }

  /** One of a former run: its settings may be another version's. */
  #adopt(macvlan: Macvlan, there: Link, now: Instant): void {
    const { name, router } = macvlan;
    this.#ours.set(name, there.index);
    const what = 'a virtual MAC interface could not be set up';
    const { forwarding: _forwarding, ...conf } = MACVLAN_CONF;
    this.#judge(this.tools.kernel.setIpv4Conf(there.index, conf), what, name, now);
    const alias = aliasOf(router);
    if (there.alias !== alias) this.#judge(this.tools.kernel.setLink(there.index, { alias }), what, name, now);
    this.#setIpv6(macvlan, now);
    this.serve(router, router.isActive, now);
    this.#tell('info', 'a virtual MAC interface that a former run left was adopted', name, router.name);
  }

  #setIpv6({ name, hasIpv6 }: Macvlan, now: Instant): void {
    for (const [key, value] of Object.entries({ ...MACVLAN_IPV6, disable_ipv6: hasIpv6 ? 0 : 1 })) {
      const outcome = this.tools.sysctl.write({ family: 6, interfaceName: name, key }, value);
      // A kernel without IPv6 sends nothing by it.
      if (outcome.ok || outcome.code === 'ENOENT') continue;
      this.#judge(outcome, 'a virtual MAC interface could not be set up', name, now);
    }
  }

  /** Up after reports are blocked, and as long as the base interface is. */
  #raise(now: Instant): void {
    const { table, kernel } = this.tools;
    for (const { name, base } of this.#wanted.values()) {
      const link = table.link(name);
      const baseLink = table.link(base);
      if (link === undefined || baseLink === undefined || this.#ours.get(name) !== link.index) continue;
      const up = (baseLink.flags & IFF_UP) !== 0;
      if (((link.flags & IFF_UP) !== 0) === up) continue;
      this.#judge(
        kernel.setLink(link.index, { up }),
        `a virtual MAC interface could not be set ${up ? 'up' : 'down'}`,
        name,
        now,
      );
      this.#refresh(name, now);
    }
  }

  #removeUnwanted(now: Instant): void {
    for (const [name, index] of this.#ours) if (!this.#wanted.has(name)) this.#delete(name, index, now);
    if (!this.#isFirst) return;
    this.#isFirst = false;
    for (const link of [...this.tools.table.links]) {
      if (!isMarked(link) || this.#wanted.has(link.name)) continue;
      if (this.#delete(link.name, link.index, now)) {
        this.#tell(
          'warn',
          'a virtual MAC interface that a former run left was removed',
          link.name,
          (link.alias ?? '').slice(MARK.length),
        );
      }
    }
  }

  #delete(name: string, index: number, now: Instant): boolean {
    const outcome = this.tools.kernel.deleteLink(index);
    const isGone = outcome.ok || outcome.code === 'ENODEV';
    if (!isGone) {
      this.#judge(outcome, 'a virtual MAC interface could not be removed', name, now);
      return false;
    }
    this.#ours.delete(name);
    this.tools.table.linkRemoved(index);
    return true;
  }

  #refresh(name: string, now: Instant): void {
    try {
      const link = this.tools.kernel.link(name);
      if (link !== undefined) this.tools.table.linkChanged(link);
    } catch (error) {
      if (!(error instanceof RtnetlinkError)) throw error;
      this.tools.trouble.failed('an interface cannot be read', name, error.message, now);
    }
  }

  #confOf(name: string): Ipv4Conf | undefined {
    const index = this.tools.table.link(name)?.index;
    try {
      return index === undefined ? undefined : this.tools.kernel.ipv4Conf(index);
    } catch (error) {
      if (!(error instanceof RtnetlinkError)) throw error;
      return undefined;
    }
  }

  #judge(outcome: Outcome, what: string, on: string, now: Instant): void {
    if (!outcome.ok) this.tools.trouble.failed(what, on, outcome.message, now);
  }

  #tell(level: 'info' | 'warn', message: string, iface: string, router: string): void {
    this.tools.outbox.tell({ kind: 'log', level, message, fields: { iface, router } });
  }
}

function isMarked({ kind, alias }: Link): boolean {
  return kind === 'macvlan' && alias?.startsWith(MARK) === true;
}

/** The kernel takes ASCII; names are. */
function aliasOf({ name }: RunningRouter): string {
  return `${MARK}${name}`;
}

function macOf({ hardwareAddress }: Link): string {
  return hardwareAddressText(hardwareAddress ?? new Uint8Array());
}

function bytesOf(address: string): Uint8Array {
  return Uint8Array.from(address.split(':'), (byte) => Number.parseInt(byte, 16));
}
