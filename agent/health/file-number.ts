/** The number in a tracked file, as keepalived reads it: C's notation, whatever follows the digits is passed over. */

/** Bytes of the file that are looked at. */
export const NUMBER_BYTES = 128;

export type FileNumber =
  | { readonly kind: 'number'; readonly value: number }
  /** Nothing but white space. */
  | { readonly kind: 'empty' }
  | { readonly kind: 'not-a-number' }
  /** Not in 32 bits with sign. */
  | { readonly kind: 'out-of-range' };

/** White space, sign, then 0x and hexadecimal, 0 and octal, or decimal digits (strtol with base 0). */
export function parseFileNumber(text: string): FileNumber {
  if (/^[\s\0]*$/.test(text)) return { kind: 'empty' };
  const found = /^[ \t\n\v\f\r]*([+-]?)(?:0[xX]([0-9a-fA-F]+)|0([0-7]*)|([1-9]\d*))/.exec(text);
  if (found === null) return { kind: 'not-a-number' };
  const [, sign, hexadecimal, octal, decimal] = found;
  const size =
    hexadecimal !== undefined
      ? Number.parseInt(hexadecimal, 16)
      : decimal !== undefined
        ? Number.parseInt(decimal, 10)
        : Number.parseInt(octal || '0', 8);
  const value = sign === '-' && size !== 0 ? -size : size;
  return value >= -0x8000_0000 && value <= 0x7fff_ffff ? { kind: 'number', value } : { kind: 'out-of-range' };
}
