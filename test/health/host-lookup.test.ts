import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type LookupEdge, NameLookup } from '../../agent/health/host-lookup.js';
import { settled } from '../local/manual-clock.js';

const never = new AbortController().signal;

function setUp() {
  const asked: { host: string; done: Parameters<LookupEdge>[1] }[] = [];
  const names = new NameLookup((host, done) => asked.push({ host, done }));
  return { asked, names };
}

test('an address is its own answer', async () => {
  const { asked, names } = setUp();
  assert.deepEqual(await names.addressesOf('192.0.2.1', never), [{ address: '192.0.2.1', family: 4 }]);
  assert.deepEqual(await names.addressesOf('fe80::1%eth0', never), [{ address: 'fe80::1%eth0', family: 6 }]);
  assert.equal(asked.length, 0);
});

test('equal look-ups share one, and two are under way at most', async () => {
  const { asked, names } = setUp();
  const all = Promise.allSettled(['a', 'a', 'b', 'c', 'd'].map((host) => names.addressesOf(host, never)));
  await settled();
  assert.deepEqual(
    asked.map(({ host }) => host),
    ['a', 'b'],
  );
  asked[0]?.done(null, [{ address: '192.0.2.1', family: 4 }]);
  await settled();
  asked[1]?.done(Object.assign(new Error('no'), { code: 'EAI_AGAIN' }), []);
  await settled();
  assert.deepEqual(
    asked.map(({ host }) => host),
    ['a', 'b', 'c', 'd'],
  );
  asked[2]?.done(null, []);
  asked[3]?.done(null, [{ address: '::1', family: 6 }]);
  const results = await all;
  assert.deepEqual(
    results.map((result) => (result.status === 'fulfilled' ? result.value[0]?.address : result.reason.message)),
    [
      '192.0.2.1',
      '192.0.2.1',
      'the name b cannot be looked up now: no name server answered',
      'the name c has no address',
      '::1',
    ],
  );
});

test('whoever gives up does not wait, and what he waited for is not asked twice', async () => {
  const { asked, names } = setUp();
  const controller = new AbortController();
  const waiting = names.addressesOf('slow', controller.signal);
  await settled();
  controller.abort();
  await assert.rejects(waiting, { code: 'GIVEN_UP' });
  const again = names.addressesOf('slow', never);
  await settled();
  assert.equal(asked.length, 1);
  asked[0]?.done(null, [{ address: '192.0.2.7', family: 4 }]);
  assert.equal((await again)[0]?.address, '192.0.2.7');
  await assert.rejects(names.addressesOf('other', controller.signal));
});

test('an address that must not be asked is refused with its reason, whichever of them it is, and no other name is', async () => {
  const refused: string[] = [];
  const names = new NameLookup(
    (host, done) =>
      done(null, [
        { address: '192.0.2.1', family: 4 },
        { address: host === 'evil' ? '192.0.2.66' : '192.0.2.2', family: 4 },
      ]),
    (host, address) => {
      if (address !== '192.0.2.66') return undefined;
      refused.push(host);
      return `${host} leads to ${address}`;
    },
  );
  await assert.rejects(names.addressesOf('evil', never), { name: 'LookupError', message: 'evil leads to 192.0.2.66' });
  assert.equal((await names.addressesOf('good', never)).length, 2);
  // An address that was written as such was judged with the configuration.
  assert.equal((await names.addressesOf('192.0.2.66', never)).length, 1);
  assert.deepEqual(refused, ['evil']);
});
