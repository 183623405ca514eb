/** What this host has: interfaces of this network namespace, programs, the version of this software. */
import { readFileSync } from 'node:fs';
import { readFile, realpath } from 'node:fs/promises';
import path from 'node:path';
import { hostProgramFiles, judgeProgram } from '../health/executable.js';
import { accountOf } from '../health/host-edges.js';

/** Names of the interfaces. From /proc, which always shows the process's own network namespace; /sys may not. */
export async function hostInterfaces(): Promise<ReadonlySet<string>> {
  return parseInterfaces(await readFile('/proc/net/dev', 'utf8'));
}

/** /proc/net/dev: two heading lines, then "  name: counters". */
export function parseInterfaces(text: string): ReadonlySet<string> {
  const names = text
    .split('\n')
    .slice(2)
    .map((line) => line.slice(0, Math.max(0, line.lastIndexOf(':'))).trim());
  return new Set(names.filter((name) => name !== ''));
}

/** Why a program cannot be run here now; absent when it can. */
export async function hostProgramProblem(file: string, user: string | undefined): Promise<string | undefined> {
  const account = await accountOf(user === '' ? undefined : user);
  if (!account.ok) return account.reason;
  const judgement = await judgeProgram(file, account.account, hostProgramFiles);
  return judgement.ok ? undefined : judgement.reason;
}

/** From the package.json that this program was installed with. */
export function agentVersion(): string {
  for (let at = import.meta.dirname; at !== '/'; at = path.dirname(at)) {
    try {
      const { name, version } = JSON.parse(readFileSync(path.join(at, 'package.json'), 'utf8')) as Record<
        string,
        string
      >;
      if (name === 'baton' && version !== undefined) return version;
    } catch {
      // No package.json here: it is further up.
    }
  }
  return 'unknown';
}

/** Follows every symbolic link; rejects when there is nothing. */
export async function resolvePath(file: string): Promise<string> {
  return await realpath(file);
}
