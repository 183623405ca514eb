/** The rounds in which all busy sockets of a process are read together: receive-pace.ts says which are busy. */
import { ROUND_GAP } from './receive-pace.js';
import type { OpenTicker, Ticker } from './ticker.js';

/** Reads what has come. */
export type ReadRound = () => void;

export class ReceiveRounds {
  readonly #members = new Set<ReadRound>();
  #ticker: Ticker | undefined;

  constructor(private readonly openTicker: OpenTicker) {}

  /** It is read in rounds until it leaves. False: there are none, as there is no timer for them. */
  join(member: ReadRound): boolean {
    try {
      this.#ticker ??= this.openTicker(ROUND_GAP, () => this.read());
    } catch {
      return false;
    }
    this.#members.add(member);
    return true;
  }

  leave(member: ReadRound): void {
    if (!this.#members.delete(member) || this.#members.size > 0) return;
    this.#ticker?.close();
    this.#ticker = undefined;
  }

  /** A round now: of all sockets that wait for one. */
  read(): void {
    for (const member of this.#members) member();
  }
}
