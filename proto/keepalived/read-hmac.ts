/** Reads auth_hmac, keepalived's signed advertisements. No key ever stands in a remark. */
import { HmacMode, HmacReplayGuard } from '../gen/baton/v1/resources.js';
import { MICROS_PER_SECOND, type Micros } from '../rules/time.js';
import { type Handler, reportExtra, singleValue, walkBlock } from './block.js';
import type { HmacSettings } from './config.js';
import type { HostEdges } from './edges.js';
import { readWhole } from './read-number.js';
import type { Origin } from './remark.js';
import { quoted, type Remarks } from './remarks.js';
import type { Statement } from './tree.js';
import { parseWhole } from './values.js';

const MIN_KEY_BYTES = 32;
const MAX_KEY_BYTES = 64;
const MAX_WINDOW_SECONDS = 300;

const GUARDS: ReadonlyMap<string, HmacReplayGuard> = new Map([
  ['time', HmacReplayGuard.TIME],
  ['monotonic', HmacReplayGuard.MONOTONIC],
]);
const MODES: ReadonlyMap<string, HmacMode> = new Map([
  ['enforce', HmacMode.ENFORCE],
  ['permissive', HmacMode.PERMISSIVE],
  ['receive-only', HmacMode.RECEIVE_ONLY],
]);

/** Undefined and reported when no key can sign: keepalived would go on without authentication. */
export function readHmac(
  statement: Statement,
  host: HostEdges | undefined,
  remarks: Remarks,
): HmacSettings | undefined {
  const keys: { id: number; key: string; origin: Origin }[] = [];
  let activeKey: number | undefined;
  let replayGuard = HmacReplayGuard.TIME;
  let timeWindow: Micros | undefined;
  let mode = HmacMode.ENFORCE;
  const handlers: Record<string, Handler> = {
    key: (line) => {
      const key = readKey(line, host, remarks);
      if (key === undefined) return;
      if (keys.some(({ id }) => id === key.id)) {
        remarks.error(line.origin, `key ${key.id} is there already; this one is left out, as in keepalived`);
      } else keys.push({ ...key, origin: line.origin });
    },
    active_key: (line) => {
      activeKey = readWhole(line, [1, 255], 'the line is ignored', remarks) ?? activeKey;
    },
    anti_replay: (line) => {
      replayGuard = readWord(line, GUARDS, remarks) ?? replayGuard;
    },
    time_window: (line) => {
      const seconds = readWhole(line, [1, MAX_WINDOW_SECONDS], 'the line is ignored', remarks);
      if (seconds !== undefined) timeWindow = seconds * MICROS_PER_SECOND;
    },
    mode: (line) => {
      mode = readWord(line, MODES, remarks) ?? mode;
    },
  };
  walkBlock('auth_hmac', statement.block ?? [], handlers, remarks);
  if (activeKey === undefined || !keys.some(({ id }) => id === activeKey)) {
    const what = activeKey === undefined ? 'active_key is missing' : `key ${activeKey}, the active one, is missing`;
    remarks.error(statement.origin, `auth_hmac: ${what}; keepalived would run without authentication`);
    return undefined;
  }
  return { keys, activeKey, replayGuard, timeWindow, mode };
}

function readWord<T>(line: Statement, words: ReadonlyMap<string, T>, remarks: Remarks): T | undefined {
  const word = singleValue(line, remarks);
  const value = word === undefined ? undefined : words.get(word);
  if (word !== undefined && value === undefined) {
    remarks.error(
      line.origin,
      `${line.words[0]} ${quoted(word)} is none of ${[...words.keys()].join(', ')}; the line is ignored, as in keepalived`,
    );
  }
  return value;
}

/** `key ID VALUE`, where the value is text, "hex:DIGITS" or "file:PATH" of a file with either. */
function readKey(
  line: Statement,
  host: HostEdges | undefined,
  remarks: Remarks,
): { id: number; key: string } | undefined {
  const [, idWord, value] = line.words;
  const id = idWord === undefined ? undefined : parseWhole(idWord);
  if (id === undefined || id < 1 || id > 255 || value === undefined) {
    remarks.error(line.origin, 'key needs a number from 1 to 255 and a value; the line is ignored, as in keepalived');
    return undefined;
  }
  reportExtra(line, 3, remarks);
  const key = value.startsWith('file:') ? readKeyFile(line, value.slice('file:'.length), host, remarks) : value;
  if (key === undefined) return undefined;
  const bytes = keyLength(key);
  if (bytes === undefined || bytes < MIN_KEY_BYTES || bytes > MAX_KEY_BYTES) {
    const what = bytes === undefined ? 'is not whole hexadecimal bytes' : `has ${bytes} bytes`;
    remarks.error(
      line.origin,
      `key ${id} ${what}; it must have ${MIN_KEY_BYTES} to ${MAX_KEY_BYTES}, the line is ignored, as in keepalived`,
    );
    return undefined;
  }
  return { id, key };
}

function readKeyFile(line: Statement, path: string, host: HostEdges | undefined, remarks: Remarks): string | undefined {
  if (host === undefined) {
    remarks.error(
      line.origin,
      `key file ${quoted(path)} is on the host, and is not read here; make a Secret of its content and name it in the router's authentication`,
    );
    return undefined;
  }
  const content = host.readFile(path);
  if (!content.ok) {
    remarks.error(line.origin, `cannot read key file ${quoted(path)}: ${content.detail}`);
    return undefined;
  }
  const bytes = Buffer.from(content.bytes);
  let end = bytes.length;
  while (end > 0 && (bytes[end - 1] === 0x0a || bytes[end - 1] === 0x0d)) end -= 1;
  const trimmed = bytes.subarray(0, end);
  const text = trimmed.toString('utf8');
  // What is no text is written as what it is in hexadecimal.
  return Buffer.from(text, 'utf8').equals(trimmed) ? text : `hex:${trimmed.toString('hex')}`;
}

/** Undefined: not whole bytes. */
function keyLength(key: string): number | undefined {
  if (!key.startsWith('hex:')) return Buffer.byteLength(key);
  const digits = key.slice('hex:'.length);
  return /^(?:[0-9a-fA-F]{2})+$/u.test(digits) ? digits.length / 2 : undefined;
}
