/** Which of an instance's tracks count, with keepalived's rules. */
import type { TrackEntries } from './config.js';
import type { RawInstance } from './read-instance.js';
import type { RawSyncGroup } from './read-sync-group.js';
import { mapTracks } from './read-tracks.js';
import { quoted, type Remarks } from './remarks.js';

/** The own interface is tracked in any case, and its weight never counts. */
export function ownInterfaceLeftOut(tracks: TrackEntries, raw: RawInstance, remarks: Remarks): TrackEntries {
  return mapTracks(tracks, (entry, list) => {
    if (list !== 'trackInterfaces' || entry.name !== raw.interface) return entry;
    remarks.note(
      entry.origin,
      `track_interface ${entry.name} is the instance's own interface, which puts it in fault in any case; the entry is left out, as in keepalived`,
    );
    return undefined;
  });
}

/** Weights that count for nothing: those of an owner, and those in a sync group that does not ask for them. */
export function settleTracks(
  tracks: TrackEntries,
  isOwner: boolean,
  group: RawSyncGroup | undefined,
  remarks: Remarks,
): TrackEntries {
  const inGroup = group !== undefined && !group.trackingWeight;
  if (!isOwner && !inGroup) return tracks;
  return mapTracks(tracks, (entry, list) => {
    if (entry.weight === 0) return entry;
    const what = `${quoted(entry.name)} has weight ${entry.weight}`;
    const cause = inGroup
      ? `but sync group ${quoted(group.name)} has no sync_group_tracking_weight`
      : 'but priority 255 never moves';
    // A file's own weight is 1 where none is written, which asks for nothing.
    const staysAsFault = (inGroup && list === 'trackInterfaces') || (list === 'trackFiles' && entry.weight === 1);
    remarks.warning(
      entry.origin,
      `${what}, ${cause}; ${staysAsFault ? 'it counts as weight 0 (fault)' : 'the entry is left out'}, as in keepalived`,
    );
    return staysAsFault ? { ...entry, weight: 0 } : undefined;
  });
}
