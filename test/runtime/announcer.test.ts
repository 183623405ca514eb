import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Announcer } from '../../agent/runtime/announcer.js';
import type { HostNetworkSettings } from '../../agent/runtime/messages.js';
import type { RunningRouter } from '../../agent/runtime/running-router.js';
import { formatIp, type IpAddress } from '../../proto/rules/ip.js';
import { link, listener, OK, running, tableOf } from './kept.js';

const MS = 1_000;
const SECOND = 1_000_000;
const NOARP = 0x80;

function announcing() {
  const sent: string[] = [];
  const { trouble } = listener();
  const announcer = new Announcer({
    channels: {
      get: (name) => ({
        announce: (addresses: readonly IpAddress[], repeat: number, isRouter: boolean) => {
          sent.push(`${name} ${addresses.map(formatIp).join('+')} x${repeat}${isRouter ? ' router' : ''}`);
          return OK;
        },
      }),
    },
    table: tableOf(link(2, 'em1'), link(3, 'em2'), link(4, 'tun0', { flags: 0x1043 | NOARP })),
    forwardsIpv6: (name) => name === 'em2',
    trouble,
  });
  /** Lets the timer fire at its times until `end`; gives what was sent when. */
  const runUntil = (end: number) => {
    const seen: string[] = [];
    for (let turns = 0; turns < 10_000; turns++) {
      const at = announcer.nextAt;
      if (at === undefined || at > end) return seen;
      const before = sent.length;
      announcer.onTime(at);
      seen.push(...sent.slice(before).map((each) => `${at / MS} ${each}`));
    }
    throw new Error('it never ends');
  };
  return { announcer, sent, runUntil };
}

function spaced(router: RunningRouter, arp: number, neighbor = 0): RunningRouter {
  router.settings = { ...router.settings, spacing: { arp, neighbor } };
  return router;
}

function limits(...announcementLimits: HostNetworkSettings['announcementLimits']): readonly HostNetworkSettings[] {
  return [{ name: 'lan', addresses: [], routes: [], rules: [], announcementLimits, interfaceDelays: [] }];
}

test('without a spacing all rounds leave at once, each address on its own interface', () => {
  const { announcer, sent } = announcing();
  const router = running({ addresses: ['10.0.0.100', '10.0.0.101'], excluded: ['fd00::1'] });
  const elsewhere = running({ interface: 'em2', addresses: ['fd00::2'] });
  announcer.configure([router, elsewhere], [], 0);
  announcer.announce(router, router.wanted, 5, 0);
  announcer.announce(elsewhere, elsewhere.wanted, 1, 0);
  assert.deepEqual(sent, ['em1 10.0.0.100+10.0.0.101+fd00::1 x5', 'em2 fd00::2 x1 router']);
  assert.equal(announcer.nextAt, undefined);
  assert.equal(router.counters['announcements'], 15);
});

test('with a spacing the first leaves at once, the others one after the other, round by round', () => {
  const { announcer, sent, runUntil } = announcing();
  const router = spaced(running({ addresses: ['10.0.0.100', '10.0.0.101'] }), 10 * MS);
  announcer.configure([router], [], 0);
  announcer.announce(router, router.wanted, 2, 0);
  assert.deepEqual(sent, ['em1 10.0.0.100 x1']);
  assert.deepEqual(runUntil(SECOND), ['10 em1 10.0.0.101 x1', '20 em1 10.0.0.100 x1', '30 em1 10.0.0.101 x1']);
  // The spacing holds over the end of a burst.
  announcer.announce(router, router.wanted.slice(0, 1), 1, 35 * MS);
  assert.deepEqual(runUntil(SECOND), ['40 em1 10.0.0.100 x1']);
});

test('the longest spacing of the routers on an interface holds there, for each family its own', () => {
  const { announcer, runUntil } = announcing();
  const quick = spaced(running({ name: 'quick', addresses: ['10.0.0.100', '10.0.0.101'] }), 1 * MS);
  const slow = spaced(running({ name: 'slow', vrid: 11, addresses: ['fd00::1', 'fd00::2'] }), 20 * MS, 30 * MS);
  announcer.configure([quick, slow], [], 0);
  announcer.announce(quick, quick.wanted, 1, 0);
  announcer.announce(slow, slow.wanted, 1, 0);
  assert.deepEqual(runUntil(SECOND), ['20 em1 10.0.0.101 x1', '30 em1 fd00::2 x1']);
});

test('a group of interfaces shares one limit', () => {
  const { announcer, sent, runUntil } = announcing();
  const one = running({ name: 'one', addresses: ['10.0.0.100'] });
  const two = running({ name: 'two', interface: 'em2', addresses: ['10.0.0.101'] });
  announcer.configure([one, two], limits({ interfaces: ['em1', 'em2'], spacing: { arp: 50 * MS, neighbor: 0 } }), 0);
  announcer.announce(one, one.wanted, 2, 0);
  announcer.announce(two, two.wanted, 2, 0);
  assert.deepEqual(sent, ['em1 10.0.0.100 x1']);
  assert.deepEqual(runUntil(SECOND), ['50 em1 10.0.0.100 x1', '100 em2 10.0.0.101 x1', '150 em2 10.0.0.101 x1']);
});

