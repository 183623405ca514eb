/**
 * Telling the worker of what may repeat often: rejected advertisements, and operations that fail. At once the first
 * time, then by the minute with a count.
 */
import type { Instant } from '../../proto/rules/time.js';
import type { Outbox } from './outbox.js';
import { type Repeated, Repeats } from './repeats.js';
import type { Timed } from './timed.js';

export class Trouble implements Timed {
  readonly #rejections = new Repeats();
  readonly #strays = new Repeats();
  readonly #failures = new Repeats();

  constructor(private readonly outbox: Outbox) {}

  get nextAt(): Instant | undefined {
    return earliest(earliest(this.#rejections.nextAt, this.#strays.nextAt), this.#failures.nextAt);
  }

  /** A router dropped an advertisement. */
  rejected(router: string, reason: string, source: string, now: Instant): void {
    const told = this.#rejections.note(router, reason, source, now);
    if (told !== undefined) this.#tellRejected(told, 1);
  }

  /** A packet of protocol 112 that no router can be named for. */
  stray(interfaceName: string, reason: string, source: string, now: Instant): void {
    const told = this.#strays.note(interfaceName, reason, source, now);
    if (told !== undefined) this.#tellStray(told, 1);
  }

  /** `what` could not be done on `on`; `detail` says why. */
  failed(what: string, on: string, detail: string, now: Instant): void {
    const told = this.#failures.note(what, detail, on, now);
    if (told !== undefined) this.#tellFailed(told, 1);
  }

  /** Something that must not happen; the elections go on. */
  fault(what: string, on: string, error: unknown, now: Instant): void {
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.failed(`${what}; this is a fault of the program`, on, detail, now);
  }

  onTime(now: Instant): void {
    for (const { repeated, count } of this.#rejections.due(now)) this.#tellRejected(repeated, count);
    for (const { repeated, count } of this.#strays.due(now)) this.#tellStray(repeated, count);
    for (const { repeated, count } of this.#failures.due(now)) this.#tellFailed(repeated, count);
  }

  #tellRejected({ subject, what, source }: Repeated, count: number): void {
    this.outbox.tell({ kind: 'rejected', router: subject, reason: what, source, count });
  }

  #tellStray({ subject, what, source }: Repeated, count: number): void {
    this.outbox.tell({
      kind: 'log',
      level: 'warn',
      message: 'a packet of protocol 112 was dropped that names no virtual router',
      fields: { iface: subject, reason: what, source, count },
    });
  }

  #tellFailed({ subject, what, source }: Repeated, count: number): void {
    this.outbox.tell({ kind: 'log', level: 'error', message: subject, fields: { on: source, detail: what, count } });
  }
}

function earliest(a: Instant | undefined, b: Instant | undefined): Instant | undefined {
  if (a === undefined) return b;
  return b === undefined || a <= b ? a : b;
}
