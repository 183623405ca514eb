import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NeighborGroups } from '../../agent/runtime/neighbor-groups.js';
import { formatIp } from '../../proto/rules/ip.js';
import { link, listener, OK, refused, running, tableOf } from './kept.js';

function joining() {
  const table = tableOf(link(2, 'em1'));
  const { trouble, of } = listener();
  const calls: string[] = [];
  const kernel = { refusal: undefined as string | undefined };
  const groups = new NeighborGroups({
    open: ({ interfaceIndex }) => ({
      interfaceIndex,
      change: (group, isJoin) => {
        if (kernel.refusal !== undefined) return refused(kernel.refusal);
        calls.push(`${isJoin ? '+' : '-'}${formatIp(group)} ${interfaceIndex}`);
        return OK;
      },
      close: () => void calls.push(`close ${interfaceIndex}`),
    }),
    table,
    trouble,
  });
  const taken = () => calls.splice(0);
  return { groups, table, kernel, taken, of };
}

const macvlan = (vrid: number, ...addresses: string[]) =>
  running({
    name: `r${vrid}`,
    vrid,
    addresses,
    more: { virtualMac: { name: `vrrp6.${vrid}`, address: `00:00:5e:00:02:0${vrid}`, transmitOnBase: false } },
  });

test('a group is joined with the first address and left with the last', () => {
  const { groups, taken } = joining();
  const [a, b] = [macvlan(1, 'fd00::64', 'fd00:1::64', 'fd00::65'), macvlan(2, 'fd00:2::64')];
  groups.hold(a, 0);
  assert.deepEqual(taken(), ['+ff02::1:ff00:64 2', '+ff02::1:ff00:65 2']);
  groups.hold(b, 0);
  groups.hold(a, 0);
  assert.deepEqual(taken(), []);
  groups.release(a, 0);
  groups.release(a, 0);
  assert.deepEqual(taken(), ['-ff02::1:ff00:65 2']);
  groups.release(b, 0);
  assert.deepEqual(taken(), ['-ff02::1:ff00:64 2', 'close 2']);
});

test('an interface that is made anew joins again, and what was refused is tried again', () => {
  const { groups, table, kernel, taken, of } = joining();
  const router = macvlan(1, 'fd00::64');
  groups.hold(router, 0);
  taken();
  table.linkRemoved(2);
  groups.fit(0);
  assert.deepEqual(taken(), ['close 2']);
  kernel.refusal = 'ENOBUFS';
  table.linkChanged(link(7, 'em1'));
  groups.fit(0);
  assert.match(JSON.stringify(of('log')), /solicited-node group could not be joined.*ENOBUFS/);
  kernel.refusal = undefined;
  groups.fit(0);
  groups.fit(0);
  assert.deepEqual(taken(), ['+ff02::1:ff00:64 7']);
});

test('an address that is on the interface itself is the kernel’s business, and IPv4 has no such groups', () => {
  const { groups, taken } = joining();
  groups.hold(running({ addresses: ['fd00::64'] }), 0);
  groups.hold(macvlan(2, '10.0.0.1'), 0);
  assert.deepEqual(taken(), []);
});
