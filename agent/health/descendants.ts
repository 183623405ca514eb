/**
 * All that a program has left running, wherever it went: found by parentage, and by a mark in the environment that
 * descendants inherit although they leave the process group, the session and their parents (setsid, double fork).
 */
import { readdirSync, readFileSync } from 'node:fs';

/** Name of the environment variable that marks a run. */
export const RUN_VARIABLE = 'BATON_RUN';
/** A storm of forks is stopped in so many looks, or its processes get the signal as they are. */
const MAX_LOOKS = 20;

/** Synchronous: between looking and signalling nothing else may happen. */
export interface ProcessTree {
  /** All processes of the host. */
  list(): readonly number[];
  /** Undefined when it has ended. */
  parentOf(id: number): number | undefined;
  /** Whether it was started with this setting ("NAME=value") in its environment. */
  hasVariable(id: number, setting: string): boolean;
  signal(id: number, signal: 'SIGTERM' | 'SIGKILL' | 'SIGSTOP'): void;
}

/**
 * `root` is the program's own process, absent when it has ended: its number may be another's by now. `mark` is the value
 * of the variable.
 */
export function descendantsOf(root: number | undefined, mark: string, tree: ProcessTree): readonly number[] {
  const children = new Map<number, number[]>();
  const ahead: number[] = [];
  for (const id of tree.list()) {
    if (id <= 1 || id === process.pid) continue;
    const parent = tree.parentOf(id);
    if (parent === undefined) continue;
    const siblings = children.get(parent);
    if (siblings === undefined) children.set(parent, [id]);
    else siblings.push(id);
    if (id === root || tree.hasVariable(id, `${RUN_VARIABLE}=${mark}`)) ahead.push(id);
  }
  const found = new Set<number>();
  for (let id = ahead.pop(); id !== undefined; id = ahead.pop()) {
    if (found.has(id)) continue;
    found.add(id);
    ahead.push(...(children.get(id) ?? []));
  }
  return [...found];
}

/**
 * Signals all of them. Before SIGKILL they are stopped until no new ones are found, so that none can fork in between.
 */
export function signalDescendants(
  root: number | undefined,
  mark: string,
  signal: 'SIGTERM' | 'SIGKILL',
  tree: ProcessTree,
): void {
  let found = descendantsOf(root, mark, tree);
  if (signal === 'SIGKILL') {
    const stopped = new Set<number>();
    for (let look = 0; look < MAX_LOOKS; look += 1) {
      const running = found.filter((id) => !stopped.has(id));
      if (running.length === 0) break;
      for (const id of running) {
        tree.signal(id, 'SIGSTOP');
        stopped.add(id);
      }
      found = descendantsOf(root, mark, tree);
    }
    found = [...new Set([...stopped, ...found])];
  }
  for (const id of found) tree.signal(id, signal);
}

export const hostProcessTree: ProcessTree = {
  list: () => readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : [])),
  parentOf: (id) => {
    const stat = readOr(`/proc/${id}/stat`);
    return stat === undefined ? undefined : Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ', 2)[1]);
  },
  hasVariable: (id, setting) => (readOr(`/proc/${id}/environ`) ?? '').split('\0').includes(setting),
  signal: (id, signal) => {
    try {
      process.kill(id, signal);
    } catch {
      // ESRCH: it has ended, which is what was wanted.
    }
  },
};

function readOr(file: string): string | undefined {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    // It has ended, or is another user's and so none of ours.
    return undefined;
  }
}
