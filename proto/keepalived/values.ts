/** Numbers, times, switches and addresses as keepalived writes them. */
import { type Family, familyOf, formatIp, parseIp } from '../rules/ip.js';
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

/** An address in its usual form, with its family; undefined when the word is none (no leading zeros, no short forms). */
export function parseAddress(word: string): { readonly address: string; readonly family: Family } | undefined {
  const value = parseIp(word);
  return value === undefined ? undefined : { address: formatIp(value), family: familyOf(value) };
}

/** Seconds as an operator writes them: "1s", "0.3s". */
export function showSeconds(micros: Micros): string {
  return `${micros / MICROS_PER_SECOND}s`;
}
