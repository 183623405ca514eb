/**
 * Rise and fall of a check, pure. The counter is keepalived's: it runs from 0 to rise + fall - 1 and the check is good
 * when it is at least `rise`. So a good check needs `fall` consecutive failures to fail and any success starts that
 * count afresh; a failing one needs `rise` consecutive successes. Before the first verdict the counter stands at
 * rise - 1: the first failure is final whatever `fall` is, and with the usual rise of 1 so is the first success.
 */
import type { TrackState } from '../vrrp/index.js';

/** Consecutive results needed; whole numbers from 1. */
export interface Hysteresis {
  readonly rise: number;
  readonly fall: number;
}

export interface Standing {
  /** What the routers are told. */
  readonly state: TrackState;
  /** 0 to rise + fall - 1. */
  readonly counter: number;
  /** True until a verdict has come from this check's own runs. */
  readonly initial: boolean;
}

export type RunVerdict = 'success' | 'failure';

export function initialStanding(hysteresis: Hysteresis): Standing {
  return { state: 'unknown', counter: hysteresis.rise - 1, initial: true };
}

export function afterRun(standing: Standing, hysteresis: Hysteresis, verdict: RunVerdict): Standing {
  const { rise, fall } = hysteresis;
  const { counter } = standing;
  if (verdict === 'success') {
    if (counter < rise - 1) return { state: 'down', counter: counter + 1, initial: false };
    return { state: 'up', counter: rise + fall - 1, initial: false };
  }
  if (counter > rise) return { state: 'up', counter: counter - 1, initial: false };
  return { state: 'down', counter: 0, initial: false };
}

/**
 * After a change of configuration that leaves what is run as it was: the state stays and the consecutive results so
 * far go on counting, as far as the new limits have room for them.
 */
export function rescaled(standing: Standing, from: Hysteresis, to: Hysteresis): Standing {
  if (standing.initial) return { ...standing, counter: to.rise - 1 };
  if (standing.state === 'up') {
    const failures = from.rise + from.fall - 1 - standing.counter;
    return { ...standing, counter: to.rise + to.fall - 1 - Math.min(failures, to.fall - 1) };
  }
  return { ...standing, counter: Math.min(standing.counter, to.rise - 1) };
}

/**
 * After a change of what is run, or when another thread has run the check until now: the known state holds until the
 * first result, which decides alone. Otherwise a new command would fail a working router before it had a chance to run.
 */
export function carriedOver(state: TrackState, hysteresis: Hysteresis): Standing {
  return { state, counter: hysteresis.rise - 1, initial: true };
}
