/** How a run of the production loop may be spoilt: the proof that the simulation notices. Production itself changes nothing. */
import type { ElectionOptions } from '../../agent/runtime/election.js';
import type { ProcessHost } from './process.js';

export interface Sabotage {
  /** What the election is started with, in the place of what it ought to be started with. */
  election(options: ElectionOptions, host: ProcessHost): ElectionOptions;
}

export const PRODUCTION: Sabotage = { election: (options) => options };
