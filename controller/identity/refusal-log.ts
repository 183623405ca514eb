/** Refused calls in the log: the first of its kind from an address at once, its repeats as a count once a minute. */
import type { Logger } from '../../proto/process/logger.js';

const WINDOW_MS = 60_000;
/** Kinds that are kept apart; a stranger with many addresses gets one line for all that is beyond. */
const MOST_KINDS = 1_000;

interface Kind {
  readonly since: number;
  repeats: number;
}

export class RefusalLog {
  readonly #log: Logger;
  readonly #now: () => number;
  readonly #kinds = new Map<string, Kind>();

  /** @param now Milliseconds of Unix time. */
  constructor(log: Logger, now: () => number) {
    this.#log = log;
    this.#now = now;
  }

  /** @param peer ADDRESS:PORT. */
  tell(method: string, reason: string, peer: string): void {
    const address = peer.replace(/:\d+$/, '');
    const name = `${reason} ${address}`;
    const key = this.#kinds.has(name) || this.#kinds.size < MOST_KINDS ? name : 'others';
    const now = this.#now();
    const kind = this.#kinds.get(key);
    if (kind !== undefined && Math.abs(now - kind.since) < WINDOW_MS) {
      kind.repeats += 1;
      return;
    }
    if (this.#kinds.size >= MOST_KINDS) this.#forgetOld(now);
    this.#kinds.set(key, { since: now, repeats: 0 });
    const count = kind?.repeats ?? 0;
    this.#log.info({ method, code: reason, remoteAddress: peer, ...(count > 0 ? { count } : {}) }, 'call refused');
  }

  #forgetOld(now: number): void {
    for (const [key, { since }] of this.#kinds) if (Math.abs(now - since) >= WINDOW_MS) this.#kinds.delete(key);
  }
}
