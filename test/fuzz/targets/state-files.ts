/** Every file that the agent writes and reads back, whatever has become of it. */
import { crc32 } from 'node:zlib';
import { formatBundleFile, hashOf, parseBundleFile } from '../../../agent/bundle/bundle-store.js';
import { startRecordIn } from '../../../agent/bundle/crash-guard.js';
import { Journal, type JournalStorage } from '../../../agent/journal/journal.js';
import { sequenceBytes, sequenceIn } from '../../../agent/journal/journal-files.js';
import { decodeSegment, encodeRecord, type JournalRecord } from '../../../agent/journal/segment.js';
import { resumedRoutersIn } from '../../../agent/local/resume-file.js';
import { Bundle } from '../../../proto/gen/baton/v1/bundle.js';
import { info, transition } from '../../journal/event-draft.js';
import { ManualClock } from '../../local/manual-clock.js';
import { joined } from '../mutator.js';
import { Finding, must, mustEqual, type Repair, type Target, TEXT_BUDGET } from '../target.js';

const BOOT = 'b0077d01-0000-4000-8000-000000000000';
const textOf = (input: Uint8Array) => Buffer.from(input).toString('utf8');
const bytesOf = (text: string) => new Uint8Array(Buffer.from(text));
const json = (value: unknown) => bytesOf(JSON.stringify(value));

/** What JSON.parse throws of what is not JSON; anything else is a finding. */
function parsed<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

export function resumeTarget(): Target {
  const router = { name: 'pg', lastAdvertAt: 12_345 };
  return {
    name: 'resume-file',
    what: 'resume.json, which a suspended agent leaves for the next',
    files: ['agent/local/resume-file.ts'],
    group: 'decoders',
    seeds: [
      json({ bootId: BOOT, routers: [router, { name: 'web', lastAdvertAt: 0 }] }),
      json({ bootId: BOOT, routers: [null, 7, {}, { name: 1, lastAdvertAt: 1 }, { name: 'a', lastAdvertAt: 'x' }] }),
      json({ bootId: 'another', routers: [router] }),
      json({ bootId: BOOT, routers: {} }),
      json(null),
      json([]),
      bytesOf(`{"bootId":"${BOOT}","routers":[{"name":"pg","lastAdvertAt":1e999}]}`),
      bytesOf('{'),
    ],
    dictionary: [bytesOf(BOOT), bytesOf('1e999'), bytesOf('{"name":"a","lastAdvertAt":1},')],
    repairs: [],
    maxLength: 512,
    isText: true,
    budget: TEXT_BUDGET,
    read: (input) => parsed(() => resumedRoutersIn(textOf(input), BOOT)),
    run: (input) => {
      const routers = parsed(() => resumedRoutersIn(textOf(input), BOOT));
      if (routers === undefined) return 'not JSON';
      for (const { name, lastAdvertAt } of routers) {
        must(typeof name === 'string' && Number.isFinite(lastAdvertAt), 'routers are whole', () =>
          JSON.stringify(routers),
        );
      }
      if (routers.length === 0) return 'nothing';
      mustEqual((JSON.parse(textOf(input)) as { bootId: unknown }).bootId, BOOT, 'only of this boot');
      mustEqual(resumedRoutersIn(JSON.stringify({ bootId: BOOT, routers }), BOOT), routers, 'decode(encode(m)) = m');
      return 'routers';
    },
  };
}

export function startsTarget(): Target {
  return {
    name: 'starts-file',
    what: 'starts.json, which counts starts that came to nothing',
    files: ['agent/bundle/crash-guard.ts'],
    group: 'decoders',
    seeds: [
      json({ hash: 'ab', starts: 2 }),
      json({ hash: 'ab', starts: 0, condemned: 'cd' }),
      json({ hash: 'ab', starts: 1.5 }),
      json({ hash: 1, starts: 1 }),
      json({ hash: 'ab', starts: -1 }),
      json([]),
      bytesOf('nonsense'),
    ],
    dictionary: ['"starts":', '"hash":"ab"', '1e99', '-1', 'null', '"condemned":"'].map(bytesOf),
    repairs: [],
    maxLength: 256,
    isText: true,
    budget: TEXT_BUDGET,
    read: (input) => startsOf(input),
    run: (input) => {
      const record = startsOf(input);
      if (record === undefined) return 'not an object';
      must(Number.isSafeInteger(record.starts) && record.starts >= 0, 'a number of starts', () =>
        JSON.stringify(record),
      );
      must(typeof record.hash === 'string', 'a hash', () => JSON.stringify(record));
      mustEqual(startRecordIn(JSON.stringify(record)), record, 'decode(encode(m)) = m');
      return `${record.hash === '' ? 'none' : 'counted'}${record.condemned === undefined ? '' : ', condemned'}`;
    },
  };
}

