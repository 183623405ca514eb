/** Reads keywords whose value is a number, a time or a switch, within bounds, reporting what cannot be read. */
import type { Micros } from '../rules/time.js';
import { singleValue } from './block.js';
import { quoted, type Remarks } from './remarks.js';
import type { Statement } from './tree.js';
import { parseSwitch, parseTime, parseWhole, showSeconds } from './values.js';

/** Undefined and reported when missing, not a whole number or out of bounds; `instead` says what counts then. */
export function readWhole(
  statement: Statement,
  bounds: readonly [minimum: number, maximum: number],
  instead: string,
  remarks: Remarks,
): number | undefined {
  const word = singleValue(statement, remarks);
  if (word === undefined) return undefined;
  const value = parseWhole(word);
  if (value !== undefined && value >= bounds[0] && value <= bounds[1]) return value;
  const limit = bounds[1] === MAX_INT ? `at least ${bounds[0]}` : `from ${bounds[0]} to ${bounds[1]}`;
  remarks.error(
    statement.origin,
    `${statement.words[0]} ${quoted(word)} is not a whole number ${limit}; ${instead}, as in keepalived`,
  );
  return undefined;
}

export const MAX_INT = 2_147_483_647;
export const MAX_U32 = 4_294_967_295;

/** Undefined and reported when missing, not a time in seconds or out of bounds. */
export function readTime(
  statement: Statement,
  bounds: readonly [minimum: Micros, maximum: Micros],
  instead: string,
  remarks: Remarks,
): Micros | undefined {
  const word = singleValue(statement, remarks);
  if (word === undefined) return undefined;
  const time = parseTime(word);
  if (!time.ok || time.micros < bounds[0] || time.micros > bounds[1]) {
    remarks.error(
      statement.origin,
      `${statement.words[0]} ${quoted(word)} is not a time from ${showSeconds(bounds[0])} to ${showSeconds(bounds[1])}, written in seconds without a unit; ${instead}, as in keepalived`,
    );
    return undefined;
  }
  if (time.rounded) {
    remarks.warning(statement.origin, `${statement.words[0]} ${quoted(word)} is rounded to whole microseconds`);
  }
  return time.micros;
}

/** A keyword with an optional switch: bare means on. Undefined and reported when it is another word. */
export function readSwitch(statement: Statement, remarks: Remarks): boolean | undefined {
  const word = statement.words[1];
  if (word === undefined) return true;
  const value = parseSwitch(word);
  if (value === undefined) {
    remarks.error(
      statement.origin,
      `${statement.words[0]} ${quoted(word)} is not one of on, off, true, false, yes, no; the line is ignored, as in keepalived`,
    );
  }
  return value;
}
