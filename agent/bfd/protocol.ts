/** What the worker and the BFD thread say to each other. Structured-clone data only. */
import type { BfdSessionSettings } from './settings.js';
import type { BfdReport } from './speaker.js';

/** Worker to BFD thread. */
export type ToBfd =
  | { readonly kind: 'configure'; readonly sessions: readonly BfdSessionSettings[] }
  /** Tell every neighbour and end. */
  | { readonly kind: 'stop' };

/** BFD thread to worker. */
export type FromBfd =
  | { readonly kind: 'state'; readonly session: string; readonly state: 'up' | 'down'; readonly diagnostic: string }
  | { readonly kind: 'failed'; readonly sentence: string }
  /** Regularly, and soon after a change. */
  | { readonly kind: 'reports'; readonly reports: readonly BfdReport[] };
