import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { describe, test } from 'node:test';
import { advertPacket } from '../lab/packet.js';
import { settings } from './router-settings.js';
import { VirtualClock } from './virtual-clock.js';
import { VirtualHost, VirtualLan } from './virtual-host.js';

const SECOND = 1_000_000;
const VIP = '10.0.0.100';
const DOWN_100 = 3_609_375;

function host(options = {}) {
  const clock = new VirtualClock();
  const a = new VirtualHost('a', new VirtualLan(clock), ['10.0.0.1/24'], options);
  return { a, clock };
}

function heard(more: object = {}) {
  return advertPacket({ source: '10.0.0.7', vrid: 10, priority: 1, addresses: [VIP], interval: 100, ...more });
}

describe('dropped advertisements', () => {
  test('are counted by reason, told at once and then by the minute', () => {
    const { a, clock } = host();
    a.configure(settings());
    for (let i = 0; i < 5; i += 1) a.receive(heard({ checksum: 'wrong' }));
    a.receive(heard({ ttl: 254 }));
    const told = () => a.occurrences('rejected').map(({ reason, source, count }) => [reason, source, count]);
    assert.deepEqual(told(), [
      ['bad-checksum', '10.0.0.7', 1],
      ['bad-ttl', '10.0.0.7', 1],
    ]);
    assert.equal(a.router().counters['rejected.bad-checksum'], 5);
    clock.advance(60 * SECOND);
    assert.deepEqual(told().slice(2), [['bad-checksum', '10.0.0.7', 4]]);
    clock.advance(120 * SECOND);
    assert.equal(told().length, 3);
    a.receive(heard({ checksum: 'wrong' }));
    assert.deepEqual(told().slice(3), [['bad-checksum', '10.0.0.7', 1]]);
  });

  test('from ever new sources take a bounded number of reports', () => {
    const { a } = host();
    a.configure(settings());
    for (let i = 0; i < 2000; i += 1) {
      a.receive(heard({ source: `10.0.0.${2 + (i % 250)}`, checksum: 'wrong' }));
      a.receive(heard({ source: `10.1.${i % 250}.7` }));
    }
    const told = a.occurrences('rejected');
    // One row for each source until there is no more room, then one for all others and each reason.
    assert.equal(told.length, 256 + 2);
    assert.equal(told.filter(({ source }) => source === 'others').length, 2);
    assert.equal(a.router().counters['rejected.bad-checksum'], 2000);
  });

  test('for no router of ours are counted at the interface', () => {
    const { a } = host();
    a.configure(settings());
    a.receive(heard({ vrid: 77 }));
    a.receive(heard({ truncateTo: 0 }));
    const [em1] = a.status().interfaces;
    assert.equal(em1?.counters['unknown-vrid'], 1);
    assert.equal(em1?.counters['truncated'], 1);
    const logs = a.occurrences('log').map(({ level, fields }) => [level, fields['iface']]);
    assert.deepEqual(logs, [['warn', 'em1']]);
    assert.equal(a.occurrences('unknownVrid').length, 1);
  });
});

test('a send that fails is counted and told once, and the election goes on', () => {
  const { a, clock } = host();
  a.configure(settings());
  a.sendFails = constants.errno.ENOBUFS;
  clock.advance(DOWN_100 + 3 * SECOND);
  assert.equal(a.router().state, 'active');
  assert.equal(a.router().counters['errors.advertisements.ENOBUFS'], 4);
  assert.equal(a.occurrences('log').length, 1);
  assert.match(a.occurrences('log')[0]?.message ?? '', /could not be sent/);
  clock.advance(60 * SECOND);
  assert.ok(Number(a.occurrences('log')[1]?.fields['count']) > 50);
});

test('a fault of the program while carrying out one effect stops neither the rest nor the other routers', () => {
  const { a, clock } = host();
  a.announceBreaks = true;
  a.configure(settings(), settings({ name: 's', vrid: 11, addresses: ['10.0.0.101'] }));
  clock.advance(DOWN_100);
  assert.deepEqual(
    a.takeLog().filter((line) => line.startsWith('advert')),
    ['advert 100', 'advert 100'],
  );
  assert.deepEqual([a.router('r').cause, a.router('s').cause], ['active-down', 'active-down']);
  clock.advance(10 * SECOND);
  assert.equal(a.takeLog().filter((line) => line.startsWith('advert')).length, 20);
  const [told] = a.occurrences('log');
  assert.match(told?.message ?? '', /fault of the program/);
  assert.match(String(told?.fields['detail']), /TypeError: a fault of the program/);
});

