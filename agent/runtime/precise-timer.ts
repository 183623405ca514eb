/**
 * The one timer, by timerfd_create(2): Node's own timers count whole milliseconds and would make every takeover late by
 * up to one. Measured on an idle machine: half of the wake-ups within 0.05 ms, with setTimeout within 0.64 ms.
 */
import { endianness } from 'node:os';
import { type Instant, MICROS_PER_SECOND, type Micros } from '../../proto/rules/time.js';
import { CLOCK_BOOTTIME, libc, TFD_TIMER_ABSTIME } from '../net/libc.js';
import { refusal, SocketOpenError } from '../net/system-error.js';
import type { DeadlineTimer } from './edges.js';

/** struct itimerspec: interval and value, each seconds and nanoseconds, 64 bits. All zero disarms. */
const ITIMERSPEC_LENGTH = 32;
const VALUE_SECONDS = 16;
const VALUE_NANOSECONDS = 24;

/** Wake-ups are at least this far apart, so that hundreds of routers with short intervals share them. */
const SHORTEST_GAP: Micros = 1_000;

/**
 * @param now the clock of the deadlines: CLOCK_BOOTTIME in microseconds
 *
 * Throws SocketOpenError if the kernel gives no descriptor (EMFILE).
 */
export function startPreciseTimer(now: () => Instant, onDue: () => void): DeadlineTimer {
  const { timer, setTimer, read } = libc();
  const fd = timer(CLOCK_BOOTTIME);
  if (fd < 0) throw new SocketOpenError(refusal(-fd, 'make a timer'));
  const value = new DataView(new ArrayBuffer(ITIMERSPEC_LENGTH));
  const bytes = new Uint8Array(value.buffer);
  const isLittleEndian = endianness() === 'LE';
  const expirations = new Uint8Array(8);
  let firedAt: Instant = 0;

  const set = (at: Instant): void => {
    const seconds = Math.floor(at / MICROS_PER_SECOND);
    value.setBigInt64(VALUE_SECONDS, BigInt(seconds), isLittleEndian);
    value.setBigInt64(VALUE_NANOSECONDS, BigInt((at - seconds * MICROS_PER_SECOND) * 1_000), isLittleEndian);
    setTimer(fd, TFD_TIMER_ABSTIME, bytes);
  };
  const poll = libc().poll(fd, () => {
    // Armed anew in the same turn of the loop: it has not expired after all.
    if (read(fd, expirations) !== expirations.length) return;
    firedAt = now();
    onDue();
  });
  return {
    arm: (at) => set(Math.max(at, firedAt + SHORTEST_GAP)),
    disarm: () => set(0),
    close: () => {
      poll.close();
      libc().close(fd);
    },
  };
}
