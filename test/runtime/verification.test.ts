/** What the routers that are not active see of who answers for the addresses. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { settings } from './router-settings.js';
import { VirtualClock } from './virtual-clock.js';
import { VirtualHost, VirtualLan } from './virtual-host.js';

const SECOND = 1_000_000;
const VIP = '10.0.0.100';
const EVERY = 10 * SECOND;
const STRANGER = Uint8Array.of(2, 0, 0, 0, 0, 0x99);
/** Of em1 of every virtual host. */
const MAC = '02:00:00:00:00:02';

function verifying(options: Parameters<typeof settings>[0] = {}) {
  return settings({ ...options, more: { verifyInterval: EVERY, ...options.more } });
}

/** `a` is active, `b` looks on. */
function pair(options: Parameters<typeof settings>[0] = {}, addresses = ['10.0.0.1/24', '10.0.0.2/24']) {
  const clock = new VirtualClock();
  const lan = new VirtualLan(clock);
  const a = new VirtualHost('a', lan, addresses.slice(0, 1));
  const b = new VirtualHost('b', lan, addresses.slice(1));
  // Two hosts have two MAC addresses.
  const em1 = b.links.get('em1');
  if (em1 !== undefined) b.links.set('em1', { ...em1, hardwareAddress: Uint8Array.of(2, 0, 0, 0, 1, 2) });
  b.restart();
  a.configure(settings({ ...options, priority: 150 }));
  clock.advance(5 * SECOND);
  b.configure(verifying(options));
  clock.advance(SECOND);
  assert.deepEqual([a.router().state, b.router().state], ['active', 'backup']);
  b.takeLog();
  return { clock, lan, a, b };
}

function asked(host: VirtualHost): readonly string[] {
  return host.takeLog().filter((line) => line.includes('ask ') || line.startsWith('probe '));
}

function notices(host: VirtualHost): readonly string[] {
  return host.occurrences('notice').map(({ notice }) => notice);
}

