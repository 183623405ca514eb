/** What a member tracks: its router's tracks, its own, and those of its router's sync group. */
import type { CheckSpec, Member, Resource, Track, VirtualRouterSpec } from '../gen/baton/v1/resources.js';
import { prefixText, tableText } from './compile-address.js';
import { groupsOf, type NamedGroup } from './names.js';

/** Kinds of checks by name. */
export type CheckKinds = ReadonlyMap<string, NonNullable<CheckSpec['kind']>['$case']>;

export function checkKindsOf(resources: readonly Resource[]): CheckKinds {
  const kinds = new Map<string, NonNullable<CheckSpec['kind']>['$case']>();
  for (const { metadata, spec } of resources) {
    if (spec?.$case === 'check' && spec.value.kind !== undefined) {
      kinds.set(metadata?.name ?? '', spec.value.kind.$case);
    }
  }
  return kinds;
}

/** By the routers' names. */
export function groupOfRouter(resources: readonly Resource[]): ReadonlyMap<string, NamedGroup> {
  const groups = new Map<string, NamedGroup>();
  for (const group of groupsOf(resources)) {
    for (const router of group.spec.routers) {
      groups.set(router, groups.get(router) ?? group);
    }
  }
  return groups;
}

/** "check NAME", "interface NAME", "bfd NAME" or "route PREFIX": what a track is about, and how the rest of Baton calls it. */
export function subjectOf(track: Track): string {
  if (track.check !== '') {
    return `check ${track.check}`;
  }
  if (track.interface !== '') {
    return `interface ${track.interface}`;
  }
  if (track.bfd !== '') {
    return `bfd ${track.bfd}`;
  }
  const table = tableText(track.table);
  return `route ${prefixText(track.route)}${table === 'main' ? '' : ` table ${table}`}`;
}

/** What becomes of a weighted track of a member whose group does not let weights count (keepalived's rule). */
export type StrippedTo = 'fault' | 'nothing';

/** Interfaces and files go on as causes of a fault, the others are left out. */
export function strippedTo(track: Track, kinds: CheckKinds): StrippedTo {
  return track.interface !== '' || kinds.get(track.check) === 'file' ? 'fault' : 'nothing';
}

/** Of one member, canonical and without twins: its router's, its own, then its group's. */
export function tracksOfMember(
  spec: VirtualRouterSpec,
  member: Member,
  group: NamedGroup | undefined,
  kinds: CheckKinds,
): Track[] {
  const own = [...spec.track, ...member.track].flatMap((track) => {
    if (group === undefined || group.spec.trackingWeight || track.weight === 0) {
      return [track];
    }
    return strippedTo(track, kinds) === 'fault' ? [{ ...track, weight: 0 }] : [];
  });
  const subjects = new Set(own.map(subjectOf));
  const shared = (group?.spec.track ?? []).filter((track) => !subjects.has(subjectOf(track)));
  return [...own, ...shared].map((track) =>
    track.route === '' ? track : { ...track, route: prefixText(track.route), table: tableText(track.table) },
  );
}
