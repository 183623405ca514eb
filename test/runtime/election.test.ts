import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { advertPacket } from '../lab/packet.js';
import { settings } from './router-settings.js';
import { VirtualClock } from './virtual-clock.js';
import { VirtualHost, VirtualLan } from './virtual-host.js';

const SECOND = 1_000_000;
const VIP = '10.0.0.100';
/** 3 s and the skew of priority 100: (256 - 100) / 256 s. */
const DOWN_100 = 3_609_375;

function lan() {
  const clock = new VirtualClock();
  const network = new VirtualLan(clock);
  const host = (name: string, address: string, options = {}) =>
    new VirtualHost(name, network, [`${address}/24`], options);
  return { clock, host };
}

/** An advertisement of VRID 10 from elsewhere. */
function heard(priority: number, source = '10.0.0.7', more = {}) {
  return advertPacket({ source, vrid: 10, priority, addresses: [VIP], interval: 100, ...more });
}

describe('becoming active', () => {
  test('after a silent down interval: adds, announces, advertises, in this order', () => {
    const { clock, host } = lan();
    const a = host('a', '10.0.0.1');
    assert.deepEqual(a.configure(settings()), []);
    assert.equal(a.router().state, 'backup');
    clock.advance(DOWN_100 - 1);
    assert.equal(a.router().state, 'backup');
    assert.deepEqual(a.takeLog(), []);
    clock.advance(1);
    assert.equal(a.router().state, 'active');
    assert.deepEqual(a.takeLog(), [`add ${VIP}/32 3`, `arp ${VIP} x1`, 'advert 100']);
    const [last] = a.occurrences('transition').slice(-1);
    assert.deepEqual(
      { from: last?.from, to: last?.to, cause: last?.cause, priority: last?.effectivePriority },
      { from: 'backup', to: 'active', cause: 'active-down', priority: 100 },
    );
  });

  test('two hosts: the higher priority is active, dies, and the other takes over within its down interval', () => {
    const { clock, host } = lan();
    const [a, b] = [host('a', '10.0.0.1'), host('b', '10.0.0.2')];
    a.configure(settings({ priority: 150 }));
    b.configure(settings({ priority: 100 }));
    clock.advance(6 * SECOND);
    assert.equal(a.router().state, 'active');
    assert.equal(b.router().state, 'backup');
    assert.deepEqual(b.router().activeRouter, { address: '10.0.0.1', priority: 150 });
    assert.equal(b.router().peers[0]?.checksumForm, 'pseudo_header');
    assert.ok(a.holds(VIP) && !b.holds(VIP));
    a.crash();
    clock.advance(DOWN_100);
    assert.equal(b.router().state, 'active');
    assert.ok(b.holds(VIP));
  });

  test('a timer that fires while an advertisement waits in the socket does not take over', () => {
    const { clock, host } = lan();
    const a = host('a', '10.0.0.1');
    a.configure(settings());
    clock.arrive(clock.now() + DOWN_100, () => a.receive(heard(120)));
    clock.advance(DOWN_100);
    assert.deepEqual(
      a.occurrences('transition').map(({ to }) => to),
      ['backup'],
    );
    assert.equal(a.router().counters['advertisements-received'], 1);
  });
});

describe('leases', () => {
  test('are renewed for all routers that are due in one request', () => {
    const { clock, host } = lan();
    const a = host('a', '10.0.0.1');
    a.configure(
      settings({ name: 'r1', vrid: 1, addresses: ['10.0.0.101', '10.0.0.102'] }),
      settings({ name: 'r2', vrid: 2, addresses: ['10.0.0.103'] }),
    );
    clock.advance(DOWN_100);
    a.requests.length = 0;
    clock.advance(2 * SECOND);
    assert.deepEqual(a.requests[0], { kind: 'renew', count: 3 });
    assert.equal(a.router('r1').counters['renewals'], 2 * a.requests.length);
    clock.advance(60 * SECOND);
    assert.ok(a.holds('10.0.0.101') && a.holds('10.0.0.103'));
    assert.equal(a.occurrences('address').length, 0);
  });

  test('off: addresses are for ever and never renewed', () => {
    const { clock, host } = lan();
    const a = host('a', '10.0.0.1');
    a.configure(settings({ leased: false }));
    clock.advance(DOWN_100);
    assert.ok(a.takeLog().includes(`add ${VIP}/32 forever`));
    clock.advance(30 * SECOND);
    assert.ok(!a.takeLog().some((line) => line.startsWith('renew')));
  });

  test('a dead host loses its addresses by its lease', () => {
    const { clock, host } = lan();
    const a = host('a', '10.0.0.1');
    a.configure(settings());
    clock.advance(DOWN_100 + 2 * SECOND);
    a.crash();
    clock.advance(3 * SECOND - 1);
    assert.ok(a.holds(VIP), 'renewed a moment before its death');
    clock.advance(1);
    assert.ok(!a.holds(VIP));
  });
});

