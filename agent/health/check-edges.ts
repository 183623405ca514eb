/** What the supervision of checks needs from outside, and what it tells: the kinds of check behind one small interface. */
import type { CheckStatus } from '../../proto/gen/baton/v1/status.js';
import type { Millis } from '../../proto/rules/time.js';
import type { Clock } from '../local/clock.js';
import type { TrackState } from '../vrrp/index.js';
import type { CheckSettings, FileProbe, Probe, ProcessProbe } from './check-settings.js';
import type { StartRun } from './run.js';

/** A state that a check can come to. */
export type CheckState = Exclude<TrackState, 'unknown'>;

export interface CheckListener {
  /**
   * The state changed: after rise and fall, or the number of a file check. `status` is the check's whole status then.
   */
  stateChanged(name: string, state: CheckState, status: CheckStatus, previous: TrackState): void;
  /** Something about the check is new: at least after every run. */
  statusChanged(name: string): void;
  /** It gives no results any more, for the reason in `status.stuck`, or gives some again. */
  stuckChanged(status: CheckStatus): void;
}

/** Kinds that are told of changes rather than polled. */
export type WatchedProbe = FileProbe | ProcessProbe;
export type PolledProbe = Exclude<Probe, WatchedProbe>;

/** What a watched thing is now. */
export interface Observation {
  readonly state: CheckState;
  readonly value: number;
  /** Why it is not good, or why the value is what it is; empty otherwise. */
  readonly reason: string;
  /** Whether it could be looked at at all. */
  readonly readable: boolean;
  /** For people, 4 KiB at most. */
  readonly output: string;
}

export interface Watch {
  stop(): void;
}

/** All that checks need from outside. */
export interface CheckEdges {
  readonly clock: Clock;
  /** At least 0, less than 1. */
  random(): number;
  polled(probe: PolledProbe): StartRun;
  /**
   * Tells what it is now, never before returning, and again after changes. `interval` is how often it is looked at
   * where changes are not told.
   */
  watch(probe: WatchedProbe, interval: Millis, observed: (observation: Observation) => void): Watch;
}

/** One check under way. */
export interface SupervisedCheck {
  reconfigure(settings: CheckSettings): void;
  stop(): void;
  status(): CheckStatus;
}

export function isWatchedKind(probe: Probe): probe is WatchedProbe {
  return probe.kind === 'file' || probe.kind === 'process';
}
