/** The virtual routers of this node, those that are on their way out among them, and the groups that they move in. */
import { type IpAddress, isLinkLocal } from '../../proto/rules/ip.js';
import type { Millis } from '../../proto/rules/time.js';
import { groupState, type StateName, type SyncGroup } from '../vrrp/index.js';
import type { RunningRouter } from './running-router.js';

/** A sync group as it runs. */
export class RunningGroup {
  state: StateName = 'initialize';
  sinceWallMs: Millis;
  /** By name. */
  readonly members = new Map<string, RunningRouter>();

  constructor(
    public settings: SyncGroup,
    wallMs: Millis,
  ) {
    this.sinceWallMs = wallMs;
  }

  /** Its state as its members are now. */
  judge(): StateName {
    return groupState(this.settings, this.members);
  }
}

export class Roster {
  /** By name: what the configuration in force has. */
  readonly running = new Map<string, RunningRouter>();
  /** What it does not have any more, and hands its addresses over. */
  readonly leaving = new Set<RunningRouter>();
  readonly groups = new Map<string, RunningGroup>();
  #virtual: ReadonlySet<IpAddress | string> = new Set();
  #wanting: ReadonlyMap<IpAddress, readonly RunningRouter[]> = new Map();

  *all(): Iterable<RunningRouter> {
    yield* this.running.values();
    yield* this.leaving;
  }

  /** Whether the address on this interface is one of theirs, whoever has it now. A link-local one is of its link alone. */
  isVirtual(address: IpAddress, device: string): boolean {
    return this.#virtual.has(isLinkLocal(address) ? linkLocalKey(address, device) : address);
  }

  /** Those that have the address on this interface while they are active. */
  wanting(address: IpAddress, device: string): readonly RunningRouter[] {
    const routers = this.#wanting.get(address) ?? [];
    return routers.filter(({ wanted }) => wanted.some((each) => each.address === address && each.device === device));
  }

  /** To be called after routers came, went or changed their addresses. */
  changed(): void {
    const virtual = new Set<IpAddress | string>();
    const wanting = new Map<IpAddress, RunningRouter[]>();
    for (const router of this.all()) {
      for (const address of new Set(router.wanted.map((each) => each.address))) {
        const others = wanting.get(address);
        if (others === undefined) wanting.set(address, [router]);
        else others.push(router);
      }
      for (const { address, device, settings } of router.wanted) {
        if (!isLinkLocal(address)) {
          virtual.add(address);
          continue;
        }
        // With a virtual MAC it is on the macvlan, and may have been left on the interface below.
        virtual.add(linkLocalKey(address, device));
        virtual.add(linkLocalKey(address, settings.device));
      }
    }
    this.#virtual = virtual;
    this.#wanting = wanting;
  }
}

function linkLocalKey(address: IpAddress, device: string): string {
  return `${device} ${address}`;
}
