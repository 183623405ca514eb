/** RFC 9568 sections 6.1 and 6.2: parameters and timers of a virtual router. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { activeDownInterval, skewTime } from '../../agent/vrrp/timers.js';
import type { Bundle, BundleRouter } from '../../proto/gen/baton/v1/bundle.js';
import { compileBundle } from '../../proto/rules/compile.js';
import { judge, NODES, resourcesOf, router, texts } from '../rules/sample-resources.js';
import { settings } from '../runtime/router-settings.js';
import { Driven, heard, SECOND, sampleRouter } from '../vrrp/sample-router.js';
import { ip, ip6 } from '../wire/captured.js';
import { FilterInterpreter, packetTo } from './filter-interpreter.js';
import { activeAlone, alone, withVirtualMac } from './watched-host.js';

const ICMPV6 = 58;
const ICMP = 1;
const TCP = 6;

/** What node b runs of a router that says nothing of its own but VRID, addresses and members. */
function compiled(change: Readonly<Record<string, string | undefined>> = {}): BundleRouter {
  const bundle: Bundle = compileBundle(resourcesOf(NODES + router(change)), 'b');
  const [only] = bundle.routers;
  assert.ok(only !== undefined);
  return only;
}

test('R-6.1-1 the VRID is configured, 1 to 255, and has no default', () => {
  assert.match(texts(judge(router({ vrid: undefined })).errors)[0] ?? '', /^spec\.vrid: is missing/);
  for (const [vrid, count] of [
    ['0', 1],
    ['1', 0],
    ['255', 0],
    ['256', 1],
  ] as const) {
    assert.equal(judge(router({ vrid })).errors.length, count, `VRID ${vrid}`);
  }
});

test('R-6.1-2 priorities 1 to 254 are for backups, 255 for the owner, 0 for nobody', () => {
  const problems = (priority: number) =>
    alone(settings({ name: 'other', vrid: 11 })).a.configure(settings({ priority }));
  assert.deepEqual(problems(0), [{ path: 'routers[r].priority', reason: 'the priority must be 1 to 255, not 0' }]);
  assert.deepEqual(problems(256), [{ path: 'routers[r].priority', reason: 'the priority must be 1 to 255, not 256' }]);
  for (const priority of [1, 254, 255]) assert.deepEqual(problems(priority), []);
});

test('R-6.1-3 the default priority is 100', () => {
  assert.equal(compiled().priority, 100);
});

test('R-6.1-4 the default interval is 100 centiseconds', () => {
  assert.deepEqual(compiled().advertisementInterval, { seconds: 1, nanos: 0 });
});

test('R-6.1-5 Active_Adver_Interval begins as the own interval and becomes what the active router says', () => {
  const backup = Driven.backup();
  assert.equal(backup.phase('backup').activeAdverInterval, SECOND);
  backup.feed(heard(200, undefined, 2 * SECOND), 1000);
  assert.equal(backup.phase('backup').activeAdverInterval, 2 * SECOND);
});

test('R-6.1-6 Skew_Time is (256 - priority) of 256 parts of Active_Adver_Interval', () => {
  for (const [priority, interval, skew] of [
    [1, SECOND, 996_093],
    [100, SECOND, 609_375],
    [254, SECOND, 7_812],
    [255, SECOND, 3_906],
    [100, 10_000, 6_093],
    [100, 40_950_000, 24_953_906],
  ] as const) {
    assert.equal(skewTime({ version: 3 }, priority, interval), skew, `priority ${priority}, ${interval} us`);
  }
});

test('R-6.1-7 Active_Down_Interval is three times Active_Adver_Interval and the Skew_Time', () => {
  const { version, downTimerAdvertisements } = sampleRouter({
    downTimerAdvertisements: compiled().downTimerAdvertisements,
  });
  for (const [priority, interval, down] of [
    [100, SECOND, 3_609_375],
    [255, SECOND, 3_003_906],
    [1, 10_000, 39_960],
    [100, 40_950_000, 147_803_906],
  ] as const) {
    assert.equal(activeDownInterval({ version, downTimerAdvertisements }, priority, interval), down);
  }
});

