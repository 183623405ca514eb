/** Rules of agent.yaml that name files: an absolute path, or a directory followed by "/*". */
import path from 'node:path';
import { malformedPath } from '../health/executable.js';

/** Follows every symbolic link; rejects when there is nothing. */
export type ResolvePath = (file: string) => Promise<string>;

/** A list of rules and how to speak of it. */
export interface PathRules {
  /** "scripts.allow". */
  readonly name: string;
  readonly allow: readonly string[];
  /** What one of them is and what a controller would do with it: "program", "run". */
  readonly thing: string;
  readonly use: string;
}

/**
 * Why a file is not allowed; absent when a rule allows it. The rule must match both what the controller named and where
 * that leads: "DIR/*" allows what lies directly in DIR, not what a link in DIR points to.
 * @param target Where `file` leads; absent: there is nothing, so that it is judged by its name.
 */
export async function pathRefusal(
  file: string,
  target: string | undefined,
  { name, allow, thing, use }: PathRules,
  resolve: ResolvePath,
): Promise<string | undefined> {
  if (allow.length === 0) {
    return `${name} in this host's agent.yaml allows no ${thing}; add "${file}" to let a controller ${use} it`;
  }
  const named = allow.filter((rule) => matches(rule, file));
  if (named.length === 0) {
    return `"${file}" matches no rule of ${name} in this host's agent.yaml (${allow.join(', ')})`;
  }
  if (target === undefined) return undefined;
  for (const rule of named) {
    if (await leadsWithin(rule, target, resolve)) return undefined;
  }
  return `"${file}" leads to "${target}", which the rule "${named[0]}" of ${name} in this host's agent.yaml does not cover`;
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

/** What in the rules can never match. */
export function mistakesInPaths(name: string, rules: readonly string[]): string[] {
  const mistakes: string[] = [];
  for (const rule of rules) {
    const file = rule.endsWith('/*') ? rule.slice(0, -2) || '/' : rule;
    const wrong = file === '/' ? undefined : malformedPath(file);
    if (wrong !== undefined) mistakes.push(`${name}: ${wrong}`);
    else if (file.includes('*')) mistakes.push(`${name}: "${rule}": a "*" stands only after the last slash, alone`);
  }
  return mistakes;
}
