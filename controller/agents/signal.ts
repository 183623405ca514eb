/** Tells listeners that something changed; what, they find out themselves. */
export class Signal {
  readonly #listeners = new Set<() => void>();

  /** @returns takes the listener away again */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  emit(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
