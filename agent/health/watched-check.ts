/** One check of a thing that tells when it changes: a file's number, how many processes there are. */
import { CheckResult, type CheckStatus } from '../../proto/gen/baton/v1/status.js';
import type { TrackState } from '../vrrp/index.js';
import {
  type CheckEdges,
  type CheckListener,
  isWatchedKind,
  type Observation,
  type SupervisedCheck,
  type Watch,
} from './check-edges.js';
import { CheckRecord } from './check-record.js';
import type { CheckSettings } from './check-settings.js';

export class WatchedCheck implements SupervisedCheck {
  readonly #record: CheckRecord;
  readonly #edges: CheckEdges;
  readonly #listener: CheckListener;
  #watch: Watch;

  constructor(settings: CheckSettings, known: TrackState, edges: CheckEdges, listener: CheckListener) {
    this.#edges = edges;
    this.#listener = listener;
    this.#record = new CheckRecord(settings, known, edges.clock.wallMs());
    this.#watch = this.#begin();
  }

  reconfigure(settings: CheckSettings): void {
    const previous = this.#record.settings;
    this.#record.settings = settings;
    const isSame = JSON.stringify(previous.probe) === JSON.stringify(settings.probe);
    if (isSame && previous.interval === settings.interval) return;
    this.#watch.stop();
    if (!isSame) this.#record.forget();
    this.#watch = this.#begin();
  }

  stop(): void {
    this.#watch.stop();
  }

  status(): CheckStatus {
    return this.#record.status();
  }

  #begin(): Watch {
    const { probe: configured, interval } = this.#record.settings;
    if (!isWatchedKind(configured)) throw new TypeError(`a ${configured.kind} check is not watched`);
    // Written over at the start alone: a state that routers rely on already is not set back by a new worker or a change.
    const isStart = this.#record.state === 'unknown';
    const probe = configured.kind === 'file' && !isStart ? { ...configured, overwrite: false } : configured;
    let stopped = false;
    const watch = this.#edges.watch(probe, interval, (observation) => {
      if (!stopped) this.#observed(observation);
    });
    return {
      stop: () => {
        stopped = true;
        watch.stop();
      },
    };
  }

  #observed({ state, value, reason, readable, output }: Observation): void {
    const { last, settings } = this.#record;
    const result = !readable ? CheckResult.NOT_FOUND : state === 'down' ? CheckResult.FAILED : CheckResult.OK;
    this.#record.ran();
    const before = this.#record.state;
    const isNew = last === undefined || last.result !== result || last.reason !== reason || state !== before;
    const isOther = isNew || last.output !== output || this.#record.value !== value;
    this.#record.value = value;
    if (isNew) {
      const startedWallMs = this.#edges.clock.wallMs();
      this.#record.add({ result, exitCode: 0, output, reason, startedWallMs, duration: 0 });
    }
    if (state !== before) {
      this.#record.enter(state, this.#edges.clock.wallMs());
      this.#listener.stateChanged(settings.name, state, this.status(), before);
    }
    if (isOther) this.#listener.statusChanged(settings.name);
  }
}