/** null has no fields: the documented TypeError. */
function startsOf(input: Uint8Array): ReturnType<typeof startRecordIn> | undefined {
  const text = textOf(input);
  if (parsed(() => JSON.parse(text) as unknown) === null) return undefined;
  return parsed(() => startRecordIn(text));
}

/** The heading of a bundle's file is made to fit its content. */
const bundleHeading: Repair = (input) => {
  const end = input.indexOf(10);
  const content = input.slice(end + 1);
  return joined(bytesOf(`baton-bundle 1 7 ${hashOf(content)} ${content.length}\n`), content);
};

export function bundleTarget(): Target {
  const content = Bundle.encode(Bundle.fromPartial({ routers: [{ name: 'pg', vrid: 10, interface: 'em1' }] })).finish();
  const good = new Uint8Array(formatBundleFile(7, content));
  return {
    name: 'bundle-file',
    what: 'the stored bundle',
    files: [],
    group: 'decoders',
    seeds: [
      good,
      new Uint8Array(formatBundleFile(1, new Uint8Array(0))),
      bytesOf(`baton-bundle 2 1 ${'0'.repeat(64)} 0\n`),
      good.slice(0, -1),
      bytesOf(`baton-bundle 1 1 ${'0'.repeat(64)} 0\n`),
    ],
    dictionary: ['baton-bundle ', ' 1 ', '\n', '99999999999999999999'].map(bytesOf),
    repairs: [bundleHeading],
    maxLength: 600,
    isText: false,
    budget: TEXT_BUDGET,
    read: (input) => parseBundleFile(Buffer.from(input)),
    run: (input) => {
      const parsedFile = parseBundleFile(Buffer.from(input));
      if (!parsedFile.ok) {
        must(
          parsedFile.reason.length > 10 && parsedFile.reason.length < 400,
          'a reason in words',
          () => parsedFile.reason,
        );
        return parsedFile.reason.replaceAll(/\d+/g, 'N').slice(0, 60);
      }
      const { identity, bundle, content: stored } = parsedFile.stored;
      must(Number.isSafeInteger(identity.generation), 'a generation is a number', () => String(identity.generation));
      mustEqual(identity.hash, hashOf(stored), 'the hash is that of the content');
      const again = parseBundleFile(formatBundleFile(identity.generation, stored));
      mustEqual(again, parsedFile, 'decode(encode(m)) = m');
      mustEqual(Bundle.decode(Bundle.encode(bundle).finish()), bundle, 'the bundle goes round');
      return 'accepted';
    },
  };
}

export function sequenceTarget(): Target {
  return {
    name: 'sequence-file',
    what: 'the greatest number of an event, kept apart for when the disk is full',
    files: [],
    group: 'decoders',
    seeds: [0, 1, 255, 2 ** 32, Number.MAX_SAFE_INTEGER].map((number) => new Uint8Array(sequenceBytes(number))),
    dictionary: [],
    repairs: [
      (input) => {
        if (input.length < 12) return input;
        new DataView(input.buffer, input.byteOffset).setUint32(8, crc32(input.subarray(0, 8)), true);
        return input;
      },
    ],
    maxLength: 24,
    isText: false,
    budget: TEXT_BUDGET,
    read: (input) => sequenceIn(Buffer.from(input)),
    run: (input) => {
      const sequence = sequenceIn(Buffer.from(input));
      // One that cannot be counted on from would give the next two events the same number.
      must(Number.isSafeInteger(sequence + 1), 'a number that can be counted on from', () => String(sequence));
      mustEqual(sequenceIn(sequenceBytes(sequence)), sequence, 'decode(encode(m)) = m');
      return sequence === 0 ? 'nothing' : 'a number';
    },
  };
}

/** Each record's checksum is made right, and the last one's length. */
const journalRecords: Repair = (input, random) => {
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
  for (let at = 0; at + 9 <= input.length; ) {
    let length = view.getUint32(at, true);
    if (length === 0 || at + 8 + length > input.length) {
      length = input.length - at - 8;
      view.setUint32(at, length, true);
    }
    if (random.chance(0.95)) view.setUint32(at + 4, crc32(input.subarray(at + 8, at + 8 + length)), true);
    at += 8 + length;
  }
  return input;
};

const heading: JournalRecord = { kind: 'heading', heading: { journalId: 'id', nextSequence: 3, dropped: 1 } };
const events: readonly JournalRecord[] = [
  { kind: 'event', event: { ...info('started'), sequence: 1 } },
  { kind: 'event', event: { ...transition('active'), sequence: 2 } },
];

