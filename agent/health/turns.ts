/**
 * Something that holds the thread up, done by many: one at a time, and between two of them the thread gets round to
 * everything else that waits for it.
 */
export class Turns {
  readonly #afterEverythingElse: (callback: () => void) => void;
  #waiting: (() => void)[] = [];
  #isTaken = false;

  /** `afterEverythingElse` calls back once, when the thread has done what waits for it now (setImmediate). */
  constructor(afterEverythingElse: (callback: () => void) => void) {
    this.#afterEverythingElse = afterEverythingElse;
  }

  /** Resolves when it is the caller's turn, in the order of the calls. Nothing needs to be given back. */
  async next(): Promise<void> {
    if (this.#isTaken) return await new Promise((resolve) => this.#waiting.push(resolve));
    this.#isTaken = true;
    this.#afterEverythingElse(() => this.#pass());
  }

  #pass(): void {
    const next = this.#waiting.shift();
    if (next === undefined) {
      this.#isTaken = false;
      return;
    }
    next();
    this.#afterEverythingElse(() => this.#pass());
  }
}
