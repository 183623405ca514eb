import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { changeBetween } from '../../agent/runtime/change.js';
import { problemsOf } from '../../agent/runtime/configuration.js';
import { electionSettings, settings } from './router-settings.js';

const named = (name: string, vrid: number, more = {}) =>
  settings({ name, vrid, addresses: [`10.0.1.${vrid}`], ...more });

describe('a configuration is refused', () => {
  const bytes = (length: number) => new Uint8Array(length);
  for (const [why, routers, path] of [
    ['for two routers of one name', [named('a', 1), named('a', 2)], 'routers[a]'],
    ['for a VRID twice on one interface', [named('a', 1), settings({ name: 'b', vrid: 1 })], 'routers[b].vrid'],
    ['for a VRID of 0', [settings({ vrid: 0 })], 'routers[r].vrid'],
    ['for a priority of 256', [settings({ priority: 256 })], 'routers[r].priority'],
    ['for half a centisecond', [settings({ interval: 5_000 })], 'routers[r].advertisementInterval'],
    [
      'for half a second in version 2',
      [settings({ version: 2, interval: 500_000 })],
      'routers[r].advertisementInterval',
    ],
    ['for an interval beyond 40.95 s', [settings({ interval: 40_960_000 })], 'routers[r].advertisementInterval'],
    ['for a name that no interface has', [settings({ interface: 'no/such' })], 'routers[r].interface'],
    ['for a name of 16 bytes', [settings({ interface: 'a234567890123456' })], 'routers[r].interface'],
    [
      'for 256 addresses',
      [settings({ addresses: Array.from({ length: 256 }, (_, index) => `10.1.${index}.1`) })],
      'routers[r].addresses',
    ],
    ['for a prefix length of 33', [settings({ addresses: ['10.0.0.9/33'] })], 'routers[r].addresses[10.0.0.9]'],
    ['for an address twice', [settings({ addresses: ['10.0.0.9', '10.0.0.9'] })], 'routers[r].addresses[10.0.0.9]'],
    [
      'for an address of two routers',
      [settings({ name: 'a', vrid: 1 }), settings({ name: 'b', vrid: 2 })],
      'routers[b].addresses[10.0.0.100]',
    ],
    ['for a source that is no address', [settings({ more: { sourceAddress: '10.0.0' } })], 'routers[r].sourceAddress'],
    ['for a peer that is no address', [settings({ more: { peers: ['x'] } })], 'routers[r].peers'],
    ['for a password in version 3', [settings({ more: { password: bytes(8) } })], 'routers[r].password'],
    [
      'for a known source of the other family',
      [settings({ more: { knownSources: ['::1'] } })],
      'routers[r].knownSources',
    ],
    [
      'for a hold time of what is not tracked',
      [settings({ more: { trackDelays: [{ id: 'check web', up: 1, down: 1 }] } })],
      'routers[r].trackDelays',
    ],
    ['for questions every 0.9 s', [settings({ more: { verifyInterval: 900_000 } })], 'routers[r].verifyInterval'],
    ['for a password of 7 bytes', [settings({ version: 2, more: { password: bytes(7) } })], 'routers[r].password'],
  ] as const) {
    test(why, () => {
      const problems = problemsOf(electionSettings(routers));
      assert.ok(
        problems.some((problem) => problem.path === path),
        JSON.stringify(problems),
      );
      for (const { reason } of problems) assert.match(reason, /\w{3,} .*\w/);
    });
  }

  test('but not for the same VRID on two interfaces, or the extremes of each range', () => {
    const a = named('a', 1, { priority: 1, interval: 10_000 });
    const b = settings({ name: 'b', vrid: 1, interface: 'em2', priority: 255, interval: 40_950_000 });
    const c = named('c', 255, { version: 2, interval: 255_000_000 });
    assert.deepEqual(problemsOf(electionSettings([a, b, c])), []);
  });
});

describe('the way from one configuration to the next', () => {
  const names = (routers: readonly { readonly router: { readonly name: string } }[]) =>
    routers.map(({ router }) => router.name);

  test('leaves alone what is equal, whatever its order', () => {
    const [a, b] = [named('a', 1), named('b', 2)];
    assert.deepEqual(changeBetween([a, b], [structuredClone(b), structuredClone(a)]), {
      stop: [],
      change: [],
      start: [],
    });
  });

  test('stops, changes and starts the rest', () => {
    const { stop, change, start } = changeBetween(
      [named('gone', 1), named('kept', 2), named('changed', 3)],
      [named('kept', 2), named('changed', 3, { priority: 7 }), named('new', 4)],
    );
    assert.deepEqual(
      [stop, names(change.map((each) => each.settings)), names(start)],
      [['gone'], ['changed'], ['new']],
    );
  });

  test('a password that differs in one byte is a change', () => {
    const secret = (last: number) =>
      settings({ version: 2, more: { password: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, last) } });
    assert.deepEqual(names(changeBetween([secret(8)], [secret(9)]).change.map((each) => each.settings)), ['r']);
    assert.deepEqual(names(changeBetween([secret(8)], [secret(8)]).start), []);
  });

  test('a router keeps its place under another name, and two may exchange theirs', () => {
    const renamed = changeBetween([named('a', 1)], [named('b', 1)]);
    assert.deepEqual([renamed.stop, renamed.change.map((each) => each.name), renamed.start], [[], ['a'], []]);
    const exchanged = changeBetween([named('a', 1), named('b', 2)], [named('b', 1), named('a', 2)]);
    assert.deepEqual(
      exchanged.change.map(({ name, settings: to }) => [name, to.router.name, to.router.vrid]),
      [
        ['a', 'b', 1],
        ['b', 'a', 2],
      ],
    );
  });

  test('another VRID, version, interface, transport or virtual MAC is another router', () => {
    for (const other of [
      named('a', 2),
      named('a', 1, { version: 2 }),
      named('a', 1, { interface: 'em2' }),
      named('a', 1, { more: { peers: ['10.0.0.2'] } }),
      named('a', 1, { more: { virtualMac: { name: 'vrrp.1', address: '00:00:5e:00:01:01', transmitOnBase: false } } }),
    ]) {
      const { stop, change, start } = changeBetween([named('a', 1)], [other]);
      assert.deepEqual([stop, change, names(start)], [['a'], [], ['a']]);
    }
  });
});
