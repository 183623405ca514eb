/** Reads `weight N [reverse]` where it is a line of its own. */
import { quoted, type Remarks } from './remarks.js';
import type { Statement } from './tree.js';
import { parseWhole } from './values.js';

/** The greatest change between priorities 1 and 254. */
export const MAX_WEIGHT = 253;
/** keepalived's greatest weight of files and processes. */
export const MAX_FILE_WEIGHT = 254;

/** Undefined and reported when it cannot be read. */
export function readWeight(
  line: Statement,
  limit: number,
  remarks: Remarks,
): { weight: number; reverse: boolean } | undefined {
  const word = line.words[1];
  const weight = word === undefined ? undefined : parseWhole(word);
  if (weight === undefined || Math.abs(weight) > limit) {
    remarks.error(
      line.origin,
      `weight ${quoted(word ?? '')} is not a whole number from -${limit} to ${limit}; the line is ignored, as in keepalived`,
    );
    return undefined;
  }
  const option = line.words[2];
  if (option !== undefined && option !== 'reverse') {
    remarks.warning(line.origin, `weight: ${quoted(option)} is not "reverse"; it is ignored, as in keepalived`);
  }
  return { weight, reverse: option === 'reverse' };
}
