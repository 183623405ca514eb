/** Plays scenarios in several laboratories at a time, which mostly wait. */
import { getMaxListeners, setMaxListeners } from 'node:events';
import { availableParallelism } from 'node:os';
import { perform } from './performance.js';
import type { Outcome } from './report.js';
import { CASTS, type Cast, type Scenario } from './scenario.js';
import { Turns } from './turns.js';
import { disagreements, mistakes } from './verdict.js';

export class Stages {
  readonly #stages: Turns;
  /** To start a program is what takes a processor's time: others' timers are not to be late for it. */
  readonly #starts = new Turns(availableParallelism());

  /** @param count performances at the same time */
  constructor(count: number) {
    // Each laboratory has one for each way in which this process may end.
    setMaxListeners(getMaxListeners(process) + count, process);
    this.#stages = new Turns(count);
  }

  /** Plays the scenario by all the casts as there are stages free for them, and judges. */
  async outcome(scenario: Scenario, casts: readonly Cast[] = CASTS): Promise<Outcome> {
    const wrong = mistakes(scenario);
    if (wrong.length > 0) throw new TypeError(`${scenario.name}: ${wrong.join('; ')}`);
    const performances = await Promise.all(
      casts.map((cast) => this.#stages.take(() => perform(scenario, cast, this.#starts))),
    );
    return { scenario, performances, disagreements: disagreements(scenario, performances) };
  }
}
