/** RFC 9568 section 8.3: potential forwarding loop, priorities. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { advertPacket } from '../lab/packet.js';
import { judge, router, texts } from '../rules/sample-resources.js';
import { ip, settings } from '../runtime/router-settings.js';
import { packetTo } from './filter-interpreter.js';
import { activeAlone, DOWN_100, SECOND, VIP, watch, withVirtualMac } from './watched-host.js';

const UDP = 17;
const sent = { source: '10.0.0.4', vrid: 10, addresses: [VIP], interval: 100 };

test('R-8.3.1-1 what is addressed to the addresses is never forwarded: while the host forwards they are its own', () => {
  const { clock, host } = watch();
  const a = host('a', '10.0.0.1/24', 'fe80::1/64');
  a.forwards = true;
  // Whether the host has the address whenever forwarding of the virtual MAC interface is set.
  const seen: [number, boolean][] = [];
  const push = a.seen.ipv4Confs.push.bind(a.seen.ipv4Confs);
  a.seen.ipv4Confs.push = (...confs) => {
    for (const { conf } of confs) if (conf.forwarding !== undefined) seen.push([conf.forwarding, a.holds(VIP)]);
    return push(...confs);
  };
  const virtual = withVirtualMac();
  a.configure(settings({ ...virtual, more: { ...virtual?.more, accept: false } }));
  clock.advance(DOWN_100);
  a.receive(advertPacket({ ...sent, source: '10.0.0.2', priority: 200 }));
  clock.settle();
  assert.equal(a.router().state, 'backup');
  assert.deepEqual(seen, [
    [1, true],
    [0, true],
  ]);
  // The host is its destination; not accepted either, it ends there.
  const { a: refusing } = activeAlone(settings({ more: { accept: false } }));
  const em1 = refusing.links.get('em1')?.index ?? 0;
  assert.ok(refusing.holds(VIP));
  assert.equal(refusing.seen.filter.judge(packetTo(ip(VIP), UDP, 0, em1)), 'dropped');
});

test('R-8.3.2-1 a second member with priority 255 is refused', () => {
  const members = (second: number) =>
    `[{node: a, interface: em1, priority: 255}, {node: b, interface: em1, priority: ${second}}]`;
  assert.deepEqual(judge(router({ members: members(254) })).errors, []);
  assert.deepEqual(texts(judge(router({ members: members(255) })).errors), [
    'spec.members[1].priority: 255 is for the one owner of the addresses, which is spec.members[0] already',
  ]);
});

test('R-8.3.2-2 another router that advertises priority 255 is told of, once for each source and state', () => {
  const { clock, a } = activeAlone(settings({ priority: 255 }), '10.0.0.5');
  for (let i = 0; i < 10; i += 1) a.receive(advertPacket({ ...sent, priority: 255 }));
  clock.settle();
  const told = a.occurrences('notice').filter(({ notice }) => notice === 'owner-conflict');
  assert.equal(told.length, 1);
  assert.equal(told[0]?.sentence, '10.0.0.4 also claims to own the addresses (priority 255)');
  assert.equal(a.router().counters['notices.owner-conflict'], 1);
});

test('R-8.3.2-3 of two routers with the same priority each tells of the other', () => {
  const { clock, host } = watch();
  const [a, b] = [host('a', '10.0.0.1/24'), host('b', '10.0.0.2/24')];
  a.isPlugged = false;
  for (const each of [a, b]) each.configure(settings());
  clock.advance(5 * SECOND);
  assert.deepEqual([a.router().state, b.router().state], ['active', 'active']);
  a.isPlugged = true;
  clock.advance(2 * SECOND);
  assert.deepEqual([a.router().state, b.router().state], ['backup', 'active']);
  const yielded = a.occurrences('transition').at(-1);
  assert.equal(yielded?.sentence, '10.0.0.2 advertises the same priority 100 and has the greater address');
  const [heard] = b.occurrences('lowerPriorityHeard');
  assert.deepEqual([heard?.source, heard?.priority, heard?.effectivePriority], ['10.0.0.1', 100, 100]);
});
