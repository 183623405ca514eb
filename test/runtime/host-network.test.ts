import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AddressKey, AddressRequest, Rule } from '../../agent/link/rtnetlink.js';
import { HostNetworks } from '../../agent/runtime/host-network.js';
import type { HostNetworkSettings } from '../../agent/runtime/messages.js';
import { RouteKeeper } from '../../agent/runtime/route-keeper.js';
import { RuleKeeper } from '../../agent/runtime/rule-keeper.js';
import { formatIp } from '../../proto/rules/ip.js';
import { route, rule } from './item-settings.js';
import { link, listener, OK, refused, tableOf } from './kept.js';
import { ip } from './router-settings.js';

const DAD_FAILED = 0x08;

function keeping() {
  const calls: string[] = [];
  const table = tableOf(link(2, 'em1'));
  const { outbox, of } = listener();
  let refusal: string | undefined;
  const text = ({ address, prefixLength }: AddressKey) => `${formatIp(address)}/${prefixLength}`;
  const outcome = () => (refusal === undefined ? OK : refused(refusal));
  const kernel = {
    addAddresses: (requests: readonly AddressRequest[]) =>
      requests.map((request) => {
        calls.push(`add ${text(request)} ${request.lifetime}${request.noDad === true ? ' nodad' : ''}`);
        return outcome();
      }),
    deleteAddresses: (keys: readonly AddressKey[]) =>
      keys.map((key) => {
        calls.push(`delete ${text(key)}`);
        return OK;
      }),
    changeRoutes: (change: string, requests: readonly object[]) => {
      calls.push(`${change} ${requests.length} routes`);
      return requests.map(outcome);
    },
    routes: () => [],
    changeRules: (change: string, requests: readonly object[]) => {
      calls.push(`${change} ${requests.length} rules`);
      return requests.map(outcome);
    },
    rules: (): readonly Rule[] => [],
  };
  const routes = new RouteKeeper(kernel, table, outbox);
  const rules = new RuleKeeper(kernel, outbox);
  const networks = new HostNetworks({ kernel, table, routes, rules, outbox });
  return {
    networks,
    table,
    of,
    take: () => calls.splice(0),
    refuse: (code: string | undefined) => {
      refusal = code;
    },
  };
}

const network = (more: Partial<HostNetworkSettings> = {}): HostNetworkSettings => ({
  name: 'lan',
  addresses: [{ address: '10.1.0.1', prefixLength: 24, device: 'em1' }],
  routes: [],
  rules: [],
  announcementLimits: [],
  interfaceDelays: [],
  ...more,
});
const KEY = { interfaceIndex: 2, address: ip('10.1.0.1'), prefixLength: 24 };
const there = { ...KEY, scope: 0, flags: 0, validLifetime: 'forever', preferredLifetime: 'forever' } as const;

test('what is not there is added for ever, and duplicate addresses are left to the kernel to find', () => {
  const { networks, take } = keeping();
  const addresses = [
    { address: '10.1.0.1', prefixLength: 24, device: 'em1' },
    { address: 'fd01::1', prefixLength: 64, device: 'em1' },
    { address: 'fd01::2', prefixLength: 64, device: 'em1', noDad: true },
  ];
  networks.configure([network({ addresses })], 0);
  assert.deepEqual(take(), ['add 10.1.0.1/24 forever', 'add fd01::1/64 forever', 'add fd01::2/64 forever nodad']);
  assert.equal(networks.isComplete('lan'), true);
  assert.equal(networks.isComplete('other'), undefined);
});

test('only what was added here is removed, the network being gone or changed', () => {
  const { networks, table, take } = keeping();
  table.addressAdded(there);
  const second = { address: '10.1.0.2', prefixLength: 24, device: 'em1' };
  networks.configure([network({ addresses: [...network().addresses, second] })], 0);
  assert.deepEqual(take(), ['add 10.1.0.2/24 forever']);
  networks.configure([network()], 0);
  assert.deepEqual(take(), ['delete 10.1.0.2/24']);
  networks.configure([], 0);
  assert.deepEqual(take(), [], 'it was there before');
});

test('an address that somebody removes is put back and told of', () => {
  const { networks, table, take, of } = keeping();
  networks.configure([network()], 0);
  take();
  table.addressRemoved(KEY);
  networks.restore(false, 0);
  assert.deepEqual(take(), ['add 10.1.0.1/24 forever']);
  assert.deepEqual(
    of('item').map(({ owner, item, change }) => [owner, item, change]),
    [['lan', '10.1.0.1/24 dev em1', 'restored']],
  );
});

test('what cannot be there is told of once, and its state says why', () => {
  const { networks, table, of, refuse } = keeping();
  refuse('ENOMEM');
  networks.configure([network({ routes: [route('10.9.0.0/16')], rules: [rule('from all')] })], 0);
  networks.restore(true, 0);
  networks.restore(true, 0);
  assert.deepEqual(
    networks.items.map(({ kind, present, error }) => [kind, present, error]),
    [
      ['address', false, 'cannot do it: ENOMEM'],
      ['route', false, 'cannot do it: ENOMEM'],
      ['rule', false, 'cannot do it: ENOMEM'],
    ],
  );
  assert.equal(of('item').length, 3);
  assert.equal(networks.isComplete('lan'), false);
  const noTrack = true;
  networks.configure(
    [
      network({
        addresses: [{ address: '10.1.0.1', prefixLength: 24, device: 'em1', noTrack }],
        routes: [{ ...route('10.9.0.0/16'), noTrack }],
        rules: [{ ...rule('from all'), noTrack }],
      }),
    ],
    0,
  );
  assert.ok(networks.items.every(({ present }) => !present));
  assert.equal(networks.isComplete('lan'), true, 'nobody waits for what may be missing');
  networks.configure([network({ routes: [route('10.9.0.0/16')], rules: [rule('from all')] })], 0);
  refuse(undefined);
  networks.restore(true, 0);
  assert.equal(networks.isComplete('lan'), true);
  table.addressAdded({ ...there, flags: DAD_FAILED, address: ip('fd01::1'), prefixLength: 64 });
  networks.configure([network({ addresses: [{ address: 'fd01::1', prefixLength: 64, device: 'em1' }] })], 0);
  assert.match(networks.items[0]?.error ?? '', /duplicate address detection/);
});

test('an interface that is not there is waited for', () => {
  const { networks, table, take } = keeping();
  networks.configure([network({ addresses: [{ address: '10.1.0.1', prefixLength: 24, device: 'em9' }] })], 0);
  assert.equal(networks.items[0]?.error, 'the interface em9 does not exist');
  table.linkChanged(link(9, 'em9'));
  networks.restore(false, 0);
  assert.deepEqual(take(), ['add 10.1.0.1/24 forever']);
});

test('at the end all that was added goes, rules and routes before addresses; or stays for the next process', () => {
  for (const keep of [false, true]) {
    const { networks, take } = keeping();
    networks.configure([network({ routes: [route('10.9.0.0/16')], rules: [rule('from all')] })], 0);
    take();
    networks.close(keep);
    assert.deepEqual(take(), keep ? [] : ['delete 1 rules', 'delete 1 routes', 'delete 10.1.0.1/24']);
  }
});
