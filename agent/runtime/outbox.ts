/**
 * Occurrences on their way to the worker. Until the worker listens, and after it died, they are kept, a bounded number of
 * them; the election never waits and never notices a difference.
 */
import type { ElectionClock, WorkerPort } from './edges.js';
import type { FromElection, Occurrence } from './messages.js';

/** Enough for every event of a day without a worker; beyond it, the least telling go first. */
const MAX_KEPT = 4096;

/** An occurrence without its time stamps. */
type WithoutStamp<T> = T extends unknown ? Omit<T, 'at' | 'wallMs'> : never;
export type Happening = WithoutStamp<Occurrence>;

/** What goes first when there is no room; transitions and leases are never given up for these. */
const DISPENSABLE: ReadonlySet<Occurrence['kind']> = new Set([
  'log',
  'rejected',
  'notice',
  'unknownVrid',
  'lowerPriorityHeard',
]);

export class Outbox {
  #port: WorkerPort | undefined;
  #listening = false;
  #kept: Occurrence[] = [];
  #given = 0;

  constructor(private readonly clock: ElectionClock) {}

  /** Another worker; what happens is kept until it is ready. */
  attach(port: WorkerPort): void {
    this.#port = port;
    this.#listening = false;
  }

  /** The worker is gone; false: it is another one that is there. */
  detach(port: WorkerPort): boolean {
    if (this.#port !== port) return false;
    this.#port = undefined;
    this.#listening = false;
    return true;
  }

  /** The worker listens: everything kept is sent, oldest first. */
  open(): void {
    this.#listening = true;
    const kept = this.#kept;
    this.#kept = [];
    for (const occurrence of kept) this.post({ kind: 'occurrence', occurrence });
    if (this.#given > 0) {
      const given = this.#given;
      this.#given = 0;
      this.tell({
        kind: 'log',
        level: 'warn',
        message: 'occurrences were dropped while no worker listened',
        fields: { dropped: given },
      });
    }
  }

  tell(happening: Happening): void {
    // The spread keeps the variant; TypeScript cannot follow a union through it.
    const occurrence = { at: this.clock.now(), wallMs: this.clock.wallMs(), ...happening } as Occurrence;
    if (this.#listening) this.post({ kind: 'occurrence', occurrence });
    else this.#keep(occurrence);
  }

  /** An answer to the worker; lost without one. */
  post(message: FromElection): void {
    try {
      this.#port?.postMessage(message);
    } catch {
      // The worker is gone or going; its end is told by whoever started it.
      this.#listening = false;
      if (message.kind === 'occurrence') this.#keep(message.occurrence);
    }
  }

  #keep(occurrence: Occurrence): void {
    if (this.#kept.length >= MAX_KEPT) {
      const victim = this.#kept.findIndex(({ kind }) => DISPENSABLE.has(kind));
      this.#given += 1;
      if (victim < 0 && DISPENSABLE.has(occurrence.kind)) return;
      this.#kept.splice(Math.max(0, victim), 1);
    }
    this.#kept.push(occurrence);
  }
}
