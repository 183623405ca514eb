/** The virtual routers of this node, those that are on their way out among them, and the groups that they move in. */
import type { IpAddress } from '../../proto/rules/ip.js';
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
  #virtual: ReadonlySet<IpAddress> = new Set();

  *all(): Iterable<RunningRouter> {
    yield* this.running.values();
    yield* this.leaving;
  }

  /** Addresses of all of them, whoever has them now. */
  get virtual(): ReadonlySet<IpAddress> {
    return this.#virtual;
  }

  /** To be called after routers came, went or changed their addresses. */
  changed(): void {
    const virtual = new Set<IpAddress>();
    for (const router of this.all()) for (const { address } of router.wanted) virtual.add(address);
    this.#virtual = virtual;
  }
}
