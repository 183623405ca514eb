import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AddressKey, AddressRequest, InterfaceAddress, Ipv4Conf } from '../../agent/link/rtnetlink.js';
import type { Outcome } from '../../agent/net/system-error.js';
import { AddressKeeper } from '../../agent/runtime/address-keeper.js';
import type { VirtualAddress } from '../../agent/runtime/messages.js';
import { SysctlLoans } from '../../agent/runtime/sysctl-loans.js';
import { formatIp } from '../../proto/rules/ip.js';
import { active, link, listener, OK, refused, running, tableOf } from './kept.js';
import { ip } from './router-settings.js';

const DAD_FAILED = 0x08;
const SECONDARY = 0x01;

/** The kernel's addresses on interface 2, which the table is not told of. */
function keeping() {
  const there = new Map<string, AddressRequest>();
  const calls: string[] = [];
  let refusal: string | undefined;
  const conf: { promoteSecondaries: number } = { promoteSecondaries: 0 };
  const textOf = ({ address, prefixLength }: AddressKey) => `${formatIp(address)}/${prefixLength}`;
  const each = (verb: string, requests: readonly AddressRequest[]): readonly Outcome[] => {
    calls.push(`${verb} ${requests.map(textOf).join()}`);
    return requests.map((request) => {
      if (refusal !== undefined) return refused(refusal);
      if (verb === 'add' && [...there.values()].some(({ address }) => address === request.address)) {
        return refused('EEXIST');
      }
      there.set(textOf(request), request);
      return OK;
    });
  };
  const kernel = {
    addAddresses: (requests: readonly AddressRequest[]) => each('add', requests),
    renewAddresses: (requests: readonly AddressRequest[]) => each('renew', requests),
    deleteAddresses: (keys: readonly AddressKey[]): readonly Outcome[] => {
      calls.push(`delete ${keys.map(textOf).join()}${conf.promoteSecondaries === 1 ? ' promoting' : ''}`);
      return keys.map((key) => (there.delete(textOf(key)) ? OK : refused('EADDRNOTAVAIL')));
    },
    ipv4Conf: () => conf as Required<Ipv4Conf>,
    setIpv4Conf: (_index: number, change: Ipv4Conf) => {
      conf.promoteSecondaries = change.promoteSecondaries ?? conf.promoteSecondaries;
      return OK;
    },
  };
  const table = tableOf(link(2, 'em1'));
  const { outbox, trouble, of } = listener();
  const keeper = new AddressKeeper(kernel, table, outbox, new SysctlLoans(kernel, trouble));
  const known = (text: string, more: Partial<InterfaceAddress> = {}) => {
    const [address = '', prefixLength] = text.split('/');
    const entry = { interfaceIndex: 2, address: ip(address), prefixLength: Number(prefixLength) };
    table.addressAdded({
      ...entry,
      scope: 0,
      flags: 0,
      validLifetime: 'forever',
      preferredLifetime: 'forever',
      ...more,
    });
    there.set(text, { ...entry, lifetime: 'forever' });
  };
  return {
    keeper,
    table,
    there,
    calls,
    conf,
    of,
    known,
    refuse: (code: string | undefined) => {
      refusal = code;
    },
  };
}

test('advertised addresses come first, the others after them, each family as it needs', () => {
  const { keeper, there, calls } = keeping();
  const router = running({ addresses: ['fd00::1/64', 'fd00::2'], excluded: ['10.0.0.100'] });
  keeper.add(router);
  assert.deepEqual(calls, ['add fd00::1/64,fd00::2/128,10.0.0.100/32']);
  assert.equal(there.get('fd00::1/64')?.noDad, true, 'usable at once');
  assert.equal(there.get('10.0.0.100/32')?.noDad, undefined);
  assert.equal(there.get('10.0.0.100/32')?.lifetime, 3, 'the down interval of priority 100, whole seconds');
});

test('every option reaches the kernel', () => {
  const { keeper, there } = keeping();
  const options: VirtualAddress = {
    address: '10.0.0.100',
    prefixLength: 24,
    device: 'em1',
    label: 'em1:vip',
    broadcast: '10.0.0.255',
    scope: 253,
    peer: { address: '10.0.1.1', prefixLength: 30 },
    noPrefixRoute: true,
    autojoin: true,
  };
  const six: VirtualAddress = {
    address: 'fd00::9',
    prefixLength: 64,
    device: 'em1',
    preferredLifetime: 0,
    home: true,
    manageTemporary: true,
  };
  const router = running();
  router.replaceSettings({ ...router.settings, addresses: [options], excludedAddresses: [six] });
  keeper.add(router);
  assert.deepEqual(there.get('10.0.0.100/30'), {
    interfaceIndex: 2,
    address: ip('10.0.0.100'),
    prefixLength: 30,
    lifetime: 3,
    peer: ip('10.0.1.1'),
    label: 'em1:vip',
    broadcast: ip('10.0.0.255'),
    scope: 253,
    noPrefixRoute: true,
    autojoin: true,
  });
  assert.deepEqual(there.get('fd00::9/64'), {
    interfaceIndex: 2,
    address: ip('fd00::9'),
    prefixLength: 64,
    lifetime: 3,
    preferredLifetime: 0,
    noDad: true,
    home: true,
    manageTemporary: true,
  });
});

