import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { settings } from './router-settings.js';
import { VirtualClock } from './virtual-clock.js';
import { VirtualHost, VirtualLan } from './virtual-host.js';

const SECOND = 1_000_000;
const DOWN_100 = 3_609_375;
const VIP = '2001:db8::100';
const TENTATIVE = 0x40;
const DAD_FAILED = 0x08;

function lan() {
  const clock = new VirtualClock();
  const network = new VirtualLan(clock);
  const host = (name: string, ...addresses: string[]) => new VirtualHost(name, network, addresses);
  return { clock, host };
}

const v6 = (options = {}) => settings({ addresses: ['fe80::100', VIP], ...options });

describe('an IPv6 router', () => {
  test('sends from the first link-local address that is not virtual, announces by neighbour discovery', () => {
    const { clock, host } = lan();
    const a = host('a', '10.0.0.1/24', '2001:db8::1/64', 'fe80::100/64', 'fe80::1/64', 'fe80::2/64');
    a.configure(v6());
    assert.equal(a.router().sourceAddress, 'fe80::1');
    clock.advance(DOWN_100);
    assert.equal(a.router().state, 'active');
    const log = a.takeLog();
    assert.ok(log.includes(`na ${VIP} x1`), log.join());
    assert.ok(log.includes('advert 100'));
    assert.ok(a.holds(VIP));
  });

  test('goes on with its source when another address comes, until its own goes, and does not go back', () => {
    const { clock, host } = lan();
    const a = host('a', 'fe80::1/64');
    a.configure(v6());
    const sources: (string | undefined)[] = [];
    const look = () => {
      // The kernel lists the newest first; after an overrun it is asked for all of them.
      a.addresses.reverse();
      a.overrun();
      clock.advance(SECOND);
      sources.push(a.router().sourceAddress);
    };
    a.addAddress('em1', 'fe80::9/64');
    clock.settle();
    look();
    look();
    a.removeAddress('fe80::1');
    clock.settle();
    look();
    a.addAddress('em1', 'fe80::1/64');
    clock.settle();
    look();
    look();
    assert.deepEqual(sources, ['fe80::1', 'fe80::1', 'fe80::9', 'fe80::9', 'fe80::9']);
  });

  test('hears another one, and the greater source wins a tie', () => {
    const { clock, host } = lan();
    const [a, b] = [host('a', 'fe80::1/64'), host('b', 'fe80::2/64')];
    a.configure(v6());
    b.configure(v6());
    clock.advance(10 * SECOND);
    assert.deepEqual([a.router().state, b.router().state], ['backup', 'active']);
    assert.deepEqual(a.router().activeRouter, { address: 'fe80::2', priority: 100 });
    assert.equal(a.router().peers[0]?.checksumForm, undefined);
  });

  test('without a link-local address is in fault, and one that is being checked or refused is none', () => {
    const { host } = lan();
    const a = host('a', '2001:db8::1/64');
    a.configure(v6());
    assert.deepEqual(a.router().holdReasons, ['source address failed']);
    for (const [flags, state] of [
      [TENTATIVE, 'fault'],
      [TENTATIVE | DAD_FAILED, 'fault'],
      [0, 'backup'],
    ] as const) {
      a.addAddress('em1', 'fe80::9/64', 'forever', flags);
      a.lan.clock.settle();
      assert.equal(a.router().state, state, `flags ${flags}`);
    }
  });

  test('hears one whose link-local address this host has on another link', () => {
    const { clock, host } = lan();
    const [a, b] = [host('a', 'fe80::a/64'), host('b', 'fe80::b/64')];
    a.addLink('em2');
    a.addAddress('em2', 'fe80::b/64');
    a.configure(v6({ priority: 100 }));
    b.configure(v6({ priority: 200 }));
    clock.advance(10 * SECOND);
    assert.deepEqual([a.router().state, b.router().state], ['backup', 'active']);
    assert.equal(a.router().counters['rejected.own-source'], undefined);
  });

  test('sends from an address that is virtual on another link alone', () => {
    const { host } = lan();
    const a = host('a', 'fe80::a/64');
    a.addLink('em2');
    a.addAddress('em2', 'fe80::1/64');
    a.configure(
      v6({ name: 'inside', addresses: ['fe80::1'] }),
      v6({ name: 'outside', vrid: 11, interface: 'em2', addresses: ['fe80::2'] }),
    );
    assert.deepEqual([a.router('inside').sourceAddress, a.router('outside').sourceAddress], ['fe80::a', 'fe80::1']);
    assert.equal(a.router('outside').state, 'backup');
  });

  test('and an IPv4 one of the same VRID on the same interface do not know each other', () => {
    const { clock, host } = lan();
    const [a, b] = [host('a', '10.0.0.1/24', 'fe80::1/64'), host('b', '10.0.0.2/24', 'fe80::2/64')];
    a.configure(settings({ name: 'v4', priority: 150 }), v6({ name: 'v6', priority: 100 }));
    b.configure(settings({ name: 'v4', priority: 100 }), v6({ name: 'v6', priority: 150 }));
    clock.advance(10 * SECOND);
    assert.deepEqual([a.router('v4').state, a.router('v6').state], ['active', 'backup']);
    assert.deepEqual([b.router('v4').state, b.router('v6').state], ['backup', 'active']);
    assert.deepEqual(a.status().interfaces[0]?.counters['unknown-vrid'], undefined);
  });

  test('with an IPv4 address that moves along', () => {
    const { clock, host } = lan();
    const a = host('a', 'fe80::1/64');
    a.configure(v6({ excluded: ['10.0.0.100'] }));
    clock.advance(DOWN_100);
    assert.ok(a.holds('10.0.0.100') && a.holds(VIP));
    const log = a.takeLog();
    assert.ok(log.includes('arp 10.0.0.100 x1') && log.includes(`na ${VIP} x1`), log.join());
  });

  test('unicast to peers elsewhere sends from a global address', () => {
    const { host } = lan();
    const a = host('a', 'fe80::1/64', '2001:db8::1/64');
    a.configure(v6({ more: { peers: ['2001:db8:1::2'] } }));
    assert.equal(a.router().sourceAddress, '2001:db8::1');
    a.configure(v6({ more: { peers: ['fe80::2'] } }));
    assert.equal(a.router().sourceAddress, 'fe80::1');
  });
});
