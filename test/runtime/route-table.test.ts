import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NextHop, Route } from '../../agent/link/rtnetlink.js';
import { RouteTable } from '../../agent/runtime/route-table.js';
import { link } from './kept.js';

const DESTINATION = { address: 0x0a4d_0000, prefixLength: 16 };
const WATCHED = { prefix: DESTINATION, table: 254 };

function route(more: Partial<Route>): Route {
  return {
    family: 4,
    type: 1,
    destination: DESTINATION,
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

function tableOf(...routes: readonly Route[]): RouteTable {
  const table = new RouteTable();
  table.watch([WATCHED]);
  table.replace(routes);
  return table;
}

const hop = (interfaceIndex: number): NextHop => ({ gateway: 1, interfaceIndex, weight: 1, onLink: false });
const up = (index: number) => link(index, `em${index}`);
const down = (index: number) => link(index, `em${index}`, { isUp: false, flags: 0x1002 });
const withoutCarrier = (index: number) => link(index, `em${index}`, { isUp: false, flags: 0x1003 });

test('a route goes with its interface, and is back when the kernel tells of it', () => {
  const table = tableOf(route({ interfaceIndex: 2 }));
  table.linkChanged(down(3));
  assert.ok(table.has(WATCHED));
  table.linkChanged(down(2));
  assert.ok(!table.has(WATCHED));
  table.linkChanged(up(2));
  assert.ok(!table.has(WATCHED), 'the kernel does not add it again');
  table.added(route({ interfaceIndex: 2 }));
  assert.ok(table.has(WATCHED));
});

test('one of several next hops goes with the last of their interfaces, also one after the other', () => {
  const table = tableOf(route({ nextHops: [hop(2), hop(3)] }));
  table.linkChanged(down(2));
  assert.ok(table.has(WATCHED));
  table.linkChanged(down(3));
  assert.ok(!table.has(WATCHED));
});

test('without carrier it leads nowhere, until carrier is back', () => {
  for (const first of [route({ interfaceIndex: 2 }), route({ nextHops: [hop(2), hop(2)] })]) {
    const table = tableOf(first);
    table.linkChanged(withoutCarrier(2));
    assert.ok(!table.has(WATCHED));
    table.linkChanged(up(2));
    assert.ok(table.has(WATCHED));
  }
  const dead = tableOf(route({ interfaceIndex: 2, isDead: true }));
  assert.ok(!dead.has(WATCHED));
  dead.linkChanged(up(2));
  assert.ok(dead.has(WATCHED));
});

test('it goes with the address that it prefers as its source', () => {
  const table = tableOf(route({ interfaceIndex: 2, source: 7 }));
  table.addressRemoved(8);
  assert.ok(table.has(WATCHED));
  table.addressRemoved(7);
  assert.ok(!table.has(WATCHED));
});
