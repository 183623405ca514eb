/** The receive queue of a socket of ours: how long it may get, and what it had no room for. */
import { intOption, libc, SO_RCVBUF, SO_RCVBUFFORCE, SOL_SOCKET } from './libc.js';
import { OK, type Outcome, refusal } from './system-error.js';

const SO_MEMINFO = 55;
/** Index and number of the 32-bit words of SO_MEMINFO (linux/sock_diag.h). */
const SK_MEMINFO_DROPS = 8;
const SK_MEMINFO_WORDS = 9;

/** @param doing for the message of a refusal */
export function enlargeQueue(fd: number, bytes: number, doing: string): Outcome {
  const size = intOption(bytes);
  if (libc().setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, size) >= 0) return OK;
  // Without CAP_NET_ADMIN the system's limit applies.
  const result = libc().setsockopt(fd, SOL_SOCKET, SO_RCVBUF, size);
  return result < 0 ? refusal(-result, doing) : OK;
}

/** Packets thrown away for want of room. A kernel without SO_MEMINFO (before 4.12) cannot tell: 0. */
export function socketDrops(fd: number): number {
  const words = new Uint32Array(SK_MEMINFO_WORDS);
  libc().getsockopt(fd, SOL_SOCKET, SO_MEMINFO, new Uint8Array(words.buffer));
  return words[SK_MEMINFO_DROPS] ?? 0;
}
