import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { electionSettings, settings } from './router-settings.js';
import { VirtualClock } from './virtual-clock.js';
import { VirtualHost, VirtualLan } from './virtual-host.js';

const SECOND = 1_000_000;
const CHECK = { id: 'check web', weight: 0, reverse: false };

function lan() {
  const clock = new VirtualClock();
  const network = new VirtualLan(clock);
  return { clock, host: (name: string, address: string) => new VirtualHost(name, network, [`${address}/24`]) };
}

const r1 = (options = {}) => settings({ name: 'r1', vrid: 1, addresses: ['10.0.0.101'], group: 'g', ...options });
const r2 = (options = {}) => settings({ name: 'r2', vrid: 2, addresses: ['10.0.0.102'], group: 'g', ...options });
const grouped = (routers: readonly ReturnType<typeof settings>[], policy: 'all' | 'any' = 'all') =>
  electionSettings(routers, { groups: [{ name: 'g', routers: routers.map(({ router }) => router.name), policy }] });

/** Host a active with both, host b backup with both. */
function pair(options = {}) {
  const { clock, host } = lan();
  const [a, b] = [host('a', '10.0.0.1'), host('b', '10.0.0.2')];
  assert.deepEqual(a.configureWith(grouped([r1({ priority: 150, ...options }), r2({ priority: 150 })])), []);
  b.configureWith(grouped([r1(), r2()]));
  a.tell({ kind: 'track', id: 'check web', state: 'up' });
  clock.advance(10 * SECOND);
  assert.deepEqual(statesOf(a), ['active', 'active']);
  assert.deepEqual(statesOf(b), ['backup', 'backup']);
  return { clock, a, b };
}

function statesOf(host: VirtualHost): readonly string[] {
  return [host.router('r1').state, host.router('r2').state];
}

