/** A timer that goes on, by timerfd_create(2): finer than Node's own, which count whole milliseconds. */
import { MICROS_PER_SECOND, type Micros } from '../../proto/rules/time.js';
import { CLOCK_MONOTONIC, libc } from './libc.js';
import { refusal, SocketOpenError } from './system-error.js';

export interface Ticker {
  close(): void;
}

/**
 * Calls back every so often from now on, fewer times if the thread is late. Throws SocketOpenError if the kernel gives no
 * descriptor (EMFILE).
 */
export type OpenTicker = (every: Micros, onTick: () => void) => Ticker;

export const openTicker: OpenTicker = (every, onTick) => {
  const { timer, setTimer, read, poll, close } = libc();
  const fd = timer(CLOCK_MONOTONIC);
  if (fd < 0) throw new SocketOpenError(refusal(-fd, 'make a timer'));
  const seconds = Math.floor(every / MICROS_PER_SECOND);
  const nanoseconds = (every - seconds * MICROS_PER_SECOND) * 1_000;
  const times = new BigInt64Array([seconds, nanoseconds, seconds, nanoseconds].map(BigInt));
  setTimer(fd, 0, new Uint8Array(times.buffer));
  const expirations = new Uint8Array(8);
  const ticks = poll(fd, () => {
    if (read(fd, expirations) === expirations.length) onTick();
  });
  return {
    close: () => {
      ticks.close();
      close(fd);
    },
  };
};