function fileOf(records: readonly JournalRecord[]): Uint8Array {
  return new Uint8Array(Buffer.concat(records.map(encodeRecord)));
}

export function journalTarget(decode: typeof decodeSegment = decodeSegment): Target {
  return {
    name: 'journal-file',
    what: "the journal's file, and a journal that is opened on it",
    files: ['agent/journal/segment.ts'],
    group: 'decoders',
    seeds: [
      fileOf([heading, ...events]),
      fileOf([heading, ...events, { kind: 'acknowledged', through: 1 }, { kind: 'dropped', sequence: 2 }]),
      fileOf(events),
      fileOf([heading, ...events]).slice(0, -3),
      fileOf([heading]).slice(0, 5),
      fileOf([]),
      Uint8Array.of(0, 0, 0, 0, 1, 2, 3, 4),
      fileOf([{ kind: 'heading', heading: { journalId: 'id', nextSequence: -5, dropped: -1 } }]),
      fileOf([heading, { kind: 'event', event: { ...info('last'), sequence: Number.MAX_SAFE_INTEGER } }]),
      fileOf([heading, { kind: 'acknowledged', through: 2 ** 60 }]),
      fileOf([heading, { kind: 'dropped', sequence: 2 ** 60 }]),
      ...[0, 1, 9].map((kind) => {
        const bytes = fileOf([heading]);
        bytes[8] = kind;
        new DataView(bytes.buffer).setUint32(4, crc32(bytes.subarray(8)), true);
        return bytes;
      }),
    ],
    dictionary: ['"nextSequence":', '"journalId":"', '9007199254740991', '-1', '{"version":1}'].map(bytesOf),
    repairs: [journalRecords],
    maxLength: 800,
    isText: false,
    // A journal writes its file anew when it is opened.
    budget: { ...TEXT_BUDGET, memory: 262_144 },
    read: decode,
    run: async (input) => {
      const segment = decode(input);
      const { records, soundLength, damage, isCutShort } = segment;
      must(soundLength <= input.length, 'what is sound is within the file', () => String(soundLength));
      mustEqual(damage === undefined, soundLength === input.length, 'a file without damage is sound to its end');
      must(!isCutShort || damage !== undefined, 'a file that is cut short is damaged', () => String(damage));
      mustEqual(decode(input.subarray(0, soundLength)).records, records, 'the sound part has the same records');
      for (const record of records) if (record.kind === 'heading') judgeHeading(record.heading);
      mustEqual(
        decode(fileOf(records)),
        { records, soundLength: fileOf(records).length, isCutShort: false },
        'decode(encode(m)) = m',
      );
      await judgeJournal(input);
      const kinds = [...new Set(records.map(({ kind }) => kind))].join(' ');
      return `${kinds || 'nothing'}${damage === undefined ? '' : `; ${damage}`}`;
    },
  };
}

function judgeHeading({ nextSequence, dropped }: { nextSequence: number; dropped: number }): void {
  const isCount = (value: number, least: number) => Number.isSafeInteger(value) && value >= least;
  must(isCount(nextSequence, 1) && isCount(dropped, 0), 'a heading counts', () => `${nextSequence} ${dropped}`);
}

/** Whatever the file was: the journal opens, gives new numbers, and what it writes is sound. */
async function judgeJournal(file: Uint8Array): Promise<void> {
  let written = new Uint8Array(0);
  const storage: JournalStorage = {
    read: async () => file,
    setAside: async () => 'aside',
    append: async (bytes) => {
      written = new Uint8Array([...written, ...bytes]);
    },
    replace: async (bytes) => {
      written = new Uint8Array(bytes);
    },
    reserved: async () => 0,
    reserve: async () => undefined,
  };
  const journal = await Journal.open(storage, {
    limit: 10,
    isHistory: false,
    clock: new ManualClock(),
    newId: () => 'new',
    listener: {
      lostDisk: (error) => {
        throw new Finding('the disk is not lost', String(error));
      },
      regainedDisk: () => undefined,
      damaged: () => undefined,
      dropping: () => undefined,
    },
  });
  const before = journal.recent(500).map(({ sequence }) => sequence);
  const { sequence } = journal.add(info('after'));
  await journal.flush();
  must(
    before.every((one) => one < sequence),
    'a new event has a new number',
    () => `${sequence} after ${before.join()}`,
  );
  must(Number.isSafeInteger(sequence) && sequence >= 1, 'numbers can be counted on', () => String(sequence));
  const { damage, records } = decodeSegment(written);
  mustEqual([damage, records[0]?.kind], [undefined, 'heading'], 'what is written is sound');
  mustEqual(journal.pending(sequence - 1, 1).length, 1, 'the new event may be told');
}
