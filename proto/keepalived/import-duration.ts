/** Spans as the messages carry them. */
import type { Duration } from '../gen/google/protobuf/duration.js';
import { MICROS_PER_SECOND, type Micros } from '../rules/time.js';

const NANOS_PER_MICRO = 1_000;

export function durationOf(micros: Micros): Duration {
  const seconds = Math.floor(micros / MICROS_PER_SECOND);
  return { seconds, nanos: (micros - seconds * MICROS_PER_SECOND) * NANOS_PER_MICRO };
}
