/** Whether there are as many processes as wanted, for as long as wanted. */
import type { CancelTimer, Clock } from '../local/clock.js';
import type { Observation } from './check-edges.js';
import type { ProcessProbe } from './check-settings.js';

export class Quorum {
  hasCount = false;
  readonly #probe: ProcessProbe;
  readonly #clock: Clock;
  readonly #observed: (observation: Omit<Observation, 'output'>) => void;
  #count = 0;
  #state: 'up' | 'down' = 'down';
  #cancelDelay: CancelTimer | undefined;

  constructor(probe: ProcessProbe, clock: Clock, observed: (observation: Omit<Observation, 'output'>) => void) {
    this.#probe = probe;
    this.#clock = clock;
    this.#observed = observed;
  }

  stop(): void {
    this.#cancelDelay?.();
  }

  /** The first count decides at once; later ones after the delays. */
  count(count: number): void {
    const isFirst = !this.hasCount;
    this.hasCount = true;
    this.#count = count;
    const wanted = this.#isEnough() ? 'up' : 'down';
    if (isFirst) this.#state = wanted;
    else if (wanted === this.#state) {
      this.#cancelDelay?.();
      this.#cancelDelay = undefined;
    } else {
      const delay = wanted === 'up' ? this.#probe.upDelay : this.#probe.downDelay;
      if (delay <= 0) this.#state = wanted;
      else {
        this.#cancelDelay ??= this.#clock.after(delay, () => {
          this.#cancelDelay = undefined;
          this.#state = wanted;
          this.#tell();
        });
      }
    }
    this.#tell();
  }

  #isEnough(): boolean {
    const { quorum, quorumMax = Number.POSITIVE_INFINITY } = this.#probe;
    // keepalived: a most of 0 means that it must not run at all.
    return this.#count >= Math.min(quorum, quorumMax) && this.#count <= quorumMax;
  }

  #tell(): void {
    const { quorum, quorumMax } = this.#probe;
    const wanted =
      quorumMax === undefined
        ? `at least ${quorum}`
        : quorumMax <= quorum
          ? `${quorumMax}`
          : `${quorum} to ${quorumMax}`;
    const reason = this.#state === 'up' ? '' : `${this.#count} running, wanted ${wanted}`;
    this.#observed({ state: this.#state, value: this.#count, reason, readable: true });
  }
}