test('a renewal makes nothing new', () => {
  const { keeper, there } = keeping();
  const router = running();
  keeper.add(router);
  const [first] = there.values();
  keeper.renew([{ router, addresses: router.wanted }]);
  assert.equal([...there.values()][0], first, 'the same request');
});

test('an IPv6 address that is there in another shape is made anew, one in the right shape only renewed', () => {
  const { keeper, calls, known, of } = keeping();
  known('fd00::1/64');
  known('fd00::2/80', { validLifetime: 3 });
  known('fd00::3/64', { validLifetime: 3 });
  keeper.add(running({ addresses: ['fd00::1/64', 'fd00::2/64', 'fd00::3/64'] }));
  assert.deepEqual(calls.slice(1), ['delete fd00::1/64,fd00::2/80', 'renew fd00::1/64,fd00::2/64,fd00::3/64']);
  assert.equal(of('address').filter(({ change }) => change === 'leftover-adopted').length, 3);
});

test('an IPv6 leftover of another prefix length is removed as it is there', () => {
  const { keeper, calls, known, of } = keeping();
  known('fd00::2/80', { validLifetime: 3 });
  keeper.removeLeftovers(running({ addresses: ['fd00::2/64'] }));
  assert.deepEqual(calls, ['delete fd00::2/80']);
  assert.equal(of('address').filter(({ change }) => change === 'leftover-removed').length, 1);
});

test('of changed options only those that the kernel cannot change take the address away for a moment', () => {
  const { keeper, calls } = keeping();
  const router = running({ addresses: ['10.0.0.100', '10.0.0.101'] });
  keeper.add(router);
  calls.length = 0;
  const [first, second] = router.settings.addresses;
  assert.ok(first !== undefined && second !== undefined);
  router.replaceSettings({
    ...router.settings,
    addresses: [
      { ...first, label: 'em1:new' },
      { ...second, noTrack: true },
    ],
  });
  assert.equal(keeper.sync(router).length, 1);
  assert.deepEqual(calls, ['delete 10.0.0.100/32', 'add 10.0.0.100/32']);
  assert.equal(keeper.sync(router).length, 0);
});

test('what was removed is put back; what cannot be is lost, unless nobody minds', () => {
  const { keeper, table, there, known, refuse } = keeping();
  const router = active(running({ addresses: ['10.0.0.100', '10.0.0.101'] }));
  keeper.add(router);
  const vanish = () => {
    for (const text of ['10.0.0.100/32', '10.0.0.101/32']) {
      there.delete(text);
      table.addressRemoved({ interfaceIndex: 2, address: ip(text.split('/')[0] ?? ''), prefixLength: 32 });
    }
  };
  vanish();
  assert.equal(keeper.restore(router, 0).restored.length, 2);
  vanish();
  refuse('ENOMEM');
  assert.equal(keeper.restore(router, 0).isLost, true);
  refuse(undefined);
  assert.equal(keeper.restore(router, 0).isLost, false);
  router.replaceSettings({
    ...router.settings,
    addresses: router.settings.addresses.map((each) => ({ ...each, noTrack: true })),
  });
  vanish();
  refuse('ENOMEM');
  assert.equal(keeper.restore(router, 0).isLost, false);
  known('10.0.0.55/32');
});

test('an address that duplicate address detection has refused is reported and used nevertheless', () => {
  const { keeper, known, calls } = keeping();
  const router = active(running({ addresses: ['fd00::1/64'] }));
  keeper.add(router);
  calls.length = 0;
  known('fd00::1/64', { flags: DAD_FAILED });
  const { duplicates, isLost } = keeper.restore(router, 0);
  assert.deepEqual(duplicates, router.wanted);
  assert.equal(isLost, false);
  assert.deepEqual(calls, ['delete fd00::1/64', 'add fd00::1/64']);
  assert.deepEqual(keeper.restore(router, 0).duplicates, []);
});

test('secondary addresses of others are spared when a primary one of ours goes', () => {
  const { keeper, calls, conf, known } = keeping();
  const router = active(running({ addresses: ['10.0.0.100/24'] }));
  keeper.add(router);
  known('10.0.0.7/24', { flags: SECONDARY });
  keeper.guardSecondaries([router], 0);
  assert.equal(conf.promoteSecondaries, 1, 'the lease may end');
  keeper.remove(router);
  assert.equal(calls.at(-1), 'delete 10.0.0.100/24 promoting');
  keeper.guardSecondaries([], 0);
  assert.equal(conf.promoteSecondaries, 0);
});

test('without a router that runs on the interface it is only promoted for the removal', () => {
  const { keeper, calls, conf, known } = keeping();
  const router = active(running({ addresses: ['10.0.0.100/24'] }));
  keeper.add(router);
  known('10.0.0.7/24', { flags: SECONDARY });
  keeper.remove(router);
  assert.equal(calls.at(-1), 'delete 10.0.0.100/24 promoting');
  assert.equal(conf.promoteSecondaries, 0);
});

test('another primary address of the subnet keeps its secondaries itself', () => {
  const { keeper, calls, known } = keeping();
  const router = active(running({ addresses: ['10.0.0.100/24'] }));
  known('10.0.0.1/24');
  known('10.0.0.7/24', { flags: SECONDARY });
  keeper.add(router);
  keeper.remove(router);
  assert.equal(calls.at(-1), 'delete 10.0.0.100/24');
});
