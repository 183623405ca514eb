/** What an election records of itself, and what becomes of it when the worker is slow, dies, or comes anew. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Recorder } from '../../agent/record/recorder.js';
import type { RecordingChunk } from '../../agent/record/recording-format.js';
import { electionSettings, settings } from '../runtime/router-settings.js';
import { VirtualClock } from '../runtime/virtual-clock.js';
import { VirtualHost, VirtualLan } from '../runtime/virtual-host.js';
import { replayText, textOf, transitionsOf } from './replayed.js';

const SECOND = 1_000_000;
const CHECK = { id: 'check web', weight: -60, reverse: false };

function chunksOf(host: VirtualHost): readonly RecordingChunk[] {
  return host.messages.flatMap((message) => (message.kind === 'recorded' ? [message.chunk] : []));
}

/** What the worker was told by other means. */
function toldOf(host: VirtualHost): readonly string[] {
  return host.occurrences('transition').map(({ router, from, to, cause }) => `${router} ${from} ${to} ${cause}`);
}

function pair(limit = 1 << 20) {
  const clock = new VirtualClock();
  const lan = new VirtualLan(clock);
  const host = (name: string, ...addresses: string[]) =>
    new VirtualHost(name, lan, addresses, {
      recording: (give) => new Recorder({ limit, wallMs: () => clock.wallMs(), give }),
    });
  return { clock, a: host('a', '10.0.0.1/24', 'fe80::1/64'), b: host('b', '10.0.0.2/24', 'fe80::2/64') };
}

function replayed(host: VirtualHost) {
  const report = replayText(textOf(chunksOf(host)));
  assert.deepEqual([report.differences, report.remarks], [[], []], host.name);
  assert.deepEqual(transitionsOf(report), toldOf(host), host.name);
  return report;
}

describe('a recorded election', () => {
  test('is decided again as it was: both families, checks, another configuration, a failover, a handover', () => {
    const { clock, a, b } = pair();
    const v4 = (priority: number, more = {}) => settings({ priority, tracks: [CHECK], ...more });
    const v6 = (priority: number) =>
      settings({ name: 'six', vrid: 6, priority, addresses: ['fe80::100', '2001:db8::100'] });
    a.configure(v4(150), v6(90));
    b.configure(v4(100), v6(120));
    for (const each of [a, b]) each.tell({ kind: 'track', id: CHECK.id, state: 'up' });
    clock.advance(10 * SECOND);
    a.tell({ kind: 'track', id: CHECK.id, state: 'down' });
    clock.advance(10 * SECOND);
    a.tell({ kind: 'track', id: CHECK.id, state: 'up' });
    b.configure(v4(200, { interval: 2 * SECOND }), v6(120));
    clock.advance(10 * SECOND);
    b.isPlugged = false;
    clock.advance(20 * SECOND);
    b.isPlugged = true;
    clock.advance(10 * SECOND);
    b.tell({ kind: 'shutdown', handover: true });
    clock.advance(5 * SECOND);
    assert.ok(b.messages.some(({ kind }) => kind === 'stopped'));
    assert.ok(replayed(a).transitions.length > 6);
    const { routers, segments } = replayed(b);
    assert.deepEqual([routers, segments], [['r', 'six'], 1]);
  });

  test('moves its sync groups as they moved', () => {
    const { clock, a, b } = pair();
    const grouped = (priority: number, policy: 'all' | 'any', ...names: string[]) =>
      electionSettings(
        names.map((name, index) =>
          settings({
            name,
            vrid: index + 1,
            addresses: [`10.0.0.${101 + index}`],
            group: 'g',
            priority,
            tracks: index === 0 ? [{ ...CHECK, weight: 0 }] : [],
          }),
        ),
        { groups: [{ name: 'g', routers: names, policy }] },
      );
    a.configureWith(grouped(150, 'all', 'r1', 'r2'));
    b.configureWith(grouped(100, 'all', 'r1', 'r2'));
    for (const each of [a, b]) each.tell({ kind: 'track', id: CHECK.id, state: 'up' });
    clock.advance(10 * SECOND);
    a.tell({ kind: 'track', id: CHECK.id, state: 'down' });
    clock.advance(10 * SECOND);
    a.configureWith(grouped(150, 'any', 'r1', 'r2', 'r3'));
    clock.advance(10 * SECOND);
    a.tell({ kind: 'track', id: CHECK.id, state: 'up' });
    clock.advance(10 * SECOND);
    a.configure(settings({ name: 'r1', vrid: 1, addresses: ['10.0.0.101'] }));
    clock.advance(10 * SECOND);
    for (const host of [a, b]) assert.ok(replayed(host).transitions.length > 5);
  });

  test('with another core is found to be different, and where', () => {
    const { clock, a, b } = pair();
    a.configure(settings({ priority: 150 }));
    b.configure(settings());
    clock.advance(10 * SECOND);
    a.isPlugged = false;
    clock.advance(10 * SECOND);
    const text = textOf(chunksOf(b));
    const forged = text.replace('"priority":100', '"priority":200');
    assert.notEqual(forged, text);
    const [first] = replayText(forged).differences;
    assert.equal(first?.router, 'r');
    assert.match(`${first?.recorded} ${first?.replayed}`, /"effectivePriority":200/);
  });

  test('takes few bytes for an advertisement, heard or sent', () => {
    const { clock, a, b } = pair();
    a.configure(settings({ priority: 150 }));
    b.configure(settings());
    clock.advance(10 * SECOND);
    const lengths = () => [a, b].map((host) => textOf(chunksOf(host)).length);
    const before = lengths();
    clock.advance(1_000 * SECOND);
    const [sent = 0, heard = 0] = lengths().map((length, index) => (length - (before[index] ?? 0)) / 1_000);
    // "[1000000,1,0]" and "[1000000,1,"t"]", each with its line end; the lease is renewed along with every advertisement.
    assert.ok(heard <= 15, `${heard} bytes for one that is heard`);
    assert.ok(sent <= 17, `${sent} bytes for one that is sent`);
  });

  test('has every transition with the worker as soon as it is decided, and the rest soon', () => {
    const { clock, a } = pair();
    a.configure(settings());
    clock.advance(4 * SECOND);
    assert.match(textOf(chunksOf(a)), /"active-down"/);
    const before = chunksOf(a).length;
    clock.advance(5 * SECOND);
    assert.ok(chunksOf(a).length >= before + 2);
  });
});