test('what is announced again before it left waits once: the queue is bounded by the addresses', () => {
  const { announcer, runUntil } = announcing();
  const router = spaced(running({ addresses: ['10.0.0.100', '10.0.0.101'] }), 10 * MS);
  announcer.configure([router], [], 0);
  for (let time = 0; time < 100; time++) announcer.announce(router, router.wanted, 3, 0);
  assert.ok(runUntil(SECOND).length <= 6);
});

test('other settings, or another name, do not end a burst: only what is no longer wanted leaves it', () => {
  const { announcer, runUntil } = announcing();
  const router = spaced(running({ addresses: ['10.0.0.100', '10.0.0.101', '10.0.0.102'] }), 10 * MS);
  const other = running({ name: 'other', vrid: 11, addresses: ['10.0.0.103'] });
  announcer.configure([router, other], [], 0);
  announcer.announce(router, router.wanted, 2, 0);
  announcer.announce(other, other.wanted, 1, 0);
  const { settings } = router;
  router.replaceSettings({
    ...settings,
    router: { ...settings.router, name: 'renamed' },
    addresses: settings.addresses.filter(({ address }) => address !== '10.0.0.101'),
  });
  announcer.retain(router);
  // What was added in the same turn, and what waits already, do not leave twice.
  announcer.announce(router, router.wanted.slice(1), 1, 0);
  announcer.configure([router, other], [], 0);
  assert.deepEqual(runUntil(SECOND), [
    '10 em1 10.0.0.102 x1',
    '20 em1 10.0.0.100 x1',
    '30 em1 10.0.0.103 x1',
    '40 em1 10.0.0.102 x1',
  ]);
});

test('a router that gives up its addresses announces nothing more, the others go on', () => {
  const { announcer, runUntil } = announcing();
  const router = spaced(running({ addresses: ['10.0.0.100', '10.0.0.101'] }), 10 * MS);
  const other = running({ name: 'other', vrid: 11, addresses: ['10.0.0.102'] });
  announcer.configure([router, other], [], 0);
  announcer.announce(router, router.wanted, 5, 0);
  announcer.announce(other, other.wanted, 1, 0);
  announcer.cancel(router);
  assert.deepEqual(runUntil(SECOND), ['10 em1 10.0.0.102 x1']);
});

test('a spacing below what the timer can do is kept on average', () => {
  const { announcer, sent } = announcing();
  const addresses = Array.from({ length: 200 }, (_, i) => `10.0.1.${i + 1}`);
  const router = spaced(running({ addresses }), 100);
  announcer.configure([router], [], 0);
  announcer.announce(router, router.wanted, 1, SECOND);
  assert.ok(sent.length <= 11, `${sent.length} at once`);
  announcer.onTime(SECOND + 2 * MS);
  assert.ok(sent.length <= 31, `${sent.length} after 2 ms`);
  for (let ms = 3; ms <= 25; ms++) announcer.onTime(SECOND + ms * MS);
  assert.equal(sent.length, 200);
});

test('nothing is announced where there is no ARP, or nothing to announce with', () => {
  const { announcer, sent } = announcing();
  const router = running({ interface: 'tun0' });
  announcer.configure([router], [], 0);
  announcer.announce(router, router.wanted, 1, 0);
  announcer.announce(router, router.wanted, 0, 0);
  assert.deepEqual(sent, []);
});

test('addresses on other interfaces are announced again and again, those with a virtual MAC address or all', () => {
  for (const all of [false, true]) {
    const { announcer, runUntil } = announcing();
    const router = running({ more: { extraRefresh: 60 * SECOND, extraRefreshAll: all } });
    const [own] = router.wanted;
    assert.ok(own !== undefined);
    const place = (device: string, virtualMac: boolean) => ({
      ...own,
      device,
      key: device,
      settings: { ...own.settings, device, virtualMac },
    });
    router.wanted = [own, place('em2', true), place('em3', false)];
    announcer.configure([router], [], 0);
    announcer.announce(router, [own], 1, 0);
    // A configuration in between changes nothing of the rhythm.
    announcer.configure([router], [], 0);
    const each = all ? ['em2', 'em3'] : ['em2'];
    assert.deepEqual(
      runUntil(120 * SECOND),
      [60_000, 120_000].flatMap((at) => each.map((device) => `${at} ${device} 10.0.0.100 x1`)),
    );
    announcer.cancel(router);
    assert.equal(announcer.nextAt, undefined);
  }
});
