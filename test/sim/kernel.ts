/** The kernel of a host as far as one virtual router's addresses go: it holds them for as long as their lease. */
import type { Instant, IpAddress, Micros } from '../../agent/vrrp/index.js';
import type { Random } from './random.js';
import type { Timeline } from './timeline.js';

/** The longest that addresses outlast their lease. */
const SLOWNESS: Micros = 360_000;
const NONE: readonly IpAddress[] = [];

interface Surroundings {
  readonly timeline: Timeline;
  readonly random: Random;
}

export class Kernel {
  /** Whether the addresses went because nobody renewed them. */
  isLeaseOver = false;
  /** What it holds, all with one lease. */
  addresses: readonly IpAddress[] = NONE;
  #heldUntil: Instant | undefined;
  #stoppedAt: Instant | undefined;
  readonly #world: Surroundings;
  readonly #onLeaseEnd: () => void;

  constructor(world: Surroundings, onLeaseEnd: () => void) {
    this.#world = world;
    this.#onLeaseEnd = onLeaseEnd;
  }

  get holds(): boolean {
    return this.#heldUntil !== undefined;
  }

  /** Whether it lets go by itself. */
  get isLeased(): boolean {
    return this.#heldUntil !== Number.POSITIVE_INFINITY;
  }

  /** Has just these from now on; without a lease, for ever. */
  hold(addresses: readonly IpAddress[], lease: Micros | undefined): void {
    this.addresses = addresses;
    this.#lease(lease);
  }

  /** Whatever it has (addresses that went are put back), for so long again. */
  renew(lease: Micros | undefined): void {
    this.#lease(lease);
  }

  letGo(): void {
    this.#heldUntil = undefined;
    this.addresses = NONE;
  }

  /** The machine is suspended, and its lifetimes with it. */
  freeze(): void {
    this.#stoppedAt = this.#world.timeline.now;
  }

  thaw(): void {
    const stoppedAt = this.#stoppedAt ?? this.#world.timeline.now;
    this.#stoppedAt = undefined;
    if (this.#heldUntil === undefined || !this.isLeased) return;
    this.#letGoAt(this.#heldUntil + this.#world.timeline.now - stoppedAt);
  }

  #lease(lease: Micros | undefined): void {
    const { timeline, random } = this.#world;
    this.isLeaseOver = false;
    if (lease === undefined) this.#heldUntil = Number.POSITIVE_INFINITY;
    else this.#letGoAt(timeline.now + lease + random.between(0, SLOWNESS));
  }

  #letGoAt(until: Instant): void {
    this.#heldUntil = until;
    this.#world.timeline.at(until, () => {
      if (this.#heldUntil !== until || this.#stoppedAt !== undefined) return;
      this.#heldUntil = undefined;
      this.isLeaseOver = true;
      this.#onLeaseEnd();
    });
  }
}
