/**
 * The host owner's own rules, from agent.yaml: what a controller may make this host run and touch. Scripts are refused
 * unless listed; interfaces, addresses, identifiers and priorities are free unless limited. Judged for a pushed bundle
 * as a whole and again, for scripts, before every run. Files that the host's owner wrote himself are not judged.
 */
import path from 'node:path';
import type { Bundle } from '../../proto/gen/baton/v1/bundle.js';
import type { HostPolicy, ScriptPolicy } from '../../proto/gen/baton/v1/config.js';
import type { Refusal } from '../../proto/gen/baton/v1/events.js';
import type { Hooks } from '../../proto/gen/baton/v1/resources.js';
import { contains, parseCidr } from '../../proto/rules/ipv4.js';
import { malformedPath } from '../health/executable.js';

export interface OwnerRules {
  readonly scripts: ScriptPolicy | undefined;
  readonly policy: HostPolicy | undefined;
}

/** Follows every symbolic link; rejects when there is nothing. */
export type ResolvePath = (file: string) => Promise<string>;

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
  for (const router of bundle.routers) {
    const at = `routers[${router.name}].hooks`;
    const { hooks } = router;
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

const HOOK_NAMES = ['active', 'backup', 'fault', 'stop', 'any'] as const satisfies readonly (keyof Hooks)[];

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
  for (const router of bundle.routers) {
    const at = `routers[${router.name}]`;
    for (const { field, reason } of limitsBroken(router, rules.policy)) {
      refusals.push({ path: `${at}.${field}`, reason });
    }
  }
  return refusals;
}

/**
 * Why a program may not be run; absent when a rule allows it. The rule must match both what the controller named and
 * where that leads: "DIR/*" allows what lies directly in DIR, not what a link in DIR points to.
 * @param resolved where `file` leads, when the caller knows already; a file that is not there is judged by its name.
 */
export async function scriptRefusal(
  file: string,
  resolved: string | undefined,
  scripts: ScriptPolicy | undefined,
  resolve: ResolvePath,
): Promise<string | undefined> {
  const allow = scripts?.allow ?? [];
  if (allow.length === 0) {
    return `scripts.allow in this host's agent.yaml allows no program; add "${file}" to let a controller run it`;
  }
  const named = allow.filter((rule) => matches(rule, file));
  if (named.length === 0) {
    return `"${file}" matches no rule of scripts.allow in this host's agent.yaml (${allow.join(', ')})`;
  }
  const target = resolved ?? (await resolve(file).catch(() => undefined));
  if (target === undefined) return undefined;
  for (const rule of named) {
    if (await leadsWithin(rule, target, resolve)) return undefined;
  }
  return `"${file}" leads to "${target}", which the rule "${named[0]}" of scripts.allow in this host's agent.yaml does not cover`;
}

function matches(rule: string, file: string): boolean {
  if (!rule.endsWith('/*')) return rule === file;
  return path.dirname(file) === (rule.slice(0, -2) || '/') && malformedPath(file) === undefined;
}

/** An exact rule covers wherever the named file leads: its owner named that very file. */
async function leadsWithin(rule: string, target: string, resolve: ResolvePath): Promise<boolean> {
  if (!rule.endsWith('/*')) return (await resolve(rule).catch(() => rule)) === target;
  const directory = rule.slice(0, -2) || '/';
  return path.dirname(target) === (await resolve(directory).catch(() => directory));
}

interface BrokenLimit {
  readonly field: string;
  readonly reason: string;
}

function limitsBroken(router: Bundle['routers'][number], policy: HostPolicy | undefined): BrokenLimit[] {
  if (policy === undefined) return [];
  const broken: BrokenLimit[] = [];
  const { interfaces, addresses, vrids, maxPriority } = policy;
  const refuse = (field: string, what: string, rule: string, allowed: string): void => {
    broken.push({ field, reason: `${what} is not allowed by ${rule} in this host's agent.yaml (${allowed})` });
  };
  const checkInterface = (field: string, name: string): void => {
    if (name === '' || interfaces.length === 0 || interfaces.some((rule) => matchesName(rule, name))) return;
    refuse(field, `interface ${name}`, 'policy.interfaces', interfaces.join(', '));
  };
  checkInterface('interface', router.interface);
  for (const [index, { address, device }] of router.addresses.entries()) {
    checkInterface(`addresses[${index}].device`, device);
    const cidr = parseCidr(address);
    const prefixes = addresses.map(parseCidr);
    if (prefixes.length === 0) continue;
    const isWithin = prefixes.some(
      (prefix) => prefix !== undefined && cidr !== undefined && contains(prefix, cidr.address),
    );
    if (!isWithin) refuse(`addresses[${index}]`, `address ${address}`, 'policy.addresses', addresses.join(', '));
  }
  if (vrids.length > 0 && !vrids.some((rule) => matchesNumber(rule, router.vrid))) {
    refuse('vrid', `VRID ${router.vrid}`, 'policy.vrids', vrids.join(', '));
  }
  if (maxPriority > 0 && router.priority > maxPriority) {
    refuse('priority', `priority ${router.priority}`, 'policy.maxPriority', String(maxPriority));
  }
  return broken;
}

function matchesName(rule: string, name: string): boolean {
  return rule.endsWith('*') ? name.startsWith(rule.slice(0, -1)) : rule === name;
}

function matchesNumber(rule: string, value: number): boolean {
  const [from, to = from] = rule.split('-').map((part) => Number(part.trim()));
  return from !== undefined && to !== undefined && value >= from && value <= to;
}

/** What in the rules themselves can never match: a rule with a mistake must not silently allow or forbid. */
export function mistakesIn(rules: OwnerRules): string[] {
  const mistakes: string[] = [];
  for (const rule of rules.scripts?.allow ?? []) {
    const file = rule.endsWith('/*') ? rule.slice(0, -2) || '/' : rule;
    const wrong = file === '/' ? undefined : malformedPath(file);
    if (wrong !== undefined) mistakes.push(`scripts.allow: ${wrong}`);
    else if (file.includes('*'))
      mistakes.push(`scripts.allow: "${rule}": a "*" stands only after the last slash, alone`);
  }
  for (const rule of rules.policy?.addresses ?? []) {
    if (parseCidr(rule) === undefined) mistakes.push(`policy.addresses: "${rule}" is not an IPv4 prefix`);
  }
  for (const rule of rules.policy?.vrids ?? []) {
    if (!/^\s*\d{1,3}\s*(-\s*\d{1,3}\s*)?$/.test(rule)) {
      mistakes.push(`policy.vrids: "${rule}" is neither a number nor a range such as 20-29`);
    }
  }
  return mistakes;
}
