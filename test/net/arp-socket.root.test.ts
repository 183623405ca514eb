import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Lab, labUnavailable } from '../lab/lab.js';
import { Tap } from '../lab/tap.js';
import { until } from '../lab/until.js';
import { Edge } from './edge.js';

const skip = labUnavailable();

async function laboratory(t: TestContext) {
  const lab = await Lab.open();
  t.after(() => lab.close());
  const a = await lab.host('a', { addresses: ['10.9.0.1/24'] });
  const b = await lab.host('b', { addresses: ['10.9.0.2/24'] });
  const [ear, speaker, listener] = [await Tap.open(b), await Edge.start(a), await Edge.start(b)];
  await speaker.ask('openArp');
  await listener.ask('openArp');
  return { lab, a, b, ear, speaker, listener };
}

test('announcements leave in rounds over all addresses, byte for byte', { skip }, async (t) => {
  const { a, ear, speaker } = await laboratory(t);
  const addresses = ['10.9.0.26', '10.9.0.27'];
  assert.deepEqual(await speaker.ask('announce', { addresses, repeat: 2 }), { ok: true });
  await until('four frames', 3000, () => ear.announcements('10.9.0.27').length === 2);
  const frames = ear.frames.map(({ bytes }) => Buffer.from(bytes).toString('hex'));
  const mac = (await a.mac()).replaceAll(':', '');
  const frame = (address: string) => `ffffffffffff${mac}08060001080006040001${mac}${address}ffffffffffff${address}`;
  const round = [frame('0a09001a'), frame('0a09001b')];
  assert.deepEqual(
    frames.filter((bytes) => bytes.startsWith('ffffffffffff')),
    [...round, ...round],
  );
});

test("others' announcements are heard while listening, and nothing else", { skip }, async (t) => {
  const { a, ear, speaker, listener } = await laboratory(t);
  assert.deepEqual(await listener.ask('listen', { on: true }), { ok: true });
  assert.deepEqual(await listener.ask('listen', { on: true }), { ok: true });
  // Our own announcement is not somebody else's.
  await listener.ask('announce', { addresses: ['10.9.0.30'] });
  // An ordinary question.
  await a.run('sh', '-c', 'ip neighbor flush all; ip neighbor replace 10.9.0.77 dev em1 nud none use; true');
  await speaker.ask('announce', { addresses: ['10.9.0.26'] });
  await listener.untilEvent({
    event: 'announcement',
    address: '10.9.0.26',
    hardwareAddress: (await a.mac()).replaceAll(':', ''),
  });
  assert.equal(listener.count({ event: 'announcement' }), 1);

  assert.deepEqual(await listener.ask('listen', { on: false }), { ok: true });
  await speaker.ask('announce', { addresses: ['10.9.0.27'] });
  await until('it to be there', 3000, () => ear.announcements('10.9.0.27').length === 1);
  assert.deepEqual(await listener.ask('listen', { on: true }), { ok: true });
  await speaker.ask('announce', { addresses: ['10.9.0.28'] });
  await listener.untilEvent({ event: 'announcement', address: '10.9.0.28' });
  assert.equal(listener.count({ event: 'announcement', address: '10.9.0.27' }), 0);
});

test('the interface going down and away are values; listening goes on when it is up again', { skip }, async (t) => {
  const { b, speaker, listener } = await laboratory(t);
  await listener.ask('listen', { on: true });
  await listener.ask('collectGarbage');
  const codeOf = async () =>
    ((await listener.ask('announce', { addresses: ['10.9.0.26'] })) as { readonly code?: string }).code;
  await b.ip('link set em1 down');
  assert.equal(await codeOf(), 'ENETDOWN');
  await b.ip('link set em1 up');
  await until('an announcement after that', 5000, async () => {
    await speaker.ask('announce', { addresses: ['10.9.0.40'] });
    return listener.count({ event: 'announcement', address: '10.9.0.40' }) > 0;
  });
  await b.ip('link delete em1');
  assert.ok(['ENXIO', 'ENODEV'].includes((await codeOf()) ?? 'sent'), await codeOf());
  assert.equal(listener.count({ event: 'arpError' }), 0);
  await listener.ask('closeArp');
  assert.equal(await codeOf(), 'EBADF');
  await listener.ask('quit');
  await until('the process to end', 3000, () => !listener.program.running);
});

test('without the capability there is a clear error', { skip }, async (t) => {
  const { listener } = await laboratory(t);
  await listener.ask('dropPrivileges');
  await assert.rejects(listener.ask('openArp'), { code: 'EPERM', message: /packet socket for ARP on em1/ });
});
