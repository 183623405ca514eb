/** Which processes are meant, judged by what /proc says of each. */
import { readdirSync, readFileSync } from 'node:fs';
import type { ProcessProbe } from './check-settings.js';

/** Bytes of a name that the kernel keeps (TASK_COMM_LEN less the NUL). */
const COMM_BYTES = 15;

/** What of /proc is asked; what ended meanwhile is undefined. Synchronous: it is memory, and an event must see it now. */
export interface ProcFiles {
  /** Process ids. */
  list(): readonly number[];
  stat(id: number): { readonly comm: string; readonly state: string; readonly parent: number } | undefined;
  /** The command line's words; empty for a thread of the kernel. */
  commandLine(id: number): readonly string[] | undefined;
}

/** Zombies and the dead never match. */
export function isMatch(probe: ProcessProbe, id: number, proc: ProcFiles): boolean {
  const stat = proc.stat(id);
  if (stat === undefined || stat.state === 'Z' || stat.state === 'X') return false;
  if (!probe.fullCommand && stat.comm !== kernelName(probe.name)) return false;
  const comparesArguments = probe.arguments.length > 0 || probe.match === 'initial';
  if (!probe.fullCommand && !comparesArguments) return true;
  const words = proc.commandLine(id);
  if (words === undefined || words.length === 0) return false;
  if (probe.fullCommand && words[0] !== probe.name) return false;
  return !comparesArguments || areArguments(probe, words.slice(1));
}

function areArguments({ arguments: wanted, match }: ProcessProbe, found: readonly string[]): boolean {
  if (match === 'partial' ? found.length < wanted.length : found.length !== wanted.length) return false;
  return wanted.every((word, at) => {
    if (match === 'initial' && at === wanted.length - 1) return found[at]?.startsWith(word) === true;
    return found[at] === word;
  });
}

function kernelName(name: string): string {
  const bytes = Buffer.from(name);
  return bytes.length <= COMM_BYTES ? name : bytes.toString('utf8', 0, COMM_BYTES);
}

export const hostProcFiles: ProcFiles = {
  list: () => readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : [])),
  stat: (id) => {
    const text = readOr(`/proc/${id}/stat`);
    if (text === undefined) return undefined;
    // The name may hold anything, ") S" too; what follows it cannot hold a parenthesis.
    const end = text.lastIndexOf(')');
    const [state = '', parent = ''] = text.slice(end + 2).split(' ', 2);
    return { comm: text.slice(text.indexOf('(') + 1, end), state, parent: Number(parent) };
  },
  commandLine: (id) => {
    const text = readOr(`/proc/${id}/cmdline`);
    if (text === undefined) return undefined;
    return text === '' ? [] : text.replace(/\0$/, '').split('\0');
  },
};

function readOr(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // ENOENT or ESRCH: it has ended.
    return undefined;
  }
}
