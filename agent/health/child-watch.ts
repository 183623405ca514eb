/**
 * Waits for the end of one child that posix_spawn started, and takes its exit status. Nobody else does: Node waits for
 * the children it has started itself, each by its number, and `Orphans` leaves alone what was started here.
 */
import { constants } from 'node:os';
import type { libc } from '../net/libc.js';

/** Without pidfd_open(2) (before Linux 5.3, or no descriptor left): how often is looked. */
const LOOK_MS = 20;

export interface ChildEnd {
  /** Null: it was ended by a signal. */
  readonly exitCode: number | null;
  readonly signal: string | null;
}

// Where two names have one number, Node lists the common one first.
const SIGNAL_NAMES = new Map<number, string>(
  Object.entries(constants.signals)
    .reverse()
    .map(([name, number]) => [number, name]),
);

export type ChildCalls = Pick<ReturnType<typeof libc>, 'wait' | 'pidfd' | 'poll' | 'close'>;

export class ChildWatch {
  readonly #libc: ChildCalls;
  readonly #child: number;
  readonly #ended: (end: ChildEnd) => void;
  readonly #stop: () => void;
  #hasEnded = false;

  /** `ended` is called once, and its number may be another process's from then on. */
  constructor(system: ChildCalls, child: number, ended: (end: ChildEnd) => void) {
    this.#libc = system;
    this.#child = child;
    this.#ended = ended;
    const pidfd = system.pidfd(child);
    if (pidfd < 0) {
      const timer = setInterval(() => this.look(), LOOK_MS);
      this.#stop = () => clearInterval(timer);
    } else {
      const poll = system.poll(pidfd, () => this.look());
      this.#stop = () => {
        poll.close();
        system.close(pidfd);
      };
    }
  }

  /** Whether it has ended; if so, that has been told. */
  look(): boolean {
    if (this.#hasEnded) return true;
    const status = new Int32Array(1);
    const found = this.#libc.wait(this.#child, status);
    if (found === 0 || found === -constants.errno.EINTR) return false;
    this.#hasEnded = true;
    this.#stop();
    this.#ended(found < 0 ? { exitCode: null, signal: 'a signal that nobody saw' } : endOf(status[0] ?? 0));
    return true;
  }
}

/** wait(2): WIFEXITED, WEXITSTATUS, WTERMSIG. */
export function endOf(status: number): ChildEnd {
  const signal = status & 0x7f;
  if (signal === 0) return { exitCode: (status >> 8) & 0xff, signal: null };
  return { exitCode: null, signal: SIGNAL_NAMES.get(signal) ?? `signal ${signal}` };
}
