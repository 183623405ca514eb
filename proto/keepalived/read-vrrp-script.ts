/** Reads one vrrp_script. */
import { MICROS_PER_SECOND, type Micros } from '../rules/time.js';
import { type Handler, singleValue, walkBlock } from './block.js';
import type { ScriptCommand, VrrpScript } from './config.js';
import { readScript, readUser } from './read-command.js';
import { MAX_INT, readTime, readWhole } from './read-number.js';
import { MAX_WEIGHT, readWeight } from './read-weight.js';
import { quoted, type Remarks } from './remarks.js';
import type { Statement } from './tree.js';

const MAX_INTERVAL: Micros = 4_294 * MICROS_PER_SECOND;

/** Undefined and reported when it has no name or no script. `order` is its position in the file, `defaultUser` is script_user. */
export function readVrrpScript(
  statement: Statement,
  order: number,
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
      const entry = readWeight(line, MAX_WEIGHT, remarks);
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
    order,
    command: { ...command, user: user ?? defaultUser },
    interval,
    timeout: timeout ?? interval,
    weight,
    reverse,
    rise,
    fall,
  };
}
