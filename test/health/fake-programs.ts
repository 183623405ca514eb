/** Programs that run in a test's own time and end when the test says so. */
import type { ProgramEdges, SpawnRequest } from '../../agent/health/program.js';
import type { ManualClock } from '../local/manual-clock.js';

export interface FakeProcess {
  readonly request: SpawnRequest;
  readonly signals: string[];
  /** Ends by itself. */
  exit(code: number): void;
  /** Ends by a signal. */
  die(signal: string): void;
}

export class FakePrograms implements ProgramEdges {
  readonly processes: FakeProcess[] = [];
  /** Whether SIGTERM, SIGKILL end a process at once. */
  obeys: readonly string[] = ['SIGTERM', 'SIGKILL'];
  /** What every start waits for. */
  turns: Promise<void> = Promise.resolve();
  /** What every judgement waits for. */
  judgements: Promise<void> = Promise.resolve();
  /** Whether programs turn out to have ended by themselves as soon as somebody looks. */
  endedUnseen = false;
  verdict: Awaited<ReturnType<ProgramEdges['judge']>> | undefined;

  constructor(readonly clock: ManualClock) {}

  async account(user: string | undefined): ReturnType<ProgramEdges['account']> {
    if (user === 'missing') return { ok: false, reason: 'user "missing" is not in /etc/passwd' };
    return { ok: true, account: { uid: 0, gid: 0 } };
  }

  async judge(file: string): ReturnType<ProgramEdges['judge']> {
    await this.judgements;
    return this.verdict ?? { ok: true, resolved: `/resolved${file}` };
  }

  async turn(): Promise<void> {
    await this.turns;
  }

  spawn(request: SpawnRequest): ReturnType<ProgramEdges['spawn']> {
    const signals: string[] = [];
    const child: FakeProcess = {
      request,
      signals,
      exit: (code) => request.exited(code, null),
      die: (signal) => request.exited(null, signal),
    };
    this.processes.push(child);
    return {
      pid: 100 + this.processes.length,
      hasEnded: () => {
        if (this.endedUnseen) queueMicrotask(() => child.exit(0));
        return this.endedUnseen;
      },
      signal: (signal) => {
        signals.push(signal);
        if (signals.length === signals.indexOf(signal) + 1 && this.obeys.includes(signal)) {
          queueMicrotask(() => child.die(signal));
        }
      },
    };
  }

  get last(): FakeProcess {
    const process = this.processes.at(-1);
    if (process === undefined) throw new RangeError('nothing was started');
    return process;
  }
}
