import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { InterfaceDelays } from '../../agent/runtime/interface-delays.js';
import { electionSettings, settings } from './router-settings.js';
import { VirtualClock } from './virtual-clock.js';
import { VirtualHost, VirtualLan } from './virtual-host.js';

const SECOND = 1_000_000;
const DOWN_100 = 3_609_375;

function lone() {
  const clock = new VirtualClock();
  return { clock, a: new VirtualHost('a', new VirtualLan(clock), ['10.0.0.1/24']) };
}

const track = (id: string, weight = 0) => ({ id, weight, reverse: false });

describe('a tracked interface', () => {
  test('moves the priority, or puts in fault', () => {
    const { a } = lone();
    a.addLink('em2', false);
    a.configure(settings({ tracks: [track('interface em2', -20)] }));
    assert.equal(a.router().effectivePriority, 80);
    a.setLink('em2', true);
    a.lan.clock.settle();
    assert.equal(a.router().effectivePriority, 100);
    a.configure(settings({ tracks: [track('interface em2')] }));
    a.setLink('em2', false);
    a.lan.clock.settle();
    assert.deepEqual(a.router().holdReasons, ['interface em2 failed']);
  });

  test('tells of the priority that it moves, but not of one that a change of state tells', () => {
    const { a, clock } = lone();
    const tracks = [track('interface em2', -20), track('interface em3')];
    for (const name of ['em2', 'em3']) a.addLink(name, true);
    clock.settle();
    a.configure(settings({ tracks }));
    const told = () =>
      a.occurrences('priorityChanged').map(({ state, effectivePriority }) => `${state} ${effectivePriority}`);
    a.setLink('em2', false);
    clock.settle();
    assert.deepEqual(told(), ['backup 80']);
    clock.advance(4 * SECOND);
    a.setLink('em2', true);
    clock.settle();
    assert.deepEqual(told(), ['backup 80', 'active 100']);
    a.setLink('em3', false);
    clock.settle();
    assert.equal(a.router().state, 'fault');
    a.setLink('em2', false);
    clock.settle();
    assert.deepEqual(told(), ['backup 80', 'active 100', 'fault 80']);
    a.configure(settings({ tracks, priority: 120 }));
    assert.equal(told().length, 3);
  });

  test('with a delay has to stay down for it; one that returns was never away', () => {
    const { a, clock } = lone();
    const delays = [{ interface: 'em1', down: SECOND, up: SECOND / 2 }];
    const network = {
      name: 'n',
      addresses: [],
      routes: [],
      rules: [],
      announcementLimits: [],
      interfaceDelays: delays,
    };
    a.configureWith(electionSettings([settings()], { hostNetworks: [network] }));
    clock.advance(DOWN_100);
    assert.equal(a.router().state, 'active');
    a.setLink('em1', false);
    clock.advance(SECOND - 1);
    assert.equal(a.router().state, 'active');
    a.setLink('em1', true);
    clock.advance(10 * SECOND);
    assert.equal(a.router().state, 'active');
    a.setLink('em1', false);
    clock.advance(SECOND - 1);
    assert.equal(a.router().state, 'active');
    clock.advance(1);
    assert.equal(a.router().state, 'fault');
    a.setLink('em1', true);
    clock.advance(SECOND / 2 - 1);
    assert.equal(a.router().state, 'fault');
    clock.advance(1);
    assert.equal(a.router().state, 'backup');
  });

  test('flapping ten times a second with a delay changes nothing', () => {
    const { a, clock } = lone();
    const delays = [{ interface: 'em1', down: SECOND, up: SECOND }];
    const network = {
      name: 'n',
      addresses: [],
      routes: [],
      rules: [],
      announcementLimits: [],
      interfaceDelays: delays,
    };
    a.configureWith(electionSettings([settings()], { hostNetworks: [network] }));
    clock.advance(DOWN_100);
    const before = a.occurrences('transition').length;
    for (let flap = 0; flap < 100; flap += 1) {
      a.setLink('em1', flap % 2 === 1);
      clock.advance(SECOND / 10);
    }
    assert.equal(a.occurrences('transition').length, before);
  });
});

