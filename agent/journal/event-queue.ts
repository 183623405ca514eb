/**
 * The events that no controller has taken yet, in memory and pure of I/O. Bounded: when it is full the oldest event of
 * least worth is dropped and counted, and a transition goes only when there is nothing else left.
 */
import { type Event, EventSeverity } from '../../proto/gen/baton/v1/events.js';

/** How dear an event is; the cheapest go first. */
type Worth = 'info' | 'other' | 'transition';

const CHEAPEST_FIRST: readonly Worth[] = ['info', 'other', 'transition'];

export class EventQueue {
  readonly #limit: number;
  /** By sequence, in order. */
  readonly #events = new Map<number, Event>();
  readonly #countByWorth: Record<Worth, number> = { info: 0, other: 0, transition: 0 };

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#events.size;
  }

  /** Adds an event, newest of all; one of the same sequence is replaced. Returns the sequences that had to make room. */
  add(event: Event): number[] {
    this.remove(event.sequence);
    this.#events.set(event.sequence, event);
    this.#countByWorth[worthOf(event)] += 1;
    const dropped: number[] = [];
    while (this.#events.size > this.#limit) dropped.push(this.#dropOne());
    return dropped;
  }

  /** Removes one event if it is there. */
  remove(sequence: number): boolean {
    const event = this.#events.get(sequence);
    if (event === undefined) return false;
    this.#events.delete(sequence);
    this.#countByWorth[worthOf(event)] -= 1;
    return true;
  }

  /** Removes everything up to a sequence. Returns how many that were. */
  acknowledge(through: number): number {
    let removed = 0;
    for (const sequence of this.#events.keys()) {
      if (sequence > through) break;
      this.remove(sequence);
      removed += 1;
    }
    return removed;
  }

  /** Oldest first. */
  pending(after: number, limit: number): Event[] {
    const found: Event[] = [];
    for (const [sequence, event] of this.#events) {
      if (found.length >= limit) break;
      if (sequence > after) found.push(event);
    }
    return found;
  }

  #dropOne(): number {
    const worth = CHEAPEST_FIRST.find((candidate) => this.#countByWorth[candidate] > 0) ?? 'info';
    for (const [sequence, event] of this.#events) {
      if (worthOf(event) !== worth) continue;
      this.remove(sequence);
      return sequence;
    }
    // Only reached with nothing in the queue, and a full queue has something.
    return 0;
  }
}

function worthOf(event: Event): Worth {
  if (event.detail?.$case === 'transition') return 'transition';
  return event.severity === EventSeverity.INFO ? 'info' : 'other';
}
