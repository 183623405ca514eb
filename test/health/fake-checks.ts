/** Checks whose programs run in a test's own time and whose watched things are told by the test. */
import type { CheckEdges, Observation, PolledProbe, WatchedProbe } from '../../agent/health/check-edges.js';
import { runProgram } from '../../agent/health/program.js';
import type { StartRun } from '../../agent/health/run.js';
import type { ManualClock } from '../local/manual-clock.js';
import type { FakePrograms } from './fake-programs.js';

export interface FakeWatch {
  readonly probe: WatchedProbe;
  readonly interval: number;
  readonly tell: (observation: Partial<Observation>) => void;
  stopped: boolean;
}

export class FakeChecks implements CheckEdges {
  readonly clock: ManualClock;
  readonly watches: FakeWatch[] = [];
  /** What the source of randomness gives, over and over. */
  randomNumbers: readonly number[] = [0];
  readonly #programs: FakePrograms;
  #drawn = 0;

  constructor(programs: FakePrograms) {
    this.#programs = programs;
    this.clock = programs.clock;
  }

  random(): number {
    const number = this.randomNumbers[this.#drawn % this.randomNumbers.length] ?? 0;
    this.#drawn += 1;
    return number;
  }

  polled(probe: PolledProbe): StartRun {
    if (probe.kind !== 'exec') throw new TypeError(`no fake of ${probe.kind}`);
    return (timeout, listener) => runProgram({ ...probe, timeout }, this.#programs, listener);
  }

  watch(
    probe: WatchedProbe,
    interval: number,
    observed: (observation: Observation) => void,
  ): ReturnType<CheckEdges['watch']> {
    const watch: FakeWatch = {
      probe,
      interval,
      tell: (observation) => observed({ state: 0, value: 0, reason: '', readable: true, output: '', ...observation }),
      stopped: false,
    };
    this.watches.push(watch);
    return {
      stop: () => {
        watch.stopped = true;
      },
    };
  }
}
