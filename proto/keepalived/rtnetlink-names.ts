/** Names that iproute2 has for numbers of routes, rules and addresses, without its files in /etc/iproute2. */
import { parseWhole } from './values.js';

const SCOPES = ['global', 'site', 'link', 'host', 'nowhere'] as const;
const SCOPE_NUMBERS: ReadonlyMap<number, string> = new Map([
  [0, 'global'],
  [200, 'site'],
  [253, 'link'],
  [254, 'host'],
  [255, 'nowhere'],
]);

/** A scope's name, or its number where it has none; undefined: it is none. */
export function scopeOf(word: string): string | undefined {
  if (SCOPES.some((scope) => scope === word)) return word;
  const number = parseUnsigned(word, 255);
  return number === undefined ? undefined : (SCOPE_NUMBERS.get(number) ?? String(number));
}

const TABLES: ReadonlyMap<string, string> = new Map([
  ['254', 'main'],
  ['main', 'main'],
  ['255', 'local'],
  ['local', 'local'],
  ['253', 'default'],
  ['default', 'default'],
]);

/** Numbers of tables by their names, as rt_tables has them. */
export type TableNames = ReadonlyMap<string, number>;

/** A table's usual name or its number; undefined: it has no such name here, or is none. */
export function tableOf(word: string, names: TableNames): string | undefined {
  const number = parseUnsigned(word, 4_294_967_295) ?? names.get(word);
  if (number === 0) return undefined;
  return (
    TABLES.get(number === undefined ? word : String(number)) ?? (number === undefined ? undefined : String(number))
  );
}

/** rt_tables: a number and a name on each line, `#` begins a comment. */
export function parseTableNames(text: string): TableNames {
  const names = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [number = '', name] = (line.split('#', 1)[0] ?? '').trim().split(/\s+/u);
    const value = parseUnsigned(number, 4_294_967_295);
    if (value !== undefined && name !== undefined && !names.has(name)) names.set(name, value);
  }
  return names;
}

/** Decimal, or hexadecimal with 0x, as iproute2 takes numbers. */
export function parseUnsigned(word: string, maximum: number): number | undefined {
  const value = /^0[xX][0-9a-fA-F]{1,8}$/u.test(word) ? Number.parseInt(word, 16) : parseWhole(word);
  return value === undefined || value < 0 || value > maximum ? undefined : value;
}

const DSFIELDS: ReadonlyMap<string, number> = new Map([
  ['default', 0],
  ['CS1', 0x20],
  ['CS2', 0x40],
  ['CS3', 0x60],
  ['CS4', 0x80],
  ['CS5', 0xa0],
  ['CS6', 0xc0],
  ['CS7', 0xe0],
  ['AF11', 0x28],
  ['AF12', 0x30],
  ['AF13', 0x38],
  ['AF21', 0x48],
  ['AF22', 0x50],
  ['AF23', 0x58],
  ['AF31', 0x68],
  ['AF32', 0x70],
  ['AF33', 0x78],
  ['AF41', 0x88],
  ['AF42', 0x90],
  ['AF43', 0x98],
  ['EF', 0xb8],
]);

/** Type of service: a name of rt_dsfield or a number. */
export function dsfieldOf(word: string): number | undefined {
  return parseUnsigned(word, 255) ?? DSFIELDS.get(word);
}
