/** Reads track_interface, track_script and their like: `NAME [weight N [reverse|noreverse]]`, one entry a line. */
import { type Handler, reportNested } from './block.js';
import type { TrackEntries, TrackEntry, Tracked } from './config.js';
import { INTERFACE_RULE, isInterfaceName } from './interface-name.js';
import { MAX_FILE_WEIGHT, MAX_WEIGHT } from './read-weight.js';
import type { Origin } from './remark.js';
import { quoted, type Remarks } from './remarks.js';
import type { Statement } from './tree.js';
import { parseWhole } from './values.js';

const MAX_TRACKS = 1_000;

/** An entry as written; weight and reverse are absent where the tracked thing's own count. */
export interface RawTrack {
  readonly name: string;
  readonly weight: number | undefined;
  readonly reverse: boolean | undefined;
  readonly origin: Origin;
}

/** Keywords of track blocks, by the list that they fill. */
export const TRACK_KEYWORDS = {
  trackInterfaces: 'track_interface',
  trackScripts: 'track_script',
  trackFiles: 'track_file',
  trackProcesses: 'track_process',
  trackBfds: 'track_bfd',
} as const satisfies Record<keyof TrackEntries, string>;

export type RawTracks = Readonly<Record<keyof TrackEntries, RawTrack[]>>;

export function emptyTracks(): RawTracks {
  return { trackInterfaces: [], trackScripts: [], trackFiles: [], trackProcesses: [], trackBfds: [] };
}

/** Handlers for the five keywords, writing into `target`. */
export function trackHandlers(target: RawTracks, remarks: Remarks): Record<string, Handler> {
  return Object.fromEntries(
    (Object.keys(TRACK_KEYWORDS) as (keyof TrackEntries)[]).map((list) => [
      TRACK_KEYWORDS[list],
      (statement: Statement): void => readTracks(statement, target[list], remarks),
    ]),
  );
}

/** Adds the entries of one block; a name that is there already is reported and left out. */
function readTracks(statement: Statement, into: RawTrack[], remarks: Remarks): void {
  const keyword = statement.words[0];
  for (const line of statement.block ?? []) {
    reportNested(line, remarks);
    const entry = readEntry(keyword, line, remarks);
    if (entry === undefined) continue;
    if (keyword === 'track_interface' && !isInterfaceName(entry.name)) {
      remarks.error(
        line.origin,
        `track_interface ${quoted(entry.name)} cannot exist: ${INTERFACE_RULE}; the entry is left out`,
      );
      continue;
    }
    if (into.some((other) => other.name === entry.name)) {
      remarks.warning(
        line.origin,
        `${keyword} ${quoted(entry.name)} is there already; this one is ignored, as in keepalived`,
      );
      continue;
    }
    if (into.length === MAX_TRACKS) {
      remarks.error(line.origin, `more than ${MAX_TRACKS} entries of ${keyword}; ${quoted(entry.name)} is left out`);
      return;
    }
    into.push(entry);
  }
}

