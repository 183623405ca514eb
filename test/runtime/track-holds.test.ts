/** How long a change of a track has to last before it counts. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { TrackDelay } from '../../agent/runtime/messages.js';
import type { TrackState } from '../../agent/vrrp/index.js';
import { electionSettings, settings } from './router-settings.js';
import { VirtualClock } from './virtual-clock.js';
import { VirtualHost, VirtualLan } from './virtual-host.js';

const SECOND = 1_000_000;
const DOWN_100 = 3_609_375;
const CHECK = 'check web';

/** One router with one track of the weight, its first result in. */
function tracking(weight: number, delays: Partial<TrackDelay>, first: TrackState = 'up', reverse = false) {
  const clock = new VirtualClock();
  const a = new VirtualHost('a', new VirtualLan(clock), ['10.0.0.1/24']);
  const configured = settings({
    tracks: [{ id: CHECK, weight, reverse }],
    more: { trackDelays: [{ id: CHECK, up: 0, down: 0, ...delays }] },
  });
  a.configure(configured);
  a.tell({ kind: 'track', id: CHECK, state: first });
  clock.advance(2 * DOWN_100);
  const told = (state: TrackState) => a.tell({ kind: 'track', id: CHECK, state });
  return { clock, a, told, configured, priority: () => a.router().effectivePriority };
}

