/**
 * The solicited-node groups of the IPv6 addresses on macvlan interfaces, joined on the interfaces below them for as long
 * as the addresses are held. A switch that listens to membership reports forwards solicitations only to where the group
 * was joined, and the macvlan's own reports are dropped (docs/decisions/0017).
 */
import type { Instant } from '../../proto/rules/time.js';
import type { GroupMembership, OpenGroupMembership } from '../net/group-member.js';
import { solicitedNodeGroup } from '../wire/neighbor.js';
import type { InterfaceTable } from './interface-table.js';
import { macvlansOf } from './placement.js';
import type { RunningRouter } from './running-router.js';
import type { Trouble } from './trouble.js';

export interface NeighborGroupTools {
  readonly open: OpenGroupMembership;
  readonly table: InterfaceTable;
  readonly trouble: Trouble;
}

/** One interface that macvlans are on. */
interface Base {
  readonly name: string;
  membership: GroupMembership | undefined;
  /** How many routers want each group: addresses with the same last 24 bits share one. */
  readonly wanted: Map<bigint, number>;
  readonly joined: Set<bigint>;
}

export class NeighborGroups {
  readonly #bases = new Map<string, Base>();
  /** By interface name. */
  readonly #held = new Map<RunningRouter, ReadonlyMap<string, ReadonlySet<bigint>>>();

  constructor(private readonly tools: NeighborGroupTools) {}

  /** Before an active router's addresses are added, and after its settings have changed. */
  hold(router: RunningRouter, now: Instant): void {
    const before = this.#held.get(router);
    const groups = groupsOf(router);
    if (groups.size === 0 && before === undefined) return;
    for (const [name, ofBase] of groups) {
      const base = this.#baseOf(name);
      for (const group of ofBase) {
        if (before?.get(name)?.has(group) === true) continue;
        base.wanted.set(group, (base.wanted.get(group) ?? 0) + 1);
      }
      this.#join(base, ofBase, now);
    }
    this.#held.set(router, groups);
    if (before !== undefined) this.#leave(before, groups, now);
  }

  /** After a router's addresses were removed. */
  release(router: RunningRouter, now: Instant): void {
    const before = this.#held.get(router);
    if (before === undefined) return;
    this.#held.delete(router);
    this.#leave(before, new Map(), now);
  }

  /** After every change of interfaces: one that was made anew has joined nothing, and what was refused is tried again. */
  fit(now: Instant): void {
    for (const base of this.#bases.values()) {
      if (base.membership !== undefined && base.membership.interfaceIndex !== this.tools.table.link(base.name)?.index) {
        base.membership.close();
        base.membership = undefined;
        base.joined.clear();
      }
      if (base.joined.size < base.wanted.size) this.#join(base, base.wanted.keys(), now);
    }
  }

  close(): void {
    for (const { membership } of this.#bases.values()) membership?.close();
    this.#bases.clear();
    this.#held.clear();
  }

  #baseOf(name: string): Base {
    const known = this.#bases.get(name);
    if (known !== undefined) return known;
    const base: Base = { name, membership: undefined, wanted: new Map(), joined: new Set() };
    this.#bases.set(name, base);
    return base;
  }

  #join(base: Base, groups: Iterable<bigint>, now: Instant): void {
    const index = this.tools.table.link(base.name)?.index;
    // Without its interface there is nothing to join on; `fit` is called when it comes.
    if (index === undefined) return;
    base.membership ??= this.tools.open({ interfaceName: base.name, interfaceIndex: index });
    for (const group of groups) {
      if (base.joined.has(group)) continue;
      const outcome = base.membership.change(group, true);
      if (outcome.ok) base.joined.add(group);
      else this.tools.trouble.failed('a solicited-node group could not be joined', base.name, outcome.message, now);
    }
  }

  #leave(
    before: ReadonlyMap<string, ReadonlySet<bigint>>,
    kept: ReadonlyMap<string, ReadonlySet<bigint>>,
    now: Instant,
  ): void {
    for (const [name, groups] of before) {
      const base = this.#bases.get(name);
      if (base === undefined) continue;
      for (const group of groups) {
        if (kept.get(name)?.has(group) === true) continue;
        const others = (base.wanted.get(group) ?? 1) - 1;
        if (others > 0) {
          base.wanted.set(group, others);
          continue;
        }
        base.wanted.delete(group);
        if (!base.joined.delete(group)) continue;
        const outcome = base.membership?.change(group, false);
        if (outcome?.ok !== false || outcome.code === 'EADDRNOTAVAIL' || outcome.code === 'ENODEV') continue;
        this.tools.trouble.failed('a solicited-node group could not be left', name, outcome.message, now);
      }
      if (base.wanted.size > 0) continue;
      base.membership?.close();
      this.#bases.delete(name);
    }
  }
}

/** By the name of the interface below. */
function groupsOf({ settings, wanted }: RunningRouter): ReadonlyMap<string, ReadonlySet<bigint>> {
  const groups = new Map<string, Set<bigint>>();
  const macvlans = macvlansOf(settings);
  if (macvlans.length === 0) return groups;
  for (const { address, device } of wanted) {
    if (typeof address !== 'bigint') continue;
    const base = macvlans.find(({ name }) => name === device)?.base;
    if (base === undefined) continue;
    const known = groups.get(base);
    if (known === undefined) groups.set(base, new Set([solicitedNodeGroup(address)]));
    else known.add(solicitedNodeGroup(address));
  }
  return groups;
}
