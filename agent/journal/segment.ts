/**
 * The bytes of the journal's file: records one after the other, each a length (4 bytes, little endian), the CRC-32 of
 * the payload (4 bytes), and the payload, whose first byte is the kind. The first record is the heading; it says what
 * cannot be known from the records after it. A file is read until its first damaged record.
 */
import { crc32 } from 'node:zlib';
import { Event } from '../../proto/gen/baton/v1/events.js';

/** What holds at the beginning of a file. */
export interface Heading {
  readonly journalId: string;
  /** The next new event gets this number. */
  readonly nextSequence: number;
  /** Events dropped because the queue was full, ever. */
  readonly dropped: number;
}

export type JournalRecord =
  | { readonly kind: 'heading'; readonly heading: Heading }
  | { readonly kind: 'event'; readonly event: Event }
  /** Every event up to here is with a controller. */
  | { readonly kind: 'acknowledged'; readonly through: number }
  | { readonly kind: 'dropped'; readonly sequence: number };

const KINDS = { heading: 1, event: 2, acknowledged: 3, dropped: 4 } as const;
const PREFIX_LENGTH = 8;
/** No event comes near; a greater length is damage. */
const MAX_PAYLOAD = 1024 * 1024;
const FORMAT_VERSION = 1;

export function encodeRecord(record: JournalRecord): Buffer {
  const content = contentOf(record);
  const bytes = Buffer.alloc(PREFIX_LENGTH + 1 + content.length);
  bytes.writeUInt32LE(content.length + 1, 0);
  bytes[PREFIX_LENGTH] = KINDS[record.kind];
  bytes.set(content, PREFIX_LENGTH + 1);
  bytes.writeUInt32LE(crc32(bytes.subarray(PREFIX_LENGTH)), 4);
  return bytes;
}

export interface DecodedSegment {
  readonly records: readonly JournalRecord[];
  /** Bytes from the start that are sound. */
  readonly soundLength: number;
  /** What is wrong with the rest; absent when there is no rest. */
  readonly damage?: string;
  /** The damage is that the last record is not whole, as after a write that was cut off. */
  readonly isCutShort: boolean;
}

/** Reads every record up to the end or the first damage. Never throws. */
export function decodeSegment(bytes: Uint8Array): DecodedSegment {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const records: JournalRecord[] = [];
  let at = 0;
  const damaged = (damage: string, isCutShort = false): DecodedSegment => ({
    records,
    soundLength: at,
    damage,
    isCutShort,
  });
  while (at < buffer.length) {
    if (buffer.length - at < PREFIX_LENGTH) return damaged('it ends within a record', true);
    const length = buffer.readUInt32LE(at);
    if (length === 0 || length > MAX_PAYLOAD) return damaged('a record has an impossible length');
    const payload = buffer.subarray(at + PREFIX_LENGTH, at + PREFIX_LENGTH + length);
    if (payload.length < length) return damaged('it ends within a record', true);
    if (crc32(payload) !== buffer.readUInt32LE(at + 4)) return damaged('a record has a wrong checksum');
    const record = recordOf(payload);
    if (record === undefined) return damaged('a record is not of a kind that this version knows');
    records.push(record);
    at += PREFIX_LENGTH + length;
  }
  return { records, soundLength: at, isCutShort: false };
}

function contentOf(record: JournalRecord): Uint8Array {
  switch (record.kind) {
    case 'heading':
      return Buffer.from(JSON.stringify({ version: FORMAT_VERSION, ...record.heading }));
    case 'event':
      return Event.encode(record.event).finish();
    case 'acknowledged':
      return numberBytes(record.through);
    case 'dropped':
      return numberBytes(record.sequence);
  }
}

function recordOf(payload: Buffer): JournalRecord | undefined {
  const content = payload.subarray(1);
  try {
    switch (payload[0]) {
      case KINDS.heading:
        return headingOf(content.toString());
      case KINDS.event: {
        const event = Event.decode(content);
        // Throws of what can be read and not be written again, such as a time beyond the calendar.
        Event.encode(event);
        return isSequence(event.sequence) ? { kind: 'event', event } : undefined;
      }
      case KINDS.acknowledged: {
        const through = Number(content.readBigUInt64LE());
        return isSequence(through) ? { kind: 'acknowledged', through } : undefined;
      }
      case KINDS.dropped: {
        const sequence = Number(content.readBigUInt64LE());
        return isSequence(sequence) ? { kind: 'dropped', sequence } : undefined;
      }
      default:
        return undefined;
    }
  } catch {
    // A sound checksum over something undecodable: another version wrote it.
    return undefined;
  }
}

function headingOf(text: string): JournalRecord | undefined {
  const { version, journalId, nextSequence, dropped } = JSON.parse(text) as Record<string, unknown>;
  if (version !== FORMAT_VERSION || typeof journalId !== 'string') return undefined;
  if (!isSequence(nextSequence) || !isSequence(dropped) || nextSequence === 0) return undefined;
  return { kind: 'heading', heading: { journalId, nextSequence, dropped } };
}

/** A number from 0 that can be counted on from: beyond that two events would get the same one. */
function isSequence(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && Number.isSafeInteger(value + 1);
}

function numberBytes(value: number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}
