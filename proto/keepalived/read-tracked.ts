/** Reads what is tracked besides scripts: track_file, vrrp_track_process and bfd_instance. */
import { ProcessMatch } from '../gen/baton/v1/resources.js';
import { MICROS_PER_MILLISECOND, MICROS_PER_SECOND, type Micros } from '../rules/time.js';
import { type Handler, reportExtra, singleValue, walkBlock } from './block.js';
import type { BfdInstance, TrackFile, TrackProcess } from './config.js';
import { isLinkLocalText } from './read-addresses.js';
import { MAX_INT, readSwitch, readTime, readWhole } from './read-number.js';
import { MAX_FILE_WEIGHT, MAX_WEIGHT, readWeight } from './read-weight.js';
import { quoted, type Remarks } from './remarks.js';
import type { Statement } from './tree.js';
import { parseAddress, parseWhole } from './values.js';

/** keepalived's parameter of a line that stands once only: the first one counts. */
function once(isSet: () => boolean, remarks: Remarks, handle: Handler): Handler {
  return (line) => {
    if (isSet()) {
      remarks.warning(line.origin, `${line.words[0]} is there already; the first one counts, as in keepalived`);
    } else handle(line);
  };
}

const SENSIBLE_VALUE = 254;

/** Undefined and reported when it has no name or no file. */
export function readTrackFile(statement: Statement, order: number, remarks: Remarks): TrackFile | undefined {
  const name = singleValue(statement, remarks);
  if (statement.words[0] === 'vrrp_track_file') {
    remarks.note(statement.origin, 'vrrp_track_file is deprecated in keepalived; the word is track_file');
  }
  let path: string | undefined;
  let weight: { weight: number; reverse: boolean } | undefined;
  let init: { value: number; overwrite: boolean } | undefined;
  const handlers: Record<string, Handler> = {
    file: once(
      () => path !== undefined,
      remarks,
      (line) => {
        path = singleValue(line, remarks);
      },
    ),
    weight: once(
      () => weight !== undefined,
      remarks,
      (line) => {
        weight = readWeight(line, MAX_FILE_WEIGHT, remarks);
      },
    ),
    init_file: (line) => {
      init = readInit(line, remarks);
    },
  };
  walkBlock('track_file', statement.block ?? [], handlers, remarks);
  if (name === undefined) return undefined;
  if (path === undefined || !path.startsWith('/')) {
    const what = path === undefined ? 'has no file' : `${quoted(path)} is not an absolute path`;
    remarks.error(statement.origin, `track_file ${quoted(name)}: ${what}; it is left out`);
    return undefined;
  }
  return {
    name,
    origin: statement.origin,
    order,
    weight: weight?.weight ?? 1,
    reverse: weight?.reverse ?? false,
    path,
    initialValue: init?.value,
    overwrite: init?.overwrite ?? false,
  };
}

/** `init_file [VALUE] [overwrite]`. */
function readInit(line: Statement, remarks: Remarks): { value: number; overwrite: boolean } {
  let value = 0;
  let overwrite = false;
  for (const word of line.words.slice(1)) {
    const number = parseWhole(word);
    if (word === 'overwrite') overwrite = true;
    else if (number === undefined || Math.abs(number) > MAX_INT) {
      remarks.error(line.origin, `init_file: ${quoted(word)} is neither a number nor "overwrite"; it is ignored`);
    } else {
      if (Math.abs(number) > SENSIBLE_VALUE) {
        remarks.warning(line.origin, `init_file ${number}: beyond ${SENSIBLE_VALUE} a value changes nothing more`);
      }
      value = number;
    }
  }
  return { value, overwrite };
}

const MAX_QUORUM = 65_535;
const MAX_DELAY: Micros = 3_600 * MICROS_PER_SECOND;

