/** Splitting a line into words, in keepalived's two ways: for ordinary keywords and for those that name a program. */

/** `joined`: a quoted part touches another part; keepalived before 2.3 takes them as two words. */
export type Words =
  | { readonly ok: true; readonly words: readonly string[]; readonly joined: boolean }
  | { readonly ok: false; readonly reason: 'unterminated-quote' };

const UNTERMINATED: Words = { ok: false, reason: 'unterminated-quote' };

/** Ordinary keywords: only double quotes protect blanks, nothing is escaped. */
export function splitWords(text: string): Words {
  const words: string[] = [];
  let joined = false;
  let i = 0;
  while (i < text.length) {
    if (isBlank(text[i])) {
      i += 1;
      continue;
    }
    let word = '';
    const start = i;
    while (i < text.length && !isBlank(text[i])) {
      if (text[i] !== '"') {
        word += text[i];
        i += 1;
        continue;
      }
      const end = text.indexOf('"', i + 1);
      if (end < 0) return UNTERMINATED;
      joined ||= i > start || (end + 1 < text.length && !isBlank(text[end + 1]));
      word += text.slice(i + 1, end);
      i = end + 1;
    }
    words.push(word);
  }
  return { ok: true, words, joined };
}

/**
 * Keywords that name a program: double and single quotes protect blanks, backslash escapes work in and outside
 * quotes, and adjacent parts make one word. The first word after the keyword is the whole command line.
 */
export function splitEscapedWords(text: string): Words {
  const words: string[] = [];
  let i = 0;
  while (i < text.length) {
    if (isBlank(text[i])) {
      i += 1;
      continue;
    }
    let word = '';
    let quote = '';
    while (i < text.length && (quote !== '' || !isBlank(text[i]))) {
      const character = text[i] ?? '';
      if (character === '\\' && i + 1 < text.length) {
        const escaped = readEscape(text, i + 1);
        word += escaped.character;
        i = escaped.next;
        continue;
      }
      if (quote === '' && (character === '"' || character === "'")) quote = character;
      else if (character === quote) quote = '';
      else word += character;
      i += 1;
    }
    if (quote !== '') return UNTERMINATED;
    words.push(word);
  }
  return { ok: true, words, joined: false };
}

/** A command line to program and arguments: blanks split, single or double quotes protect, parts are joined. */
export function splitCommandLine(command: string): Words {
  const words: string[] = [];
  let i = 0;
  while (i < command.length) {
    if (isBlank(command[i])) {
      i += 1;
      continue;
    }
    let word = '';
    while (i < command.length && !isBlank(command[i])) {
      const character = command[i] ?? '';
      if (character !== '"' && character !== "'") {
        word += character;
        i += 1;
        continue;
      }
      const end = command.indexOf(character, i + 1);
      if (end < 0) return UNTERMINATED;
      word += command.slice(i + 1, end);
      i = end + 1;
    }
    words.push(word);
  }
  return { ok: true, words, joined: false };
}

const SIMPLE_ESCAPES: ReadonlyMap<string, string> = new Map([
  ['a', '\x07'],
  ['b', '\b'],
  ['E', '\x1b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ['v', '\v'],
]);

/** The character that the escape at `at` (just after the backslash) stands for, and where the text goes on. */
function readEscape(text: string, at: number): { readonly character: string; readonly next: number } {
  const rest = text.slice(at, at + 3);
  const octal = /^[0-7]{1,3}/u.exec(rest)?.[0];
  if (octal !== undefined) {
    return { character: String.fromCharCode(Number.parseInt(octal, 8) & 0xff), next: at + octal.length };
  }
  const hexadecimal = /^x([0-9a-fA-F]{1,2})/u.exec(rest)?.[1];
  if (hexadecimal !== undefined) {
    return { character: String.fromCharCode(Number.parseInt(hexadecimal, 16)), next: at + 1 + hexadecimal.length };
  }
  if (rest[0] === 'c' && rest[1] !== undefined) {
    return { character: String.fromCharCode(rest.charCodeAt(1) & 0x1f), next: at + 2 };
  }
  const character = rest[0] ?? '';
  return { character: SIMPLE_ESCAPES.get(character) ?? character, next: at + 1 };
}

function isBlank(character: string | undefined): boolean {
  return (
    character === ' ' ||
    character === '\t' ||
    character === '\n' ||
    character === '\v' ||
    character === '\f' ||
    character === '\r'
  );
}
