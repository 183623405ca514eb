/** keepalived's command lines as Baton's: the program must be an absolute path. */
import type { Command } from '../gen/baton/v1/resources.js';
import type { ScriptCommand } from './config.js';
import { quoted, type Remarks } from './remarks.js';

/** Where a host has a program that is named without a directory. */
export type FindProgram = (name: string) => string | undefined;

/** Programs of every Linux system and where Debian has them. */
const USUAL: ReadonlyMap<string, string> = new Map(
  [
    'bash',
    'cat',
    'curl',
    'grep',
    'ip',
    'kill',
    'killall',
    'nc',
    'pgrep',
    'pidof',
    'ping',
    'pkill',
    'sh',
    'ss',
    'systemctl',
    'test',
    'wget',
    '[',
    'true',
    'false',
  ].map((name) => [name, `/usr/bin/${name}`]),
);

/** The words with the program's path filled in; reported when it was a guess or is impossible. */
export function importWords(command: ScriptCommand, find: FindProgram | undefined, remarks: Remarks): string[] {
  const [program = '', ...args] = command.words;
  if (program.startsWith('/')) return [program, ...args];
  if (program.includes('/')) {
    remarks.error(
      command.origin,
      `${quoted(program)} is relative to the directory that keepalived is started in; write the absolute path`,
    );
    return [program, ...args];
  }
  const found = find?.(program);
  if (found !== undefined) {
    remarks.note(command.origin, `${quoted(program)} is ${found} on this host; write the absolute path`);
    return [found, ...args];
  }
  const usual = find === undefined ? USUAL.get(program) : undefined;
  if (usual !== undefined) {
    remarks.warning(
      command.origin,
      `${quoted(program)} is named without a directory; ${usual} is taken, see that it is there`,
    );
    return [usual, ...args];
  }
  remarks.error(
    command.origin,
    find === undefined
      ? `${quoted(program)} is named without a directory; write the absolute path`
      : `${quoted(program)} is not found on this host; a check that cannot run is a failing check`,
  );
  return [`/usr/bin/${program}`, ...args];
}

export function importCommand(
  command: ScriptCommand | undefined,
  find: FindProgram | undefined,
  remarks: Remarks,
): Command | undefined {
  if (command === undefined) return undefined;
  return { command: importWords(command, find, remarks), user: command.user ?? '', timeout: undefined };
}
