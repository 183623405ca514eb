/** keepalived's repetitions: `~SEQ(var[, start[, step]], end) rest` and `~LST(var, values) rest`. Pure. */

/** What a repetition stands for: for each of the value lists, the variables are set and `rest` is read once. */
export type Repetition =
  | {
      readonly ok: true;
      readonly variables: readonly string[];
      /** Each as long as `variables`. */
      readonly values: readonly (readonly string[])[];
      readonly rest: string;
    }
  | { readonly ok: false; readonly reason: string };

/** More repetitions in one line are refused, so that a slip of the finger does not fill the memory. */
export const MAX_REPETITIONS = 65_536;

export function isRepetition(line: string): boolean {
  return /^~(?:SEQ|LST)/u.test(line);
}

/** `expand` replaces definitions in the numbers of a ~SEQ. */
export function parseRepetition(line: string, expand: (text: string) => string): Repetition {
  return line.startsWith('~LST') ? parseList(line) : parseSequence(line, expand);
}

const SEQUENCE = /^~SEQ(x?)[ \t]*\([ \t]*([^ \t,(){}]+)[ \t]*,([^)]*)\)[ \t]*(.*)$/su;

function parseSequence(line: string, expand: (text: string) => string): Repetition {
  const match = SEQUENCE.exec(line);
  const [, x = '', variable = '', text = '', rest = ''] = match ?? [];
  if (match === null) return { ok: false, reason: 'it must be written ~SEQ(VARIABLE, START, STEP, END) LINE' };
  if (!isVariable(variable)) return { ok: false, reason: NOT_A_VARIABLE };
  const numbers = expand(text).split(',').map(parseNumber);
  if (numbers.length > 3 || numbers.some((number) => number === undefined)) {
    return { ok: false, reason: 'it takes one to three whole numbers: end; start and end; start, step and end' };
  }
  const [one = 0, two = 0, three = 0] = numbers;
  let [start, step, end] = [one, two, three];
  if (numbers.length === 1) [start, step, end] = [one < 0 ? -1 : 1, one < 1 ? -1 : 1, one];
  else if (numbers.length === 2) [start, step, end] = [one, one <= two ? 1 : -1, two];
  if (step === 0 || (start < end && step < 0) || (start > end && step > 0)) {
    return { ok: false, reason: `with step ${step} it never gets from ${start} to ${end}` };
  }
  if (x !== '' && (start < 0 || end < 0)) return { ok: false, reason: '~SEQx counts no negative numbers' };
  const count = Math.floor((end - start) / step) + 1;
  if (count > MAX_REPETITIONS) return { ok: false, reason: tooMany(count) };
  const values = Array.from({ length: count }, (_, i) => [(start + i * step).toString(x === '' ? 10 : 16)]);
  return { ok: true, variables: [variable], values, rest };
}

/** As C writes whole numbers: 0x for hexadecimal, a leading 0 for octal; nothing at all is 0. */
function parseNumber(text: string): number | undefined {
  const match = /^([+-]?)(?:0[xX]([0-9a-fA-F]{1,8})|0([0-7]{0,10})|([1-9][0-9]{0,9})|)$/u.exec(text.trim());
  if (match === null) return undefined;
  const [, sign = '', hexadecimal, octal, decimal] = match;
  if (sign !== '' && hexadecimal === undefined && octal === undefined && decimal === undefined) return undefined;
  const value =
    hexadecimal !== undefined
      ? Number.parseInt(hexadecimal, 16)
      : octal !== undefined
        ? Number.parseInt(`0${octal}`, 8)
        : Number(decimal ?? 0);
  return sign === '-' && value !== 0 ? -value : value;
}

const LIST = /^~LST[ \t]*\([ \t]*(?:\{([^{}]*)\}|([^ \t,(){}]+))[ \t]*,([^)]*)\)[ \t]*(.*)$/su;

function parseList(line: string): Repetition {
  const match = LIST.exec(line);
  const [, group, single, text = '', rest = ''] = match ?? [];
  if (match === null) {
    return {
      ok: false,
      reason: 'it must be written ~LST(VARIABLE, VALUE, VALUE) LINE or ~LST({A, B}, {1, 2}, {3, 4}) LINE',
    };
  }
  const variables = group === undefined ? [single ?? ''] : group.split(',').map((name) => name.trim());
  if (!variables.every(isVariable)) return { ok: false, reason: NOT_A_VARIABLE };
  const values: (readonly string[])[] = [];
  // One set of values in braces, or one value; white space inside a value is none of keepalived's.
  const set = /[ \t]*(?:\{([^{}]*)\}|([^,{}]*))[ \t]*(,|$)/uy;
  while (set.lastIndex <= text.length) {
    const found = set.exec(text);
    if (found === null) return { ok: false, reason: 'its values cannot be read; braces are not closed or nested' };
    const entries = (found[1] === undefined ? [found[2] ?? ''] : found[1].split(',')).map((entry) => entry.trim());
    if (entries.some((entry) => /[ \t]/u.test(entry))) return { ok: false, reason: 'a value has white space in it' };
    if (entries.length > variables.length) {
      return { ok: false, reason: `it has ${entries.length} values for ${variables.length} variables` };
    }
    values.push(variables.map((_, i) => entries[i] ?? ''));
    if (values.length > MAX_REPETITIONS) return { ok: false, reason: tooMany(values.length) };
    if (found[3] === '') break;
  }
  return { ok: true, variables, values, rest };
}

const NOT_A_VARIABLE = 'a variable has letters, digits and "_", and does not begin with a digit';

function isVariable(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/u.test(name);
}

function tooMany(count: number): string {
  return `it stands for ${count} lines; the limit is ${MAX_REPETITIONS}`;
}
