/** A row of the bench: one scenario, which gives one or more figures. */
import type { Conduct, Turn } from './contest.js';
import type { Figure } from './figure.js';

export interface Findings {
  readonly figures: readonly Figure[];
  /** Everything that was measured, for the JSON file. */
  readonly turns: readonly Turn[];
  /** What a reader must know beside the figures; also why something could not be measured. */
  readonly notes: readonly string[];
}

export interface Row {
  /** For --only. */
  readonly name: string;
  readonly summary: string;
  /** Rejects when it cannot be run at all, with the reason. */
  run(conduct: Conduct): Promise<Findings>;
}
