/** What is allowed and does not do what its author hopes for. */
import type { Part } from './import-host.js';
import { quoted, type Remarks } from './remarks.js';

const OWNER = 255;

/** Judges one router as imported. `hostCount` is the number of files of the import. */
export function lintRouter(parts: readonly Part[], hostCount: number, remarks: Remarks): void {
  const [top, next] = [...parts].sort((left, right) => right.instance.priority - left.instance.priority);
  if (top === undefined) return;
  if (next === undefined && hostCount > 1) {
    remarks.warning(
      top.instance.origin,
      `${quoted(top.instance.name)} is on ${top.host.node} only: no other of the ${hostCount} hosts has VRID ${top.instance.vrid} with one of its addresses, so nobody takes over`,
    );
  }
  if (next?.instance.priority === OWNER) {
    remarks.error(
      next.instance.origin,
      `two members have priority 255 (${top.host.node} and ${next.host.node}); only one can own the addresses`,
    );
  }
  const backups = parts.length === 1 ? parts : parts.filter((part) => part !== top);
  const powerless = top.instance.priority !== OWNER && backups.every((part) => !part.instance.preempt);
  for (const part of parts) {
    const { trackScripts, trackInterfaces, trackProcesses, trackBfds } = part.instance;
    for (const entry of [...trackScripts, ...trackInterfaces, ...trackProcesses, ...trackBfds]) {
      if (entry.weight === 0) continue;
      if (powerless) {
        remarks.warning(
          entry.origin,
          `weight ${entry.weight} of ${quoted(entry.name)} changes nothing while a router is active: with nopreempt a backup never takes over from a lower priority, in keepalived and in Baton; use weight 0 (fault) or leave nopreempt out`,
        );
      } else if (part === top && next !== undefined) {
        const distance = top.instance.priority - next.instance.priority;
        if (distance >= Math.abs(entry.weight)) {
          remarks.warning(
            entry.origin,
            `${quoted(entry.name)} alone cannot change who is active: its weight ${entry.weight} does not bridge the priorities ${top.instance.priority} (${top.host.node}) and ${next.instance.priority} (${next.host.node}); the weight must be larger than their difference`,
          );
        }
      }
    }
  }
}

/** Routers that are taken for different ones although they have one VRID. */
export function lintSharedIdentifiers(routers: readonly (readonly [Part, ...Part[]])[], remarks: Remarks): void {
  const seen = new Map<string, Part>();
  for (const [part] of routers) {
    const key = `${part.instance.vrid} ${part.instance.family}`;
    const first = seen.get(key);
    if (first === undefined) {
      seen.set(key, part);
      continue;
    }
    if (first.host === part.host) continue;
    remarks.warning(
      part.instance.origin,
      `${quoted(part.instance.name)} has VRID ${part.instance.vrid} like ${quoted(first.instance.name)} in ${first.instance.origin.file}:${first.instance.origin.line}, but no address in common: they are imported as two routers, which must not be on one network`,
    );
  }
}