describe('a backup', () => {
  test('asks for the active router and the addresses now and then, and sees one and the same answer', () => {
    const { clock, a, b } = pair();
    clock.advance(4 * EVERY);
    const questions = asked(b);
    assert.deepEqual(questions.slice(0, 2), ['probe 10.0.0.1', `probe ${VIP}`]);
    assert.equal(questions.length, 6, questions.join());
    const [sighting, ...others] = b.router().sightings;
    assert.deepEqual(others, []);
    assert.deepEqual([sighting?.address, sighting?.macs, sighting?.asExpected], [VIP, [MAC], true]);
    assert.ok(clock.wallMs() - (sighting?.lastWallMs ?? 0) <= 10_000);
    assert.equal(b.router().counters['verifications'], questions.length);
    assert.deepEqual(asked(a), [], 'the active router does not ask');
    assert.deepEqual(notices(b), []);
  });

  test('asks for nothing where that is off', () => {
    const { clock, b } = pair({ more: { verifyInterval: 0 } });
    clock.advance(10 * EVERY);
    assert.deepEqual(asked(b), []);
    assert.deepEqual(b.router().sightings, []);
  });

  test('over IPv6 asks from its own address, so that nobody takes it for a search for duplicates', () => {
    const { clock, b } = pair({ addresses: ['fe80::100', '2001:db8::100'] }, ['fe80::1/64', 'fe80::2/64']);
    clock.advance(3 * EVERY);
    const from = 'from fe80::2 ask';
    assert.deepEqual(asked(b).slice(0, 3), [`${from} fe80::1`, `${from} fe80::100`, `${from} 2001:db8::100`]);
    assert.deepEqual(
      b.router().sightings.map(({ address, macs, asExpected }) => [address, macs, asExpected]),
      [
        ['fe80::100', [MAC], true],
        ['2001:db8::100', [MAC], true],
      ],
    );
  });

  test('tells of an address that nobody answers for, when it has asked twice, once until it changes', () => {
    const { clock, a, b } = pair();
    clock.advance(2 * EVERY);
    a.isSilent = true;
    clock.advance(EVERY);
    assert.deepEqual(notices(b), []);
    assert.equal(b.router().sightings[0]?.asExpected, false);
    clock.advance(EVERY);
    assert.deepEqual(notices(b), ['address-unanswered']);
    const [notice] = b.occurrences('notice');
    assert.equal(notice?.sentence, `nobody answers for ${VIP}, though 10.0.0.1 advertises that it is active`);
    clock.advance(20 * EVERY);
    assert.equal(notices(b).length, 1);
    a.isSilent = false;
    clock.advance(2 * EVERY);
    assert.equal(b.router().sightings[0]?.asExpected, true);
    a.isSilent = true;
    clock.advance(3 * EVERY);
    assert.equal(notices(b).length, 2);
    assert.equal(b.router().counters['notices.address-unanswered'], 2);
  });

  test('tells of another one that answers besides the active router or instead of it', () => {
    const { clock, a, b } = pair();
    clock.advance(2 * EVERY);
    const steal = () => b.claim(VIP, STRANGER, 'answer');
    // Heard in the second after the questions only.
    steal();
    clock.advance(EVERY);
    assert.deepEqual(notices(b), []);
    answerAlong(b, clock, steal);
    assert.deepEqual(notices(b), ['address-answered-by-other']);
    const [notice] = b.occurrences('notice');
    assert.equal(notice?.source, '02:00:00:00:00:99');
    assert.equal(
      notice?.sentence,
      `${MAC} and 02:00:00:00:00:99 answer for ${VIP}; the active router is 10.0.0.1, which has ${MAC}`,
    );
    assert.deepEqual(b.router().sightings[0]?.macs, [MAC, '02:00:00:00:00:99']);
    a.removeAddress(VIP);
    a.isSilent = true;
    answerAlong(b, clock, steal);
    assert.deepEqual(b.router().sightings[0]?.macs, ['02:00:00:00:00:99']);
    assert.equal(notices(b).length, 1, 'it is the same');
  });

  test('takes a virtual MAC for the virtual router itself, whoever has it', () => {
    const virtualMac = { name: 'vrrp.10', address: '00:00:5e:00:01:0a', transmitOnBase: false };
    const { clock, b } = pair({ more: { virtualMac } });
    clock.advance(3 * EVERY);
    const [sighting] = b.router().sightings;
    assert.deepEqual([sighting?.macs, sighting?.asExpected], [['00:00:5e:00:01:0a'], true]);
    assert.deepEqual(notices(b), []);
  });

  test('does not judge while who is active has just changed', () => {
    const { clock, lan, a, b } = pair();
    clock.advance(2 * EVERY);
    const c = new VirtualHost('c', lan, ['10.0.0.3/24']);
    c.configure(settings({ priority: 200 }));
    clock.advance(4 * EVERY);
    assert.equal(c.router().state, 'active');
    assert.equal(a.router().state, 'backup');
    assert.equal(b.router().sightings[0]?.asExpected, true);
    assert.ok(asked(b).includes('probe 10.0.0.3'));
    assert.deepEqual(notices(b), []);
  });

  test('asks for what a peer that it can only reach by a router has: never', () => {
    const clock = new VirtualClock();
    const lan = new VirtualLan(clock);
    const b = new VirtualHost('b', lan, ['10.0.0.2/24']);
    b.configure(verifying({ more: { peers: ['192.0.2.1'] } }));
    clock.advance(EVERY);
    assert.deepEqual(asked(b), []);
  });

  test('that becomes active has seen nothing', () => {
    const { clock, a, b } = pair();
    clock.advance(2 * EVERY);
    assert.equal(b.router().sightings.length, 1);
    a.crash();
    clock.advance(4 * SECOND);
    assert.equal(b.router().state, 'active');
    assert.deepEqual(b.router().sightings, []);
  });

  test('in fault goes on looking', () => {
    const clock = new VirtualClock();
    const lan = new VirtualLan(clock);
    const a = new VirtualHost('a', lan, ['10.0.0.1/24']);
    const b = new VirtualHost('b', lan, ['10.0.0.2/24']);
    a.configure(settings({ priority: 150 }));
    b.configure(verifying({ tracks: [{ id: 'check web', weight: 0, reverse: false }] }));
    b.tell({ kind: 'track', id: 'check web', state: 'down' });
    clock.advance(5 * EVERY);
    assert.equal(b.router().state, 'fault');
    assert.equal(b.router().sightings[0]?.asExpected, true);
  });
});

test('many routers ask no more than 50 questions a second together, and not all at once', () => {
  const clock = new VirtualClock();
  const lan = new VirtualLan(clock);
  const a = new VirtualHost('a', lan, ['10.0.0.1/24']);
  const b = new VirtualHost('b', lan, ['10.0.0.2/24']);
  const router = (vrid: number, priority: number, verifyInterval: number) =>
    settings({ name: `r${vrid}`, vrid, priority, addresses: [`10.0.1.${vrid}`], more: { verifyInterval } });
  const vrids = Array.from({ length: 100 }, (_, index) => index + 1);
  a.configure(...vrids.map((vrid) => router(vrid, 150, 0)));
  clock.advance(5 * SECOND);
  b.configure(...vrids.map((vrid) => router(vrid, 100, SECOND)));
  clock.advance(10 * SECOND);
  b.takeLog();
  for (let second = 0; second < 20; second += 1) {
    clock.advance(SECOND);
    const questions = asked(b).length;
    assert.ok(questions >= 40 && questions <= 50, `${questions} questions in a second`);
  }
  assert.ok(b.status().routers.every(({ sightings }) => sightings[0]?.asExpected === true));
  assert.deepEqual(notices(b), []);
  assert.equal(b.status().lag.max, 0, 'no timer was set to the past');
});

/** Until the next round has been judged, the stranger answers in it. */
function answerAlong(b: VirtualHost, clock: VirtualClock, answer: () => void): void {
  const before = b.router().sightings[0]?.lastWallMs;
  for (let tenths = 0; tenths < 300 && b.router().sightings[0]?.lastWallMs === before; tenths += 1) {
    answer();
    clock.advance(SECOND / 10);
  }
}
