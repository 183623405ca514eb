/** Waiting for real things: a condition with a deadline, never a fixed sleep. */
import { setTimeout as pause } from 'node:timers/promises';

export class WaitedInVain extends Error {
  readonly code = 'WAITED_IN_VAIN';

  constructor(what: string, withinMs: number, seen: string) {
    super(`waited ${withinMs} ms for ${what}; last seen: ${seen}`);
    this.name = 'WaitedInVain';
  }
}

type Answer<T> = T | false | undefined;

/**
 * The probe's first answer that is neither false nor undefined. Fails after `withinMs` with what was seen last:
 * what `seen` tells, or else the probe's own last answer or error.
 */
export async function until<T>(
  what: string,
  withinMs: number,
  probe: () => Answer<T> | Promise<Answer<T>>,
  seen?: () => unknown,
): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    let last: unknown;
    try {
      const answer = await probe();
      if (answer !== false && answer !== undefined) return answer;
      last = answer;
    } catch (error) {
      last = error;
    }
    if (performance.now() >= deadline) {
      const told = seen === undefined ? last : await seen();
      throw new WaitedInVain(what, withinMs, told instanceof Error ? told.message : JSON.stringify(told, null, 1));
    }
    await pause(5);
  }
}

/** Watches that a condition holds all of `duringMs`; fails at the first time it does not. */
export async function throughout(
  what: string,
  duringMs: number,
  holds: () => boolean | Promise<boolean>,
): Promise<void> {
  const end = performance.now() + duringMs;
  const start = performance.now();
  while (performance.now() < end) {
    if (!(await holds())) {
      throw new WaitedInVain(what, duringMs, `no longer so after ${(performance.now() - start).toFixed(0)} ms`);
    }
    await pause(5);
  }
}
