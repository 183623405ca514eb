import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Ipv4Conf, Link, LinkChange, MacvlanRequest } from '../../agent/link/rtnetlink.js';
import { AcceptGuard } from '../../agent/runtime/firewall.js';
import { SysctlLoans } from '../../agent/runtime/sysctl-loans.js';
import { VirtualMacs } from '../../agent/runtime/virtual-macs.js';
import { link, listener, OK, refused, running, tableOf } from './kept.js';

const UP = 0x1;
const MAC = Uint8Array.of(0, 0, 0x5e, 0, 1, 10);
const options = (name = 'r') => ({
  name,
  more: { virtualMac: { name: 'vrrp.10', address: '00:00:5e:00:01:0a', transmitOnBase: false } },
});

function making(...others: readonly Link[]) {
  const calls: string[] = [];
  const table = tableOf(link(2, 'em1'), ...others);
  const { outbox, trouble, of } = listener();
  let next = 10;
  let refusal: string | undefined;
  /** What the kernel says of an interface that the table does not know yet. */
  const shown = new Map<string, Link>();
  const kernel = {
    createMacvlan: ({ name, baseIndex, address, alias }: MacvlanRequest) => {
      calls.push(`make ${name} on ${baseIndex}`);
      if (refusal !== undefined) return { ok: false as const, code: refusal, errno: 1, message: refusal };
      next += 1;
      const made = link(next, name, {
        kind: 'macvlan',
        alias,
        parentIndex: baseIndex,
        flags: 0,
        hardwareAddress: address,
      });
      return { ok: true as const, link: made };
    },
    setLink: (index: number, { up, alias }: LinkChange) => {
      calls.push(`set ${index}${up === undefined ? '' : ` up ${up}`}${alias === undefined ? '' : ` alias ${alias}`}`);
      const was = table.linkOf(index);
      if (was !== undefined && up !== undefined) table.linkChanged({ ...was, flags: up ? UP : 0 });
      return OK;
    },
    deleteLink: (index: number) => {
      calls.push(`delete ${index}`);
      return OK;
    },
    link: (name: string) => shown.get(name) ?? table.link(name),
    ipv4Conf: () => ({ arpIgnore: 0, arpAnnounce: 0, forwarding: 1 }) as Required<Ipv4Conf>,
    setIpv4Conf: (index: number, conf: Ipv4Conf) => {
      calls.push(`conf ${index} ${Object.keys(conf).join()}`);
      return OK;
    },
  };
  const quiet: string[] = [];
  const silenced = (text: string) => {
    calls.push(text);
    return OK;
  };
  const guard = new AcceptGuard(
    {
      dropTraffic: () => OK,
      allowTraffic: () => OK,
      blockReports: (indexes) => silenced(`block ${indexes.join()}`),
      allowReports: (indexes) => silenced(`unblock ${indexes.join()}`),
      clear: () => OK,
      leave: () => OK,
      close: () => undefined,
    },
    table,
    trouble,
  );
  const sysctl = {
    read: () => ({ ok: true as const, value: 1 }),
    write: ({ interfaceName, key }: { interfaceName: string; key: string }, value: number) => {
      quiet.push(`${interfaceName} ${key} ${value}`);
      return interfaceName === 'gone' ? refused('ENOENT') : OK;
    },
  };
  const loans = new SysctlLoans(kernel, trouble);
  const macs = new VirtualMacs({ kernel, sysctl, loans, guard, table, outbox, trouble });
  const take = () => calls.splice(0);
  return {
    macs,
    table,
    take,
    quiet,
    of,
    shown,
    refuse: (code: string | undefined) => {
      refusal = code;
    },
  };
}

const ours = (index: number, more: Partial<Link> = {}): Link =>
  link(index, 'vrrp.10', {
    kind: 'macvlan',
    alias: 'baton r',
    parentIndex: 2,
    hardwareAddress: MAC,
    ...more,
  });

test('it is made, its reports are blocked, and only then is it set up', () => {
  const { macs, take, quiet } = making();
  const router = running(options());
  assert.equal(macs.arrange([router], 0), true);
  assert.deepEqual(take(), [
    'make vrrp.10 on 2',
    'conf 2 arpIgnore',
    'conf 2 arpAnnounce',
    'block 11',
    'set 11 up true',
  ]);
  assert.ok(quiet.includes('vrrp.10 disable_ipv6 1'));
  assert.ok(quiet.includes('vrrp.10 accept_ra 0'));
  assert.ok(macs.isOurs(router, 'vrrp.10'));
  assert.equal(macs.isOurs(running(options('other')), 'vrrp.10'), false);
  macs.fit(0);
  assert.deepEqual(take(), [], 'nothing more to do');
});

