import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Lab, labUnavailable } from '../lab/lab.js';
import { until } from '../lab/until.js';
import { Edge } from '../net/edge.js';

const skip = labUnavailable();

async function laboratory(t: TestContext) {
  const lab = await Lab.open();
  t.after(() => lab.close());
  const a = await lab.host('a', { addresses: ['10.9.0.1/24'] });
  return { lab, a, edge: await Edge.start(a) };
}
const OK = { ok: true };
const codes = (outcomes: unknown) =>
  (outcomes as readonly { readonly ok: boolean; readonly code?: string }[]).map(({ ok, code }) => (ok ? 'ok' : code));

test('an address is added as ip(8) shows it, adopted, renewed and deleted', { skip }, async (t) => {
  const { a, edge } = await laboratory(t);
  const request = {
    address: '10.9.0.26',
    prefixLength: 28,
    lifetime: 100,
    label: 'em1:vip',
    broadcast: '10.9.0.255',
    scope: 253,
  };
  assert.deepEqual(await edge.ask('add', { requests: [request] }), [OK]);
  const [em1] = JSON.parse(await a.run('ip', '-j', '-4', 'address', 'show', 'em1')) as {
    readonly addr_info: readonly Record<string, unknown>[];
  }[];
  const shown = em1?.addr_info.find((info) => info['local'] === '10.9.0.26');
  assert.equal(shown?.['prefixlen'], 28);
  assert.equal(shown?.['label'], 'em1:vip');
  assert.equal(shown?.['broadcast'], '10.9.0.255');
  assert.equal(shown?.['scope'], 'link');
  const left = Number(shown?.['valid_life_time']);
  assert.ok(left > 90 && left <= 100, `${left} s`);

  const [exists] = (await edge.ask('add', { requests: [{ ...request, lifetime: 'forever' }] })) as readonly {
    readonly message?: string;
  }[];
  assert.match(exists?.message ?? '', /^cannot add address 10\.9\.0\.26\/28 on interface \d+: EEXIST/);
  assert.ok((await lifetime(edge)) !== 'forever', 'untouched');
  assert.deepEqual(await edge.ask('renew', { requests: [{ ...request, lifetime: 'forever' }] }), [OK]);
  assert.equal(await lifetime(edge), 'forever');
  assert.deepEqual(await edge.ask('renew', { requests: [{ ...request, lifetime: 5 }] }), [OK]);
  assert.equal(await lifetime(edge), 5);

  assert.deepEqual(codes(await edge.ask('delete', { requests: [{ ...request, prefixLength: 32 }] })), [
    'EADDRNOTAVAIL',
  ]);
  assert.deepEqual(await edge.ask('delete', { requests: [request] }), [OK]);
  assert.deepEqual(codes(await edge.ask('delete', { requests: [request] })), ['EADDRNOTAVAIL']);
  assert.equal(await a.holds('10.9.0.26'), false);
});

async function lifetime(edge: Edge): Promise<unknown> {
  const all = (await edge.ask('addresses')) as readonly { readonly address: string; readonly validLifetime: unknown }[];
  return all.find(({ address }) => address === '10.9.0.26')?.validLifetime;
}

test('the kernel removes an address at the end of its lease, and keeps a renewed one', { skip }, async (t) => {
  const { a, edge } = await laboratory(t);
  await edge.ask('monitor');
  const lease = (address: string) => ({ address, prefixLength: 32, lifetime: 2 });
  await edge.ask('add', { requests: [lease('10.9.0.26'), lease('10.9.0.27')] });
  const start = performance.now();
  const renewing = setInterval(() => void edge.ask('renew', { requests: [lease('10.9.0.27')] }), 500);
  t.after(() => clearInterval(renewing));
  await a.untilHolds('10.9.0.26', 4000, false);
  const took = performance.now() - start;
  assert.ok(took > 1500 && took < 3500, `gone after ${took} ms`);
  const seen = edge.events.length;
  await edge.untilEvent({ event: 'addressRemoved', address: '10.9.0.26/32', own: false });
  assert.ok(await a.holds('10.9.0.27'));
  assert.equal(edge.count({ event: 'addressAdded' }), 0);

  clearInterval(renewing);
  edge.program.signal('SIGKILL');
  const killed = performance.now();
  await a.untilHolds('10.9.0.27', 4000, false);
  assert.ok(performance.now() - killed < 3500);
  assert.equal(edge.events.length >= seen, true);
});

