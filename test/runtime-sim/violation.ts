/** Something that must hold did not; the message ends with the command that tells the story again. */
import type { Instant } from '../../proto/rules/time.js';

export class RuntimeViolation extends Error {
  readonly code = 'RUNTIME_SIM_VIOLATION';
  readonly invariant: string;

  constructor(invariant: string, what: string, seed: number, at: Instant, part: 'election' | 'control' = 'election') {
    const command = `node dist/test/runtime-sim/replay.js ${part === 'control' ? '--control ' : ''}${seed}`;
    super(`${invariant}: ${what}, at ${(at / 1e6).toFixed(6)} s of seed ${seed}; replay: ${command}`);
    this.name = 'RuntimeViolation';
    this.invariant = invariant;
  }
}
