/** Runs of a check that somebody asks for: beside its schedule, counted for nothing. */
import { CheckResult } from '../../proto/gen/baton/v1/status.js';
import { type CheckEdges, type CheckState, isWatchedKind } from './check-edges.js';
import type { CheckSettings, FileProbe, Probe, ProcessProbe } from './check-settings.js';
import type { Outcome } from './run.js';

export interface OneRun {
  readonly outcome: Outcome;
  /** What the check would come to if this result alone decided. */
  readonly state: CheckState;
}

export class RunOnceError extends Error {
  override readonly name = 'RunOnceError';
  constructor(
    /** `ended`: the configuration changed or the agent stopped meanwhile. */
    readonly code: 'not-found' | 'busy' | 'ended',
    message: string,
  ) {
    super(message);
  }
}

interface Going {
  readonly settings: CheckSettings;
  readonly end: () => void;
}

export class RunOnce {
  readonly #edges: CheckEdges;
  readonly #going = new Map<string, Going>();

  constructor(edges: CheckEdges) {
    this.#edges = edges;
  }

  async run(name: string, checks: ReadonlyMap<string, CheckSettings>): Promise<OneRun> {
    const settings = checks.get(name);
    if (settings === undefined) {
      const names = [...checks.keys()].sort().join(', ');
      throw new RunOnceError(
        'not-found',
        `there is no check "${name}" here; ${names === '' ? 'there is none' : names}`,
      );
    }
    if (this.#going.has(name)) {
      throw new RunOnceError('busy', `somebody else is running check "${name}" by hand; try again when it has ended`);
    }
    return await new Promise((resolve, reject) => {
      const going: Going = {
        settings,
        end: () => {
          reject(new RunOnceError('ended', `check "${name}" was changed or removed while it ran`));
          stop();
        },
      };
      this.#going.set(name, going);
      const stop = this.#start(settings, resolve, () => {
        if (this.#going.get(name) === going) this.#going.delete(name);
      });
    });
  }

  /** Ends the runs of checks that are not among these, or run something else now. */
  keep(checks: ReadonlyMap<string, CheckSettings>): void {
    for (const [name, { settings, end }] of this.#going) {
      if (isSameProbe(checks.get(name)?.probe, settings.probe)) continue;
      this.#going.delete(name);
      end();
    }
  }

  /** Returns what ends it. */
  #start({ probe, interval, timeout }: CheckSettings, result: (run: OneRun) => void, gone: () => void): () => void {
    if (isWatchedKind(probe)) return this.#look(probe, { interval, timeout }, result, gone);
    const run = this.#edges.polled(probe)(timeout, {
      result: (outcome) => result({ outcome, state: outcome.result === CheckResult.OK ? 'up' : 'down' }),
      gone,
    });
    return () => run.end('it is no longer wanted');
  }

  #look(
    probe: FileProbe | ProcessProbe,
    { interval, timeout }: Pick<CheckSettings, 'interval' | 'timeout'>,
    result: (run: OneRun) => void,
    gone: () => void,
  ): () => void {
    const { clock } = this.#edges;
    const startedWallMs = clock.wallMs();
    const startedAt = clock.now();
    const stop = (): void => {
      cancel();
      watch.stop();
      gone();
    };
    const settle = (outcome: Pick<Outcome, 'result' | 'reason' | 'output'>, state: CheckState): void => {
      stop();
      result({ outcome: { ...outcome, exitCode: 0, startedWallMs, duration: clock.now() - startedAt }, state });
    };
    const watch = this.#edges.watch(lookOnly(probe), interval, ({ state, reason, readable, output }) => {
      const failed = state === 'down' ? CheckResult.FAILED : CheckResult.OK;
      settle({ result: readable ? failed : CheckResult.NOT_FOUND, reason, output }, state);
    });
    const cancel = clock.after(timeout, () => {
      const reason = `could not be looked at within ${timeout / 1_000} s`;
      settle({ result: CheckResult.TIMED_OUT, reason, output: '' }, 'down');
    });
    return stop;
  }
}

/** Writes nothing and waits for nothing. */
function lookOnly(probe: FileProbe | ProcessProbe): FileProbe | ProcessProbe {
  if (probe.kind === 'process') return { ...probe, upDelay: 0, downDelay: 0 };
  return { kind: 'file', path: probe.path, overwrite: false };
}

function isSameProbe(one: Probe | undefined, other: Probe): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
