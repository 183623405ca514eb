/** Other holders of a virtual address, in real kernels. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { LabElection, type LabRouter, labRouter } from '../lab/election.js';
import { Lab, labUnavailable } from '../lab/lab.js';
import { until } from '../lab/until.js';

const skip = labUnavailable('ping');

async function laboratory(t: TestContext) {
  const lab = await Lab.open();
  t.after(() => lab.close());
  const a = await lab.host('a', { addresses: ['10.9.0.1/24', 'fd09::1/64'] });
  const stranger = await lab.host('stranger', { addresses: ['10.9.0.66/24', 'fd09::66/64'] });
  return { lab, a, stranger };
}

for (const { family, address, length } of [
  { family: 'IPv4', address: '10.9.0.100', length: 24 },
  { family: 'IPv6', address: 'fd09::100', length: 64 },
]) {
  const options: LabRouter = { addresses: [address], interval: 100_000, router: { duplicateProbe: 'warn' } };

  test(`${family}, warn: the address is claimed, and the stranger is named within seconds, once`, {
    skip,
  }, async (t) => {
    const { a, stranger } = await laboratory(t);
    await stranger.ip(`address add ${address}/${length} dev em1${family === 'IPv6' ? ' nodad' : ''}`);
    const election = await LabElection.start(a, labRouter(options));
    await election.untilState('active', 8000);
    await until('it to be told', 4000, () => election.occurrences('addressConflict').length > 0);
    const [told] = election.occurrences('addressConflict');
    assert.equal(told?.address, address);
    assert.equal(told?.mac, await stranger.mac());
    assert.equal(told?.interface, 'em1');
    const [row] = (await election.router()).conflicts;
    assert.equal(row?.mac, await stranger.mac());
    assert.equal((await election.router()).state, 'active');
    await new Promise((resolve) => setTimeout(resolve, 1500));
    assert.equal(election.occurrences('addressConflict').length, 1);
  });

  test(`${family}, refuse: the address is not claimed until the stranger has gone`, { skip }, async (t) => {
    const { a, stranger } = await laboratory(t);
    await stranger.ip(`address add ${address}/${length} dev em1${family === 'IPv6' ? ' nodad' : ''}`);
    const election = await LabElection.start(a, labRouter({ ...options, router: { duplicateProbe: 'refuse' } }));
    await until('it to be told', 8000, () => election.occurrences('addressConflict').length > 0);
    assert.equal((await election.router()).state, 'backup');
    assert.doesNotMatch(await a.run('ip', 'address', 'show', 'dev', 'em1'), new RegExp(` ${address}/`));
    await stranger.ip(`address delete ${address}/${length} dev em1`);
    await election.untilState('active', 5000);
  });
}

test('one that comes later is found by what it says', { skip }, async (t) => {
  const { a, stranger } = await laboratory(t);
  const election = await LabElection.start(
    a,
    labRouter({ addresses: ['10.9.0.100'], interval: 100_000, router: { duplicateProbe: 'warn' } }),
  );
  await election.untilState('active', 5000);
  await stranger.ip('address add 10.9.0.100/32 dev em1');
  // What it sends from the address asks for others in its name.
  await until('it to be told', 8000, async () => {
    await stranger.attempt('ip', 'neighbour', 'flush', 'all');
    await stranger.attempt('ping', '-n', '-c', '1', '-W', '1', '-I', '10.9.0.100', '10.9.0.1');
    return election.occurrences('addressConflict').length > 0;
  });
  assert.equal(election.occurrences('addressConflict')[0]?.mac, await stranger.mac());
});

test('the other routers of the group are no strangers while one takes over from the other', { skip }, async (t) => {
  const { lab, a } = await laboratory(t);
  const b = await lab.host('b', { addresses: ['10.9.0.2/24'] });
  const options: LabRouter = { addresses: ['10.9.0.100'], interval: 100_000, router: { duplicateProbe: 'warn' } };
  const first = await LabElection.start(a, labRouter(options));
  await first.untilState('active', 5000);
  const second = await LabElection.start(b, labRouter({ ...options, priority: 200 }));
  await second.untilState('active', 5000);
  await first.untilState('backup', 5000);
  await second.program.stop();
  await first.untilState('active', 5000);
  await new Promise((resolve) => setTimeout(resolve, 2500));
  assert.deepEqual(first.occurrences('addressConflict'), []);
  assert.deepEqual(second.occurrences('addressConflict'), []);
});
