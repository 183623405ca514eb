/** A virtual clock: things to do, in the order of their instants (and of their making, at one instant). */
import type { Instant } from '../../agent/vrrp/index.js';

interface Entry {
  readonly at: Instant;
  readonly order: number;
  readonly action: () => void;
}

export class Timeline {
  now: Instant = 0;
  #made = 0;
  readonly #heap: Entry[] = [];

  at(instant: Instant, action: () => void): void {
    const entry: Entry = { at: Math.max(instant, this.now), order: this.#made, action };
    this.#made += 1;
    const heap = this.#heap;
    let index = heap.push(entry) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || before(above, entry)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = entry;
  }

  after(span: number, action: () => void): void {
    this.at(this.now + span, action);
  }

  /** Does everything that is due up to this instant, and moves the clock there. */
  runUntil(instant: Instant): void {
    for (let first = this.#heap[0]; first !== undefined && first.at <= instant; first = this.#heap[0]) {
      this.#removeFirst();
      this.now = first.at;
      first.action();
    }
    this.now = Math.max(this.now, instant);
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      const left = heap[2 * index + 1];
      const right = heap[2 * index + 2];
      const useRight = right !== undefined && left !== undefined && before(right, left);
      const least = useRight ? right : left;
      if (least === undefined || before(last, least)) break;
      heap[index] = least;
      index = 2 * index + (useRight ? 2 : 1);
    }
    heap[index] = last;
  }
}

function before(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
