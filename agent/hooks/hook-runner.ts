/**
 * Runs hooks: per router one at a time and in the order of the state changes; routers do not wait for each other. A
 * router whose hooks cannot keep up loses the oldest that wait, and says so.
 */
import { CheckResult, type HookRun } from '../../proto/gen/baton/v1/status.js';
import { durationToMicros, microsToDuration } from '../../proto/rules/duration.js';
import type { Millis } from '../../proto/rules/time.js';
import { type ProgramEdges, runProgram } from '../health/program.js';
import type { Outcome, Run } from '../health/run.js';
import type { HookCommand } from './notification.js';

/** A hook that names no timeout is ended after this long. */
const DEFAULT_TIMEOUT_MS = 60_000;
/** Hooks of one router that wait for their turn. */
const MAX_WAITING = 32;

export interface HookListener {
  /** A hook ended, could not be run, or was given up. Later state changes of the router wait until this was called. */
  finished(router: string, run: HookRun): void;
}

interface Turn {
  readonly waiting: HookCommand[];
  running: Run | undefined;
}

export class HookRunner {
  readonly #edges: ProgramEdges;
  readonly #listener: HookListener;
  readonly #turns = new Map<string, Turn>();
  #idleCallbacks: (() => void)[] = [];
  /** After a drain nothing is started any more. */
  #stopped = false;

  constructor(edges: ProgramEdges, listener: HookListener) {
    this.#edges = edges;
    this.#listener = listener;
  }

  run(router: string, commands: readonly HookCommand[]): void {
    if (this.#stopped || commands.length === 0) return;
    const turn = this.#turns.get(router) ?? { waiting: [], running: undefined };
    this.#turns.set(router, turn);
    turn.waiting.push(...commands);
    while (turn.waiting.length > MAX_WAITING) {
      const lost = turn.waiting.shift();
      if (lost !== undefined) this.#giveUp(router, lost, `more than ${MAX_WAITING} hooks of this router were waiting`);
    }
    this.#next(router, turn);
  }

  /** Resolves when nothing runs or waits, at the latest after `limit`; what runs then is ended, what waits is given up. */
  async drain(limit: Millis): Promise<void> {
    if (this.#turns.size > 0) {
      await new Promise<void>((resolve) => {
        const cancel = this.#edges.clock.after(limit, resolve);
        this.#idleCallbacks.push(() => {
          cancel();
          resolve();
        });
      });
    }
    this.#stopped = true;
    for (const [router, turn] of this.#turns) {
      for (const hook of turn.waiting.splice(0)) this.#giveUp(router, hook, 'the agent stopped');
      turn.running?.end('the agent stopped');
    }
  }

  #next(router: string, turn: Turn): void {
    if (turn.running !== undefined) return;
    const hook = turn.waiting.shift();
    if (hook === undefined) {
      this.#turns.delete(router);
      if (this.#turns.size === 0) for (const callback of this.#idleCallbacks.splice(0)) callback();
      return;
    }
    const timeout = hook.timeout === undefined ? DEFAULT_TIMEOUT_MS : durationToMicros(hook.timeout) / 1_000;
    const program = { command: hook.command, timeout, ...(hook.user === undefined ? {} : { user: hook.user }) };
    turn.running = runProgram(program, this.#edges, {
      result: (outcome) => this.#listener.finished(router, hookRun(hook, outcome)),
      gone: () => {
        turn.running = undefined;
        this.#next(router, turn);
      },
    });
  }

  #giveUp(router: string, hook: HookCommand, why: string): void {
    this.#listener.finished(
      router,
      hookRun(hook, {
        result: CheckResult.CANNOT_RUN,
        exitCode: 0,
        output: '',
        reason: `not run: ${why}`,
        startedWallMs: this.#edges.clock.wallMs(),
        duration: 0,
      }),
    );
  }
}

/** The protocol has one text for both: what was printed, or why nothing could be. */
function hookRun(hook: HookCommand, outcome: Outcome): HookRun {
  return {
    hook: hook.hook,
    command: [...hook.command],
    startedAt: new Date(outcome.startedWallMs),
    duration: microsToDuration(outcome.duration),
    result: outcome.result,
    exitCode: outcome.exitCode,
    output: [outcome.reason, outcome.output].filter((text) => text !== '').join('\n'),
  };
}
