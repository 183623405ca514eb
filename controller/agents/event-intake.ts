/**
 * Stores what agents send, many batches in one transaction: when a network breaks, every agent has something to say
 * at once, and one durable write per agent would make the last one wait for seconds.
 */
import type { Event } from '../../proto/gen/baton/v1/events.js';
import { record } from '../notify/index.js';
import type { Store } from '../store/database.js';
import { type EventSource, storeEvents } from '../store/event-store.js';

/** Batches taken into one transaction. */
const MOST_TOGETHER = 200;

interface Batch {
  readonly source: EventSource;
  readonly events: readonly Event[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class EventIntake {
  readonly #store: Store;
  readonly #now: () => Date;
  readonly #stored: () => void;
  readonly #waiting: Batch[] = [];
  #isRunning = false;

  /** @param stored Called after new events were stored. */
  constructor(store: Store, now: () => Date, stored: () => void) {
    this.#store = store;
    this.#now = now;
    this.#stored = stored;
  }

  /** Resolves when the events are stored durably; an event that is there already is not stored again. */
  add(source: EventSource, events: readonly Event[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ source, events, resolve, reject });
      void this.#run();
    });
  }

  async #run(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    while (this.#waiting.length > 0) await this.#take(this.#waiting.splice(0, MOST_TOGETHER));
    this.#isRunning = false;
  }

  async #take(batches: readonly Batch[]): Promise<void> {
    try {
      await this.#write(batches);
      for (const batch of batches) batch.resolve();
    } catch (error) {
      const [only] = batches;
      if (only === undefined) return;
      if (batches.length === 1) {
        only.reject(error);
        return;
      }
      // One of them may be at fault; the others must not suffer for it.
      for (const batch of batches) await this.#take([batch]);
    }
  }

  async #write(batches: readonly Batch[]): Promise<void> {
    const count = await this.#store.transaction().execute(async (trx) => {
      let fresh = 0;
      for (const { source, events } of batches) {
        const stored = await storeEvents(trx, source, events, this.#now());
        if (stored.length > 0) await record(trx, stored);
        fresh += stored.length;
      }
      return fresh;
    });
    if (count > 0) this.#stored();
  }
}
