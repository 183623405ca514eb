/** What is remembered of one check and shown: its state, its last results, its counts. */
import { CheckResult, type CheckRun, type CheckStatus } from '../../proto/gen/baton/v1/status.js';
import { microsToDuration } from '../../proto/rules/duration.js';
import type { Millis } from '../../proto/rules/time.js';
import type { TrackState } from '../vrrp/index.js';
import type { CheckSettings } from './check-settings.js';
import { subjectOf } from './check-subject.js';
import type { Outcome } from './run.js';

/** Results that are kept. */
const RECENT = 5;

export class CheckRecord {
  settings: CheckSettings;
  #state: TrackState;
  #sinceWallMs: Millis;
  readonly #recent: Outcome[] = [];
  #runs = 0;
  #skipped = 0;
  #consecutive = 0;
  /** A file check's number, a process check's count. */
  value: number | undefined;

  constructor(settings: CheckSettings, state: TrackState, wallMs: Millis) {
    this.settings = settings;
    this.#state = state;
    this.#sinceWallMs = wallMs;
    if (typeof state === 'number') this.value = state;
  }

  get state(): TrackState {
    return this.#state;
  }

  get last(): Outcome | undefined {
    return this.#recent[0];
  }

  /** The last results are of another thing from here on. */
  forget(): void {
    this.#recent.length = 0;
    this.#consecutive = 0;
    this.value = undefined;
  }

  ran(): void {
    this.#runs += 1;
  }

  skipped(): void {
    this.#skipped += 1;
  }

  add(outcome: Outcome): void {
    this.#consecutive = outcome.result === this.last?.result ? this.#consecutive + 1 : 1;
    this.#recent.unshift(outcome);
    if (this.#recent.length > RECENT) this.#recent.pop();
  }

  enter(state: TrackState, wallMs: Millis): void {
    this.#state = state;
    this.#sinceWallMs = wallMs;
  }

  status(): CheckStatus {
    const { last, settings } = this;
    return {
      name: settings.name,
      state: String(this.#state),
      since: new Date(this.#sinceWallMs),
      lastResult: last?.result ?? CheckResult.PENDING,
      exitCode: last?.exitCode ?? 0,
      lastRun: last === undefined ? undefined : new Date(last.startedWallMs),
      lastDuration: last === undefined ? undefined : microsToDuration(last.duration),
      output: last?.output ?? '',
      reason: last?.reason ?? '',
      runs: this.#runs,
      skipped: this.#skipped,
      consecutive: this.#consecutive,
      kind: settings.probe.kind,
      subject: subjectOf(settings.probe),
      recent: this.#recent.map(checkRunOf),
      value: this.value,
      stuck: '',
    };
  }
}

/** As the protocol has it. */
export function checkRunOf(outcome: Outcome): CheckRun {
  return {
    startedAt: new Date(outcome.startedWallMs),
    duration: microsToDuration(outcome.duration),
    result: outcome.result,
    exitCode: outcome.exitCode,
    reason: outcome.reason,
    output: outcome.output,
  };
}