describe('delays of interfaces', () => {
  const delaysOf = (down: number, up: number, ...routers: readonly ReturnType<typeof settings>[]) => {
    const delays = new InterfaceDelays(() => undefined);
    delays.configure([{ interface: 'em1', down, up }], routers);
    return delays;
  };

  test('do not hold an interface that has not been up yet', () => {
    const delays = delaysOf(SECOND, SECOND);
    assert.equal(delays.judge('em1', false, 0), false);
    assert.equal(delays.nextAt, undefined);
    assert.equal(delays.judge('em1', true, 1), true);
    assert.equal(delays.judge('em1', false, 2), true);
    assert.equal(delays.nextAt, SECOND + 2);
  });

  test('are never longer than the patience of the others, and none where one missed advertisement is enough', () => {
    // (3 - 1) x 1 s - 1 s / 256
    const bounded = delaysOf(10 * SECOND, 10 * SECOND, settings());
    bounded.judge('em1', true, 0);
    bounded.judge('em1', false, 0);
    assert.equal(bounded.nextAt, 1_996_094);
    const none = delaysOf(10 * SECOND, 10 * SECOND, settings({ router: { downTimerAdvertisements: 1 } }));
    none.judge('em1', true, 0);
    assert.equal(none.judge('em1', false, 0), false);
  });
});

describe('a tracked route', () => {
  const more = {
    routeTracks: [{ id: 'route 192.0.2.0/24', prefix: { address: '192.0.2.0', prefixLength: 24 }, table: 254 }],
  };

  test('must be there, with exactly this prefix and in this table', () => {
    const { a, clock } = lone();
    a.addLink('em2');
    a.addRoute('192.0.2.0/25', 'em2');
    a.addRoute('192.0.2.0/24', 'em2', 100);
    a.configure(settings({ tracks: [track('route 192.0.2.0/24')], more }));
    assert.deepEqual(a.router().holdReasons, ['route 192.0.2.0/24 failed']);
    a.addRoute('192.0.2.0/24', 'em2');
    clock.settle();
    assert.equal(a.router().state, 'backup');
    a.removeRoute('192.0.2.0/24', 100);
    clock.settle();
    assert.equal(a.router().state, 'backup');
    a.removeRoute('192.0.2.0/24');
    clock.settle();
    assert.equal(a.router().state, 'fault');
  });

  test('is known of when the configuration comes, and is gone with its interface, of which the kernel says nothing', () => {
    const { a, clock } = lone();
    a.addLink('em2');
    a.addRoute('192.0.2.0/24', 'em2');
    a.configure(settings({ tracks: [track('route 192.0.2.0/24')], more }));
    assert.equal(a.router().state, 'backup');
    a.setLink('em2', false);
    clock.settle();
    assert.equal(a.router().state, 'fault');
    a.setLink('em2', true);
    clock.settle();
    assert.equal(a.router().state, 'fault');
  });
});

describe('other things of the host', () => {
  test('a startup delay counts from the start of the thread', () => {
    const { a, clock } = lone();
    clock.advance(4 * SECOND);
    a.configure(settings({ tracks: [track('startup delay')], more: { startupDelay: 10 * SECOND } }));
    assert.deepEqual(a.router().holdReasons, ['startup delay has not ended']);
    clock.advance(6 * SECOND - 1);
    assert.equal(a.router().state, 'initialize');
    assert.deepEqual(a.occurrences('transition'), []);
    clock.advance(1);
    assert.equal(a.router().state, 'backup');
  });

  test('unicast without peers is a fault where that is tracked', () => {
    const { a } = lone();
    a.configure(settings({ tracks: [track('peers')], more: { peers: [] } }));
    assert.deepEqual(a.router().holdReasons, ['peers failed']);
    a.configure(settings({ tracks: [track('peers')], more: { peers: ['10.0.0.2'] } }));
    assert.equal(a.router().state, 'backup');
  });

  test('a host network must be whole', () => {
    const { a, clock } = lone();
    const network = {
      name: 'n',
      addresses: [{ address: '10.7.0.1', prefixLength: 24, device: 'em2' }],
      routes: [],
      rules: [],
      announcementLimits: [],
      interfaceDelays: [],
    };
    const configuration = electionSettings([settings({ tracks: [track('host network n')] })], {
      hostNetworks: [network],
    });
    a.configureWith(configuration);
    assert.deepEqual(a.router().holdReasons, ['host network n failed']);
    a.addLink('em2');
    clock.settle();
    assert.equal(a.router().state, 'backup');
    assert.ok(a.holds('10.7.0.1'));
    assert.deepEqual(
      a.status().hostItems.map(({ kind, present }) => [kind, present]),
      [['address', true]],
    );
  });
});

test('a storm of changes on the host does not starve the elections', () => {
  const { a, clock } = lone();
  a.configure(settings());
  clock.advance(DOWN_100);
  a.takeLog();
  // Every look at the host takes 1 ms of the thread's time.
  let looks = 0;
  a.onDump = () => {
    looks += 1;
    clock.sleep(1_000);
  };
  for (let change = 0; change < 2_000; change += 1) {
    a.overrun();
    clock.advance(500);
  }
  assert.ok(looks < 600, `${looks} looks at the host`);
  assert.ok(a.takeLog().filter((line) => line.startsWith('advert')).length >= 1);
  assert.equal(a.router().state, 'active');
});
