/** RFC 3768 section 6, where version 2 differs from version 3. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { activeDownInterval, skewTime } from '../../agent/vrrp/timers.js';
import { compileBundle } from '../../proto/rules/compile.js';
import { judge, NODES, resourcesOf, router, texts } from '../rules/sample-resources.js';
import { ip, settings } from '../runtime/router-settings.js';
import { Driven, GREATER, heard, SECOND, SMALLER } from '../vrrp/sample-router.js';
import { packetTo } from './filter-interpreter.js';
import { activeAlone, VIP } from './watched-host.js';

const TCP = 6;
const FIVE = 5 * SECOND;
const V2 = { version: 2, advertisementInterval: FIVE } as const;
/** 156/256 s, and 3 x 5 s with it. */
const SKEW = 609_375;
const DOWN = 15_609_375;

test('R3768-6.1-1 Skew_Time is (256 - priority) / 256 of a second, whatever the interval', () => {
  for (const interval of [SECOND, FIVE, 255 * SECOND]) {
    assert.equal(skewTime({ version: 2 }, 100, interval), 609_375);
    assert.equal(skewTime({ version: 2 }, 1, interval), 996_093);
    assert.equal(skewTime({ version: 2 }, 255, interval), 3_906);
  }
});

test('R3768-6.1-2 Master_Down_Interval is three own intervals and the Skew_Time', () => {
  assert.equal(activeDownInterval({ version: 2, downTimerAdvertisements: 3 }, 100, FIVE), DOWN);
  assert.equal(Driven.backup(V2).phase('backup').activeDownAt, DOWN);
});

test('R3768-6.1-3 the default interval is 1 second', () => {
  const [only] = compileBundle(resourcesOf(NODES + router({ version: '2' })), 'b').routers;
  assert.deepEqual([only?.version, only?.advertisementInterval], [2, { seconds: 1, nanos: 0 }]);
});

test('R3768-6.4.2-1 a backup learns no interval: its timer is set to its own Master_Down_Interval', () => {
  for (const interval of [SECOND, 60 * SECOND]) {
    const backup = Driven.backup(V2)
      .feed(heard(200, GREATER, interval), SECOND)
      .phase('backup');
    assert.equal(backup.activeAdverInterval, FIVE);
    assert.equal(backup.activeDownAt, SECOND + DOWN);
  }
});

test('R3768-6.4.2-2 priority 0 sets the timer to Skew_Time, less than a second', () => {
  const backup = Driven.backup(V2)
    .feed(heard(200, GREATER, FIVE), SECOND)
    .feed(heard(0, GREATER, FIVE), 2 * SECOND);
  assert.equal(backup.phase('backup').activeDownAt, 2 * SECOND + SKEW);
});

test('R3768-6.4.3-1 a master that yields sets its timer to its own Master_Down_Interval', () => {
  for (const [priority, source] of [
    [101, SMALLER],
    [100, GREATER],
  ] as const) {
    const driven = Driven.active(V2);
    const now = driven.phase('active').lastAdvertAt + SECOND;
    driven.feed(heard(priority, source, FIVE), now);
    assert.equal(driven.phase('backup').activeDownAt, now + DOWN);
    assert.equal(driven.phase('backup').activeAdverInterval, FIVE);
  }
});

test('R3768-6.4.3-2 a lower priority is discarded in silence where lowerPriorityNoAdvertisement is set', () => {
  const answers = (changes: object) => {
    const driven = Driven.active({ ...V2, ...changes });
    const now = driven.phase('active').lastAdvertAt + SECOND;
    const due = driven.phase('active').adverAt;
    driven.feed(heard(99, GREATER, FIVE), now);
    assert.equal(driven.member.phase.name, 'active');
    return [driven.kinds.includes('advertise'), driven.phase('active').adverAt === due];
  };
  assert.deepEqual(answers({ lowerPriorityNoAdvertisement: true }), [false, true]);
  // Deviation: decision 0028. It is answered at once otherwise.
  assert.deepEqual(answers({}), [true, false]);
});

test('R3768-6.4.3-3 a master that is not the owner does not accept what is sent to the addresses', () => {
  const accepts = (options: Parameters<typeof settings>[0]) => {
    const { a } = activeAlone(settings({ version: 2, ...options }));
    return a.seen.filter.judge(packetTo(ip(VIP), TCP, 0, a.links.get('em1')?.index ?? 0)) === 'accepted';
  };
  assert.equal(accepts({ more: { accept: false } }), false);
  const strict = { version: '2', strictRfc: 'true' };
  const [only] = compileBundle(resourcesOf(NODES + router(strict)), 'b').routers;
  assert.equal(only?.accept, false, 'so it is with strictRfc');
  assert.match(texts(judge(router({ ...strict, accept: 'true' })).errors)[0] ?? '', /^spec\.accept: must not be true/);
  // Deviation: decision 0018. It accepts otherwise.
  assert.equal(accepts({}), true);
});

test('R3768-6.4.3-4 a master that is the owner accepts what is sent to the addresses', () => {
  const { a } = activeAlone(settings({ version: 2, priority: 255, more: { accept: false } }));
  const index = a.links.get('em1')?.index ?? 0;
  assert.equal(a.seen.filter.judge(packetTo(ip(VIP), TCP, 0, index)), 'accepted');
});