describe('a pause of the thread', () => {
  test('steps down before the packets that were queued meanwhile, whatever comes first', () => {
    const { clock, host } = lan();
    const a = host('a', '10.0.0.1');
    a.configure(settings({ name: 'r1', vrid: 10 }), settings({ name: 'r2', vrid: 11, addresses: ['10.0.0.101'] }));
    clock.advance(DOWN_100);
    a.takeLog();
    clock.sleep(10 * SECOND);
    // A packet of lower priority for one router: an active one would answer it with an advertisement.
    a.receive(heard(1));
    assert.deepEqual(
      a.takeLog().filter((line) => !line.startsWith('delete')),
      [],
    );
    assert.deepEqual(
      a.occurrences('leaseLost').map(({ router, away }) => [router, away]),
      [
        ['r1', 10 * SECOND],
        ['r2', 10 * SECOND],
      ],
    );
    assert.equal(a.router('r1').state, 'backup');
    assert.equal(a.router('r2').state, 'backup');
    assert.ok(!a.holds(VIP));
  });

  test('shorter than lease and down interval changes nothing', () => {
    const { clock, host } = lan();
    const a = host('a', '10.0.0.1');
    a.configure(settings());
    clock.advance(DOWN_100);
    clock.sleep(2_900_000);
    clock.advance(0);
    assert.equal(a.router().state, 'active');
    assert.equal(a.status().lag.max, 1_900_000);
  });
});

describe('configuration', () => {
  test('is refused as a whole: nothing of it runs', () => {
    const { clock, host } = lan();
    const a = host('a', '10.0.0.1');
    const problems = a.configure(
      settings({ name: 'good', vrid: 1, addresses: ['10.0.0.101'] }),
      settings({ name: 'bad', vrid: 1, addresses: ['10.0.0.102'] }),
    );
    assert.deepEqual(
      problems.map(({ path }) => path),
      ['routers[bad].vrid'],
    );
    clock.advance(10 * SECOND);
    assert.deepEqual(a.status().routers, []);
    assert.deepEqual(a.takeLog(), []);
  });

  test('the same again, and a change of a track, disturb nothing', () => {
    const { clock, host } = lan();
    const a = host('a', '10.0.0.1');
    a.configure(settings());
    clock.advance(DOWN_100);
    a.takeLog();
    const before = a.occurrences('transition').length;
    a.configure(settings());
    assert.deepEqual(a.takeLog(), []);
    a.configure(settings({ tracks: [{ id: 'check web', weight: 5, reverse: false }] }));
    assert.deepEqual(a.takeLog(), []);
    assert.equal(a.occurrences('transition').length, before);
    assert.equal(a.router().state, 'active');
  });

  test('of other addresses moves only those', () => {
    const { clock, host } = lan();
    const a = host('a', '10.0.0.1');
    a.configure(settings({ addresses: ['10.0.0.101', '10.0.0.102'] }));
    clock.advance(DOWN_100);
    a.takeLog();
    a.configure(settings({ addresses: ['10.0.0.102', '10.0.0.103'] }));
    const log = a.takeLog();
    assert.deepEqual(
      log.filter((line) => !line.startsWith('arp') && !line.startsWith('advert')),
      ['delete 10.0.0.101/32', 'add 10.0.0.103/32 3'],
    );
    assert.ok(log.includes('arp 10.0.0.103 x1'));
    a.configure(settings({ addresses: ['10.0.0.102/24', '10.0.0.103'] }));
    assert.deepEqual(a.takeLog(), ['delete 10.0.0.102/32', 'add 10.0.0.102/24 3', 'arp 10.0.0.102 x1']);
    assert.equal(a.router().state, 'active');
    assert.equal(a.occurrences('address').length, 0);
  });

  test('that moves an address between running routers leaves it where it is wanted', () => {
    for (const leased of [true, false]) {
      const { clock, host } = lan();
      const a = host('a', '10.0.0.1');
      const configure = (first: readonly string[], second: readonly string[]) =>
        a.configure(
          settings({ name: 'r1', vrid: 1, leased, addresses: first }),
          settings({ name: 'r2', vrid: 2, leased, addresses: second }),
        );
      configure(['10.0.0.101'], ['10.0.0.102', '10.0.0.103']);
      clock.advance(DOWN_100);
      configure(['10.0.0.101', '10.0.0.102'], ['10.0.0.103']);
      assert.ok(a.holds('10.0.0.102'), `from the second to the first, leased ${leased}`);
      configure(['10.0.0.102'], ['10.0.0.101', '10.0.0.103']);
      assert.ok(a.holds('10.0.0.101'), `from the first to the second, leased ${leased}`);
      assert.deepEqual(a.occurrences('address'), []);
      assert.deepEqual(a.router('r2').heldAddresses, ['10.0.0.101/32', '10.0.0.103/32']);
    }
  });

  test('without a router hands its addresses over: priority 0, and removed when nobody takes them', () => {
    const { clock, host } = lan();
    const a = host('a', '10.0.0.1');
    a.configure(settings());
    clock.advance(DOWN_100);
    a.takeLog();
    assert.deepEqual(a.configure(), []);
    assert.deepEqual(a.takeLog(), ['advert 0']);
    assert.equal(a.router().handingOver, true);
    clock.advance(4 * SECOND);
    assert.ok(a.takeLog().includes(`delete ${VIP}/32`));
    assert.deepEqual(a.status().routers, []);
    assert.equal(a.openSockets, 1);
  });

  test('a check that was already judged counts for a router that comes later', () => {
    const { host } = lan();
    const a = host('a', '10.0.0.1');
    a.tell({ kind: 'track', id: 'check web', state: 'down' });
    a.configure(settings({ tracks: [{ id: 'check web', weight: -30, reverse: false }] }));
    assert.equal(a.router().effectivePriority, 70);
    a.tell({ kind: 'track', id: 'check web', state: 'up' });
    assert.equal(a.router().effectivePriority, 100);
  });

  test('that renews leases and brings a fault at once leaves no address behind', () => {
    const { clock, host } = lan();
    const a = host('a', '10.0.0.1');
    a.configure(settings());
    clock.advance(DOWN_100);
    a.tell({ kind: 'track', id: 'check web', state: 'down' });
    a.configure(settings({ interval: 2 * SECOND, tracks: [{ id: 'check web', weight: 0, reverse: false }] }));
    assert.equal(a.router().state, 'fault');
    assert.ok(!a.holds(VIP));
  });

  test('a check without a result holds the start', () => {
    const { host } = lan();
    const a = host('a', '10.0.0.1');
    a.configure(settings({ tracks: [{ id: 'check web', weight: 0, reverse: false }] }));
    assert.equal(a.router().state, 'initialize');
    assert.deepEqual(a.router().holdReasons, ['check web has no result yet']);
    a.tell({ kind: 'track', id: 'check web', state: 'up' });
    assert.equal(a.router().state, 'backup');
  });
});

