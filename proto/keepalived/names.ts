/** Names of resources made from keepalived's names. */

const MAX_NAME = 63;

/** Lower case, what is not allowed becomes "-". Never empty. */
export function resourceName(text: string, fallback: string): string {
  const name = text
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/gu, '-')
    .slice(0, MAX_NAME)
    .replace(/^[^a-z0-9]+|[^a-z0-9]+$/gu, '');
  return name === '' ? fallback : name;
}

/** Hands out names of one kind, each only once. */
export class NameBook {
  readonly #taken = new Set<string>();

  /** `wanted` when it is free, else with the first free number behind it. */
  take(wanted: string): string {
    let name = wanted;
    for (let number = 2; this.#taken.has(name); number += 1) {
      const suffix = `-${number}`;
      name = wanted.slice(0, MAX_NAME - suffix.length) + suffix;
    }
    this.#taken.add(name);
    return name;
  }
}

/** Two names in one, short enough for a resource. */
export function joinedName(first: string, second: string): string {
  return resourceName(`${first.slice(0, MAX_NAME - second.length - 1)}-${second}`, 'unnamed');
}
