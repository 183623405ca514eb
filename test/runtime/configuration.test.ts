import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { changeBetween, problemsOf } from '../../agent/runtime/configuration.js';
import { settings } from './router-settings.js';

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
    ['for no address', [settings({ addresses: [] })], 'routers[r].addresses'],
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
    ['for a password of 7 bytes', [settings({ version: 2, more: { password: bytes(7) } })], 'routers[r].password'],
  ] as const) {
    test(why, () => {
      const problems = problemsOf(routers);
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
    assert.deepEqual(problemsOf([a, b, c]), []);
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
      [named('kept', 2), named('changed', 3, { priority: 7 }), named('new', 1)],
    );
    assert.deepEqual([stop, names(change), names(start)], [['gone'], ['changed'], ['new']]);
  });

  test('a password that differs in one byte is a change', () => {
    const secret = (last: number) =>
      settings({ version: 2, more: { password: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, last) } });
    assert.deepEqual(names(changeBetween([secret(8)], [secret(9)]).change), ['r']);
    assert.deepEqual(names(changeBetween([secret(8)], [secret(8)]).change), []);
  });

  test('another VRID, version or interface is another router', () => {
    for (const other of [named('a', 2), named('a', 1, { version: 2 }), named('a', 1, { interface: 'em2' })]) {
      const { stop, change, start } = changeBetween([named('a', 1)], [other]);
      assert.deepEqual([stop, names(change), names(start)], [['a'], [], ['a']]);
    }
  });
});
