/** RFC 9568 section 6.4.1: the state {Initialize}. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeArp } from '../../agent/wire/arp.js';
import { decodeNeighbor } from '../../agent/wire/neighbor.js';
import { ip, settings } from '../runtime/router-settings.js';
import { Driven, heard, SECOND, sampleRouter } from '../vrrp/sample-router.js';
import { LINK_LOCAL_VIP, settings6, VIP, VIP_6, type WatchedHost, watch, withVirtualMac } from './watched-host.js';

/** The owner of the addresses, just started; `options` add to that. */
function owner(family: 4 | 6, options: Parameters<typeof settings>[0] = {}, forwards = true): WatchedHost {
  const { host } = watch();
  const a = host('a', '10.0.0.1/24', 'fe80::1/64');
  a.forwards = forwards;
  a.configure((family === 6 ? settings6 : settings)({ priority: 255, ...options }));
  a.lan.clock.settle();
  return a;
}

test('R-6.4-1 each virtual router has a state machine of its own', () => {
  const { clock, host } = watch();
  const [a, b] = [host('a', '10.0.0.1/24'), host('b', '10.0.0.2/24')];
  const other = { name: 's', vrid: 11, addresses: ['10.0.0.101'] };
  a.configure(settings({ priority: 150 }), settings({ ...other, priority: 100 }));
  b.configure(settings({ priority: 100 }), settings({ ...other, priority: 150 }));
  clock.advance(10 * SECOND);
  assert.deepEqual([a.router('r').state, a.router('s').state], ['active', 'backup']);
  assert.deepEqual([b.router('r').state, b.router('s').state], ['backup', 'active']);
});

test('R-6.4.1-1 in Initialize nothing but Startup does anything', () => {
  for (const input of [{ kind: 'tick' }, heard(200), heard(0), { kind: 'shutdown', handover: false }] as const) {
    const driven = new Driven(sampleRouter());
    const before = driven.member;
    driven.feed(input, 10 * SECOND);
    assert.deepEqual(driven.effects, [], input.kind);
    assert.deepEqual(driven.member, before);
  }
});

test('R-6.4.1-2 the owner sends an advertisement at Startup', () => {
  const driven = new Driven(sampleRouter({ priority: 255 }));
  driven.feed({ kind: 'startup' }, 0);
  assert.deepEqual(
    driven.effects.filter(({ kind }) => kind === 'advertise'),
    [{ kind: 'advertise', priority: 255 }],
  );
  // Deviation: decision 0005. After the first round of announcements, not before it.
  const kinds = driven.kinds;
  assert.ok(kinds.indexOf('announceAddresses') < kinds.indexOf('advertise'));
});

test('R-6.4.1-3 the owner broadcasts a gratuitous ARP with each IPv4 address and the virtual MAC address', () => {
  const virtual = withVirtualMac();
  const a = owner(4, { ...virtual, addresses: [VIP, '10.0.0.101'] });
  const told = a.seen.frames.map(({ device, frame }) => ({
    device,
    arp: decodeArp(frame),
    to: [...frame.slice(0, 6)],
  }));
  const mac = [0, 0, 0x5e, 0, 1, 10];
  assert.deepEqual(
    told.map(({ arp }) => arp?.senderAddress),
    [ip(VIP), ip('10.0.0.101')],
  );
  for (const { device, arp, to } of told) {
    assert.equal(device, 'vrrp.10');
    assert.deepEqual(to, [255, 255, 255, 255, 255, 255]);
    assert.deepEqual([...(arp?.senderHardware ?? [])], mac);
    assert.equal(arp?.operation, 'request');
    assert.equal(arp?.targetAddress, arp?.senderAddress);
    // Deviation: decision 0029. The target hardware address is the broadcast one.
    assert.deepEqual([...(arp?.targetHardware ?? [])], [255, 255, 255, 255, 255, 255]);
  }
});

test('R-6.4.1-4 the owner sends an unsolicited neighbour advertisement for each IPv6 address', () => {
  const a = owner(6, withVirtualMac(6));
  const told = a.seen.frames.map(({ frame }) => decodeNeighbor(frame));
  assert.deepEqual(
    told.map((message) => message?.target),
    [ip(LINK_LOCAL_VIP), ip(VIP_6)],
  );
  for (const message of told) {
    assert.equal(message?.kind, 'advertisement');
    assert.deepEqual([message?.isRouter, message?.isSolicited, message?.isOverride], [true, false, true]);
    assert.deepEqual([...(message?.hardwareAddress ?? [])], [0, 0, 0x5e, 0, 2, 10]);
  }
  // Deviation: decision 0027. A host that does not forward does not say that it is a router.
  const server = owner(6, withVirtualMac(6), false).seen.frames.map(({ frame }) => decodeNeighbor(frame)?.isRouter);
  assert.deepEqual(server, [false, false]);
});

test('R-6.4.1-5 the owner sets Adver_Timer to Advertisement_Interval', () => {
  const driven = new Driven(sampleRouter({ priority: 255, advertisementInterval: 300_000 }));
  driven.feed({ kind: 'startup' }, 7000);
  assert.equal(driven.phase('active').adverAt, 307_000);
});

test('R-6.4.1-6 the owner goes to Active', () => {
  const driven = new Driven(sampleRouter({ priority: 255 }));
  driven.feed({ kind: 'startup' }, 0);
  assert.equal(driven.member.phase.name, 'active');
  assert.equal(driven.cause, 'owner-startup');
});

test('R-6.4.1-7 anybody else sets Active_Adver_Interval to Advertisement_Interval', () => {
  assert.equal(Driven.backup({ advertisementInterval: 300_000 }).phase('backup').activeAdverInterval, 300_000);
});

test('R-6.4.1-8 anybody else sets Active_Down_Timer to Active_Down_Interval', () => {
  const driven = new Driven(sampleRouter({ priority: 254 }));
  driven.feed({ kind: 'startup' }, 5000);
  assert.equal(driven.phase('backup').activeDownAt, 5000 + 3_007_812);
});

test('R-6.4.1-9 anybody else goes to Backup, silently', () => {
  const driven = new Driven(sampleRouter({ priority: 254 }));
  driven.feed({ kind: 'startup' }, 0);
  assert.equal(driven.member.phase.name, 'backup');
  assert.deepEqual(driven.kinds, ['transitioned']);
});
