/** How fast the routers of a world advertise: worlds of several paces would mostly be about the fast ones. */
import type { Micros } from '../../agent/vrrp/index.js';
import type { Random } from './random.js';

export type Pace = 'fast' | 'brisk' | 'usual';

const SECOND: Micros = 1_000_000;
const INTERVALS: Readonly<Record<Pace, readonly Micros[]>> = {
  fast: [20_000, 40_000],
  brisk: [100_000, 200_000],
  usual: [SECOND, SECOND, SECOND, 2 * SECOND],
};

export function randomPace(random: Random): Pace {
  return random.pick(['fast', 'brisk', 'brisk', 'usual', 'usual', 'usual', 'usual']);
}

export function intervalAt(random: Random, pace: Pace): Micros {
  return random.pick(INTERVALS[pace]);
}
