/** Addresses whose traffic is not accepted, in real kernels. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { LabElection, labRouter } from '../lab/election.js';
import type { Host } from '../lab/host.js';
import { Lab, labUnavailable } from '../lab/lab.js';
import { Probe } from '../lab/probe.js';
import { until } from '../lab/until.js';

const skip = labUnavailable('ping');

async function laboratory(t: TestContext) {
  const lab = await Lab.open();
  t.after(() => lab.close());
  const a = await lab.host('a', { addresses: ['10.9.0.1/24', 'fd09::1/64'] });
  const client = await lab.host('client', { addresses: ['10.9.0.9/24', 'fd09::9/64'] });
  return { lab, a, client };
}

async function pings(client: Host, address: string): Promise<boolean> {
  return (await client.attempt('ping', '-n', '-c', '1', '-W', '1', address)).exit === 0;
}

async function neighbour(client: Host, address: string): Promise<string | undefined> {
  const [row] = JSON.parse(await client.run('ip', '-j', 'neighbour', 'show', 'to', address)) as readonly {
    readonly lladdr?: string;
  }[];
  return row?.lladdr;
}

const tables = (host: Host) => host.run('nft', 'list', 'tables');

for (const { family, address, own } of [
  { family: 'IPv4', address: '10.9.0.100', own: '10.9.0.1' },
  { family: 'IPv6', address: 'fd09::100', own: 'fd09::1' },
]) {
  test(`${family}: what is not accepted gets no answer, but for who has the address`, { skip }, async (t) => {
    const { a, client } = await laboratory(t);
    const router = labRouter({ addresses: [address], interval: 100_000, more: { accept: false } });
    const election = await LabElection.start(a, router);
    await election.untilState('active', 8000);
    await until('the host itself to answer', 5000, () => pings(client, own));
    assert.equal(await pings(client, address), false);
    assert.equal(await neighbour(client, address), await a.mac(), 'who has it is answered');
    assert.equal((await election.router()).accept, false);

    await election.configure(labRouter({ addresses: [address], interval: 100_000 }));
    await until('the accepted address to answer', 3000, () => pings(client, address));
    await election.configure(router);
    assert.equal(await pings(client, address), false);
    await election.program.stop();
    assert.equal((await tables(a)).includes('baton'), false, 'the table goes with the last router');
  });
}

test('an address owner accepts always', { skip }, async (t) => {
  const { a, client } = await laboratory(t);
  const owner = { addresses: ['10.9.0.100'], interval: 100_000, priority: 255, more: { accept: false } };
  const election = await LabElection.start(a, labRouter(owner));
  await election.untilState('active', 5000);
  await until('the address to answer', 3000, () => pings(client, '10.9.0.100'));
});

test('a backup drops nothing, so that another host may have the address behind it', { skip }, async (t) => {
  const { a, client } = await laboratory(t);
  const options = { addresses: ['10.9.0.100'], interval: 100_000 };
  const other = await LabElection.start(client, labRouter({ ...options, priority: 200 }));
  await other.untilState('active', 5000);
  const election = await LabElection.start(a, labRouter({ ...options, more: { accept: false } }));
  await election.untilState('backup', 5000);
  assert.ok(await pings(a, '10.9.0.100'));
  const shown = await a.attempt('nft', 'list', 'table', 'inet', 'baton');
  assert.equal(shown.stdout.includes('10.9.0.100'), false);
});

test('a restart that keeps the addresses never accepts what it should not', { skip }, async (t) => {
  const { a, client } = await laboratory(t);
  const router = labRouter({ addresses: ['10.9.0.100'], interval: 1_000_000, more: { accept: false } });
  const before = await LabElection.start(a, router);
  await before.untilState('active', 8000);
  await until('the host itself to answer', 5000, () => pings(client, '10.9.0.1'));
  const probe = await Probe.start(client, '10.9.0.100');
  before.tell({ kind: 'suspend' });
  const stopped = await until('it to stop', 3000, () => before.messages.find(({ kind }) => kind === 'stopped'));
  assert.ok(stopped.kind === 'stopped');
  assert.equal(stopped.resumable.length, 1);
  await before.program.ended;
  assert.ok(await a.holds('10.9.0.100'));
  const after = await LabElection.startWith(a, { routers: [router], resumed: stopped.resumable });
  assert.equal((await after.router()).state, 'active');
  let sent = 0;
  let answered = 0;
  await until('what was asked meanwhile to be decided', 5000, async () => {
    const report = await probe.report();
    sent += report.sent;
    answered += report.answered;
    return sent > 500;
  });
  assert.equal(answered, 0);
  // The question is a good one: it is answered when it may be.
  await after.configure(labRouter({ addresses: ['10.9.0.100'], interval: 1_000_000 }));
  await probe.untilAnswered(5000);
});