test('it forwards while its router is active, as the interface below', () => {
  const { macs, quiet } = making();
  const router = running(options());
  macs.arrange([router], 0);
  macs.serve(router, true, 0);
  assert.equal(quiet.at(-1), 'vrrp.10 forwarding 1');
  macs.serve(router, false, 0);
  assert.equal(quiet.at(-1), 'vrrp.10 forwarding 0');
});

test('it goes down with the interface below, and is made again when it was deleted', () => {
  const { macs, table, take } = making();
  macs.arrange([running(options())], 0);
  take();
  table.linkChanged(link(2, 'em1', { flags: 0 }));
  macs.fit(0);
  assert.deepEqual(take(), ['set 11 up false']);
  table.linkRemoved(11);
  table.linkChanged(link(2, 'em1'));
  macs.fit(0);
  assert.deepEqual(take(), ['make vrrp.10 on 2', 'block 12', 'unblock 11', 'set 12 up true']);
  table.linkRemoved(2);
  table.linkRemoved(12);
  assert.equal(macs.fit(0), true, 'without the interface below there is nothing to do and nothing to try again');
});

test('a former run left one that fits: it is ours; or one that does not: it is made anew', () => {
  const fitting = making(ours(7, { alias: 'baton former' }));
  fitting.macs.arrange([running(options())], 0);
  const adopted = fitting.take();
  assert.ok(adopted.includes('set 7 alias baton r'));
  assert.ok(!adopted.some((call) => call.startsWith('make') || call.startsWith('delete')));

  for (const other of [ours(7, { parentIndex: 3 }), ours(7, { hardwareAddress: Uint8Array.of(2, 0, 0, 0, 0, 9) })]) {
    const unfit = making(other);
    unfit.macs.arrange([running(options())], 0);
    assert.deepEqual(unfit.take().slice(0, 2), ['delete 7', 'make vrrp.10 on 2']);
  }
});

test('what is marked as ours and not wanted is removed at the start, nothing else ever', () => {
  const foreign = link(8, 'vrrp.11', { kind: 'macvlan', parentIndex: 2, alias: 'batonless' });
  const dummy = link(9, 'dm', { kind: 'dummy', alias: 'baton r' });
  const { macs, take, of } = making(ours(7), foreign, dummy);
  macs.arrange([], 0);
  assert.deepEqual(take(), ['delete 7']);
  assert.equal(of('log').length, 1);
  macs.close(false, 0);
  assert.deepEqual(take(), []);
});

test('an interface of the name that is not ours is told of, left alone and waited for', () => {
  const { macs, table, take, of } = making(link(7, 'vrrp.10', { kind: 'dummy' }));
  const router = running(options());
  assert.equal(macs.arrange([router], 0), false);
  assert.equal(macs.isOurs(router, 'vrrp.10'), false);
  assert.deepEqual(take(), []);
  assert.match(String(of('log')[0]?.fields['detail']), /rename or remove it/);
  table.linkRemoved(7);
  assert.equal(macs.fit(0), true);
  assert.ok(macs.isOurs(router, 'vrrp.10'));
});

test('what is told of one that is down as it was before it was marked is no reason to leave it alone', () => {
  const { macs, table, take, shown, of } = making();
  const router = running(options());
  table.linkChanged(link(2, 'em1', { flags: 0 }));
  macs.arrange([router], 1);
  const made = table.link('vrrp.10');
  assert.ok(made !== undefined);
  shown.set('vrrp.10', made);
  const { alias: _alias, ...unmarked } = made;
  table.linkChanged(unmarked);
  take();
  assert.equal(macs.fit(2), true);
  assert.equal(macs.isOurs(router, 'vrrp.10'), true);
  table.linkChanged(link(2, 'em1'));
  macs.fit(3);
  assert.ok(take().includes(`set ${made.index} up true`));
  assert.deepEqual(of('log'), []);
});

test('one that cannot be made is tried again', () => {
  const { macs, of, refuse } = making();
  refuse('EBUSY');
  assert.equal(macs.arrange([running(options())], 0), false);
  assert.equal(of('log')[0]?.message, 'a virtual MAC interface could not be made');
  refuse(undefined);
  assert.equal(macs.fit(0), true);
});

test('at the end they go; for the process that goes on they stay', () => {
  for (const keep of [false, true]) {
    const { macs, take } = making();
    macs.arrange([running(options())], 0);
    take();
    macs.close(keep, 0);
    assert.deepEqual(take(), keep ? [] : ['delete 11']);
  }
});
