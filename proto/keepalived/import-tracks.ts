/** What instances and groups track: what all hosts have belongs to the router, the rest to its member. */
import { Track, type VirtualRouterSpec } from '../gen/baton/v1/resources.js';
import type { TrackEntries } from './config.js';
import type { ImportedBfds } from './import-bfd.js';
import type { CheckKind, ImportedChecks } from './import-checks.js';
import type { NamedHost, Part } from './import-host.js';

/** What tracks can refer to. */
export interface ImportedTracked {
  readonly checks: ImportedChecks;
  readonly bfds: ImportedBfds;
}

/** `spec.members` stand in the order of `parts`. */
export function importTracks(parts: readonly Part[], tracked: ImportedTracked, spec: VirtualRouterSpec): void {
  const { common, own } = splitTracks(parts.map(({ host, instance }) => tracksOf(host, instance, tracked)));
  spec.track = common;
  for (const [index, list] of own.entries()) {
    const member = spec.members[index];
    if (member !== undefined) member.track = list;
  }
}

/** What is in every list, and what is left of each. */
export function splitTracks(lists: readonly Track[][]): { readonly common: Track[]; readonly own: Track[][] } {
  const isCommon = (track: Track): boolean => lists.every((list) => list.some((other) => isSame(track, other)));
  return {
    common: (lists[0] ?? []).filter(isCommon),
    own: lists.map((list) => list.filter((track) => !isCommon(track))),
  };
}

export function tracksOf(host: NamedHost, entries: TrackEntries, { checks, bfds }: ImportedTracked): Track[] {
  const checked = (list: 'trackScripts' | 'trackFiles' | 'trackProcesses', kind: CheckKind): Track[] =>
    entries[list].flatMap(({ name, weight, reverse }) => {
      const check = checks.nameOf(host, kind, name);
      return check === undefined ? [] : [Track.create({ check, weight, reverse })];
    });
  return [
    ...checked('trackScripts', 'vrrp_script'),
    ...checked('trackFiles', 'track_file'),
    ...checked('trackProcesses', 'vrrp_track_process'),
    ...entries.trackInterfaces.map(({ name, weight, reverse }) => Track.create({ interface: name, weight, reverse })),
    ...entries.trackBfds.flatMap(({ name, weight, reverse }) => {
      const bfd = bfds.nameOf(host, name);
      return bfd === undefined ? [] : [Track.create({ bfd, weight, reverse })];
    }),
  ];
}

function isSame(left: Track, right: Track): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}
