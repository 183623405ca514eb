/** How much is kept and read of what is, and of what cannot be, an advertisement: see vrrp-socket.ts. */

/** Bytes of queue: room for about 1300 waiting advertisements, 0.1 s of 255 routers at 20 ms. */
export const RECEIVE_BUFFER = 1 << 20;
export const REFUSE_BUFFER = 32 * 1024;

/** After so many packets of refuse no more are read until the pause is over. */
const BATCH = 64;
const PAUSE_MS = 100;

/** Bounds the rate at which refuse is read. */
export class RefusePace {
  #read = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly pause: () => void,
    private readonly resume: () => void,
  ) {}

  /** So many packets were read. */
  read(count: number): void {
    const before = this.#read;
    this.#read += count;
    if (before < BATCH && this.#read >= BATCH) this.pause();
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      const wasPaused = this.#read >= BATCH;
      this.#read = 0;
      if (wasPaused) this.resume();
    }, PAUSE_MS);
    this.#timer.unref();
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}