test('hundreds of addresses in a few datagrams, each with its own outcome', { skip }, async (t) => {
  const { a, edge } = await laboratory(t);
  const requests = Array.from({ length: 250 }, (_, i) => ({
    address: `10.7.0.${i + 1}`,
    prefixLength: 32,
    lifetime: 'forever',
  }));
  assert.deepEqual(
    await edge.ask('add', { requests }),
    requests.map(() => OK),
  );
  assert.equal((await a.kernelAddresses()).filter(({ prefixLength }) => prefixLength === 32).length, 250);
  assert.equal(((await edge.ask('addresses')) as readonly unknown[]).length, 252);

  await edge.ask('delete', { requests: [requests[63], requests[64], requests[249]] });
  const again = codes(await edge.ask('add', { requests }));
  assert.deepEqual(
    again.flatMap((code, i) => (code === 'ok' ? [i] : [])),
    [63, 64, 249],
  );
  assert.ok(again.every((code) => code === 'ok' || code === 'EEXIST'));
  assert.deepEqual(
    await edge.ask('renew', { requests }),
    requests.map(() => OK),
  );
  assert.deepEqual(
    await edge.ask('delete', { requests }),
    requests.map(() => OK),
  );
  assert.equal(((await edge.ask('addresses')) as readonly unknown[]).length, 2);
});

test('what the kernel refuses comes back with its reason', { skip }, async (t) => {
  const { edge } = await laboratory(t);
  const request = { address: '10.9.0.26', prefixLength: 24, lifetime: 'forever' };
  const outcomes = await edge.ask('add', {
    requests: [
      { ...request, interfaceIndex: 9999 },
      { ...request, label: 'longer-than-15-bytes' },
      { ...request, prefixLength: 33 },
      { ...request, lifetime: 0 },
      request,
    ],
  });
  assert.deepEqual(codes(outcomes), ['ENODEV', 'ERANGE', 'EINVAL', 'EINVAL', 'ok']);
  await edge.ask('dropPrivileges');
  const [denied] = (await edge.ask('delete', { requests: [request] })) as readonly { readonly message: string }[];
  assert.match(
    denied?.message ?? '',
    /^cannot delete address 10\.9\.0\.26\/24 on interface \d+: EPERM \(CAP_NET_ADMIN/,
  );
});

test('interfaces by list and by name', { skip }, async (t) => {
  const { a, edge } = await laboratory(t);
  assert.deepEqual((await edge.ask('links')) as readonly string[], ['lo', 'em1']);
  const link = (await edge.ask('link')) as Record<string, unknown>;
  assert.equal(link['name'], 'em1');
  assert.equal(link['type'], 1);
  assert.equal(link['mtu'], 1500);
  const bytes = Object.values(link['hardwareAddress'] as Record<string, number>);
  assert.equal(bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(':'), await a.mac());
  await until('the carrier', 3000, async () => ((await edge.ask('link')) as { readonly isUp: boolean }).isUp);
  for (const name of ['none', '', 'a-name-that-is-too-long', 'em1\n']) {
    assert.equal(await edge.ask('link', { name }), null, name);
  }
});

test('another process that poses as the kernel is not believed', { skip }, async (t) => {
  const { a, edge } = await laboratory(t);
  const port = await edge.ask('portId');
  const liar = await Edge.start(a);
  // RTM_NEWADDR of 10.66.66.66/32 on interface 1 for each of the next sequence numbers, then NLMSG_DONE.
  const numbered = (sequence: number) => sequence.toString(16).padStart(2, '0');
  for (let sequence = 1; sequence < 8; sequence++) {
    const address = `28000000140002 00 ${numbered(sequence)}000000 00000000 02200000 01000000 08000200 0a424242 08000100 0a424242`;
    const done = `1400000003000200 ${numbered(sequence)}000000 00000000 00000000`;
    const sent = await liar.ask('forge', { packet: `${address}${done}`.replaceAll(' ', ''), port });
    assert.equal(sent, 60);
  }
  const addresses = (await edge.ask('addresses')) as readonly { readonly address: string }[];
  assert.deepEqual(
    addresses.map(({ address }) => address),
    ['127.0.0.1', '10.9.0.1'],
  );
});
