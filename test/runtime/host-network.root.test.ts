/** Static addresses, routes and rules in real kernels. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { HostNetworkSettings } from '../../agent/runtime/messages.js';
import { LabElection, labRouter } from '../lab/election.js';
import { Lab, labUnavailable } from '../lab/lab.js';
import { until } from '../lab/until.js';
import { prefix, route, rule } from './item-settings.js';

const skip = labUnavailable();
const network: HostNetworkSettings = {
  name: 'lan',
  addresses: [
    { address: '10.40.0.1', prefixLength: 24, device: 'em1' },
    { address: 'fd40::1', prefixLength: 64, device: 'em1' },
    { address: '10.9.0.1', prefixLength: 24, device: 'em1' },
  ],
  routes: [route('10.41.0.0/16', { via: '10.40.0.254' })],
  rules: [rule('from 10.40.0.0/24', { from: prefix('10.40.0.0/24') })],
  announcementLimits: [],
  interfaceDelays: [],
};
const tracking = labRouter({
  interval: 100_000,
  addresses: ['10.9.0.100'],
  tracks: [{ id: 'host network lan', weight: 0, reverse: false }],
});

async function laboratory(t: TestContext) {
  const lab = await Lab.open();
  t.after(() => lab.close());
  const a = await lab.host('a', { addresses: ['10.9.0.1/24'] });
  const state = async () =>
    `${await a.run('ip', 'address')} ${await a.run('ip', 'route')} ${await a.run('ip', 'rule')}`;
  return { lab, a, state };
}

test('they are there without a router, for ever, put back, and removed when no longer configured', {
  skip,
}, async (t) => {
  const { a, state } = await laboratory(t);
  const election = await LabElection.startWith(a, { routers: [], hostNetworks: [network] });
  const first = await state();
  assert.match(first, /inet 10\.40\.0\.1\/24 .*\n\s+valid_lft forever/);
  assert.match(first, /fd40::1\/64/);
  assert.match(first, /10\.41\.0\.0\/16 via 10\.40\.0\.254/);
  assert.match(first, /from 10\.40\.0\.0\/24 lookup 100/);
  assert.deepEqual(
    (await election.status()).hostItems.map(({ kind, present }) => [kind, present]),
    [
      ['address', true],
      ['address', true],
      ['address', true],
      ['route', true],
      ['rule', true],
    ],
  );
  await a.ip('address delete 10.40.0.1/24 dev em1', 'rule delete from 10.40.0.0/24');
  await until('all to be back', 3000, async () => {
    const now = await state();
    return ['10.40.0.1/24', '10.41.0.0/16', 'from 10.40.0.0/24'].every((text) => now.includes(text));
  });
  await election.configureWith({ routers: [], hostNetworks: [{ ...network, addresses: network.addresses.slice(1) }] });
  assert.doesNotMatch(await state(), /10\.40\.0\.1\/24/);
  await election.configureWith({ routers: [] });
  const last = await state();
  assert.doesNotMatch(last, /fd40::1|10\.41\.0|from 10\.40/);
  assert.match(last, /10\.9\.0\.1\/24/, 'which was there before');
});

test('a router that tracks them is in fault while something cannot be there', { skip }, async (t) => {
  const { a } = await laboratory(t);
  const broken = { ...network, routes: [route('10.41.0.0/16', { via: '10.99.0.254' })] };
  const election = await LabElection.startWith(a, { routers: [tracking], hostNetworks: [broken] });
  await election.untilState('fault', 3000);
  const item = (await election.status()).hostItems.find(({ kind }) => kind === 'route');
  assert.equal(item?.present, false);
  assert.match(item?.error ?? '', /10\.41\.0\.0/);
  // What it needs comes: nobody has to ask.
  await a.ip('address add 10.99.0.1/24 dev em1');
  await a.ip('link set em1 down', 'link set em1 up');
  await election.untilState('active', 5000);
});
