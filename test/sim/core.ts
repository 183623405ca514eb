/** What a simulation runs: the election core, and the clock that it is given. A broken one is another object. */
import {
  type GroupMember,
  type GroupStep,
  type Input,
  type Instant,
  type Member,
  nextDeadline,
  type Outcome,
  type SyncGroup,
  step,
  stepGroup,
  type VirtualRouter,
} from '../../agent/vrrp/index.js';

/** What a host's clocks show, in microseconds. */
export interface HostClocks {
  /** The agent's own: what production takes as `now`. */
  readonly elections: Instant;
  /** Stands still while the machine is suspended. */
  readonly monotonic: Instant;
  /** Jumps when somebody sets it. */
  readonly wall: Instant;
}

export interface Core {
  now(clocks: HostClocks): Instant;
  step(router: VirtualRouter, member: Member, input: Input, now: Instant): Outcome;
  nextDeadline(router: VirtualRouter, member: Member): Instant | undefined;
  stepGroup(
    group: SyncGroup,
    members: ReadonlyMap<string, GroupMember>,
    name: string,
    input: Input,
    now: Instant,
  ): readonly GroupStep[];
}

export const PRODUCTION_CORE: Core = { now: ({ elections }) => elections, step, nextDeadline, stepGroup };
