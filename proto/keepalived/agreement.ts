/** Settings that a router has once, although each host's file gives its own. */
import type { VrrpInstance } from './config.js';
import type { Part } from './import-host.js';
import type { Origin } from './remark.js';
import { quoted, type Remarks } from './remarks.js';

/** The instances of one router, one of each host. */
export type Parts = readonly [Part, ...Part[]];

/** The first host's value; others that differ are reported. Without `show` the values stay unnamed (passwords). */
export function agreed<T>(
  parts: Parts,
  keyword: string,
  get: (instance: VrrpInstance) => T,
  show: ((value: T) => string) | undefined,
  remarks: Remarks,
  severity: 'error' | 'warning' = 'error',
): T {
  const first = parts[0].instance;
  const value = get(first);
  for (const { instance } of parts.slice(1)) {
    const other = get(instance);
    if (other === value) continue;
    const values = show === undefined ? '' : `: ${show(other)} here, ${show(value)} there`;
    const consequence =
      severity === 'error'
        ? 'routers that differ in it do not hear each other or do not agree, the latter is taken'
        : 'the latter is taken for all';
    remarks.add(
      severity,
      placeOf(instance, keyword),
      `${keyword} of ${quoted(instance.name)} differs from that in ${showPlace(placeOf(first, keyword))}${values}; ${consequence}`,
    );
  }
  return value;
}

export function placeOf(instance: VrrpInstance, keyword: string): Origin {
  return instance.origins.get(keyword) ?? instance.origin;
}

export function showPlace(origin: Origin): string {
  return `${origin.file}:${origin.line}`;
}
