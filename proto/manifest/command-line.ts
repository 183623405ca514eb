/** A command line as one text, split as a shell would do it and no shell ever sees it. */

export type SplitResult =
  | { readonly ok: true; readonly words: readonly string[] }
  | { readonly ok: false; readonly reason: string };

/**
 * POSIX quoting (Shell Command Language 2.2): blanks separate, '...' keeps everything, "..." keeps all but `\"`,
 * `\\`, `\$` and backquote escapes, a backslash keeps the next character. Nothing is expanded; operators that a shell
 * would act upon are refused when unquoted, as they would silently become arguments.
 */
export function splitCommandLine(text: string): SplitResult {
  const words: string[] = [];
  let word: string | undefined;
  let position = 0;
  while (position < text.length) {
    const character = text[position] ?? '';
    if (/[ \t\n]/.test(character)) {
      if (word !== undefined) {
        words.push(word);
        word = undefined;
      }
      position++;
    } else if (character === "'" || character === '"') {
      const end = character === "'" ? text.indexOf("'", position + 1) : endOfDoubleQuotes(text, position + 1);
      if (end === -1) {
        return { ok: false, reason: `the quote ${character} is not closed` };
      }
      const inner = text.slice(position + 1, end);
      word = (word ?? '') + (character === "'" ? inner : inner.replace(/\\(["\\$`])/g, '$1'));
      position = end + 1;
    } else if (character === '\\') {
      if (position + 1 === text.length) {
        return { ok: false, reason: 'it ends in a backslash' };
      }
      word = (word ?? '') + (text[position + 1] ?? '');
      position += 2;
    } else if (/[|&;<>$`()]/.test(character)) {
      return {
        ok: false,
        reason: `${JSON.stringify(character)} means something to a shell, but commands are not given to one; quote it, or call "/bin/sh -c '...'"`,
      };
    } else {
      word = (word ?? '') + character;
      position++;
    }
  }
  if (word !== undefined) {
    words.push(word);
  }
  return words.length === 0 ? { ok: false, reason: 'it names no program' } : { ok: true, words };
}

function endOfDoubleQuotes(text: string, from: number): number {
  for (let position = from; position < text.length; position++) {
    if (text[position] === '\\') {
      position++;
    } else if (text[position] === '"') {
      return position;
    }
  }
  return -1;
}
