import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { settings } from './router-settings.js';
import { VirtualClock } from './virtual-clock.js';
import { VirtualHost, VirtualLan } from './virtual-host.js';

const SECOND = 1_000_000;
const VIP = '10.0.0.100';
const DOWN_100 = 3_609_375;

function lan() {
  const clock = new VirtualClock();
  const network = new VirtualLan(clock);
  const host = (name: string, address: string) => new VirtualHost(name, network, [`${address}/24`]);
  return { clock, host };
}

function active(options = {}) {
  const { clock, host } = lan();
  const a = host('a', '10.0.0.1');
  a.configure(settings(options));
  clock.advance(DOWN_100);
  assert.equal(a.router().state, 'active');
  a.takeLog();
  return { a, clock, host };
}

describe('a router that goes on', () => {
  test('under another name keeps its state and its addresses', () => {
    const { a } = active();
    const before = a.occurrences('transition').length;
    a.configure(settings({ name: 'renamed' }));
    assert.equal(a.router('renamed').state, 'active');
    assert.equal(a.occurrences('transition').length, before);
    assert.deepEqual(a.takeLog(), []);
  });

  test('with one that took its former name: each keeps what is its own', () => {
    const { clock, host } = lan();
    const a = host('a', '10.0.0.1');
    a.configure(settings({ name: 'x', vrid: 1 }), settings({ name: 'y', vrid: 2, addresses: ['10.0.0.102'] }));
    clock.advance(DOWN_100);
    a.takeLog();
    a.configure(settings({ name: 'y', vrid: 1 }), settings({ name: 'x', vrid: 2, addresses: ['10.0.0.102'] }));
    assert.deepEqual(a.takeLog(), []);
    assert.deepEqual(a.router('y').heldAddresses, [`${VIP}/32`]);
    assert.deepEqual(a.router('x').heldAddresses, ['10.0.0.102/32']);
  });

  test('whose address is excluded now keeps it all the same', () => {
    const { a } = active({ addresses: [VIP, '10.0.0.101'] });
    a.configure(settings({ addresses: [VIP], excluded: ['10.0.0.101'] }));
    assert.ok(!a.takeLog().some((line) => line.startsWith('delete')));
    assert.deepEqual(a.router().excludedAddresses, ['10.0.0.101/32']);
    assert.ok(a.holds('10.0.0.101'));
  });

  test('goes on announcing on other interfaces now and then', () => {
    const { clock, host } = lan();
    const a = host('a', '10.0.0.1');
    a.addLink('em2');
    const withPriority = (priority: number, extraRefresh: number) => ({
      ...settings({ priority, more: { extraRefresh, extraRefreshAll: true } }),
      excludedAddresses: [{ address: '10.1.0.100', prefixLength: 32, device: 'em2' }],
    });
    const announced = () => a.takeLog().filter((line) => line === 'arp 10.1.0.100 x1').length;
    a.configure(withPriority(100, 0));
    clock.advance(DOWN_100);
    assert.equal(announced(), 1);
    for (const [priority, extraRefresh, times] of [
      [100, 10 * SECOND, 2],
      // 5 s after the last one: a change does not begin the interval anew.
      [110, 10 * SECOND, 3],
      [110, 3 * SECOND, 8],
      [110, 0, 0],
    ] as const) {
      a.configure(withPriority(priority, extraRefresh));
      clock.advance(25 * SECOND);
      assert.equal(announced(), times);
    }
  });
});

