/**
 * Which routers are due, and when the next one is, without looking at all of them: a binary heap. A deadline that moves to
 * later, as a backup's does with every advertisement, costs nothing: the router stays where it is, and is put in its place
 * when it comes to the top.
 */
import type { Instant } from '../../proto/rules/time.js';

/** What waits for the timer; both are only to be written by who owns it and by `Deadlines`, respectively. */
export interface Waiting {
  readonly name: string;
  /** Undefined: it waits for nothing. */
  readonly deadline: Instant | undefined;
  /** For when it is in the heap, not after its deadline; undefined: it is not there. */
  queuedAt: Instant | undefined;
}

export class Deadlines<Item extends Waiting> {
  /** The children of the one at i are at 2 i + 1 and 2 i + 2, and not queued for before it. */
  readonly #heap: Item[] = [];
  /** Their `queuedAt`, side by side: they are compared far more often than they are moved. */
  readonly #at: Instant[] = [];

  /** To be called when it has another deadline. */
  changed(item: Item): void {
    const { deadline, queuedAt } = item;
    if (deadline === undefined || (queuedAt !== undefined && queuedAt <= deadline)) return;
    // Sooner than it was is rare: the first advertisement of a priority of 0, for one.
    const index = queuedAt === undefined ? this.#heap.length : this.#heap.indexOf(item);
    item.queuedAt = deadline;
    this.#rise(item, deadline, index);
  }

  /** The earliest deadline. */
  get next(): Instant | undefined {
    for (;;) {
      const top = this.#heap[0];
      if (top === undefined) return undefined;
      const { deadline } = top;
      if (deadline !== undefined && deadline <= (this.#at[0] ?? deadline)) return deadline;
      this.#pop();
      this.changed(top);
    }
  }

  /**
   * Those whose deadline has come, the earliest first, by name where they are equal. They do not wait any more: `changed`
   * is to be called for each, whether it has a new deadline or the same.
   */
  takeDue(now: Instant): readonly Item[] {
    const due: Item[] = [];
    for (let top = this.#heap[0]; top !== undefined && (this.#at[0] ?? now) <= now; top = this.#heap[0]) {
      this.#pop();
      if (top.deadline !== undefined && top.deadline <= now) due.push(top);
      else this.changed(top);
    }
    return due.length < 2 ? due : due.sort(byDeadline);
  }

  #pop(): void {
    const [top] = this.#heap;
    const last = this.#heap.pop();
    const lastAt = this.#at.pop();
    if (top === undefined || last === undefined || lastAt === undefined) return;
    top.queuedAt = undefined;
    if (this.#heap.length > 0) this.#sink(last, lastAt);
  }

  /** The place at `from` is free; the item goes there or to above it. */
  #rise(item: Item, itemAt: Instant, from: number): void {
    const heap = this.#heap;
    const at = this.#at;
    let index = from;
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = heap[above];
      const parentAt = at[above];
      if (parent === undefined || parentAt === undefined || parentAt <= itemAt) break;
      heap[index] = parent;
      at[index] = parentAt;
      index = above;
    }
    heap[index] = item;
    at[index] = itemAt;
  }

  /** The place at the top is free; the item goes there or to below it. */
  #sink(item: Item, itemAt: Instant): void {
    const heap = this.#heap;
    const at = this.#at;
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      const leftAt = at[left] ?? Number.POSITIVE_INFINITY;
      const rightAt = at[left + 1] ?? Number.POSITIVE_INFINITY;
      const below = rightAt < leftAt ? left + 1 : left;
      const child = heap[below];
      const childAt = Math.min(leftAt, rightAt);
      if (child === undefined || itemAt <= childAt) break;
      heap[index] = child;
      at[index] = childAt;
      index = below;
    }
    heap[index] = item;
    at[index] = itemAt;
  }
}

function byDeadline(one: Waiting, other: Waiting): number {
  return (one.deadline ?? 0) - (other.deadline ?? 0) || (one.name < other.name ? -1 : 1);
}