test('R-6.1-8 Preempt_Mode is on unless it is turned off', () => {
  assert.equal(compiled().preempt, true);
  assert.equal(compiled({ preempt: 'false' }).preempt, false);
});

test('R-6.1-9 the owner always preempts, whatever Preempt_Mode says', () => {
  for (const [priority, wanted] of [
    [255, 'active'],
    [254, 'backup'],
  ] as const) {
    // An owner is backup after a fault only.
    const track = { id: 'check web', weight: 0, reverse: false };
    const router = Driven.backup({ priority, preemptMode: false, tracks: [track] });
    router
      .feed({ kind: 'track', id: track.id, state: 'down' }, 0)
      .feed({ kind: 'track', id: track.id, state: 'up' }, 0);
    const due = router.phase('backup').activeDownAt;
    for (let at = SECOND; at < due; at += SECOND) router.feed(heard(100), at);
    assert.equal(router.feed({ kind: 'tick' }, due).member.phase.name, wanted, `priority ${priority}`);
  }
});

test('R-6.1-10 Accept_Mode is off with strictRfc', () => {
  assert.equal(compiled({ strictRfc: 'true' }).accept, false);
  assert.equal(compiled({ strictRfc: 'true', accept: 'true' }).accept, true);
  // Deviation: decision 0018. It is on otherwise.
  assert.equal(compiled().accept, true);
  assert.equal(compiled({ accept: 'false' }).accept, false);
});

test('R-6.1-11 neighbour solicitations and advertisements are not dropped while Accept_Mode is off', () => {
  const filter = new FilterInterpreter();
  const linkLocal = ip6('fe80::100');
  const global = ip6('2001:db8::100');
  filter.firewall.dropTraffic([
    { address: global },
    { address: linkLocal, interfaceIndex: 2 },
    { address: ip('10.0.0.100') },
  ]);
  for (const address of [global, linkLocal]) {
    for (const type of [135, 136]) assert.equal(filter.judge(packetTo(address, ICMPV6, type, 2)), 'accepted');
    for (const type of [128, 134, 137]) assert.equal(filter.judge(packetTo(address, ICMPV6, type, 2)), 'dropped');
    // A TCP segment whose first byte looks like one.
    assert.equal(filter.judge(packetTo(address, TCP, 135, 2)), 'dropped');
  }
  assert.equal(filter.judge(packetTo(ip('10.0.0.100'), ICMP, 135, 2)), 'dropped');
  assert.equal(filter.judge(packetTo(linkLocal, TCP, 0, 3)), 'accepted', 'link-local on another link is not ours');
  assert.equal(filter.judge(packetTo(ip6('2001:db8::101'), TCP, 0, 2)), 'accepted');
});

test('R-6.1-12 the virtual MAC address is the source of advertisements and what ARP tells', () => {
  const { a } = activeAlone(settings(withVirtualMac()));
  assert.deepEqual([...(a.links.get('vrrp.10')?.hardwareAddress ?? [])], [0, 0, 0x5e, 0, 1, 10]);
  assert.ok(a.seen.adverts.length > 0 && a.seen.frames.length > 0);
  for (const { device } of [...a.seen.adverts, ...a.seen.frames]) assert.equal(device, 'vrrp.10');
  // Deviation: decision 0027. Without one, that of the interface.
  const plain = activeAlone().a;
  for (const { device } of [...plain.seen.adverts, ...plain.seen.frames]) assert.equal(device, 'em1');
});

test('R-6.2-1 Active_Down_Timer fires when no advertisement was heard for Active_Down_Interval', () => {
  const { clock, a } = alone();
  clock.advance(3_609_374);
  assert.equal(a.router().state, 'backup');
  clock.advance(1);
  assert.equal(a.router().state, 'active');
});

test('R-6.2-2 Adver_Timer fires each Advertisement_Interval while active, and never in another state', () => {
  const { clock, a } = activeAlone(settings({ interval: 100_000, priority: 156 }));
  a.takeLog();
  clock.advance(SECOND);
  assert.equal(a.takeLog().filter((line) => line === 'advert 156').length, 10);
  a.setLink('em1', false);
  clock.settle();
  a.takeLog();
  clock.advance(10 * SECOND);
  assert.deepEqual(a.takeLog(), []);
});
