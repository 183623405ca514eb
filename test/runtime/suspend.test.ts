import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { electionSettings, settings } from './router-settings.js';
import { VirtualClock } from './virtual-clock.js';
import { VirtualHost, VirtualLan } from './virtual-host.js';

const SECOND = 1_000_000;
const VIP = '10.0.0.100';

function pair() {
  const clock = new VirtualClock();
  const network = new VirtualLan(clock);
  const [a, b] = [new VirtualHost('a', network, ['10.0.0.1/24']), new VirtualHost('b', network, ['10.0.0.2/24'])];
  a.configure(settings({ priority: 150 }));
  b.configure(settings());
  clock.advance(10 * SECOND);
  a.takeLog();
  return { clock, a, b };
}

function suspend(a: VirtualHost) {
  a.tell({ kind: 'suspend' });
  const stopped = a.messages.at(-1);
  assert.ok(stopped?.kind === 'stopped');
  return stopped.resumable;
}

describe('an election that is suspended', () => {
  test('says a last word, keeps its addresses, and the next process goes on as active', () => {
    const { clock, a, b } = pair();
    const resumable = suspend(a);
    assert.deepEqual(a.takeLog(), ['advert 150']);
    assert.deepEqual(resumable, [{ name: 'r', lastAdvertAt: clock.now() }]);
    assert.ok(a.holds(VIP));
    assert.equal(a.openSockets, 0);
    clock.advance(SECOND);
    a.restart();
    a.configureWith(electionSettings([settings({ priority: 150 })]), resumable);
    assert.equal(a.router().state, 'active');
    assert.equal(a.router().cause, 'resumed');
    assert.ok(a.takeLog().includes('advert 150'));
    clock.advance(10 * SECOND);
    assert.ok(a.holds(VIP));
    assert.deepEqual(
      b.occurrences('transition').map(({ to }) => to),
      ['backup'],
    );
  });

  test('for too long: the next process starts as backup, and what was left is removed', () => {
    const { clock, a, b } = pair();
    const resumable = suspend(a);
    clock.advance(2_950_000);
    a.addAddress('em1', `${VIP}/32`, 60);
    clock.advance(2 * SECOND);
    a.restart();
    a.configureWith(electionSettings([settings({ priority: 150, preempt: false })]), resumable);
    assert.equal(a.router().state, 'backup');
    assert.ok(!a.holds(VIP) && b.holds(VIP));
  });

  test('is not held by a startup delay, unless it comes too late', () => {
    for (const [away, state] of [
      [SECOND, 'active'],
      [10 * SECOND, 'fault'],
    ] as const) {
      const { clock, a } = pair();
      const resumable = suspend(a);
      clock.advance(away);
      a.restart();
      const delayed = settings({
        priority: 150,
        tracks: [{ id: 'startup delay', weight: 0, reverse: false }],
        more: { startupDelay: 30 * SECOND },
      });
      a.configureWith(electionSettings([delayed]), resumable);
      assert.equal(a.router().state, state);
      clock.advance(20 * SECOND);
      assert.equal(a.router().state, state);
    }
  });

  test('another one of the group goes on with it', () => {
    const clock = new VirtualClock();
    const a = new VirtualHost('a', new VirtualLan(clock), ['10.0.0.1/24']);
    const configuration = electionSettings(
      [
        settings({ name: 'r1', vrid: 1, group: 'g' }),
        settings({ name: 'r2', vrid: 2, group: 'g', addresses: ['10.0.0.102'] }),
      ],
      { groups: [{ name: 'g', routers: ['r1', 'r2'], policy: 'all' }] },
    );
    a.configureWith(configuration);
    clock.advance(10 * SECOND);
    const resumable = suspend(a);
    assert.deepEqual(
      resumable.map(({ name }) => name),
      ['r1', 'r2'],
    );
    clock.advance(SECOND / 2);
    a.restart();
    a.configureWith(configuration, resumable);
    assert.deepEqual([a.router('r1').state, a.router('r2').state], ['active', 'active']);
    assert.equal(a.status().groups[0]?.state, 'active');
  });

  test('while it is backup has nothing to go on with', () => {
    const { b } = pair();
    assert.deepEqual(suspend(b), []);
    assert.ok(!b.takeLog().some((line) => line.startsWith('advert')));
  });
});
