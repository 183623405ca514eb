/** One check that is run again and again: when it starts, what its results come to. */
import { CheckResult, type CheckStatus } from '../../proto/gen/baton/v1/status.js';
import type { Instant, Micros, Millis } from '../../proto/rules/time.js';
import type { CancelTimer } from '../local/clock.js';
import type { TrackState } from '../vrrp/index.js';
import { type CheckEdges, type CheckListener, isWatchedKind, type SupervisedCheck } from './check-edges.js';
import { CheckRecord } from './check-record.js';
import type { CheckSettings } from './check-settings.js';
import { afterRun, carriedOver, initialStanding, rescaled, type Standing } from './rise-fall.js';
import type { Outcome, Run, StartRun } from './run.js';

/** Starts that come sooner than the interval says, until a check has moved to its own place in it. */
const MOVING_STARTS = 2;
/** The fractional parts of its multiples fill an interval evenly, however many there are (golden ratio). */
const SPREAD = 0.618_033_988_749_895;

export class PolledCheck implements SupervisedCheck {
  readonly #record: CheckRecord;
  #standing: Standing;
  #startRun: StartRun;
  #dueAt: Instant;
  #cancelDue: CancelTimer = () => undefined;
  #run: Run | undefined;
  #movingStarts = MOVING_STARTS;
  readonly #number: number;
  /** Counts starts: what a run says is ignored once another probe has taken its place. */
  #epoch = 0;
  readonly #edges: CheckEdges;
  readonly #listener: CheckListener;

  /** `number`: how many there were before it; decides where in the interval its starts lie. */
  constructor(settings: CheckSettings, known: TrackState, edges: CheckEdges, listener: CheckListener, number: number) {
    this.#number = number;
    this.#edges = edges;
    this.#listener = listener;
    this.#record = new CheckRecord(settings, known, edges.clock.wallMs());
    this.#standing =
      known === 'unknown' ? initialStanding(settings.hysteresis) : carriedOver(known, settings.hysteresis);
    this.#startRun = this.#prepare();
    this.#dueAt = edges.clock.now();
    this.#schedule(this.#firstStart());
  }

  reconfigure(settings: CheckSettings): void {
    const previous = this.#record.settings;
    this.#record.settings = settings;
    if (JSON.stringify(previous.probe) === JSON.stringify(settings.probe)) {
      this.#standing = rescaled(this.#standing, previous.hysteresis, settings.hysteresis);
      if (settings.interval === previous.interval) return;
      this.#schedule(
        Math.max(this.#edges.clock.now(), this.#dueAt + Math.round((settings.interval - previous.interval) * 1_000)),
      );
      return;
    }
    this.#standing =
      this.#standing.state === 'unknown'
        ? initialStanding(settings.hysteresis)
        : carriedOver(this.#standing.state, settings.hysteresis);
    this.#endRun('another probe took its place');
    this.#record.forget();
    this.#startRun = this.#prepare();
    this.#movingStarts = MOVING_STARTS;
    this.#schedule(this.#firstStart());
  }

  stop(): void {
    this.#cancelDue();
    this.#endRun('the check was removed');
  }

  status(): CheckStatus {
    return this.#record.status();
  }

  #prepare(): StartRun {
    const { probe } = this.#record.settings;
    if (isWatchedKind(probe)) throw new TypeError(`a ${probe.kind} check is not polled`);
    return this.#edges.polled(probe);
  }

  #firstStart(): Instant {
    const jitter: Millis = this.#record.settings.startJitter * this.#edges.random();
    return this.#edges.clock.now() + Math.floor(jitter * 1_000);
  }

  #endRun(reason: string): void {
    this.#epoch += 1;
    this.#run?.end(reason);
    this.#run = undefined;
  }

  #schedule(at: Instant): void {
    this.#cancelDue();
    this.#dueAt = at;
    this.#cancelDue = this.#edges.clock.after((at - this.#edges.clock.now()) / 1_000, () => this.#due());
  }

  #due(): void {
    const now = this.#edges.clock.now();
    const interval = this.#record.settings.interval * 1_000;
    // The rate is fixed by the starts that were due, not by when this thread got round to them; starts that were
    // missed altogether are not made up for.
    const late = Math.max(0, now - this.#dueAt);
    this.#schedule(now - (late % interval) + interval - this.#advance(interval));
    if (this.#run === undefined) this.#start();
    else this.#skip(this.#run);
  }

  /**
   * What is checked at the same rate starts together and would stay together. Each of the first starts is up to half an
   * interval early, so that the checks lie evenly in the interval and none has ever waited longer. Who wants no jitter
   * wants none of this.
   */
  #advance(interval: Micros): Micros {
    if (this.#movingStarts === 0 || this.#record.settings.startJitter === 0) return 0;
    this.#movingStarts -= 1;
    return Math.floor((((this.#number * SPREAD) % 1) * interval) / MOVING_STARTS);
  }

  #skip(run: Run): void {
    this.#record.skipped();
    // What nothing can end would otherwise leave the check as it was for ever.
    const { last } = this.#record;
    const { probe } = this.#record.settings;
    if (run.unkillable && last !== undefined) {
      this.#count({
        ...last,
        result: last.result === CheckResult.OK ? CheckResult.TIMED_OUT : last.result,
        reason: `the run before cannot be ended${probe.kind === 'exec' ? ', not even by SIGKILL' : ''}`,
        startedWallMs: this.#edges.clock.wallMs(),
        duration: 0,
      });
    }
    this.#listener.statusChanged(this.#record.settings.name);
  }

  #start(): void {
    const epoch = this.#epoch;
    let run: Run | undefined;
    let isGone = false;
    run = this.#startRun(this.#record.settings.timeout, {
      result: (outcome) => {
        if (epoch !== this.#epoch) return;
        this.#record.ran();
        this.#count(outcome);
        this.#listener.statusChanged(this.#record.settings.name);
      },
      gone: () => {
        isGone = true;
        if (run !== undefined && this.#run === run) this.#run = undefined;
      },
    });
    if (!isGone) this.#run = run;
  }

  #count(outcome: Outcome): void {
    this.#record.add(outcome);
    const before = this.#standing.state;
    const { settings } = this.#record;
    this.#standing = afterRun(
      this.#standing,
      settings.hysteresis,
      outcome.result === CheckResult.OK ? 'success' : 'failure',
    );
    const after = this.#standing.state;
    if (after === before || after === 'unknown') return;
    this.#record.enter(after, this.#edges.clock.wallMs());
    this.#listener.stateChanged(settings.name, after, this.status(), before);
  }
}
