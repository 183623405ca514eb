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
  const macOf = async (host: typeof a) => (await host.mac()).replaceAll(':', '');
  return { lab, a, b, ear, speaker, listener, macA: await macOf(a), macB: await macOf(b) };
}

test('announcements leave in rounds over all addresses, byte for byte', { skip }, async (t) => {
  const { ear, speaker, macA } = await laboratory(t);
  const addresses = ['10.9.0.26', '10.9.0.27'];
  assert.deepEqual(await speaker.ask('announce', { addresses, repeat: 2 }), { ok: true });
  await until('four frames', 3000, () => ear.announcements('10.9.0.27').length === 2);
  const frames = ear.frames.map(({ bytes }) => Buffer.from(bytes).toString('hex'));
  const frame = (address: string) => `ffffffffffff${macA}08060001080006040001${macA}${address}ffffffffffff${address}`;
  const round = [frame('0a09001a'), frame('0a09001b')];
  assert.deepEqual(
    frames.filter((bytes) => bytes.startsWith('ffffffffffff')),
    [...round, ...round],
  );
});

test('more announcements than the kernel takes in one call', { skip }, async (t) => {
  const { a, speaker } = await laboratory(t);
  const sent = async () => Number(await a.run('cat', '/sys/class/net/em1/statistics/tx_packets'));
  const before = await sent();
  const addresses = Array.from({ length: 250 }, (_, i) => `10.9.1.${i}`);
  assert.deepEqual(await speaker.ask('announce', { addresses, repeat: 5 }), { ok: true });
  const since = (await sent()) - before;
  // The kernel may have sent something of its own meanwhile.
  assert.ok(since >= 1250 && since < 1270, `${since} frames`);
});

test('claims to watched addresses are heard, and nothing else', { skip }, async (t) => {
  const { ear, a, speaker, listener, macA } = await laboratory(t);
  const watched = ['10.9.0.26', '10.9.0.28', '10.9.0.2'];
  assert.deepEqual(await listener.ask('watch', { addresses: watched }), { ok: true });
  // Our own announcement is not somebody else's.
  await listener.ask('announce', { addresses: ['10.9.0.26'] });
  await speaker.ask('announce', { addresses: ['10.9.0.77', '10.9.0.26'] });
  await listener.untilEvent({ event: 'claim', kind: 'announcement', address: '10.9.0.26', hardwareAddress: macA });
  // A question from a watched address shows who has it; one for it does not, nor does a probe.
  const arp = (operation: string, sender: string, target: string) =>
    `ffffffffffff${macA}0806000108000604${operation}${macA}${sender}000000000000${target}`;
  await speaker.ask('probe', { addresses: ['10.9.0.28'] });
  ear.sendFrame(Buffer.from(arp('0001', '0a090001', '0a09001c'), 'hex'));
  await a.attempt('ping', '-c1', '-W1', '10.9.0.2');
  await until('the probe to be there', 3000, () =>
    ear.frames.some(({ bytes }) => bytes.subarray(28, 32).join('.') === '0.0.0.0'),
  );
  assert.equal(listener.count({ event: 'claim' }), 1);

  assert.deepEqual(await listener.ask('watch', { addresses: [] }), { ok: true });
  await speaker.ask('announce', { addresses: ['10.9.0.26'] });
  await until('it to be there', 3000, () => ear.announcements('10.9.0.26').length >= 2);
  assert.deepEqual(await listener.ask('watch', { addresses: ['10.9.0.28'] }), { ok: true });
  await speaker.ask('announce', { addresses: ['10.9.0.26', '10.9.0.28'] });
  await listener.untilEvent({ event: 'claim', address: '10.9.0.28' });
  assert.equal(listener.count({ event: 'claim', address: '10.9.0.26' }), 1);
});

test('who has an address answers a probe, and is heard', { skip }, async (t) => {
  const { a, b, speaker, listener, macA, macB } = await laboratory(t);
  await a.ip('address add 10.9.0.26/32 dev em1');
  await b.ip('address add 10.9.0.26/32 dev em1');
  // A host does not answer itself: only the other one is found.
  await listener.ask('watch', { addresses: ['10.9.0.26', '10.9.0.27'], own: [macB] });
  assert.deepEqual(await listener.ask('probe', { addresses: ['10.9.0.26', '10.9.0.27'] }), { ok: true });
  const claim = { event: 'claim', kind: 'answer', address: '10.9.0.26' };
  await listener.untilEvent({ ...claim, hardwareAddress: macA });
  // What is ours by another interface is not heard.
  await listener.ask('watch', { addresses: ['10.9.0.26'], own: [macB, macA] });
  await listener.ask('probe', { addresses: ['10.9.0.26'] });
  await speaker.ask('announce', { addresses: ['10.9.0.26'] });
  await listener.ask('watch', { addresses: ['10.9.0.26', '10.9.0.30'], own: [macB] });
  await speaker.ask('announce', { addresses: ['10.9.0.30'] });
  await listener.untilEvent({ event: 'claim', address: '10.9.0.30' });
  assert.equal(listener.count({ event: 'claim' }), 2);
});

test('the interface going down and away are values; watching goes on when it is up again', { skip }, async (t) => {
  const { b, speaker, listener } = await laboratory(t);
  await listener.ask('watch', { addresses: ['10.9.0.40'] });
  await listener.ask('collectGarbage');
  const codeOf = async () =>
    ((await listener.ask('announce', { addresses: ['10.9.0.26'], repeat: 3 })) as { readonly code?: string }).code;
  await b.ip('link set em1 down');
  assert.equal(await codeOf(), 'ENETDOWN');
  await b.ip('link set em1 up');
  await until('an announcement after that', 5000, async () => {
    await speaker.ask('announce', { addresses: ['10.9.0.40'] });
    return listener.count({ event: 'claim', address: '10.9.0.40' }) > 0;
  });
  await b.ip('link delete em1');
  assert.ok(['ENXIO', 'ENODEV'].includes((await codeOf()) ?? 'sent'), await codeOf());
  assert.equal(listener.count({ event: 'claimError' }), 0);
  await listener.ask('closeArp');
  assert.equal(await codeOf(), 'EBADF');
  assert.equal(((await listener.ask('watch', { addresses: ['10.9.0.1'] })) as { readonly code: string }).code, 'EBADF');
  await listener.ask('quit');
  await until('the process to end', 3000, () => !listener.program.running);
});

test('without the capability there is a clear error', { skip }, async (t) => {
  const { listener } = await laboratory(t);
  await listener.ask('dropPrivileges');
  await assert.rejects(listener.ask('openArp'), { code: 'EPERM', message: /packet socket for ARP on em1/ });
});