describe('a track with hold times', () => {
  test('is good again only after its up delay, and fails at once', () => {
    const { clock, told, priority } = tracking(-20, { up: 10 * SECOND });
    told('down');
    assert.equal(priority(), 80);
    told('up');
    clock.advance(10 * SECOND - 1);
    assert.equal(priority(), 80);
    clock.advance(1);
    assert.equal(priority(), 100);
  });

  test('fails only after its down delay, and is good again at once', () => {
    const { clock, told, priority } = tracking(-20, { down: 5 * SECOND });
    told('down');
    clock.advance(5 * SECOND - 1);
    assert.equal(priority(), 100);
    clock.advance(1);
    assert.equal(priority(), 80);
    told('up');
    assert.equal(priority(), 100);
  });

  test('that goes back before was never away, and waits anew the next time', () => {
    const { clock, told, priority } = tracking(-20, { down: 5 * SECOND });
    for (let flap = 0; flap < 10; flap += 1) {
      told('down');
      clock.advance(4 * SECOND);
      told('up');
      clock.advance(SECOND);
      assert.equal(priority(), 100);
    }
    told('down');
    clock.advance(5 * SECOND - 1);
    assert.equal(priority(), 100);
    clock.advance(1);
    assert.equal(priority(), 80);
  });

  test('counts at once with its first result, also a bad one', () => {
    assert.equal(tracking(-20, { up: 60 * SECOND, down: 60 * SECOND }, 'down').priority(), 80);
    const { a } = tracking(0, { up: 60 * SECOND, down: 60 * SECOND });
    assert.equal(a.router().state, 'active');
  });

  test('with weight 0 holds the router in fault for its up delay', () => {
    const { clock, a, told } = tracking(0, { up: 10 * SECOND });
    told('down');
    assert.equal(a.router().state, 'fault');
    told('up');
    clock.advance(10 * SECOND - 1);
    assert.equal(a.router().state, 'fault');
    clock.advance(1);
    assert.equal(a.router().state, 'backup');
    assert.equal(a.router().cause, 'tracks-recovered');
  });

  test('that is reversed is good while the thing is down', () => {
    const { clock, told, priority } = tracking(20, { up: 10 * SECOND }, 'down', true);
    assert.equal(priority(), 100);
    told('up');
    assert.equal(priority(), 80);
    told('down');
    clock.advance(10 * SECOND - 1);
    assert.equal(priority(), 80);
    clock.advance(1);
    assert.equal(priority(), 100);
  });

  test('of a value waits by the direction, keeps its start while it stays worse, and takes the newest', () => {
    const { clock, told, priority } = tracking(1, { down: 5 * SECOND }, 20);
    assert.equal(priority(), 120);
    told(10);
    clock.advance(3 * SECOND);
    told(5);
    clock.advance(2 * SECOND - 1);
    assert.equal(priority(), 120);
    clock.advance(1);
    assert.equal(priority(), 105);
    told(30);
    assert.equal(priority(), 130);
  });

  test('says in its status what is to come', () => {
    const { clock, a, told } = tracking(-20, { up: 75 * SECOND });
    told('down');
    clock.advance(1);
    told('up');
    clock.advance(10 * SECOND);
    const at = new Date(clock.wallMs() + 65_000).toISOString().slice(11, 19);
    const term = () => a.router().terms.find(({ term: name }) => name === CHECK)?.reason;
    assert.equal(term(), `down, weight -20; counts as better from ${at} UTC`);
    clock.advance(65 * SECOND);
    assert.equal(term(), 'up, weight -20');
    const fault = tracking(0, { up: 75 * SECOND });
    fault.told('down');
    fault.told('up');
    assert.match(fault.a.router().holdReasons[0] ?? '', /^check web failed; counts as better from \d\d:\d\d:\d\d UTC$/);
  });

  test('that is given another delay while it waits has waited since the beginning; without one it counts at once', () => {
    const { clock, a, told, priority, configured } = tracking(-20, { down: 60 * SECOND });
    told('down');
    clock.advance(10 * SECOND);
    a.configure({ ...configured, trackDelays: [{ id: CHECK, up: 0, down: 15 * SECOND }] });
    clock.advance(5 * SECOND - 1);
    assert.equal(priority(), 100);
    clock.advance(1);
    assert.equal(priority(), 80);
    a.configure({ ...configured, trackDelays: [{ id: CHECK, up: 60 * SECOND, down: 0 }] });
    told('up');
    assert.equal(priority(), 80);
    a.configure({ ...configured, trackDelays: [] });
    assert.equal(priority(), 100);
  });

  test('waits on while the worker is replaced', () => {
    const { clock, a, told, priority } = tracking(-20, { up: 10 * SECOND });
    told('down');
    told('up');
    clock.advance(4 * SECOND);
    const port = a.port();
    a.election.attach(port);
    a.tell({ kind: 'workerReady' });
    // A new worker's first result is no first result of the router.
    a.tell({ kind: 'track', id: CHECK, state: 'up' });
    assert.equal(priority(), 80);
    clock.advance(6 * SECOND);
    assert.equal(priority(), 100);
  });

  test('may be an interface, a route or a session', () => {
    const { clock, a } = tracking(-20, {});
    a.addLink('em2');
    a.addRoute('192.0.2.0/24', 'em1');
    const ids = ['interface em2', 'route 192.0.2.0/24', 'bfd peer'];
    a.configure(
      settings({
        tracks: ids.map((id) => ({ id, weight: -10, reverse: false })),
        more: {
          routeTracks: [{ id: 'route 192.0.2.0/24', prefix: { address: '192.0.2.0', prefixLength: 24 }, table: 254 }],
          trackDelays: ids.map((id) => ({ id, up: 0, down: 5 * SECOND })),
        },
      }),
    );
    a.tell({ kind: 'track', id: 'bfd peer', state: 'up' });
    clock.settle();
    a.setLink('em2', false);
    a.removeRoute('192.0.2.0/24');
    a.tell({ kind: 'track', id: 'bfd peer', state: 'down' });
    clock.advance(5 * SECOND - 1);
    assert.equal(a.router().effectivePriority, 100);
    clock.advance(1);
    assert.equal(a.router().effectivePriority, 70);
  });

  test("never hides the failure of the router's own interface for longer than the others wait", () => {
    const clock = new VirtualClock();
    const a = new VirtualHost('a', new VirtualLan(clock), ['10.0.0.1/24']);
    a.configure(settings({ more: { trackDelays: [{ id: 'interface em1', up: 0, down: 3600 * SECOND }] } }));
    clock.advance(DOWN_100);
    a.setLink('em1', false);
    // (3 - 1) x 1 s - 1 s / 256
    clock.advance(1_996_093);
    assert.equal(a.router().state, 'active');
    clock.advance(1);
    assert.equal(a.router().state, 'fault');
  });

  test('moves a sync group when it counts, and not before', () => {
    const clock = new VirtualClock();
    const a = new VirtualHost('a', new VirtualLan(clock), ['10.0.0.1/24']);
    const member = (name: string, vrid: number, more = {}) =>
      settings({ name, vrid, addresses: [`10.0.0.10${vrid}`], group: 'g', ...more });
    a.configureWith(
      electionSettings(
        [
          member('r1', 1, {
            tracks: [{ id: CHECK, weight: 0, reverse: false }],
            more: { trackDelays: [{ id: CHECK, up: 5 * SECOND, down: 5 * SECOND }] },
          }),
          member('r2', 2),
        ],
        { groups: [{ name: 'g', routers: ['r1', 'r2'], policy: 'all' }] },
      ),
    );
    a.tell({ kind: 'track', id: CHECK, state: 'up' });
    clock.advance(2 * DOWN_100);
    const states = () => [a.router('r1').state, a.router('r2').state];
    assert.deepEqual(states(), ['active', 'active']);
    a.tell({ kind: 'track', id: CHECK, state: 'down' });
    clock.advance(5 * SECOND - 1);
    assert.deepEqual(states(), ['active', 'active']);
    clock.advance(1);
    assert.deepEqual(states(), ['fault', 'fault']);
    a.tell({ kind: 'track', id: CHECK, state: 'up' });
    clock.advance(5 * SECOND - 1);
    assert.deepEqual(states(), ['fault', 'fault']);
    clock.advance(1);
    assert.deepEqual(states(), ['backup', 'backup']);
  });

  test('is forgotten with its router', () => {
    const { clock, a, told } = tracking(-20, { down: 5 * SECOND });
    told('down');
    a.configure();
    clock.advance(60 * SECOND);
    assert.deepEqual(a.status().routers, []);
    assert.equal(a.occurrences('log').length, 0);
  });
});
