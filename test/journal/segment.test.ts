import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeSegment, encodeRecord, type JournalRecord } from '../../agent/journal/segment.js';
import { transition } from './event-draft.js';

const RECORDS: readonly JournalRecord[] = [
  { kind: 'heading', heading: { journalId: 'j', nextSequence: 7, dropped: 2 } },
  { kind: 'event', event: { ...transition('pg: backup -> active'), sequence: 7 } },
  { kind: 'acknowledged', through: 6 },
  { kind: 'dropped', sequence: 5 },
];
const PARTS = RECORDS.map(encodeRecord);
const WHOLE = Buffer.concat(PARTS);

test('records come back as they were', () => {
  assert.deepEqual(decodeSegment(WHOLE), { records: RECORDS, soundLength: WHOLE.length, isCutShort: false });
  assert.deepEqual(decodeSegment(new Uint8Array()), { records: [], soundLength: 0, isCutShort: false });
});

test('cut at any length, every whole record before the cut is read and the rest is known to be cut off', () => {
  for (let length = 0; length < WHOLE.length; length += 1) {
    const segment = decodeSegment(WHOLE.subarray(0, length));
    let whole = 0;
    let count = 0;
    for (const part of PARTS) {
      if (whole + part.length > length) break;
      whole += part.length;
      count += 1;
    }
    assert.equal(segment.soundLength, whole, `cut at ${length}`);
    assert.deepEqual(segment.records, RECORDS.slice(0, count), `cut at ${length}`);
    assert.equal(segment.damage !== undefined, length !== whole, `cut at ${length}`);
  }
});

test('any flipped bit is found, and nothing of its record is believed', () => {
  for (let at = 0; at < WHOLE.length; at += 1) {
    for (const bit of [1, 128]) {
      const bytes = Buffer.from(WHOLE);
      bytes[at] = (bytes[at] ?? 0) ^ bit;
      const segment = decodeSegment(bytes);
      assert.notEqual(segment.damage, undefined, `byte ${at}`);
      assert.deepEqual(segment.records, RECORDS.slice(0, segment.records.length), `byte ${at}`);
      assert.ok(segment.soundLength <= at, `byte ${at}`);
    }
  }
});

test('zeros after the end, as a file system may leave them, are damage', () => {
  const segment = decodeSegment(Buffer.concat([WHOLE, Buffer.alloc(100)]));
  assert.equal(segment.damage, 'a record has an impossible length');
  assert.equal(segment.records.length, RECORDS.length);
});
