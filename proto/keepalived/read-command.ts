/** Reads keywords that name a program: notify_*, and script and user of a vrrp_script. */
import { isUserName } from '../rules/names.js';
import { commandWords } from './block.js';
import type { ScriptCommand } from './config.js';
import { quoted, type Remarks } from './remarks.js';
import type { Statement } from './tree.js';
import { splitCommandLine } from './words.js';

/** `notify_x COMMAND [user [group]]`. Undefined and reported when it cannot be read. */
export function readNotify(statement: Statement, remarks: Remarks): ScriptCommand | undefined {
  const words = commandWords(statement, remarks);
  const line = words === undefined ? undefined : splitLine(words[0] ?? '', statement, remarks);
  if (words === undefined || line === undefined) return undefined;
  const user = words[1];
  if (user !== undefined && !isUserName(user)) {
    remarks.error(
      statement.origin,
      `${statement.words[0]}: ${quoted(user)} stands where the user's name is expected; put command and arguments into one pair of double quotes`,
    );
    return undefined;
  }
  if (user !== undefined) {
    remarks.note(
      statement.origin,
      `${statement.words[0]}: ${quoted(user)} is the user that the program runs as; arguments stand inside the command's double quotes`,
    );
  }
  reportGroup(statement, words, remarks);
  return { words: line, user, origin: statement.origin };
}

/** `script COMMAND`. Undefined and reported when it cannot be read. */
export function readScript(statement: Statement, remarks: Remarks): ScriptCommand | undefined {
  const words = commandWords(statement, remarks);
  const line = words === undefined ? undefined : splitLine(words[0] ?? '', statement, remarks);
  if (words === undefined || line === undefined) return undefined;
  if (words.length > 1) {
    remarks.warning(
      statement.origin,
      `script: keepalived runs ${quoted(words[0] ?? '')} without the words after it, and so does Baton; put command and arguments into one pair of double quotes`,
    );
  }
  return { words: line, user: undefined, origin: statement.origin };
}

/** `user NAME [group]` and `script_user NAME [group]`. */
export function readUser(statement: Statement, remarks: Remarks): string | undefined {
  const user = statement.words[1];
  if (user === undefined) {
    remarks.error(statement.origin, `${statement.words[0]} needs a user's name`);
    return undefined;
  }
  if (!isUserName(user)) {
    remarks.error(
      statement.origin,
      `${statement.words[0]}: ${quoted(user)} cannot be a user's name; the line is ignored`,
    );
    return undefined;
  }
  reportGroup(statement, statement.words, remarks);
  return user;
}

function reportGroup(statement: Statement, words: readonly string[], remarks: Remarks): void {
  const group = words[2];
  if (group === undefined) return;
  remarks.warning(
    statement.origin,
    `${statement.words[0]}: group ${quoted(group)} is not supported; the program runs with its user's own group`,
  );
}

/** keepalived's shell form: `<PATH` opens a file, through the shell. */
function splitLine(line: string, statement: Statement, remarks: Remarks): readonly string[] | undefined {
  const trimmed = line.trim();
  if (trimmed.startsWith('<')) {
    const shell = trimmed.startsWith('</dev/tcp/') || trimmed.startsWith('</dev/udp/') ? '/bin/bash' : '/bin/sh';
    remarks.warning(
      statement.origin,
      `${quoted(trimmed)} is run as ${shell} -c '...'; allow that program in agent.yaml`,
    );
    return [shell, '-c', trimmed];
  }
  const split = splitCommandLine(trimmed);
  if (!split.ok) {
    remarks.error(
      statement.origin,
      `${statement.words[0]}: a quote inside the command is not closed; the line is left out`,
    );
    return undefined;
  }
  const operator = split.words.find((word) => /^(?:&&|\|\|?|;|[12]?>{1,2}.*|<.*)$|;$/u.test(word));
  if (operator !== undefined) {
    remarks.warning(
      statement.origin,
      `${quoted(operator)} is passed to the program as an argument, by keepalived and by Baton: neither runs a shell; write /bin/sh -c '...' for one`,
    );
  }
  return split.words;
}