/** Undefined and reported when it has no name or no process. */
export function readTrackProcess(statement: Statement, order: number, remarks: Remarks): TrackProcess | undefined {
  const name = singleValue(statement, remarks);
  let process: readonly string[] | undefined;
  let weight: { weight: number; reverse: boolean } | undefined;
  let match = ProcessMatch.UNSPECIFIED;
  let fullCommand = false;
  let quorum = 1;
  let quorumMax: number | undefined;
  let upDelay: Micros = 0;
  let downDelay: Micros = 0;
  const delay = (line: Statement): Micros => readTime(line, [1, MAX_DELAY], 'there is none', remarks) ?? 0;
  const handlers: Record<string, Handler> = {
    process: once(
      () => process !== undefined,
      remarks,
      (line) => {
        const [, ...words] = line.words;
        if (words.length === 0) remarks.error(line.origin, 'process needs the name of a program');
        else process = words;
      },
    ),
    param_match: (line) => {
      const word = line.words[1];
      if (word === 'initial') match = ProcessMatch.INITIAL;
      else if (word === 'partial') match = ProcessMatch.PARTIAL;
      else if (word === undefined) match = ProcessMatch.EXACT;
      else remarks.error(line.origin, `param_match ${quoted(word)} is neither initial nor partial; it is ignored`);
    },
    full_command: (line) => {
      fullCommand = true;
      reportExtra(line, 1, remarks);
    },
    weight: once(
      () => weight !== undefined,
      remarks,
      (line) => {
        weight = readWeight(line, MAX_FILE_WEIGHT, remarks);
      },
    ),
    quorum: (line) => {
      quorum = readWhole(line, [1, MAX_QUORUM], 'the line is ignored', remarks) ?? quorum;
    },
    quorum_max: (line) => {
      quorumMax = readWhole(line, [0, MAX_QUORUM], 'the line is ignored', remarks) ?? quorumMax;
    },
    delay: (line) => {
      upDelay = delay(line);
      downDelay = upDelay;
    },
    fork_delay: (line) => {
      upDelay = delay(line);
    },
    terminate_delay: (line) => {
      downDelay = delay(line);
    },
  };
  walkBlock('vrrp_track_process', statement.block ?? [], handlers, remarks);
  if (name === undefined) return undefined;
  const [program, ...parameters] = process ?? [];
  if (program === undefined) {
    remarks.error(
      statement.origin,
      `vrrp_track_process ${quoted(name)} has no process; it is left out, as in keepalived`,
    );
    return undefined;
  }
  if (quorumMax !== undefined && quorumMax > 0 && quorumMax < quorum) {
    remarks.error(statement.origin, `vrrp_track_process ${quoted(name)}: quorum_max is below quorum; it is ignored`);
    quorumMax = undefined;
  }
  if (Math.abs(weight?.weight ?? 0) > MAX_WEIGHT) {
    remarks.warning(statement.origin, `vrrp_track_process ${quoted(name)}: weight is taken as ${MAX_WEIGHT} at most`);
  }
  return {
    name,
    origin: statement.origin,
    order,
    weight: Math.max(-MAX_WEIGHT, Math.min(MAX_WEIGHT, weight?.weight ?? 0)),
    reverse: weight?.reverse ?? false,
    process: program,
    arguments: parameters,
    match,
    fullCommand: fullCommand || parameters.length > 0 || match !== ProcessMatch.UNSPECIFIED,
    quorum: quorumMax === 0 ? 0 : quorum,
    quorumMax,
    upDelay,
    downDelay,
  };
}

const DEFAULT_INTERVAL: Micros = 10 * MICROS_PER_MILLISECOND;
const DEFAULT_MULTIPLIER = 5;
const MAX_INTERVAL: Micros = 1_000 * MICROS_PER_SECOND;
const MAX_HOPS = 255;

/** keepalived writes milliseconds here. Undefined and reported when it is none. */
function readMillis(line: Statement, minimum: Micros, remarks: Remarks): Micros | undefined {
  const word = singleValue(line, remarks);
  if (word === undefined) return undefined;
  const millis = /^\d{1,7}(?:\.\d{1,3})?$/u.test(word) ? Number(word) : Number.NaN;
  const micros = Math.round(millis * MICROS_PER_MILLISECOND);
  if (micros >= minimum && micros <= MAX_INTERVAL) return micros;
  remarks.error(
    line.origin,
    `${line.words[0]} ${quoted(word)} is not a number of milliseconds from ${minimum / MICROS_PER_MILLISECOND} to ${MAX_INTERVAL / MICROS_PER_MILLISECOND}; the line is ignored, as in keepalived`,
  );
  return undefined;
}

