/** What the hosts of a simulation need of the world around them. */
import type { Effect } from '../../agent/vrrp/index.js';
import type { Core } from './core.js';
import type { SimNode } from './node.js';
import type { Random } from './random.js';
import type { Timeline } from './timeline.js';

export type Transitioned = Extract<Effect, { readonly kind: 'transitioned' }>;

export interface Surroundings {
  readonly core: Core;
  readonly timeline: Timeline;
  readonly random: Random;
  /** Whether others' gratuitous ARP is seen at all. */
  readonly announcementsHeard: boolean;
  /** Whether anybody reads what is traced. */
  readonly isTraced: boolean;
  violate(invariant: string, what: string): never;
  transitioned(node: SimNode, effect: Transitioned): void;
  /** The addresses of a node went from its kernel. */
  letGo(node: SimNode): void;
  trace(who: string, line: string): void;
  isAnswered(asking: SimNode): boolean;
}