describe('a router that goes', () => {
  test('hands over to the other host without a gap, though the configuration is in force at once', () => {
    const { clock, host } = lan();
    const [a, b] = [host('a', '10.0.0.1'), host('b', '10.0.0.2')];
    a.configure(settings({ priority: 150 }));
    b.configure(settings({ priority: 100, preempt: false }));
    clock.advance(6 * SECOND);
    a.configure(settings({ name: 'other', vrid: 20, addresses: ['10.0.0.120'] }));
    assert.equal(a.router('other').state, 'backup');
    let gap = false;
    for (let step = 0; step < 1500; step += 1) {
      clock.advance(1_000);
      gap ||= !a.holds(VIP) && !b.holds(VIP);
    }
    assert.equal(gap, false);
    assert.ok(!a.holds(VIP) && b.holds(VIP));
    assert.deepEqual(
      a.status().routers.map(({ name }) => name),
      ['other'],
    );
  });

  test('is waited for by the one that is called the same, or wants its address', () => {
    for (const next of [settings({ vrid: 11 }), settings({ name: 'next', vrid: 12 })]) {
      const { a, clock } = active();
      a.configure(next);
      assert.deepEqual(a.takeLog(), ['advert 0']);
      assert.ok(a.holds(VIP));
      clock.advance(4 * SECOND);
      assert.equal(a.router(next.router.name).state, 'backup');
      assert.equal(a.router(next.router.name).vrid, next.router.vrid);
      clock.advance(DOWN_100);
      assert.equal(a.router(next.router.name).state, 'active');
      assert.ok(a.holds(VIP));
    }
  });

  test('whose address another one has from now on gives it up at once, and it stays where it is wanted', () => {
    const { clock, host } = lan();
    const a = host('a', '10.0.0.1');
    a.configure(settings({ name: 'r1', vrid: 1 }), settings({ name: 'r2', vrid: 2, addresses: ['10.0.0.102'] }));
    clock.advance(DOWN_100);
    a.configure(settings({ name: 'r2', vrid: 2, addresses: ['10.0.0.102', VIP] }));
    assert.ok(a.holds(VIP));
    assert.deepEqual(a.router('r2').heldAddresses, ['10.0.0.102/32', `${VIP}/32`]);
    clock.advance(10 * SECOND);
    assert.ok(a.holds(VIP));
  });

  test('gives an address up while it hands over, if one that goes on is to have it after all', () => {
    for (const leased of [true, false]) {
      const { clock, host } = lan();
      const a = host('a', '10.0.0.1');
      const other = (...addresses: string[]) => settings({ name: 'r2', vrid: 2, addresses, leased });
      a.configure(settings({ name: 'r1', vrid: 1, leased }), other('10.0.0.102'));
      clock.advance(DOWN_100);
      a.configure(other('10.0.0.102'));
      clock.advance(SECOND);
      a.takeLog();
      a.configure(other('10.0.0.102', VIP));
      const log = a.takeLog();
      assert.ok(log.indexOf(`delete ${VIP}/32`) < log.findIndex((line) => line.startsWith(`add ${VIP}`)), log.join());
      assert.ok(log.includes(`arp ${VIP} x1`), log.join());
      for (let passed = 0; passed < 10; passed += 1) {
        clock.advance(SECOND);
        assert.ok(a.holds(VIP));
      }
      assert.equal(a.takeLog().filter((line) => line.startsWith('delete')).length, 0);
    }
  });

  test('and is wanted again before it has left goes on as active', () => {
    const { a, clock } = active();
    a.configure();
    clock.advance(SECOND);
    a.takeLog();
    a.configure(settings());
    assert.equal(a.router().state, 'active');
    assert.equal(a.router().handingOver, false);
    assert.deepEqual(a.takeLog(), ['advert 100']);
    clock.advance(10 * SECOND);
    assert.ok(a.holds(VIP));
  });

  test('is followed by one that knows the state of its checks, which is not told again', () => {
    const tracks = [{ id: 'check web', weight: 0, reverse: false }];
    const { clock, host } = lan();
    const a = host('a', '10.0.0.1');
    a.configure(settings({ tracks }));
    a.tell({ kind: 'track', id: 'check web', state: 'up' });
    clock.advance(DOWN_100);
    assert.equal(a.router().state, 'active');
    a.configure(settings({ tracks, version: 2 }));
    clock.advance(5 * SECOND);
    assert.equal(a.router().state, 'backup');
    clock.advance(DOWN_100);
    assert.equal(a.router().state, 'active');
  });

  test('is ended along with everything else', async () => {
    const { a, clock } = active();
    a.configure(settings({ name: 'next', vrid: 12 }));
    a.election.shutdown(true);
    clock.advance(4 * SECOND);
    await a.election.stopped;
    assert.ok(!a.holds(VIP));
    assert.equal(a.messages.at(-1)?.kind, 'stopped');
  });
});
