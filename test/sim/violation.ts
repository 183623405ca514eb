/** What a simulation throws. */
import type { Instant } from '../../agent/vrrp/index.js';

/** Something that must hold did not. `invariant` names it: I-1 to I-11, P2, P8, or a word for what holds on one host. */
export class Violation extends Error {
  readonly code = 'SIM_VIOLATION';
  readonly invariant: string;

  /** @param replay the command that runs the same schedule again */
  constructor(invariant: string, what: string, at: Instant, replay: string) {
    super(`${invariant}: ${what}, at ${(at / 1e6).toFixed(6)} s; replay: ${replay}`);
    this.name = 'Violation';
    this.invariant = invariant;
  }
}