describe('the worker of a recorded election', () => {
  const acknowledge = (host: VirtualHost, from: number, again = false) => {
    for (const { lines } of chunksOf(host).slice(from)) {
      host.tell({ kind: 'recordingTaken', characters: lines.length, again });
    }
    return chunksOf(host).length;
  };

  test('starts a new segment when the one before is long enough; the recording goes on without a gap', () => {
    const { clock, a, b } = pair(16 << 10);
    a.configure(settings({ priority: 150 }));
    b.configure(settings());
    for (let round = 0, done = 0; round < 200; round++) {
      if (round % 40 === 20) b.isPlugged = !b.isPlugged;
      clock.advance(10 * SECOND);
      done = acknowledge(b, done);
    }
    const { segments } = replayed(b);
    assert.ok(segments > 4, `${segments} segments`);
  });

  test('that takes nothing any more costs the recording a gap, and the memory nothing', () => {
    const { clock, a, b } = pair();
    a.configure(settings({ priority: 150, interval: 10_000 }));
    b.configure(settings({ interval: 10_000 }));
    clock.advance(900 * SECOND);
    const kept = chunksOf(b).reduce((sum, { lines }) => sum + lines.length, 0);
    assert.ok(kept > 1 << 20 && kept < 1.2 * (1 << 20), `${kept} characters`);
    const before = chunksOf(b).length;
    acknowledge(b, 0);
    b.isPlugged = false;
    clock.advance(SECOND);
    const after = chunksOf(b).slice(before);
    assert.equal(after[0]?.begins?.reason, 'lost');
    const report = replayText(textOf(chunksOf(b)));
    assert.deepEqual(report.differences, []);
    assert.match(report.remarks.join(), /something is missing before segment \d+ \(the worker could not keep up/);
    assert.equal(report.transitions.at(-1)?.transition.to, 'active');
  });

  test('that could not write is given a new segment when it tries again', () => {
    const { clock, a } = pair();
    a.configure(settings());
    clock.advance(5 * SECOND);
    a.tell({ kind: 'recordingTaken', characters: 0, again: true });
    clock.advance(5 * SECOND);
    assert.deepEqual(
      chunksOf(a).flatMap(({ begins }) => begins?.reason ?? []),
      ['start', 'lost'],
    );
  });

  test('that died is followed by one that gets a segment of its own', () => {
    const { clock, a } = pair();
    a.configure(settings());
    clock.advance(5 * SECOND);
    const port = a.port();
    a.election.attach(port);
    clock.advance(5 * SECOND);
    const reasons = chunksOf(a).flatMap(({ begins }) => begins?.reason ?? []);
    assert.deepEqual(reasons, ['start', 'worker']);
    assert.deepEqual(replayText(textOf(chunksOf(a))).differences, []);
  });
});

test('an election that is not recorded says nothing of a recording', () => {
  const clock = new VirtualClock();
  const host = new VirtualHost('a', new VirtualLan(clock), ['10.0.0.1/24']);
  host.configure(settings());
  clock.advance(10 * SECOND);
  host.tell({ kind: 'recordingTaken', characters: 1, again: true });
  assert.deepEqual(chunksOf(host), []);
});

test('what is secret in the settings is not in the recording', () => {
  const { clock, a } = pair();
  const key = new Uint8Array(32).fill(0x5e);
  const hmac = {
    keys: [{ id: 1, key }],
    activeKey: 1,
    replayGuard: 'monotonic',
    timeWindow: 0,
    mode: 'enforce',
  } as const;
  const password = new TextEncoder().encode('pg-vrrp\0');
  assert.deepEqual(a.configure(settings({ more: { hmac } })), []);
  clock.advance(5 * SECOND);
  a.configure(settings({ version: 2, more: { password } }));
  clock.advance(5 * SECOND);
  const text = textOf(chunksOf(a));
  assert.ok(text.length > 500);
  assert.doesNotMatch(text, /pg-vrrp|hmac|password|"keys?"|94,94|XleX|5e5e/i);
});
