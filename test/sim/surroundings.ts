/** What the hosts of a simulation need of the world around them, and the core that they run. */
import type {
  Effect,
  GroupMember,
  GroupStep,
  Input,
  Instant,
  Member,
  Outcome,
  SyncGroup,
  VirtualRouter,
} from '../../agent/vrrp/index.js';
import type { SimNode } from './node.js';
import type { Random } from './random.js';
import type { Timeline } from './timeline.js';

/** The core under test; a mutation is another one. */
export interface Core {
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

export type Transitioned = Extract<Effect, { readonly kind: 'transitioned' }>;

/** What hosts and nodes need of the world around them. */
export interface Surroundings {
  readonly core: Core;
  readonly timeline: Timeline;
  readonly random: Random;
  /** Whether others' gratuitous ARP is seen at all. */
  readonly announcementsHeard: boolean;
  violate(invariant: string, what: string): void;
  transitioned(node: SimNode, effect: Transitioned): void;
  trace(who: string, line: string): void;
  isAnswered(asking: SimNode): boolean;
}
