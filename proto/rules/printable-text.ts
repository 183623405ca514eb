/**
 * Text from outside made safe to show: in a terminal, a mail header, a log line. Names and outputs come from hosts and
 * scripts, and a control character in them can forge a line, a header or a terminal command.
 */

// C0 and DEL, C1, line and paragraph separators, and what changes the direction of text or is invisible.
const UNPRINTABLE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/gu;
const LONE_SURROGATE = /\p{Surrogate}/gu;

/** One line: every run of unprintable characters and white space becomes one space; cut to `limit` characters. */
export function singleLine(text: string, limit = Number.POSITIVE_INFINITY): string {
  const line = text.replace(LONE_SURROGATE, '\ufffd').replace(UNPRINTABLE, ' ').replace(/\s+/gu, ' ').trim();
  return line.length <= limit ? line : `${[...line].slice(0, Math.max(0, limit - 1)).join('')}…`;
}

/** Several lines: line ends become "\n", a tab a space, other unprintable characters "\ufffd". */
export function printableLines(text: string): string {
  return text
    .replace(/\r\n?/gu, '\n')
    .split('\n')
    .map((line) => line.replace(/\t/gu, ' ').replace(LONE_SURROGATE, '\ufffd').replace(UNPRINTABLE, '\ufffd'))
    .join('\n');
}
