/** Reads track_script and track_interface: `NAME [weight N [reverse|noreverse]]`, one entry a line. */
import { reportNested } from './block.js';
import type { TrackEntry } from './config.js';
import { INTERFACE_RULE, isInterfaceName } from './interface-name.js';
import { MAX_WEIGHT } from './read-vrrp-script.js';
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

/** Adds the entries of one block; a name that is there already is reported and left out. */
export function readTracks(statement: Statement, into: RawTrack[], remarks: Remarks): void {
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
  if (Math.abs(weight) > MAX_WEIGHT + 1) {
    remarks.error(
      line.origin,
      `${what}: weight ${quoted(word)} is not from -${MAX_WEIGHT} to ${MAX_WEIGHT}; the entry counts without it, as in keepalived`,
    );
    return bare;
  }
  if (Math.abs(weight) > MAX_WEIGHT) {
    remarks.warning(
      line.origin,
      `${what}: weight ${weight} is taken as ${MAX_WEIGHT * Math.sign(weight)}, as in keepalived`,
    );
  }
  if ((direction !== undefined && direction !== 'reverse' && direction !== 'noreverse') || extra.length > 0) {
    remarks.warning(line.origin, `${what}: words after the weight other than "reverse" are ignored, as in keepalived`);
  }
  return {
    name,
    weight: Math.max(-MAX_WEIGHT, Math.min(MAX_WEIGHT, weight)),
    reverse: direction === 'reverse' ? true : direction === 'noreverse' ? false : undefined,
    origin: line.origin,
  };
}

/** The entries of an instance with the weights of their scripts; unknown scripts are reported and left out. */
export function resolveScriptTracks(
  raw: readonly RawTrack[],
  scripts: ReadonlyMap<string, { readonly weight: number; readonly reverse: boolean; readonly order: number }>,
  order: number,
  instance: string,
  remarks: Remarks,
): readonly TrackEntry[] {
  return raw.flatMap((entry) => {
    const script = scripts.get(entry.name);
    if (script === undefined) {
      remarks.error(
        entry.origin,
        `track_script ${quoted(entry.name)}: there is no vrrp_script of that name; ${quoted(instance)} would run without this check`,
      );
      return [];
    }
    if (script.order > order) {
      remarks.warning(
        entry.origin,
        `track_script ${quoted(entry.name)}: its vrrp_script stands further down, so keepalived ignores the entry; Baton tracks it`,
      );
    }
    return [
      {
        name: entry.name,
        weight: entry.weight ?? script.weight,
        // A weight of its own leaves the script's direction as it is.
        reverse: entry.reverse ?? script.reverse,
        origin: entry.origin,
      },
    ];
  });
}