describe('leftovers of a former run', () => {
  test('are removed at the start of a backup, and told', () => {
    const { host } = lan();
    const a = host('a', '10.0.0.1');
    a.addAddress('em1', `${VIP}/32`, 2);
    a.lan.clock.settle();
    a.configure(settings());
    assert.ok(!a.holds(VIP));
    assert.deepEqual(
      a.occurrences('address').map(({ change, address }) => [change, address]),
      [['leftover-removed', `${VIP}/32`]],
    );
  });

  test('are adopted by a router that starts as active', () => {
    const { host } = lan();
    const a = host('a', '10.0.0.1');
    a.addAddress('em1', `${VIP}/32`, 2);
    a.lan.clock.settle();
    a.configure(settings({ priority: 255 }));
    assert.equal(a.router().state, 'active');
    assert.deepEqual(
      a.occurrences('address').map(({ change }) => change),
      ['leftover-adopted'],
    );
    assert.deepEqual(a.router().heldAddresses, [`${VIP}/32`]);
  });

  test("are not what is the host's only address: a wrong configuration must not cut it off", () => {
    const { host } = lan();
    const a = host('a', '10.0.0.100');
    a.configure(settings({ addresses: ['10.0.0.100/24'] }));
    assert.ok(a.holds('10.0.0.100'));
    assert.deepEqual(a.router().holdReasons, ['source address failed']);
  });

  test('but are removed as soon as the host has another address', () => {
    const { clock, host } = lan();
    const a = host('a', '10.0.0.100');
    a.configure(settings({ addresses: ['10.0.0.100/24'] }));
    clock.advance(5 * SECOND);
    a.addAddress('em1', '10.0.0.1/24');
    clock.settle();
    assert.ok(!a.holds('10.0.0.100'));
    assert.deepEqual(
      a.occurrences('address').map(({ change, address }) => [change, address]),
      [['leftover-removed', '10.0.0.100/24']],
    );
    // One that comes later is somebody's, not a former run's.
    a.addAddress('em1', '10.0.0.100/24');
    clock.settle();
    assert.ok(a.holds('10.0.0.100'));
    assert.equal(a.router().state, 'backup');
  });

  test("an owner's own permanent address is never leased nor removed", () => {
    const { clock, host } = lan();
    const a = host('a', '10.0.0.100');
    a.configure(settings({ priority: 255, addresses: ['10.0.0.100/24'] }));
    assert.equal(a.router().state, 'active');
    assert.equal(a.router().sourceAddress, '10.0.0.100');
    clock.advance(10 * SECOND);
    a.configure();
    assert.ok(a.holds('10.0.0.100'));
    assert.ok(!a.takeLog().some((line) => /^(add|renew|delete)/.test(line)));
  });
});
