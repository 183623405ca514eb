/** Spans between the protocol buffers' Duration (seconds and nanoseconds) and whole microseconds or milliseconds. */
import type { Duration } from '../../proto/gen/google/protobuf/duration.js';
import type { Micros, Millis } from '../../proto/rules/time.js';

/** An absent duration is 0. Parts below a microsecond are rounded. */
export function microsOf(duration: Duration | undefined): Micros {
  if (duration === undefined) return 0;
  return duration.seconds * 1_000_000 + Math.round(duration.nanos / 1_000);
}

/** Milliseconds with their fraction. An absent duration is 0. */
export function millisOf(duration: Duration | undefined): Millis {
  return microsOf(duration) / 1_000;
}

export function durationOf(span: Micros): Duration {
  const seconds = Math.floor(span / 1_000_000);
  return { seconds, nanos: Math.round(span - seconds * 1_000_000) * 1_000 };
}
