/** Writing a stream no faster than its reader reads. */
import type { ServerWritableStream } from '@grpc/grpc-js';

/** Resolves true when the reader's flow-control window has taken the message, false when the call is over. */
export function writeAndWait<Request, Response>(
  call: ServerWritableStream<Request, Response>,
  response: Response,
): Promise<boolean> {
  if (call.cancelled || call.destroyed) return Promise.resolve(false);
  return new Promise((resolve) => {
    const over = (): void => resolve(false);
    call.once('cancelled', over);
    call.write(response, () => {
      call.off('cancelled', over);
      resolve(!call.cancelled);
    });
  });
}

/** Something to wait for that may happen before one waits, many times, or never: it counts once. */
export class Wakeup {
  #pending = false;
  #waiter: (() => void) | undefined;

  wake(): void {
    this.#pending = true;
    this.#waiter?.();
    this.#waiter = undefined;
  }

  async wait(): Promise<void> {
    if (!this.#pending) {
      await new Promise<void>((resolve) => {
        this.#waiter = resolve;
      });
    }
    this.#pending = false;
  }
}
