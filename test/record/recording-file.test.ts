/** The file of a recording: bounded, its owner's alone, gone on with, and read again whatever happened to it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { after, test } from 'node:test';
import { parseCommand } from '../../agent/cli/command-line.js';
import { RUN, runOptions } from '../../agent/cli/run-command.js';
import { Recorder } from '../../agent/record/recorder.js';
import { formatByteCount, parseByteCount } from '../../agent/record/recording-limit.js';
import { RecordingWriter } from '../../agent/record/recording-writer.js';
import { initialMember, type Member, step } from '../../agent/vrrp/index.js';
import { settings } from '../runtime/router-settings.js';

const MAIN = path.resolve(import.meta.dirname, '../../agent/main.js');
const scratch = mkdtempSync(path.join(tmpdir(), 'baton-record-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
let files = 0;

function freshFile(): string {
  files += 1;
  return path.join(scratch, `recording-${files}`);
}

/** One router alone: active, then thrown out and back again and again. */
class Recorded {
  readonly failures: unknown[] = [];
  mends = 0;
  readonly recorder: Recorder;
  readonly #router = {
    router: settings().router,
    member: initialMember(settings().router) as Member,
  };
  #now = 0;
  #pending = 0;

  private constructor(
    readonly file: string,
    readonly limit: number,
    readonly writer: RecordingWriter,
  ) {
    this.recorder = new Recorder({
      limit,
      wallMs: () => 1_700_000_000_000 + this.#now / 1_000,
      give: (chunk) => {
        this.#pending += 1;
        writer.take(chunk);
      },
    });
    this.recorder.attach();
  }

  static async to(file: string, limit = 1 << 20): Promise<Recorded> {
    let recorded: Recorded | undefined;
    const writer = await RecordingWriter.open(file, limit, '1.2.3', {
      taken: (characters, again) => recorded?.taken(characters, again),
      failed: (error) => recorded?.failures.push(error),
      mended: () => {
        if (recorded !== undefined) recorded.mends += 1;
      },
    });
    recorded = new Recorded(file, limit, writer);
    return recorded;
  }

  /** So many failovers, each of about 2 KiB. */
  run(failovers: number): void {
    const feed = (input: Parameters<typeof step>[2], after: number) => {
      this.#now += after;
      this.recorder.input(this.#router, input, this.#now);
      const { member, effects } = step(this.#router.router, this.#router.member, input, this.#now);
      this.#router.member = member;
      for (const effect of effects) {
        if (effect.kind === 'transitioned') this.recorder.transition(this.#router, effect);
      }
      this.recorder.settle(this.#now);
    };
    const up = (id: string) => ({ kind: 'track', id, state: 'up' }) as const;
    feed({ kind: 'startup' }, 0);
    feed(up('interface em1'), 0);
    feed(up('source address'), 0);
    for (let count = 0; count < failovers; count++) {
      for (let ticks = 0; ticks < 100; ticks++) feed({ kind: 'tick' }, 400_000);
      const advertisement = { priority: 200, interval: 100_000, addresses: [0x0a00_0064] };
      feed({ kind: 'advertisement', source: 0x0a00_0002, local: 0x0a00_0001, advertisement }, 1_000);
    }
  }

  /** The writer's turn, so that it is not taken for one that cannot keep up. */
  async written(): Promise<void> {
    this.recorder.flush();
    while (this.#pending > 0) await new Promise((resolve) => setImmediate(resolve));
  }

  private taken(characters: number, again: boolean): void {
    this.#pending -= 1;
    this.recorder.taken(characters, again);
  }

  async end(): Promise<string> {
    this.recorder.flush();
    await this.writer.close();
    assert.deepEqual(this.failures, []);
    return readFileSync(this.file, 'utf8');
  }
}

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function replay(...args: string[]): Ended {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, 'replay', ...args], {
    encoding: 'utf8',
    maxBuffer: 64 << 20,
  });
  return { code: status, out: stdout, err: stderr };
}

test('a recording is replayed by the program: each transition, and that all is the same', async () => {
  const recorded = await Recorded.to(freshFile());
  recorded.run(2);
  await recorded.end();
  assert.equal(statSync(recorded.file).mode & 0o777, 0o600);
  const { code, out, err } = replay(recorded.file);
  assert.deepEqual([code, err], [0, '']);
  const lines = out.trimEnd().split('\n');
  assert.match(lines[0] ?? '', /^TIME +ROUTER +FROM +TO +PRIORITY +WHY$/);
  assert.match(out, /^2023-11-14T22:13:\d\d\.\d{6}Z +r +backup +active +100 +no advertisement was heard/m);
  assert.match(out, /active +backup +100 +10\.0\.0\.2 advertises the higher priority 200$/m);
  assert.match(out, /recorded by baton-agent 1\.2\.3, replayed by \d/);
  assert.match(lines.at(-1) ?? '', /^1 segment, 1 router, 205 inputs, \d+ transitions: the same as recorded\.$/);
  const json = JSON.parse(replay('-o', 'json', recorded.file).out) as Record<string, unknown>;
  assert.deepEqual([json['same'], json['inputs'], json['differences']], [true, 205, []]);
});

test('one that was tampered with differs: exit code 1, and where', async () => {
  const recorded = await Recorded.to(freshFile());
  recorded.run(3);
  const text = await recorded.end();
  writeFileSync(recorded.file, text.replace('"priority":200', '"priority":99'));
  const { code, out } = replay(recorded.file);
  assert.equal(code, 1);
  assert.match(
    out,
    /^Difference at 2023-.*, what r did with line \d+:\n {2}recorded: \[.*higher-priority.*\]\n {2}replayed: \[\]$/m,
  );
  assert.match(out, /not the same as recorded, \d+ differences?/);
});

test('one that is cut off anywhere is replayed as far as it is whole', async () => {
  const recorded = await Recorded.to(freshFile());
  recorded.run(2);
  const text = await recorded.end();
  for (const length of [400, text.length - 3, text.length - 1, Math.floor(text.length / 2)]) {
    writeFileSync(recorded.file, text.slice(0, length));
    const { code, out } = replay(recorded.file);
    assert.equal(code, 0, out);
    assert.match(out, /cut off|ends before|the same as recorded/);
    const isTorn = text[length - 1] !== '\n' && text[length] !== '\n';
    if (isTorn) assert.match(out, /Note: line \d+ is cut off or damaged; the rest of segment 1 is left out\./);
  }
});

test('what is no recording is said to be none: exit code 4', () => {
  const bad = (text: string): Ended => {
    const file = freshFile();
    writeFileSync(file, text);
    return replay(file);
  };
  for (const [text, message] of [
    ['', /is empty: nothing was recorded yet/],
    ['vrrp_instance VI_1 {\n}\n', /is no recording: "baton-agent run --record FILE" makes one/],
    ['{"recording":"other"}\n', /is no recording/],
    ['{"recording":"baton-agent","format":2}\n', /is a recording of format 2, and this baton-agent reads format 1/],
  ] as const) {
    const { code, out, err } = bad(text);
    assert.deepEqual([code, out], [4, '']);
    assert.match(err, message);
    assert.match(err, /^baton-agent: [^\n]+\n$/);
  }
  const { code, err } = replay(path.join(scratch, 'none'));
  assert.equal(code, 4);
  assert.match(err, /cannot read .*none: ENOENT/);
  assert.equal(replay().code, 2);
  const head = '{"recording":"baton-agent","format":1,"agent":"\\u001b[31m","reason":"start","at":0,"wallMs":0}\n';
  for (const line of ['[1,7,"t"]', '{"router":1,"is":{}}\n[1,1,"i",{"kind":"dance"}]', '[1]', '{"moved":1}']) {
    const { code: ended, out } = bad(`${head}${line}\n`);
    assert.equal(ended, 0, out);
    assert.match(out, /Note: line \d (cannot be replayed|is cut off or damaged)/);
    assert.ok(!out.includes('\u001b'), 'control characters of the file are not shown');
  }
});

test('a recording is bounded, and keeps what is newest', async () => {
  const limit = 1 << 20;
  const recorded = await Recorded.to(freshFile(), limit);
  for (let round = 0; round < 30; round++) {
    recorded.run(40);
    await recorded.written();
  }
  const text = await recorded.end();
  assert.ok(text.length <= limit && text.length > limit / 2, `${text.length} bytes`);
  assert.equal(readdirSync(scratch).filter((name) => name.startsWith('.')).length, 0, 'no scratch file is left');
  const { code, out } = replay('-o', 'json', recorded.file);
  assert.equal(code, 0);
  const { segments, remarks, same } = JSON.parse(out) as { segments: number; remarks: unknown[]; same: boolean };
  assert.deepEqual([same, remarks], [true, []]);
  assert.ok(segments >= 3, `${segments} segments`);
});

test('a recording that is there is gone on with, also after its last line was cut off', async () => {
  const recorded = await Recorded.to(freshFile());
  recorded.run(2);
  await recorded.end();
  truncateSync(recorded.file, statSync(recorded.file).size - 5);
  chmodSync(recorded.file, 0o644);
  const next = await Recorded.to(recorded.file);
  next.run(1);
  await next.end();
  assert.equal(statSync(recorded.file).mode & 0o777, 0o600);
  const { code, out } = replay(recorded.file);
  assert.equal(code, 0, out);
  assert.match(out, /^2 segments/m);
  assert.match(out, /cut off or damaged/);
});

test('what is no recording is not written to', async () => {
  const other = freshFile();
  writeFileSync(other, 'precious\n');
  const link = freshFile();
  symlinkSync(other, link);
  const directory = freshFile();
  mkdirSync(directory);
  const newer = freshFile();
  writeFileSync(newer, '{"recording":"baton-agent","format":2}\n');
  const fifo = freshFile();
  assert.equal(spawnSync('mkfifo', [fifo]).status, 0);
  for (const [file, message] of [
    [other, /is no recording, and what is in it is not overwritten; move it away/],
    [newer, /is a recording of format 2/],
    [link, /ELOOP/],
    [directory, /EISDIR/],
    [fifo, /no regular file/],
    [path.join(scratch, 'no', 'where'), /ENOENT/],
  ] as const) {
    await assert.rejects(Recorded.to(file), (error: Error) => {
      assert.equal((error as Error & { code?: string }).code, 'BATON_RECORDING_FILE');
      assert.match(error.message, message);
      return true;
    });
  }
  assert.equal(readFileSync(other, 'utf8'), 'precious\n');
});

test('a disk that fails is said once; nothing waits for it', async () => {
  // Where the room is made, the directory is gone.
  const away = path.join(scratch, 'away');
  const home = path.join(scratch, 'home');
  mkdirSync(home);
  const inHome = await Recorded.to(path.join(home, 'recording'), 1 << 20);
  inHome.run(100);
  await inHome.written();
  renameSync(home, away);
  for (let round = 0; round < 20; round++) {
    inHome.run(60);
    await inHome.written();
  }
  await inHome.writer.close();
  assert.equal(inHome.failures.length, 1);
  assert.match(String(inHome.failures[0]), /ENOENT/);
  assert.ok(existsSync(path.join(away, 'recording')));
});

test('what the command line says of a recording', () => {
  const recorded = (...args: string[]) => {
    const parsed = parseCommand(RUN, args);
    return parsed === undefined ? undefined : runOptions(parsed).record;
  };
  assert.equal(recorded('--standalone', '/k.conf'), undefined);
  assert.deepEqual(recorded('--record', '/var/r'), { file: '/var/r', limit: 16 << 20 });
  assert.deepEqual(recorded('--record', '/var/r', '--record-limit', '2M'), { file: '/var/r', limit: 2 << 20 });
  assert.throws(() => recorded('--record-limit', '2M'), /^UsageError: --record-limit goes with --record$/);
  for (const wrong of ['much', '1K', '2G', '1.5M']) {
    assert.throws(
      () => recorded('--record', '/var/r', '--record-limit', wrong),
      new RegExp(`--record-limit is a number of bytes, or with K, M or G, from 1M to 1G, not "${wrong}"`),
    );
  }
});

test('sizes as they are written', () => {
  for (const [text, bytes] of [
    ['1048576', 1 << 20],
    ['64M', 64 << 20],
    ['1g', 1 << 30],
    ['2048k', 2 << 20],
    ['M', undefined],
    ['-1', undefined],
    ['1.5M', undefined],
    ['1T', undefined],
  ] as const) {
    assert.equal(parseByteCount(text), bytes, text);
  }
  assert.deepEqual([1 << 20, 16 << 20, 1 << 30, 1536].map(formatByteCount), ['1M', '16M', '1G', '1536']);
});
