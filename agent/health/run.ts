/**
 * One run of a polled check, whatever its kind: it is started, tells its outcome exactly once and is gone. A kind is a
 * function that starts a run; a network kind is an `Attempt`, wrapped here with the time limit.
 */
import { CheckResult } from '../../proto/gen/baton/v1/status.js';
import { printableLines } from '../../proto/rules/printable-text.js';
import type { Instant, Micros, Millis } from '../../proto/rules/time.js';
import type { CancelTimer, Clock } from '../local/clock.js';

/** Bytes of a program's output, or of an answer, that are kept. */
export const OUTPUT_LIMIT = 4096;
/** How long after its end was asked for something may still go on before it is said to be unending. */
const END_GRACE_MS = 4_000;

export interface Outcome {
  readonly result: CheckResult;
  /** A program's; 0 unless it ended by itself. */
  readonly exitCode: number;
  /** First 4 KiB of output or of the answer, safe to show. */
  readonly output: string;
  /** Why it is not good: what could not be done, on what; empty otherwise. */
  readonly reason: string;
  readonly startedWallMs: Millis;
  readonly duration: Micros;
}

export interface Run {
  /** Ends it now. Its result is then `reason` and not a failure of its own. */
  end(reason: string): void;
  /** After a timeout or `end`, whether nothing has ended it. */
  readonly unkillable: boolean;
}

export interface RunListener {
  /** Exactly once, as soon as the result is known: at the end, at the timeout, or when it cannot be run. */
  result(outcome: Outcome): void;
  /** Exactly once, not before `result`: nothing of it goes on any more as far as can be known. */
  gone(): void;
}

/** Starts one run of a check. `gone` may be called before it returns. */
export type StartRun = (timeout: Millis, listener: RunListener) => Run;

/** What one try over the network found. */
export interface Verdict {
  readonly result: CheckResult;
  readonly reason: string;
  /** Of the answer, as it came. */
  readonly output: string;
}

/**
 * One try over the network. It settles soon after `signal` is aborted, with everything it opened closed; what it then
 * says is not heard. `phase` says what is being done, to complete "no answer within 1 s: ".
 */
export type Attempt = (signal: AbortSignal, phase: (doing: string) => void) => Promise<Verdict>;

export function good(output: string): Verdict {
  return { result: CheckResult.OK, reason: '', output };
}

/** The thing was asked and is not as wanted, or did not answer. */
export function failing(reason: string, output = ''): Verdict {
  return { result: CheckResult.FAILED, reason, output };
}

/** The thing could not even be asked. */
export function cannotRun(reason: string): Verdict {
  return { result: CheckResult.CANNOT_RUN, reason, output: '' };
}

/** Bytes as text that is safe to show. */
export function outputText(bytes: Uint8Array): string {
  return printableLines(Buffer.from(bytes.subarray(0, OUTPUT_LIMIT)).toString('utf8')).trimEnd();
}

export function runOf(attempt: Attempt, clock: Clock): StartRun {
  return (timeout, listener) => new AttemptRun(attempt, clock, timeout, listener);
}

class AttemptRun implements Run {
  unkillable = false;
  readonly #clock: Clock;
  readonly #listener: RunListener;
  readonly #startedAt: Instant;
  readonly #startedWallMs: Millis;
  readonly #abort = new AbortController();
  #cancelTimer: CancelTimer;
  #phase = '';
  #reported = false;
  #isGone = false;

  constructor(attempt: Attempt, clock: Clock, timeout: Millis, listener: RunListener) {
    this.#clock = clock;
    this.#listener = listener;
    this.#startedAt = clock.now();
    this.#startedWallMs = clock.wallMs();
    this.#cancelTimer = clock.after(timeout, () => {
      const doing = this.#phase === '' ? '' : `: ${this.#phase}`;
      this.#report({
        result: CheckResult.TIMED_OUT,
        reason: `no answer within ${timeout / 1_000} s${doing}`,
        output: '',
      });
      this.#endAttempt();
    });
    this.#follow(attempt).catch(() => undefined);
  }

  end(reason: string): void {
    this.#report({ result: CheckResult.KILLED, reason, output: '' });
    this.#endAttempt();
  }

  async #follow(attempt: Attempt): Promise<void> {
    let verdict: Verdict;
    try {
      verdict = await attempt(this.#abort.signal, (doing) => {
        this.#phase = doing;
      });
    } catch (error) {
      verdict = cannotRun(error instanceof Error ? error.message : String(error));
    }
    this.#isGone = true;
    this.#cancelTimer();
    this.#report(verdict);
    this.#listener.gone();
  }

  #endAttempt(): void {
    if (this.#abort.signal.aborted) return;
    this.#cancelTimer();
    this.#cancelTimer = this.#clock.after(END_GRACE_MS, () => {
      this.unkillable = true;
    });
    this.#abort.abort();
  }

  #report({ result, reason, output }: Verdict): void {
    if (this.#reported || (this.#isGone && this.#abort.signal.aborted)) return;
    this.#reported = true;
    this.#listener.result({
      result,
      exitCode: 0,
      output: printableLines(output.slice(0, OUTPUT_LIMIT)).trimEnd(),
      reason: printableLines(reason),
      startedWallMs: this.#startedWallMs,
      duration: this.#clock.now() - this.#startedAt,
    });
  }
}
