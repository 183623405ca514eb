/**
 * Spans of time as people write them ("1m30s", "100ms") and as messages carry them (google.protobuf.Duration).
 * One microsecond is the finest resolution anywhere in Baton.
 */
import { MICROS_PER_MILLISECOND, MICROS_PER_SECOND, type Micros } from './time.js';

/** google.protobuf.Duration as the generated code has it. */
export interface DurationMessage {
  seconds: number;
  nanos: number;
}

export type ParsedDuration =
  | { readonly ok: true; readonly micros: Micros }
  | { readonly ok: false; readonly reason: string };

const MICROS_PER_UNIT: ReadonlyMap<string, Micros> = new Map([
  ['h', 3_600 * MICROS_PER_SECOND],
  ['m', 60 * MICROS_PER_SECOND],
  ['s', MICROS_PER_SECOND],
  ['ms', MICROS_PER_MILLISECOND],
  ['us', 1],
]);

/** Longest span that google.protobuf.Duration allows is 315,576,000,000 s; ours stays exact in a double. */
const MAX_MICROS: Micros = 4_000_000_000 * MICROS_PER_SECOND - 1;

const PART = /(\d+)(?:\.(\d+))?(h|ms|m|s|us)/y;

/**
 * Reads "1s", "100ms", "1m30s", "250us", "1.5s" or "0". Units are h, m, s, ms and us, greatest first, each at most
 * once. The reason of a refusal quotes the text and says how to write it.
 */
export function parseDuration(text: string): ParsedDuration {
  if (text === '0') {
    return { ok: true, micros: 0 };
  }
  const refuse = (what: string): ParsedDuration => ({
    ok: false,
    reason: `${JSON.stringify(clip(text))} is not a duration: ${what}`,
  });
  if (/^\d+(\.\d+)?$/.test(text)) {
    return refuse(`the unit is missing; write "${clip(text)}s" for seconds or "${clip(text)}ms" for milliseconds`);
  }
  if (text.startsWith('-')) {
    return refuse('it is negative');
  }
  if (text.length === 0 || text.length > 64) {
    return refuse('write it like "1s", "100ms" or "1m30s"');
  }
  let total = 0;
  let position = 0;
  let before = Number.POSITIVE_INFINITY;
  while (position < text.length) {
    PART.lastIndex = position;
    const part = PART.exec(text);
    const unit = MICROS_PER_UNIT.get(part?.[3] ?? '');
    if (part === null || unit === undefined) {
      return refuse('write it like "1s", "100ms" or "1m30s"; units are h, m, s, ms and us');
    }
    if (unit >= before) {
      return refuse('write greater units first and each unit once');
    }
    const fraction = part[2] ?? '';
    const micros = exactMicros(part[1] ?? '', fraction, unit);
    if (micros === undefined) {
      return refuse('it is finer than a microsecond');
    }
    total += micros;
    before = unit;
    position = PART.lastIndex;
  }
  if (total > MAX_MICROS) {
    return refuse('it is too long');
  }
  return { ok: true, micros: total };
}

/** Digits are worked in integers: 0.1s is exactly 100000 us. */
function exactMicros(whole: string, fraction: string, unit: Micros): Micros | undefined {
  const digits = fraction.replace(/0+$/, '');
  if (digits.length > 10) {
    return undefined;
  }
  const scaled = BigInt(`${whole}${digits}`) * BigInt(unit);
  const divisor = 10n ** BigInt(digits.length);
  return scaled % divisor === 0n ? Number(scaled / divisor) : undefined;
}

/** Writes what parseDuration reads: "1m30s", "1.5s", "100ms", "609.375ms", "250us", "0s". Whole microseconds, not negative. */
export function formatDuration(micros: Micros): string {
  if (micros === 0) {
    return '0s';
  }
  if (micros < MICROS_PER_MILLISECOND) {
    return `${micros}us`;
  }
  if (micros < MICROS_PER_SECOND) {
    return `${decimal(micros, MICROS_PER_MILLISECOND)}ms`;
  }
  const seconds = Math.floor(micros / MICROS_PER_SECOND);
  const hours = Math.floor(seconds / 3_600);
  const minutes = Math.floor((seconds % 3_600) / 60);
  const rest = micros - (hours * 3_600 + minutes * 60) * MICROS_PER_SECOND;
  return [
    hours > 0 ? `${hours}h` : '',
    minutes > 0 ? `${minutes}m` : '',
    rest > 0 ? `${decimal(rest, MICROS_PER_SECOND)}s` : '',
  ].join('');
}

function decimal(micros: Micros, unit: Micros): string {
  const fraction = String(micros % unit)
    .padStart(String(unit).length - 1, '0')
    .replace(/0+$/, '');
  const whole = Math.floor(micros / unit);
  return fraction === '' ? String(whole) : `${whole}.${fraction}`;
}

/** Rounded down to whole microseconds. Absent is 0. */
export function durationToMicros(duration: DurationMessage | undefined): Micros {
  return duration === undefined ? 0 : duration.seconds * MICROS_PER_SECOND + Math.floor(duration.nanos / 1_000);
}

export function microsToDuration(micros: Micros): DurationMessage {
  const seconds = Math.floor(micros / MICROS_PER_SECOND);
  return { seconds, nanos: (micros - seconds * MICROS_PER_SECOND) * 1_000 };
}

/** Whether a message is a span that Baton can use: not negative, whole microseconds, exact in a double. */
export function isUsableDuration(duration: DurationMessage): boolean {
  return (
    Number.isSafeInteger(duration.seconds) &&
    duration.seconds >= 0 &&
    duration.seconds < 4_000_000_000 &&
    Number.isSafeInteger(duration.nanos) &&
    duration.nanos >= 0 &&
    duration.nanos < 1_000_000_000 &&
    duration.nanos % 1_000 === 0
  );
}

function clip(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
