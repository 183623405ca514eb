/** Routers, members' tracks and inputs of every kind, for properties that hold whatever comes. */
import fc from 'fast-check';
import type { Input, IpAddress, VirtualRouter } from '../../agent/vrrp/index.js';
import { LOCAL, sampleRouter } from './sample-router.js';

const IDS = ['check a', 'check b', 'interface em1'] as const;

const interval = fc.constantFrom(10_000, 20_000, 100_000, 1_000_000, 5_000_000, 40_950_000);
/** Of either family. */
const address: fc.Arbitrary<IpAddress> = fc.oneof(fc.nat(0xffff_ffff), fc.bigInt(0n, (1n << 128n) - 1n));
const priority = fc.oneof(fc.constantFrom(1, 100, 254, 255), fc.integer({ min: 1, max: 255 }));
const announcements = fc.record({
  repeat: fc.integer({ min: 0, max: 6 }),
  delay: fc.constantFrom(0, 1, 5_000_000),
  refresh: fc.constantFrom(0, 300_000),
  refreshRepeat: fc.integer({ min: 0, max: 2 }),
  lowerPriorityRepeat: fc.integer({ min: 0, max: 5 }),
  lowerPriorityDelay: fc.constantFrom(0, 70_000),
});
const tracks = fc
  .subarray([...IDS])
  .chain((ids) =>
    fc.tuple(
      ...ids.map((id) =>
        fc.record({ id: fc.constant(id), weight: fc.constantFrom(0, 0, -253, -1, 30), reverse: fc.boolean() }),
      ),
    ),
  );
export const router: fc.Arbitrary<VirtualRouter> = fc
  .record({
    version: fc.constantFrom(2 as const, 3 as const),
    priority,
    advertisementInterval: interval,
    preemptMode: fc.boolean(),
    preemptDelay: fc.constantFrom(0, 0, 2_000_000),
    strictRfc: fc.boolean(),
    addresses: fc.array(address, { maxLength: 3 }),
    tracks,
    announcements,
    leased: fc.boolean(),
    downTimerAdvertisements: fc.constantFrom(1, 3, 3, 100),
    lowerPriorityNoAdvertisement: fc.boolean(),
    higherPrioritySendAdvertisement: fc.boolean(),
    ownerIgnoresAdvertisements: fc.boolean(),
    timerExpiredBackup: fc.constantFrom(0, 1, 254),
    duplicateProbe: fc.constantFrom('off' as const, 'warn' as const, 'refuse' as const),
  })
  .map((changes) => sampleRouter(changes));

export const input: fc.Arbitrary<Input> = fc.oneof(
  fc.constantFrom<Input>(
    { kind: 'startup' },
    { kind: 'startup' },
    { kind: 'tick' },
    { kind: 'shutdown', handover: true },
    { kind: 'shutdown', handover: false },
    { kind: 'announcementHeard' },
    { kind: 'addressLost' },
    { kind: 'addressConflict' },
    { kind: 'suspend' },
    { kind: 'startup', resume: { lastAdvertAt: 1_000_000_000 } },
  ),
  fc.record({
    kind: fc.constant('track' as const),
    id: fc.constantFrom(...IDS, 'check stranger', '__proto__', 'constructor'),
    state: fc.oneof(
      fc.constantFrom('up' as const, 'up' as const, 'down' as const, 'unknown' as const),
      fc.constantFrom(0, 1, -3, 400, 2_147_483_647),
    ),
  }),
  fc.record({
    kind: fc.constant('advertisement' as const),
    source: fc.oneof(fc.constant(LOCAL), address),
    local: fc.constant(LOCAL),
    advertisement: fc.record({
      priority: fc.oneof(fc.constantFrom(0, 100, 255), fc.nat(255)),
      interval: fc.oneof(interval, fc.nat(40_950_000)),
      addresses: fc.array(address, { maxLength: 3 }),
    }),
  }),
);