describe('a sync group', () => {
  test('becomes active as a whole, and says so', () => {
    const { a } = pair();
    const [group] = a.status().groups;
    assert.deepEqual([group?.name, group?.state, group?.policy, group?.routers], ['g', 'active', 'all', ['r1', 'r2']]);
    assert.deepEqual(
      a.occurrences('groupTransition').map(({ from, to }) => [from, to]),
      [
        ['initialize', 'backup'],
        ['backup', 'active'],
      ],
    );
    assert.equal(a.router('r1').group, 'g');
  });

  test('that is configured no more hands over as a whole: the fast member waits for the slow one', () => {
    const { clock, host } = lan();
    const [a, b] = [host('a', '10.0.0.1'), host('b', '10.0.0.2')];
    const both = (priority: number) => grouped([r1({ priority, interval: SECOND / 10 }), r2({ priority })]);
    a.configureWith(both(150));
    b.configureWith(both(50));
    clock.advance(10 * SECOND);
    assert.deepEqual(statesOf(a), ['active', 'active']);
    a.configure();
    for (let passed = 0; passed < 3000; passed += 1) {
      clock.advance(SECOND / 1000);
      for (const address of ['10.0.0.101', '10.0.0.102']) {
        assert.ok(a.holds(address) || b.holds(address), `${address} after ${passed} ms`);
      }
    }
    assert.deepEqual(statesOf(b), ['active', 'active']);
    assert.ok(!a.holds('10.0.0.101') && !a.holds('10.0.0.102'));
  });

  test('that is wanted again while it hands over goes on as a whole, whenever that is', () => {
    const fast = (priority: number) => grouped([r1({ priority, interval: SECOND / 10 }), r2({ priority })]);
    for (const recalledAfter of [0, 100, 300, 500, 900]) {
      for (const hasPeer of [false, true]) {
        const at = `recalled after ${recalledAfter} ms, ${hasPeer ? 'with' : 'without'} a peer`;
        const { clock, host } = lan();
        const [a, b] = [host('a', '10.0.0.1'), host('b', '10.0.0.2')];
        a.configureWith(fast(150));
        if (hasPeer) b.configureWith(fast(50));
        clock.advance(10 * SECOND);
        assert.deepEqual(statesOf(a), ['active', 'active']);
        a.configure();
        clock.advance((recalledAfter * SECOND) / 1000);
        assert.deepEqual(a.configureWith(fast(150)), []);
        for (let passed = 0; passed < 4000; passed += 5) {
          clock.advance(SECOND / 200);
          const [one, two] = statesOf(a);
          const isOnWay = a.status().groups[0]?.state !== 'active';
          assert.ok(one === two || isOnWay, `${at}: ${one} and ${two} after ${passed} ms`);
          for (const address of ['10.0.0.101', '10.0.0.102']) {
            assert.ok(a.holds(address) || b.holds(address), `${at}: ${address} after ${passed} ms`);
          }
        }
        assert.deepEqual(statesOf(a), ['active', 'active'], at);
        assert.ok(!b.holds('10.0.0.101') && !b.holds('10.0.0.102'), at);
        assert.equal(a.status().groups[0]?.state, 'active', at);
      }
    }
  });

  test('goes to fault with one of its members, and the other host has both', () => {
    const { clock, a, b } = pair({ tracks: [CHECK] });
    a.tell({ kind: 'track', id: 'check web', state: 'down' });
    assert.deepEqual(statesOf(a), ['fault', 'fault']);
    assert.ok(!a.holds('10.0.0.101') && !a.holds('10.0.0.102'));
    assert.deepEqual(a.router('r1').holdReasons, ['check web failed']);
    assert.match(a.router('r2').holdReasons[0] ?? '', /r1/);
    assert.equal(a.occurrences('groupTransition').at(-1)?.to, 'fault');
    clock.advance(4 * SECOND);
    assert.deepEqual(statesOf(b), ['active', 'active']);
    a.tell({ kind: 'track', id: 'check web', state: 'up' });
    assert.deepEqual(statesOf(a), ['backup', 'backup']);
  });

  test('hands over as a whole', () => {
    const { clock, a, b } = pair();
    a.election.shutdown(true);
    clock.advance(2 * SECOND);
    assert.equal(a.messages.at(-1)?.kind, 'stopped');
    assert.deepEqual(statesOf(b), ['active', 'active']);
  });

  test('that is told of a new policy keeps every address', () => {
    const { a } = pair();
    a.takeLog();
    a.configureWith(grouped([r1({ priority: 150 }), r2({ priority: 150 })], 'any'));
    assert.deepEqual(a.takeLog(), []);
    assert.equal(a.status().groups[0]?.policy, 'any');
  });

  test('loses and regains a member, which keeps its state', () => {
    const { a } = pair();
    a.takeLog();
    a.configureWith(grouped([r1({ priority: 150 })]));
    const alone = electionSettings([r1({ priority: 150 }), r2({ priority: 150, group: undefined })], {
      groups: [{ name: 'g', routers: ['r1'], policy: 'all' }],
    });
    a.configureWith(alone);
    assert.deepEqual(statesOf(a), ['active', 'active']);
    assert.equal(a.router('r2').group, undefined);
    a.configureWith(grouped([r1({ priority: 150 }), r2({ priority: 150 })]));
    assert.deepEqual(statesOf(a), ['active', 'active']);
    assert.ok(!a.takeLog().some((line) => line.startsWith('delete')));
  });

  test('is refused with a router that does not exist, is in two groups, or does not know of it', () => {
    const { host } = lan();
    const a = host('a', '10.0.0.1');
    const paths = (...given: Parameters<typeof electionSettings>) =>
      a.configureWith(electionSettings(...given)).map(({ path }) => path);
    const group = (name: string, ...routers: string[]) => ({ name, routers, policy: 'all' as const });
    assert.deepEqual(paths([r1()], { groups: [group('g', 'r1', 'none')] }), ['groups[g].routers[none]']);
    assert.deepEqual(paths([r1()], { groups: [group('g', 'r1'), group('h', 'r1')] }), [
      'groups[h].routers[r1]',
      'routers[r1].group',
    ]);
    assert.deepEqual(paths([r1({ group: undefined })], { groups: [group('g', 'r1')] }), ['routers[r1].group']);
    assert.deepEqual(paths([r1()], {}), ['routers[r1].group']);
  });
});
