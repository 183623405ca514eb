import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FilteredAddress } from '../../agent/link/firewall.js';
import { AcceptGuard } from '../../agent/runtime/firewall.js';
import { formatIp } from '../../proto/rules/ip.js';
import { link, listener, OK, refused, running, tableOf } from './kept.js';

function guarding(fails = false) {
  const calls: string[] = [];
  const texts = (addresses: readonly FilteredAddress[]) =>
    addresses
      .map(
        ({ address, interfaceIndex }) =>
          `${formatIp(address)}${interfaceIndex === undefined ? '' : `%${interfaceIndex}`}`,
      )
      .join();
  const call = (text: string) => {
    calls.push(text);
    return fails ? refused('EOPNOTSUPP') : OK;
  };
  const { trouble, of } = listener();
  const guard = new AcceptGuard(
    {
      dropTraffic: (addresses) => call(`drop ${texts(addresses)}`),
      allowTraffic: (addresses) => call(`allow ${texts(addresses)}`),
      blockReports: (indexes) => call(`block ${indexes.join()}`),
      allowReports: (indexes) => call(`unblock ${indexes.join()}`),
      clear: () => call('clear'),
      leave: () => call('leave'),
      close: () => void call('close'),
    },
    tableOf(link(2, 'em1')),
    trouble,
  );
  return { guard, calls, of };
}

const silent = (name: string, addresses: readonly string[], priority = 100) =>
  running({ name, addresses, excluded: ['fe80::9'], priority, more: { accept: false } });

test('the advertised and the other addresses are dropped and allowed again, link-local ones by their interface', () => {
  const { guard, calls } = guarding();
  const router = silent('r', ['10.0.0.100']);
  guard.sync(router, 0);
  guard.sync(router, 0);
  guard.release(router, 0);
  guard.release(router, 0);
  assert.deepEqual(calls, ['drop 10.0.0.100,fe80::9%2', 'allow 10.0.0.100,fe80::9%2']);
});

test('an address that another router drops as well stays dropped', () => {
  const { guard, calls } = guarding();
  const one = silent('one', ['10.0.0.100']);
  const two = silent('two', ['10.0.0.101']);
  guard.sync(one, 0);
  guard.sync(two, 0);
  guard.release(one, 0);
  assert.deepEqual(calls.slice(2), ['allow 10.0.0.100']);
});

test('whoever accepts, or owns the addresses, drops nothing', () => {
  const { guard, calls } = guarding();
  guard.sync(running(), 0);
  guard.sync(silent('owner', ['10.0.0.100'], 255), 0);
  assert.deepEqual(calls, []);
});

test('a change of the settings while the addresses are held', () => {
  const { guard, calls } = guarding();
  const router = silent('r', ['10.0.0.100']);
  guard.sync(router, 0);
  router.replaceSettings(silent('r', ['10.0.0.101']).settings);
  guard.sync(router, 0);
  router.replaceSettings({ ...router.settings, accept: true });
  guard.sync(router, 0);
  assert.deepEqual(calls.slice(1), ['drop 10.0.0.101', 'allow 10.0.0.100', 'allow 10.0.0.101,fe80::9%2']);
});

test('what a former run left goes after the first configuration, unless it was replaced', () => {
  const first = guarding();
  first.guard.tidy(0);
  assert.deepEqual(first.calls, [], 'nobody is configured yet');
  first.guard.configured();
  first.guard.tidy(0);
  first.guard.tidy(0);
  assert.deepEqual(first.calls, ['clear']);

  const second = guarding();
  second.guard.configured();
  second.guard.sync(silent('r', ['10.0.0.100']), 0);
  second.guard.tidy(0);
  assert.deepEqual(second.calls, ['drop 10.0.0.100,fe80::9%2']);
});

test('interfaces are silenced as they come and go', () => {
  const { guard, calls } = guarding();
  guard.silence(new Set([5, 6]), 0);
  guard.silence(new Set([6, 7]), 0);
  guard.silence(new Set([6, 7]), 0);
  assert.deepEqual(calls, ['block 5,6', 'block 7', 'unblock 5']);
});

test('without nftables it is told, and counted', () => {
  const { guard, of } = guarding(true);
  const router = silent('r', ['10.0.0.100']);
  guard.sync(router, 0);
  assert.equal(of('log')[0]?.message, 'traffic to virtual addresses could not be dropped');
  assert.equal(router.counters['errors.firewall'], 1);
});
