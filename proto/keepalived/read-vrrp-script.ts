/** Reads one vrrp_script. */
import { MICROS_PER_SECOND, type Micros } from '../rules/time.js';
import { type Handler, singleValue, walkBlock } from './block.js';
import type { ScriptCommand, VrrpScript } from './config.js';
import { readScript, readUser } from './read-command.js';
import { MAX_INT, readTime, readWhole } from './read-number.js';
import { quoted, type Remarks } from './remarks.js';
import type { Statement } from './tree.js';
import { parseWhole } from './values.js';

const MAX_INTERVAL: Micros = 4_294 * MICROS_PER_SECOND;
export const MAX_WEIGHT = 253;

/** Undefined and reported when it has no name or no script. `defaultUser` is script_user. */
export function readVrrpScript(
  statement: Statement,
  defaultUser: string | undefined,
  remarks: Remarks,
): VrrpScript | undefined {
  const name = singleValue(statement, remarks);
  let command: ScriptCommand | undefined;
  let interval: Micros = MICROS_PER_SECOND;
  let timeout: Micros | undefined;
  let weight = 0;
  let reverse = false;
  let rise = 1;
  let fall = 1;
  let user: string | undefined;
  const time = (line: Statement, instead: string): Micros | undefined => {
    const value = readTime(line, [0, MAX_INTERVAL], instead, remarks);
    if (value !== 0) return value;
    remarks.warning(line.origin, `${line.words[0]} must be more than 0; 1s is used, as in keepalived`);
    return MICROS_PER_SECOND;
  };
  const handlers: Record<string, Handler> = {
    script: (line) => {
      if (command !== undefined) remarks.warning(line.origin, 'script is given twice; the last one counts');
      command = readScript(line, remarks) ?? command;
    },
    interval: (line) => {
      interval = time(line, '1s is used') ?? MICROS_PER_SECOND;
    },
    timeout: (line) => {
      timeout = time(line, 'the interval is used');
    },
    weight: (line) => {
      const entry = readWeight(line, remarks);
      if (entry !== undefined) ({ weight, reverse } = entry);
    },
    rise: (line) => {
      rise = readWhole(line, [1, MAX_INT], '1 is used', remarks) ?? 1;
    },
    fall: (line) => {
      fall = readWhole(line, [1, MAX_INT], '1 is used', remarks) ?? 1;
    },
    user: (line) => {
      user = readUser(line, remarks) ?? user;
    },
  };
  walkBlock('vrrp_script', statement.block ?? [], handlers, remarks);
  if (name === undefined) return undefined;
  if (command === undefined) {
    remarks.error(statement.origin, `vrrp_script ${quoted(name)} has no script; it is left out, as in keepalived`);
    return undefined;
  }
  return {
    name,
    origin: statement.origin,
    command: { ...command, user: user ?? defaultUser },
    interval,
    timeout: timeout ?? interval,
    weight,
    reverse,
    rise,
    fall,
  };
}

/** `weight N [reverse]` as a line of its own. */
function readWeight(line: Statement, remarks: Remarks): { weight: number; reverse: boolean } | undefined {
  const word = line.words[1];
  const weight = word === undefined ? undefined : parseWhole(word);
  if (weight === undefined || Math.abs(weight) > MAX_WEIGHT) {
    remarks.error(
      line.origin,
      `weight ${quoted(word ?? '')} is not a whole number from -${MAX_WEIGHT} to ${MAX_WEIGHT}; the line is ignored, as in keepalived`,
    );
    return undefined;
  }
  const option = line.words[2];
  if (option !== undefined && option !== 'reverse') {
    remarks.warning(line.origin, `weight: ${quoted(option)} is not "reverse"; it is ignored, as in keepalived`);
  }
  return { weight, reverse: option === 'reverse' };
}
