/** Numbers, times, switches and addresses as keepalived writes them. */
import { MICROS_PER_SECOND, type Micros } from '../rules/time.js';

const TRUE: ReadonlySet<string> = new Set(['on', 'true', 'yes']);
const FALSE: ReadonlySet<string> = new Set(['off', 'false', 'no']);

/** Undefined: not one of keepalived's six words. */
export function parseSwitch(word: string): boolean | undefined {
  if (TRUE.has(word)) return true;
  return FALSE.has(word) ? false : undefined;
}

/** A decimal whole number; no hexadecimal, no exponent. Undefined: not a number. */
export function parseWhole(word: string): number | undefined {
  return /^[+-]?\d{1,15}$/u.test(word) ? Number(word) : undefined;
}

export type ParsedTime =
  | { readonly ok: true; readonly micros: Micros; readonly rounded: boolean }
  | { readonly ok: false };

/** Decimal seconds to whole microseconds; `rounded` when there were more than six decimals. */
export function parseTime(word: string): ParsedTime {
  const match = /^\+?(\d{1,9})?(?:\.(\d{0,30}))?$/u.exec(word);
  const whole = match?.[1];
  const fraction = match?.[2];
  if (match === null || (whole === undefined && (fraction ?? '') === '')) return { ok: false };
  const micros = Math.round(Number(`0.${fraction ?? ''}0`) * MICROS_PER_SECOND);
  return { ok: true, micros: Number(whole ?? 0) * MICROS_PER_SECOND + micros, rounded: (fraction ?? '').length > 6 };
}

/** The four bytes of a dotted address as a number; undefined when it is none (no leading zeros, no short forms). */
export function parseIpv4(word: string): number | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/u.exec(word);
  if (match === null) return undefined;
  let value = 0;
  for (const part of match.slice(1)) {
    if ((part.length > 1 && part.startsWith('0')) || Number(part) > 255) return undefined;
    value = value * 256 + Number(part);
  }
  return value;
}

/** Whether a word is meant as an IPv6 address; it need not be a valid one. */
export function looksLikeIpv6(word: string): boolean {
  return /^[0-9a-fA-F.]*:[0-9a-fA-F:.]*(%\S+)?(\/\d+)?$/u.test(word) && word.split(':').length > 2;
}

/** Seconds as an operator writes them: "1s", "0.3s". */
export function showSeconds(micros: Micros): string {
  return `${micros / MICROS_PER_SECOND}s`;
}