/** Undefined and reported when it has no name or no neighbour. */
export function readBfd(statement: Statement, order: number, remarks: Remarks): BfdInstance | undefined {
  const name = singleValue(statement, remarks);
  let neighbor: { address: string; family: 4 | 6; zone: string | undefined } | undefined;
  let source: { address: string; family: 4 | 6 } | undefined;
  let weight = { weight: 0, reverse: false };
  let minRx = DEFAULT_INTERVAL;
  let minTx = DEFAULT_INTERVAL;
  let idleTx: Micros = MICROS_PER_SECOND;
  let multiplier = DEFAULT_MULTIPLIER;
  let passive = false;
  let multihop = false;
  let maxHops = 0;
  const readNeighbor: Handler = (line) => {
    const word = singleValue(line, remarks);
    if (word === undefined) return;
    const [bare = '', zone] = word.split('%', 2);
    const parsed = parseAddress(bare);
    if (parsed === undefined) remarks.error(line.origin, `${line.words[0]} ${quoted(word)} is not an IP address`);
    else neighbor = { ...parsed, zone };
  };
  const handlers: Record<string, Handler> = {
    neighbor_ip: readNeighbor,
    neighbour_ip: readNeighbor,
    source_ip: (line) => {
      const word = singleValue(line, remarks);
      if (word === undefined) return;
      source = parseAddress(word.split('%', 1)[0] ?? '');
      if (source === undefined)
        remarks.error(line.origin, `source_ip ${quoted(word)} is not an IP address; it is ignored`);
    },
    min_rx: (line) => {
      minRx = readMillis(line, MICROS_PER_MILLISECOND, remarks) ?? minRx;
    },
    min_tx: (line) => {
      minTx = readMillis(line, MICROS_PER_MILLISECOND, remarks) ?? minTx;
    },
    idle_tx: (line) => {
      idleTx = readMillis(line, MICROS_PER_SECOND, remarks) ?? idleTx;
    },
    multiplier: (line) => {
      multiplier = readWhole(line, [1, 255], 'the line is ignored', remarks) ?? multiplier;
    },
    passive: (line) => {
      passive = true;
      reportExtra(line, 1, remarks);
    },
    multihop: (line) => {
      multihop = readSwitch(line, remarks) ?? multihop;
    },
    max_hops: (line) => {
      maxHops = readWhole(line, [-1, MAX_HOPS], 'the line is ignored', remarks) ?? maxHops;
    },
    weight: (line) => {
      weight = readWeight(line, MAX_WEIGHT, remarks) ?? weight;
    },
  };
  walkBlock('bfd_instance', statement.block ?? [], handlers, remarks);
  if (name === undefined) return undefined;
  if (neighbor === undefined || (source !== undefined && source.family !== neighbor.family)) {
    const what = neighbor === undefined ? 'has no neighbor_ip' : 'has addresses of two families';
    remarks.error(statement.origin, `bfd_instance ${quoted(name)} ${what}; it is left out, as in keepalived`);
    return undefined;
  }
  if (!multihop && maxHops !== 0) {
    remarks.warning(
      statement.origin,
      `bfd_instance ${quoted(name)}: without multihop Baton takes no packet that went over a router (RFC 5881 section 5); max_hops is left out`,
    );
  }
  if (isLinkLocalText(neighbor.address) && neighbor.zone === undefined) {
    remarks.error(
      statement.origin,
      `bfd_instance ${quoted(name)}: the neighbour is link-local; write it with its interface (${neighbor.address}%INTERFACE)`,
    );
  }
  return {
    name,
    origin: statement.origin,
    order,
    ...weight,
    neighbor: neighbor.address,
    interface: neighbor.zone,
    source: source?.address,
    minRx,
    minTx,
    idleTx,
    multiplier,
    passive,
    multihop,
    maxHops,
  };
}