test('the table of peers is bounded', () => {
  const { a } = host();
  a.configure(settings());
  for (let i = 0; i < 200; i += 1) a.receive(heard({ source: `10.0.0.${2 + i}`, priority: 200 }));
  assert.equal(a.router().peers.length, 32);
  assert.ok(a.router().peers.some(({ address }) => address === '10.0.0.201'));
});

describe('a worker that does not listen', () => {
  test('yet is told everything when it does, oldest first', () => {
    const { a, clock } = host({ ready: false });
    a.configure(settings());
    clock.advance(DOWN_100);
    assert.deepEqual(a.occurrences('transition'), []);
    a.tell({ kind: 'workerReady' });
    assert.deepEqual(
      a.occurrences('transition').map(({ to }) => to),
      ['backup', 'active'],
    );
  });

  test('never makes what is kept grow without bound, and transitions outlive the rest', () => {
    const { a, clock } = host({ ready: false });
    a.configure(settings());
    clock.advance(DOWN_100);
    for (let i = 0; i < 6000; i += 1) {
      a.receive(heard());
      clock.sleep(SECOND);
      a.receive(heard());
    }
    a.tell({ kind: 'workerReady' });
    const kept = a.messages.filter(({ kind }) => kind === 'occurrence');
    assert.ok(kept.length <= 4097, `${kept.length} were kept`);
    assert.ok(a.occurrences('transition').length >= 2);
    assert.match(a.occurrences('log').at(-1)?.message ?? '', /dropped/);
  });

  test('any more, because it died, does not matter; its successor is told what happened meanwhile', () => {
    const { a, clock } = host({ ready: false });
    const dead = {
      postMessage: () => {
        throw new Error('the worker is gone');
      },
      on: () => undefined,
    };
    a.configure(settings());
    a.election.attach(dead);
    clock.advance(DOWN_100);
    assert.equal(a.holds(VIP), true);
    a.election.detach(dead);
    clock.advance(SECOND);
    a.election.attach(a.port());
    a.tell({ kind: 'workerReady' });
    assert.deepEqual(
      a.occurrences('transition').map(({ to }) => to),
      ['backup', 'active'],
    );
  });
});

describe('a planned stop', () => {
  test('hands over: addresses stay until the successor has announced them', async () => {
    const clock = new VirtualClock();
    const network = new VirtualLan(clock);
    const [a, b] = [new VirtualHost('a', network, ['10.0.0.1/24']), new VirtualHost('b', network, ['10.0.0.2/24'])];
    a.configure(settings({ priority: 150 }));
    b.configure(settings({ priority: 100, preempt: false }));
    clock.advance(6 * SECOND);
    a.takeLog();
    a.election.shutdown(true);
    assert.deepEqual(a.takeLog(), ['advert 0']);
    assert.equal(a.router().handingOver, true);
    let gap = false;
    for (let step = 0; step < 1500; step += 1) {
      clock.advance(1_000);
      gap ||= !a.holds(VIP) && !b.holds(VIP);
    }
    assert.equal(gap, false);
    assert.ok(!a.holds(VIP) && b.holds(VIP));
    const last = a.messages.at(-1);
    assert.equal(last?.kind, 'stopped');
    const [ended] = last?.kind === 'stopped' ? last.status.routers : [];
    assert.deepEqual([ended?.state, ended?.cause, ended?.heldAddresses], ['initialize', 'handed-over', []]);
    assert.equal(a.openSockets, 0);
    await a.election.stopped;
    assert.deepEqual(
      a
        .occurrences('transition')
        .slice(-1)
        .map(({ to, cause }) => [to, cause]),
      [['initialize', 'handed-over']],
    );
  });

  test('without a successor ends after a down interval; a second call does not wait', () => {
    const { a, clock } = host();
    a.configure(settings());
    clock.advance(DOWN_100);
    a.tell({ kind: 'shutdown', handover: true });
    clock.advance(SECOND);
    assert.ok(a.holds(VIP));
    assert.deepEqual(a.configure(settings()), [{ path: '', reason: 'the agent is stopping' }]);
    a.election.shutdown(false);
    assert.ok(!a.holds(VIP));
    assert.equal(a.messages.at(-1)?.kind, 'stopped');
  });

  test('of a host that runs nothing is over at once', () => {
    const { a } = host();
    a.election.shutdown(true);
    assert.equal(a.messages.at(-1)?.kind, 'stopped');
  });
});
