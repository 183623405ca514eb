import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Route, RouteRequest } from '../../agent/link/rtnetlink.js';
import { RouteKeeper } from '../../agent/runtime/route-keeper.js';
import { parseIp } from '../../proto/rules/ip.js';
import { route } from './item-settings.js';
import { link, listener, OK, refused, running, tableOf } from './kept.js';

const GATEWAY = parseIp('10.9.0.201') ?? 0;
const SETTINGS = route('10.79.0.0/16', { nextHops: [{ via: '10.9.0.201', weight: 3, onLink: false }] });

/** What the kernel makes of SETTINGS: one next hop is no list. */
function listed(more: Partial<Route> = {}): Route {
  return {
    family: 4,
    type: 1,
    destination: { address: 0x0a4f_0000, prefixLength: 16 },
    gateway: GATEWAY,
    interfaceIndex: 2,
    table: 254,
    metric: 0,
    scope: 0,
    protocol: 18,
    tos: 0,
    onLink: false,
    nextHops: [],
    metrics: [],
    lockedMetrics: 0,
    isDead: false,
    ...more,
  };
}

function keeping(there: readonly Route[]) {
  const { outbox, of } = listener();
  let refusal: string | undefined;
  const kernel = {
    changeRoutes: (_verb: 'add' | 'replace' | 'delete', requests: readonly RouteRequest[]) =>
      requests.map(() => (refusal === undefined ? OK : refused(refusal))),
    routes: () => there,
  };
  const keeper = new RouteKeeper(kernel, tableOf(link(2, 'em1')), outbox);
  const router = running({ more: { routes: [SETTINGS] } });
  keeper.sync(router);
  refusal = 'ENETUNREACH';
  return { keeper, router, of };
}

test('a route that is there is not lost though the kernel refuses it and lists it otherwise', () => {
  const { keeper, router, of } = keeping([listed()]);
  assert.equal(keeper.restore(router, 0), false);
  assert.deepEqual([...router.heldRoutes], ['10.79.0.0/16']);
  assert.deepEqual(of('item'), []);
});

test('another one in its place, or none, is a loss', () => {
  for (const there of [
    [],
    [listed({ gateway: parseIp('10.9.0.202') ?? 0 })],
    [listed({ tos: 8 })],
    [listed({ type: 6 })],
  ]) {
    const { keeper, router, of } = keeping(there);
    assert.equal(keeper.restore(router, 0), true, JSON.stringify(there));
    assert.deepEqual([...router.heldRoutes], []);
    assert.equal(of('item')[0]?.change, 'add-failed');
  }
});