function readEntry(keyword: string, line: Statement, remarks: Remarks): RawTrack | undefined {
  const [name, option, word, direction, ...extra] = line.words;
  const bare: RawTrack = { name, weight: undefined, reverse: undefined, origin: line.origin };
  if (option === undefined) return bare;
  const what = `${keyword} ${quoted(name)}`;
  if (option !== 'weight') {
    remarks.error(
      line.origin,
      `${what}: ${quoted(option)} is not "weight", so keepalived ignores the entry and so does Baton; write one name a line`,
    );
    return undefined;
  }
  if (word === undefined) {
    remarks.error(
      line.origin,
      `${what}: the weight's value is missing, so keepalived ignores the entry and so does Baton`,
    );
    return undefined;
  }
  const weight = parseWhole(word);
  if (weight === undefined) {
    remarks.error(
      line.origin,
      `${what}: weight ${quoted(word)} is not a number; it is taken as 0, which means fault, as in keepalived`,
    );
    return { ...bare, weight: 0 };
  }
  // A file's value is multiplied by its weight, so that one more than the greatest change means something there.
  const limit = keyword === 'track_file' ? MAX_FILE_WEIGHT : MAX_WEIGHT;
  if (Math.abs(weight) > MAX_FILE_WEIGHT) {
    remarks.error(
      line.origin,
      `${what}: weight ${quoted(word)} is not from -${limit} to ${limit}; the entry counts without it, as in keepalived`,
    );
    return bare;
  }
  if (Math.abs(weight) > limit) {
    remarks.warning(
      line.origin,
      `${what}: weight ${weight} is taken as ${limit * Math.sign(weight)}, as in keepalived`,
    );
  }
  if ((direction !== undefined && direction !== 'reverse' && direction !== 'noreverse') || extra.length > 0) {
    remarks.warning(line.origin, `${what}: words after the weight other than "reverse" are ignored, as in keepalived`);
  }
  return {
    name,
    weight: Math.max(-limit, Math.min(limit, weight)),
    reverse: direction === 'reverse' ? true : direction === 'noreverse' ? false : undefined,
    origin: line.origin,
  };
}

/** What can be tracked, by name. */
export type TrackedTables = Readonly<
  Record<Exclude<keyof TrackEntries, 'trackInterfaces'>, ReadonlyMap<string, Tracked>>
>;

/** The block in which each of them is made. */
const HOMES = {
  trackScripts: 'vrrp_script',
  trackFiles: 'track_file',
  trackProcesses: 'vrrp_track_process',
  trackBfds: 'bfd_instance',
} as const;

/**
 * The entries of an instance or group, called `owner`, with the weights of what they track where they give none;
 * unknown names are reported and left out. `order` is the owner's position in the file.
 */
export function resolveTracks(
  raw: RawTracks,
  tables: TrackedTables,
  order: number,
  owner: string,
  remarks: Remarks,
): TrackEntries {
  const resolve = (list: keyof typeof HOMES): readonly TrackEntry[] =>
    raw[list].flatMap((entry) => {
      const tracked = tables[list].get(entry.name);
      const what = `${TRACK_KEYWORDS[list]} ${quoted(entry.name)}`;
      if (tracked === undefined) {
        remarks.error(
          entry.origin,
          `${what}: there is no ${HOMES[list]} of that name; ${quoted(owner)} would run without this check`,
        );
        return [];
      }
      if (tracked.order > order) {
        remarks.warning(
          entry.origin,
          `${what}: its ${HOMES[list]} stands further down, so keepalived ignores the entry; Baton tracks it`,
        );
      }
      return [
        {
          name: entry.name,
          weight: entry.weight ?? tracked.weight,
          // A weight of its own leaves the direction as it is.
          reverse: entry.reverse ?? tracked.reverse,
          origin: entry.origin,
        },
      ];
    });
  return {
    trackInterfaces: raw.trackInterfaces.map(({ name, weight = 0, reverse = false, origin }) => ({
      name,
      weight,
      reverse,
      origin,
    })),
    trackScripts: resolve('trackScripts'),
    trackFiles: resolve('trackFiles'),
    trackProcesses: resolve('trackProcesses'),
    trackBfds: resolve('trackBfds'),
  };
}

/** Applies `change` to every entry; undefined takes it away. */
export function mapTracks(
  tracks: TrackEntries,
  change: (entry: TrackEntry, list: keyof TrackEntries) => TrackEntry | undefined,
): TrackEntries {
  const map = (list: keyof TrackEntries): readonly TrackEntry[] =>
    tracks[list].flatMap((entry) => {
      const changed = change(entry, list);
      return changed === undefined ? [] : [changed];
    });
  return {
    trackInterfaces: map('trackInterfaces'),
    trackScripts: map('trackScripts'),
    trackFiles: map('trackFiles'),
    trackProcesses: map('trackProcesses'),
    trackBfds: map('trackBfds'),
  };
}
