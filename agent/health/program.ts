/**
 * Runs one program: judged, as its user, in a session and process group of its own, without a shell, with standard
 * input empty and a minimal environment. At its timeout it and all that it has started get SIGTERM and, if need be,
 * SIGKILL. Of its output the first 4 KiB are kept and the rest is read and thrown away, so that it never blocks. Used by
 * checks and hooks.
 */
import { CheckResult } from '../../proto/gen/baton/v1/status.js';
import type { Instant, Millis } from '../../proto/rules/time.js';
import type { CancelTimer, Clock } from '../local/clock.js';
import type { Account, AccountLookup } from './account.js';
import type { Judgement } from './executable.js';
import { OUTPUT_LIMIT, outputText, type Run, type RunListener } from './run.js';

/** Between SIGTERM and SIGKILL: half the timeout, so that nothing is left after two, and so long at most. */
const MAX_KILL_GRACE_MS = 2_000;
/** After SIGKILL: how long the kernel may take to end it. */
const LAST_GRACE_MS = 2_000;
/** A timer that fires so much after its time was held up by this thread, and so was what it limits. */
const LATE_MICROS = 20_000;

export interface Program {
  /** Absolute path, then arguments; never empty. */
  readonly command: readonly string[];
  /** USER or USER:GROUP. Absent: the agent's script user. */
  readonly user?: string;
  readonly timeout: Millis;
}

/** How an operating-system process is started; it reports exactly once, by `failed` or by `exited`. */
export interface SpawnRequest {
  readonly file: string;
  /** What the program sees as its own name. */
  readonly name: string;
  readonly args: readonly string[];
  readonly account: Account;
  /** The chunk's memory is used again as soon as this returns. */
  readonly output: (chunk: Uint8Array) => void;
  readonly failed: (code: string) => void;
  readonly exited: (exitCode: number | null, signal: string | null) => void;
}

export interface SpawnedProcess {
  /** Absent when it could not be started. */
  readonly pid: number | undefined;
  /** Looks now whether it has ended by itself; `exited` then comes, if it has not yet. */
  hasEnded(): boolean;
  /** Signals it and all that it has started and left, even in other groups and sessions. */
  signal(signal: 'SIGTERM' | 'SIGKILL'): void;
}

/** All that running a program needs from outside. */
export interface ProgramEdges {
  readonly clock: Clock;
  /** Who a program without (or with) a named user runs as. */
  account(user: string | undefined): Promise<AccountLookup>;
  /** May it be run? Includes the host's own list where a controller named the program. */
  judge(file: string, account: Account): Promise<Judgement>;
  /**
   * Resolves when one more program may be started: starting one holds this thread up, and between two of them it must
   * get to see what the others say and that they have ended.
   */
  turn(): Promise<void>;
  spawn(request: SpawnRequest): SpawnedProcess;
}

export function runProgram(program: Program, edges: ProgramEdges, listener: RunListener): Run {
  return new ProgramRun(program, edges, listener);
}

class ProgramRun implements Run {
  unkillable = false;
  readonly #program: Program;
  readonly #edges: ProgramEdges;
  readonly #listener: RunListener;
  #startedAt: Instant;
  #startedWallMs: Millis;
  readonly #output = new OutputHead();
  #process: SpawnedProcess | undefined;
  #cancelTimer: CancelTimer | undefined;
  #reported = false;
  #terminated = false;

