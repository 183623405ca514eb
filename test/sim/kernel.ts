/** The kernel of a host as far as one virtual router's addresses (as one) go: it holds them for as long as their lease. */
import type { Instant, Micros } from '../../agent/vrrp/index.js';
import type { Surroundings } from './surroundings.js';

/** The longest that addresses outlast their lease. */
const SLOWNESS: Micros = 360_000;

export class Kernel {
  /** Whether the addresses went because nobody renewed them. */
  isLeaseOver = false;
  #heldUntil: Instant | undefined;
  readonly #world: Surroundings;
  readonly #onLeaseEnd: () => void;

  constructor(world: Surroundings, onLeaseEnd: () => void) {
    this.#world = world;
    this.#onLeaseEnd = onLeaseEnd;
  }

  get holds(): boolean {
    return this.#heldUntil !== undefined;
  }

  /** Adds or renews them; without a lease, for ever. */
  hold(lease: Micros | undefined): void {
    this.isLeaseOver = false;
    if (lease === undefined) {
      this.#heldUntil = Number.POSITIVE_INFINITY;
      return;
    }
    const { timeline, random } = this.#world;
    const until = timeline.now + lease + random.between(0, SLOWNESS);
    this.#heldUntil = until;
    timeline.at(until, () => {
      if (this.#heldUntil !== until) return;
      this.#heldUntil = undefined;
      this.isLeaseOver = true;
      this.#onLeaseEnd();
    });
  }

  letGo(): void {
    this.#heldUntil = undefined;
  }
}
