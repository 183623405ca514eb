/** Reads what concerns the host rather than an instance: garp_group, track_group and interface_up_down_delays. */
import { MICROS_PER_SECOND, type Micros } from '../rules/time.js';
import { type Handler, listedWords, reportNested, singleValue, walkBlock } from './block.js';
import type { AnnouncementGroup, InterfaceDelays, TrackGroup } from './config.js';
import { INTERFACE_RULE, isInterfaceName } from './interface-name.js';
import { readSpacing } from './read-global.js';
import type { Located } from './remark.js';
import { quoted, type Remarks } from './remarks.js';
import type { Statement } from './tree.js';
import { parseTime, showSeconds } from './values.js';

const MAX_INTERFACES = 1_000;
const MAX_DELAY: Micros = 255 * MICROS_PER_SECOND;

/** Adds the group unless it has no effect; `taken` are the interfaces of groups before it. */
export function readGarpGroup(
  statement: Statement,
  taken: Set<string>,
  into: AnnouncementGroup[],
  remarks: Remarks,
): void {
  const single: string[] = [];
  const together: string[] = [];
  let arpInterval: Micros = 0;
  let neighborInterval: Micros = 0;
  const add = (name: string, line: Pick<Statement, 'origin'>, list: string[]): void => {
    if (!isInterfaceName(name)) {
      remarks.error(line.origin, `garp_group: interface ${quoted(name)} cannot exist: ${INTERFACE_RULE}`);
    } else if (taken.has(name)) {
      remarks.error(
        line.origin,
        `garp_group: ${name} is in a garp_group already; it is ignored here, as in keepalived`,
      );
    } else if (taken.size === MAX_INTERFACES) {
      remarks.error(line.origin, `garp_group: more than ${MAX_INTERFACES} interfaces; ${name} is left out`);
    } else {
      taken.add(name);
      list.push(name);
    }
  };
  const handlers: Record<string, Handler> = {
    garp_interval: (line) => {
      arpInterval = readSpacing(line, remarks) ?? arpInterval;
    },
    gna_interval: (line) => {
      neighborInterval = readSpacing(line, remarks) ?? neighborInterval;
    },
    interface: (line) => {
      const name = singleValue(line, remarks);
      if (name !== undefined) add(name, line, single);
    },
    interfaces: (line) => {
      for (const { word, origin } of listedWords(line, remarks)) add(word, { origin }, together);
    },
  };
  walkBlock('garp_group', statement.block ?? [], handlers, remarks);
  if (arpInterval === 0 && neighborInterval === 0) {
    remarks.error(
      statement.origin,
      'garp_group has neither garp_interval nor gna_interval; it is left out, as in keepalived',
    );
    return;
  }
  // All interfaces of one group share its spacing, in whichever way they are named.
  const interfaces = [...single, ...together];
  if (interfaces.length === 0) {
    remarks.warning(statement.origin, 'garp_group names no interface; it has no effect, in keepalived and in Baton');
    return;
  }
  into.push({ interfaces, arpInterval, neighborInterval, origin: statement.origin });
}

/** Undefined and reported when it has no name or no members. */
export function readTrackGroup(statement: Statement, remarks: Remarks): TrackGroup | undefined {
  const name = singleValue(statement, remarks);
  const members: Located<string>[] = [];
  const handlers: Record<string, Handler> = {
    group: (line) => {
      for (const { word, origin } of listedWords(line, remarks)) members.push({ value: word, origin });
    },
  };
  walkBlock('track_group', statement.block ?? [], handlers, remarks);
  if (name === undefined) return undefined;
  if (members.length === 0) {
    remarks.error(statement.origin, `track_group ${quoted(name)} has no instances; it is left out, as in keepalived`);
    return undefined;
  }
  return { name, members, origin: statement.origin };
}

/** Adds the lines `INTERFACE DOWN [UP]` of a block. */
export function readInterfaceDelays(statement: Statement, into: InterfaceDelays[], remarks: Remarks): void {
  for (const line of statement.block ?? []) {
    reportNested(line, remarks);
    const [name, downWord, upWord, ...extra] = line.words;
    if (!isInterfaceName(name)) {
      remarks.error(
        line.origin,
        `interface_up_down_delays: ${quoted(name)} cannot exist: ${INTERFACE_RULE}; keepalived does not start over this`,
      );
      continue;
    }
    if (downWord === undefined) {
      remarks.warning(
        line.origin,
        `interface_up_down_delays: ${name} has no delays; the line is ignored, as in keepalived`,
      );
      continue;
    }
    const down = readDelay(downWord);
    const up = upWord === undefined ? down : readDelay(upWord);
    if (down === undefined || up === undefined) {
      const word = down === undefined ? downWord : (upWord ?? '');
      remarks.error(
        line.origin,
        `interface_up_down_delays: ${quoted(word)} is not a time from 0s to ${showSeconds(MAX_DELAY)}, written in seconds without a unit; the line is ignored, as in keepalived`,
      );
      continue;
    }
    if (upWord === undefined && down > 0) {
      remarks.warning(
        line.origin,
        `interface_up_down_delays: without a second time keepalived's manual takes the first for both and so does Baton; keepalived itself takes 0s for coming up`,
      );
    }
    if (extra.length > 0)
      remarks.warning(line.origin, `interface_up_down_delays: ${quoted(extra.join(' '))} is ignored`);
    if (into.some((other) => other.interface === name)) {
      remarks.warning(line.origin, `interface_up_down_delays: ${name} is there already; the last one counts`);
      into.splice(
        into.findIndex((other) => other.interface === name),
        1,
      );
    }
    into.push({ interface: name, down, up, origin: line.origin });
  }
}

function readDelay(word: string): Micros | undefined {
  const time = parseTime(word);
  return time.ok && time.micros <= MAX_DELAY ? time.micros : undefined;
}
