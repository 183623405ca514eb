/** track_script and track_interface of all members: what all have belongs to the router, the rest to its member. */
import { Track, type VirtualRouterSpec } from '../gen/baton/v1/resources.js';
import type { ImportedChecks } from './import-checks.js';
import type { Part } from './import-host.js';

/** `spec.members` stand in the order of `parts`. */
export function importTracks(parts: readonly Part[], checks: ImportedChecks, spec: VirtualRouterSpec): void {
  const lists = parts.map((part) => tracksOf(part, checks));
  const isCommon = (track: Track): boolean => lists.every((list) => list.some((other) => isSame(track, other)));
  spec.track = (lists[0] ?? []).filter(isCommon);
  for (const [index, list] of lists.entries()) {
    const member = spec.members[index];
    if (member !== undefined) member.track = list.filter((track) => !isCommon(track));
  }
}

function tracksOf(part: Part, checks: ImportedChecks): Track[] {
  const scripts = part.instance.trackScripts.flatMap((entry): Track[] => {
    const check = checks.nameOf(part.host, entry.name);
    return check === undefined ? [] : [Track.create({ check, weight: entry.weight, reverse: entry.reverse })];
  });
  const interfaces = part.instance.trackInterfaces.map((entry) =>
    Track.create({ interface: entry.name, weight: entry.weight, reverse: entry.reverse }),
  );
  return [...scripts, ...interfaces];
}

function isSame(left: Track, right: Track): boolean {
  return (
    left.check === right.check &&
    left.interface === right.interface &&
    left.weight === right.weight &&
    left.reverse === right.reverse
  );
}