  constructor(program: Program, edges: ProgramEdges, listener: RunListener) {
    this.#program = program;
    this.#edges = edges;
    this.#listener = listener;
    this.#startedAt = edges.clock.now();
    this.#startedWallMs = edges.clock.wallMs();
    this.#start().catch((error: unknown) => {
      this.#cannotRun(CheckResult.CANNOT_RUN, `it could not be started: ${String(error)}`);
    });
  }

  end(reason: string): void {
    if (this.#terminated) return;
    this.#report(CheckResult.KILLED, 0, reason);
    this.#terminate();
  }

  async #start(): Promise<void> {
    const [file = '', ...args] = this.#program.command;
    this.#limitPreparation();
    const account = await this.#edges.account(this.#program.user);
    if (!account.ok) return this.#cannotRun(CheckResult.REFUSED, account.reason);
    if (this.#reported) return this.#gone();
    // Waiting for its turn is this agent's own business and not the program's.
    this.#cancelTimer?.();
    await this.#edges.turn();
    if (this.#reported) return this.#gone();
    this.#limitPreparation();
    const judgement = await this.#edges.judge(file, account.account);
    if (!judgement.ok) return this.#cannotRun(judgement.result, judgement.reason);
    if (this.#reported) return this.#gone();
    this.#cancelTimer?.();
    this.#startedAt = this.#edges.clock.now();
    this.#startedWallMs = this.#edges.clock.wallMs();
    this.#cancelTimer = this.#edges.clock.after(this.#program.timeout, () => this.#timedOut());
    this.#process = this.#edges.spawn({
      file: judgement.resolved,
      name: file,
      args,
      account: account.account,
      output: (chunk) => this.#output.add(chunk),
      failed: (code) => this.#cannotRun(resultOfSpawnError(code), reasonOfSpawnError(file, code)),
      exited: (exitCode, signal) => this.#exited(exitCode, signal),
    });
  }

  /** A file system that hangs before the program can be started is a timeout like any other. */
  #limitPreparation(): void {
    const { clock } = this.#edges;
    this.#cancelTimer?.();
    const limitAt = clock.now() + this.#program.timeout * 1_000;
    this.#cancelTimer = clock.after(this.#program.timeout, () => {
      const late = clock.now() - limitAt;
      if (late <= LATE_MICROS) return this.#timedOut();
      // The answers may lie there unread.
      this.#cancelTimer = clock.after(Math.min(late / 1_000, this.#program.timeout), () => this.#timedOut());
    });
  }

  #cannotRun(result: CheckResult, reason: string): void {
    this.#report(result, 0, reason);
    this.#gone();
  }

  #exited(exitCode: number | null, signal: string | null): void {
    if (signal !== null) this.#report(CheckResult.KILLED, 0, `ended by ${signal}`);
    else this.#report(exitCode === 0 ? CheckResult.OK : CheckResult.FAILED, exitCode ?? 0, '');
    this.#gone();
  }

  #timedOut(): void {
    // This thread may be late itself: what has ended before anybody looked is judged by how it ended.
    if (this.#process?.hasEnded() === true) return;
    this.#report(CheckResult.TIMED_OUT, 0, `took longer than ${this.#program.timeout / 1_000} s`);
    this.#terminate();
  }

  #terminate(): void {
    this.#terminated = true;
    this.#cancelTimer?.();
    this.#process?.signal('SIGTERM');
    const grace = Math.min(MAX_KILL_GRACE_MS, this.#program.timeout / 2);
    this.#cancelTimer = this.#edges.clock.after(grace, () => {
      this.#process?.signal('SIGKILL');
      this.#cancelTimer = this.#edges.clock.after(LAST_GRACE_MS, () => {
        this.unkillable = true;
      });
    });
  }

  #report(result: CheckResult, exitCode: number, reason: string): void {
    if (this.#reported) return;
    this.#reported = true;
    this.#listener.result({
      result,
      exitCode,
      output: this.#output.text(),
      reason,
      startedWallMs: this.#startedWallMs,
      duration: this.#edges.clock.now() - this.#startedAt,
    });
  }

  #gone(): void {
    this.#cancelTimer?.();
    // What ignored SIGTERM in the group of a program that did not must not outlive it.
    if (this.#terminated) this.#process?.signal('SIGKILL');
    this.#process = undefined;
    this.#listener.gone();
  }
}

/** ENOENT although the file was there a moment ago: the interpreter in its first line is not. */
function resultOfSpawnError(code: string): CheckResult {
  return code === 'EACCES' || code === 'EPERM' ? CheckResult.REFUSED : CheckResult.CANNOT_RUN;
}

function reasonOfSpawnError(file: string, code: string): string {
  if (code === 'ENOENT') return `${file} could not be started: the interpreter in its first line does not exist`;
  return `${file} could not be started: ${code}`;
}

/** The first bytes of an output. */
class OutputHead {
  readonly #chunks: Uint8Array[] = [];
  #length = 0;

  add(chunk: Uint8Array): void {
    const room = OUTPUT_LIMIT - this.#length;
    if (room <= 0) return;
    const kept = Uint8Array.from(chunk.subarray(0, room));
    this.#chunks.push(kept);
    this.#length += kept.length;
  }

  /** Made safe to show: it goes to terminals, mails and logs. */
  text(): string {
    return outputText(Buffer.concat(this.#chunks));
  }
}
