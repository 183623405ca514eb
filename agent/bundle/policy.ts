/**
 * The host owner's own rules, from agent.yaml: what a controller may make this host run, touch and ask. Programs, files,
 * routes and rules are refused unless allowed; interfaces, addresses, identifiers, priorities and the targets of network
 * checks are free unless limited. Judged for a pushed bundle
 * as a whole and again, for scripts, before every run. Files that the host's owner wrote himself are not judged.
 */
import path from 'node:path';
import type { Bundle } from '../../proto/gen/baton/v1/bundle.js';
import type { HostPolicy, ScriptPolicy } from '../../proto/gen/baton/v1/config.js';
import type { Refusal } from '../../proto/gen/baton/v1/events.js';
import type { Hooks } from '../../proto/gen/baton/v1/resources.js';
import { malformedPath } from '../health/executable.js';
import { limitsBroken, mistakesInLimits } from './host-limits.js';
import { mistakesInPaths, pathRefusal, type ResolvePath } from './path-rules.js';
import { mistakesInProbes, probeRefusal } from './probe-policy.js';

export type { ResolvePath };

export interface OwnerRules {
  readonly scripts: ScriptPolicy | undefined;
  readonly policy: HostPolicy | undefined;
}

/** Every program and FIFO that a bundle names, with its path in the bundle. */
export interface NamedProgram {
  readonly path: string;
  readonly file: string;
  readonly user: string;
  readonly isFifo: boolean;
}

export function programsOf(bundle: Bundle): NamedProgram[] {
  const named: NamedProgram[] = [];
  for (const check of bundle.checks) {
    if (check.spec?.kind?.$case !== 'exec') continue;
    const { command, user } = check.spec.kind.value;
    named.push({ path: `checks[${check.name}].spec.exec.command`, file: command[0] ?? '', user, isFifo: false });
  }
  const hooked = [
    ...bundle.routers.map(({ name, hooks }) => ({ at: `routers[${name}].hooks`, hooks })),
    ...bundle.groups.map(({ name, hooks }) => ({ at: `groups[${name}].hooks`, hooks })),
  ];
  for (const { at, hooks } of hooked) {
    if (hooks === undefined) continue;
    for (const name of HOOK_NAMES) {
      const hook = hooks[name];
      if (hook === undefined || hook.command.length === 0) continue;
      named.push({ path: `${at}.${name}.command`, file: hook.command[0] ?? '', user: hook.user, isFifo: false });
    }
    if (hooks.fifo !== '') named.push({ path: `${at}.fifo`, file: hooks.fifo, user: '', isFifo: true });
  }
  return named;
}

const HOOK_NAMES = [
  'active',
  'backup',
  'fault',
  'stop',
  'any',
  'lowerPriorityHeard',
  'deleted',
] as const satisfies readonly (keyof Hooks)[];

/** Where the user of a program stands, given where its command stands. */
export function userPath(commandPath: string): string {
  return commandPath.replace(/command$/, 'user');
}

/** Why a controller may not have a program run as this user; absent when it may. Empty: the default user. */
export function userRefusal(user: string, scripts: ScriptPolicy | undefined): string | undefined {
  const allowed = [scripts?.user ?? '', ...(scripts?.users ?? [])].filter((name) => name !== '');
  if (user === '' || allowed.includes(user)) return undefined;
  const present = allowed.length === 0 ? 'which names nobody' : `which has ${allowed.join(', ')}`;
  return `user "${user}" is not in scripts.users of this host's agent.yaml, ${present}; add it to let a controller use it`;
}

/** All rules that a bundle breaks; none when it may be put in force. */
export async function judgeBundle(bundle: Bundle, rules: OwnerRules, resolve: ResolvePath): Promise<Refusal[]> {
  const refusals: Refusal[] = [];
  for (const { path: at, file, user } of programsOf(bundle)) {
    const reason = malformedPath(file) ?? (await scriptRefusal(file, undefined, rules.scripts, resolve));
    if (reason !== undefined) refusals.push({ path: at, reason });
    const userReason = userRefusal(user, rules.scripts);
    if (userReason !== undefined) refusals.push({ path: userPath(at), reason: userReason });
  }
  for (const check of bundle.checks) {
    const at = `checks[${check.name}].spec`;
    if (check.spec?.kind?.$case === 'file') {
      const reason = await fileRefusal(check.spec.kind.value.path, rules.policy, resolve);
      if (reason !== undefined) refusals.push({ path: `${at}.file.path`, reason });
    }
    const reason = probeRefusal(check, rules.policy?.probes ?? []);
    if (reason !== undefined) refusals.push({ path: at, reason });
  }
  refusals.push(...limitsBroken(bundle, rules.policy));
  return refusals;
}

/**
 * Why a program may not be run; absent when a rule allows it.
 * @param resolved Where `file` leads, when the caller knows already; a file that is not there is judged by its name.
 */
export async function scriptRefusal(
  file: string,
  resolved: string | undefined,
  scripts: ScriptPolicy | undefined,
  resolve: ResolvePath,
): Promise<string | undefined> {
  const rules = { name: 'scripts.allow', allow: scripts?.allow ?? [], thing: 'program', use: 'run' };
  return await pathRefusal(file, resolved ?? (await resolve(file).catch(() => undefined)), rules, resolve);
}

/** Why a file may not be watched or written by a check; absent when a rule allows it. */
async function fileRefusal(
  file: string,
  policy: HostPolicy | undefined,
  resolve: ResolvePath,
): Promise<string | undefined> {
  const rules = { name: 'policy.files', allow: policy?.files ?? [], thing: 'file', use: 'watch' };
  return malformedPath(file) ?? (await pathRefusal(file, await placeOf(file, resolve), rules, resolve));
}

/** Where a file is or would be made. */
async function placeOf(file: string, resolve: ResolvePath): Promise<string | undefined> {
  try {
    return await resolve(file);
  } catch {
    const directory = await resolve(path.dirname(file)).catch(() => undefined);
    return directory === undefined ? undefined : path.join(directory, path.basename(file));
  }
}

/** What in the rules themselves can never match: a rule with a mistake must not silently allow or forbid. */
export function mistakesIn({ scripts, policy }: OwnerRules): string[] {
  return [
    ...mistakesInPaths('scripts.allow', scripts?.allow ?? []),
    ...mistakesInLimits(policy),
    ...mistakesInPaths('policy.files', policy?.files ?? []),
    ...mistakesInProbes(policy?.probes ?? []),
  ];
}
