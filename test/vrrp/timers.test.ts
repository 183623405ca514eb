import assert from 'node:assert/strict';
import { test } from 'node:test';
import { activeDownInterval, learnedInterval, leaseDuration, pauseLimit, skewTime } from '../../agent/vrrp/index.js';
import { sampleRouter } from './sample-router.js';

// Worked by hand: version 2 (256 - p) / 256 s, version 3 (256 - p) x interval / 256, rounded down to microseconds.
const ROWS: readonly (readonly [version: 2 | 3, priority: number, interval: number, skew: number, down: number])[] = [
  [2, 100, 1_000_000, 609_375, 3_609_375],
  [2, 254, 1_000_000, 7_812, 3_007_812],
  [2, 255, 1_000_000, 3_906, 3_003_906],
  [2, 1, 1_000_000, 996_093, 3_996_093],
  [2, 100, 5_000_000, 609_375, 15_609_375],
  [3, 100, 1_000_000, 609_375, 3_609_375],
  [3, 100, 100_000, 60_937, 360_937],
  [3, 100, 5_000_000, 3_046_875, 18_046_875],
  [3, 254, 10_000, 78, 30_078],
  [3, 1, 40_950_000, 40_790_039, 163_640_039],
];

for (const [version, priority, interval, skew, down] of ROWS) {
  test(`version ${version}, priority ${priority}, ${interval} us: skew ${skew}, down ${down}`, () => {
    assert.equal(skewTime({ version }, priority, interval), skew);
    assert.equal(activeDownInterval({ version, downTimerAdvertisements: 3 }, priority, interval), down);
  });
}

test('the lease is the down interval in whole seconds, 2 s at least', () => {
  const lease = (version: 2 | 3, priority: number, advertisementInterval: number) =>
    leaseDuration({ version, priority, advertisementInterval, downTimerAdvertisements: 3 });
  assert.equal(lease(2, 100, 1_000_000), 3_000_000);
  assert.equal(lease(3, 1, 1_000_000), 3_000_000);
  assert.equal(lease(3, 100, 100_000), 2_000_000);
  assert.equal(lease(2, 100, 5_000_000), 15_000_000);
  assert.equal(lease(3, 100, 5_000_000), 18_000_000);
});

test('the pause limit is the lease or the down interval, whichever is shorter', () => {
  assert.equal(pauseLimit(sampleRouter(), 100), 3_000_000);
  assert.equal(pauseLimit(sampleRouter({ leased: false }), 100), 3_609_375);
  assert.equal(pauseLimit(sampleRouter({ leased: false }), 1), 3_996_093);
  assert.equal(pauseLimit(sampleRouter({ advertisementInterval: 100_000 }), 100), 360_937);
});

test('an interval is learned up to max(4 x configured, configured + 1 s)', () => {
  const fast = sampleRouter({ advertisementInterval: 100_000 });
  assert.equal(learnedInterval(fast, 1_100_000), 1_100_000);
  assert.equal(learnedInterval(fast, 1_110_000), 100_000);
  const slow = sampleRouter({ advertisementInterval: 2_000_000 });
  assert.equal(learnedInterval(slow, 8_000_000), 8_000_000);
  assert.equal(learnedInterval(slow, 8_010_000), 2_000_000);
  assert.equal(learnedInterval(slow, 10_000), 10_000);
  assert.equal(learnedInterval(slow, 0), 2_000_000, 'an interval of 0 would take over at once');
  assert.equal(learnedInterval({ ...slow, strictRfc: true }, 40_950_000), 40_950_000);
  assert.equal(learnedInterval({ ...slow, version: 2 }, 1_000_000), 2_000_000, 'version 2 learns nothing');
});

test('other numbers of missed advertisements', () => {
  const down = (downTimerAdvertisements: number) =>
    activeDownInterval({ version: 3, downTimerAdvertisements }, 100, 1_000_000);
  assert.equal(down(1), 1_609_375);
  assert.equal(down(100), 100_609_375);
  assert.equal(
    leaseDuration({ version: 3, priority: 100, advertisementInterval: 1_000_000, downTimerAdvertisements: 9 }),
    9e6,
  );
  // Whole seconds of 1.6 s, but 2 s at least; the others wait no longer than 1.6 s.
  assert.equal(pauseLimit(sampleRouter({ downTimerAdvertisements: 1 }), 100), 1_609_375);
});

test('without preemption, the down interval of another priority may limit a pause', () => {
  const router = sampleRouter({ leased: false, preemptMode: false, timerExpiredBackup: 254 });
  // 3 s + 2/256 s
  assert.equal(pauseLimit(router, 100), 3_007_812);
  assert.equal(pauseLimit({ ...router, leased: true }, 100), 3_000_000, 'the lease is shorter');
  assert.equal(pauseLimit({ ...router, timerExpiredBackup: 50 }, 100), 3_609_375, 'it never makes it longer');
  assert.equal(pauseLimit({ ...router, preemptMode: true }, 100), 3_609_375);
  assert.equal(pauseLimit({ ...router, timerExpiredBackup: 0 }, 100), 3_609_375);
});
