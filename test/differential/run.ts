/** Plays scenarios in several laboratories at a time, which mostly wait. */

import { type Performance, perform } from './performance.js';
import type { Outcome } from './report.js';
import { CASTS, type Cast, type Scenario } from './scenario.js';
import { disagreements, mistakes } from './verdict.js';

/** Performances at the same time, in all. */
export class Stages {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  /** Plays the scenario by all the casts as there are stages free for them, and judges. */
  async outcome(scenario: Scenario, casts: readonly Cast[] = CASTS): Promise<Outcome> {
    const wrong = mistakes(scenario);
    if (wrong.length > 0) throw new TypeError(`${scenario.name}: ${wrong.join('; ')}`);
    const performances = await Promise.all(casts.map((cast) => this.#perform(scenario, cast)));
    return { scenario, performances, disagreements: disagreements(scenario, performances) };
  }

  async #perform(scenario: Scenario, cast: Cast): Promise<Performance> {
    if (this.#free === 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#free -= 1;
    try {
      return await perform(scenario, cast);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }
}
