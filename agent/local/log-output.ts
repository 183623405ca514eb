/**
 * Standard output for log lines, never waited for: a reader that stands still costs log lines, which are counted, and
 * nothing else. Written to the descriptor itself, since a worker's process.stdout goes through the main thread.
 */
import { type DestinationStream, pino } from 'pino';

/** Bytes that may wait for the reader. */
const MAX_WAITING_BYTES = 1024 * 1024;
/** How long the last lines are waited for at the end. */
const LAST_LINES_MS = 500;

export interface LogOutput extends DestinationStream {
  /** Resolves when everything is written, or cannot be soon. */
  drain(): Promise<void>;
}

/** `resumed` is called with the number of lost lines once the reader reads again. */
export function openLogOutput(descriptor: number, resumed: (lostLines: number) => void): LogOutput {
  const output = pino.destination({ dest: descriptor, sync: false, maxLength: MAX_WAITING_BYTES });
  let lost = 0;
  /** Lines are on their way to the reader. */
  let isWriting = false;
  output.on('drop', () => {
    lost += 1;
  });
  output.on('drain', () => {
    isWriting = false;
    if (lost === 0) return;
    const count = lost;
    lost = 0;
    resumed(count);
  });
  // EPIPE: nobody reads the log any more. Elections do not depend on it.
  output.on('error', () => undefined);
  return {
    write: (line) => {
      isWriting = true;
      output.write(line);
    },
    drain: async () => {
      // Not flush(): it calls back at once, whatever is on its way.
      if (!isWriting) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, LAST_LINES_MS);
        output.once('drain', () => {
          clearTimeout(timer);
          resolve();
        });
      });
    },
  };
}
