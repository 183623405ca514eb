import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Lab, labUnavailable } from '../lab/lab.js';
import { ipv6Bytes } from '../lab/packet.js';
import { Tap } from '../lab/tap.js';
import { until } from '../lab/until.js';
import { Edge } from './edge.js';

const skip = labUnavailable();
const hex = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString('hex');

async function laboratory(t: TestContext) {
  const lab = await Lab.open();
  t.after(() => lab.close());
  const a = await lab.host('a', { addresses: ['fe80::1/64 nodad', '2001:db8::1/64 nodad'] });
  const b = await lab.host('b', { addresses: ['fe80::2/64 nodad', '2001:db8::2/64 nodad'] });
  const [ear, speaker, listener] = [await Tap.open(b), await Edge.start(a), await Edge.start(b)];
  await speaker.ask('openNeighbor');
  await listener.ask('openNeighbor');
  const macOf = async (host: typeof a) => (await host.mac()).replaceAll(':', '');
  return { lab, a, b, ear, speaker, listener, macA: await macOf(a), macB: await macOf(b) };
}

test('announcements leave in rounds over all addresses, and the kernel believes them', { skip }, async (t) => {
  const { b, ear, speaker, macA } = await laboratory(t);
  const addresses = ['2001:db8::26', 'fe80::26'];
  await b.ip('neighbor replace 2001:db8::26 lladdr 02:00:00:00:00:99 dev em1 nud stale');
  assert.deepEqual(await speaker.ask('announceNeighbor', { addresses, repeat: 2, on: true }), { ok: true });
  await until('four frames', 3000, () => ear.neighborAnnouncements('fe80::26').length === 2);
  const frames = ear.ipv6Frames.filter(({ bytes }) => bytes[54] === 136).map(({ bytes }) => hex(bytes));
  const frame = (address: string) => {
    const ip = hex(ipv6Bytes(address));
    return new RegExp(
      `^333300000001${macA}86dd6000000000203aff${ip}ff02${'0'.repeat(27)}18800....a0000000${ip}0201${macA}$`,
    );
  };
  assert.equal(frames.length, 4);
  for (const [i, address] of [...addresses, ...addresses].entries()) assert.match(frames[i] ?? '', frame(address));
  const colons = macA.replaceAll(/..(?=.)/g, '$&:');
  await until('the cache to change', 3000, async () =>
    (await b.run('ip', '-6', 'neighbor', 'show', '2001:db8::26')).includes(`lladdr ${colons} router`),
  );
});

test('who has an address answers a probe, and is heard; others are not', { skip }, async (t) => {
  const { a, b, ear, listener, macA, macB } = await laboratory(t);
  await a.ip('address add 2001:db8::26/128 dev em1 nodad');
  await b.ip('address add 2001:db8::26/128 dev em1 nodad');
  const addresses = ['2001:db8::26', '2001:db8::27'];
  await listener.ask('watchNeighbor', { addresses, own: [macB] });
  assert.deepEqual(await listener.ask('probeNeighbor', { addresses }), { ok: true });
  const claim = { event: 'claim', kind: 'announcement', address: '2001:db8::26' };
  await listener.untilEvent({ ...claim, hardwareAddress: macA });
  // From no address, for this one; to the group of its last three bytes.
  const probe = ear.ipv6Frames.find(
    ({ bytes }) => bytes[54] === 135 && ipv6Bytes('2001:db8::26').equals(bytes.subarray(62, 78)),
  );
  assert.equal(hex(probe?.bytes.subarray(0, 6)), '3333ff000026');
  assert.equal(hex(probe?.bytes.subarray(22, 38)), '0'.repeat(32));
  // The address stays: neither the question nor the answer made it a duplicate here or there.
  for (const host of [a, b]) {
    assert.doesNotMatch(await host.run('ip', '-6', 'address', 'show', 'dev', 'em1'), /dadfailed/);
  }
  await listener.ask('watchNeighbor', { addresses, own: [macB, macA] });
  await listener.ask('probeNeighbor', { addresses });
  await until('the answer to be there', 3000, () => ear.neighborAnnouncements('2001:db8::26').length >= 2);
  assert.equal(listener.count({ event: 'claim' }), 1);
});

test('claims to watched addresses are heard, and nothing else', { skip }, async (t) => {
  const { ear, speaker, listener, macA } = await laboratory(t);
  const many = Array.from({ length: 47 }, (_, i) => `2001:db8::1:${(i + 1).toString(16)}`);
  for (const watched of [
    ['2001:db8::26', 'fe80::26'],
    ['2001:db8::26', ...many],
    // Too many for the kernel to look for each.
    ['2001:db8::26', ...many, 'fe80::99', ...many.map((address) => address.replace('::1:', '::2:'))],
  ]) {
    const seen = listener.events.length;
    assert.deepEqual(await listener.ask('watchNeighbor', { addresses: watched }), { ok: true });
    await speaker.ask('announceNeighbor', { addresses: ['2001:db8::77', '2001:db8::26', watched.at(-1)] });
    await listener.untilEvent({ event: 'claim', address: '2001:db8::26', hardwareAddress: macA }, 3000, seen);
    await listener.untilEvent({ event: 'claim', address: watched.at(-1) ?? '' }, 3000, seen);
    assert.equal(listener.count({ event: 'claim', address: '2001:db8::77' }), 0);
  }

  const count = listener.events.length;
  assert.deepEqual(await listener.ask('watchNeighbor', { addresses: [] }), { ok: true });
  const before = ear.neighborAnnouncements('2001:db8::26').length;
  await speaker.ask('announceNeighbor', { addresses: ['2001:db8::26'] });
  await until('it to be there', 3000, () => ear.neighborAnnouncements('2001:db8::26').length > before);
  assert.deepEqual(await listener.ask('watchNeighbor', { addresses: ['fe80::26'] }), { ok: true });
  await speaker.ask('announceNeighbor', { addresses: ['fe80::26'] });
  await listener.untilEvent({ event: 'claim', address: 'fe80::26' }, 3000, count);
  assert.equal(listener.events.slice(count).filter(({ event }) => event === 'claim').length, 1);
});

test('who asks from a watched address has it, who answers as well', { skip }, async (t) => {
  const { a, b, listener, macA } = await laboratory(t);
  await listener.ask('watchNeighbor', { addresses: ['2001:db8::1'] });
  await b.ip('neighbor flush dev em1');
  await a.ip('neighbor flush dev em1');
  await a.attempt('ping', '-6', '-c1', '-W1', '-I', '2001:db8::1', '2001:db8::2');
  await listener.untilEvent({ event: 'claim', kind: 'question', address: '2001:db8::1', hardwareAddress: macA });
  await b.ip('neighbor flush dev em1');
  await b.attempt('ping', '-6', '-c1', '-W1', '2001:db8::1');
  await listener.untilEvent({ event: 'claim', kind: 'answer', address: '2001:db8::1', hardwareAddress: macA });
});

test('the interface going down and away are values; watching goes on when it is up again', { skip }, async (t) => {
  const { b, speaker, listener } = await laboratory(t);
  await listener.ask('watchNeighbor', { addresses: ['fe80::40'] });
  await listener.ask('collectGarbage');
  const codeOf = async () =>
    ((await listener.ask('announceNeighbor', { addresses: ['fe80::26'] })) as { readonly code?: string }).code;
  await b.ip('link set em1 down');
  assert.equal(await codeOf(), 'ENETDOWN');
  await b.ip('link set em1 up');
  await until('an announcement after that', 5000, async () => {
    await speaker.ask('announceNeighbor', { addresses: ['fe80::40'] });
    return listener.count({ event: 'claim', address: 'fe80::40' }) > 0;
  });
  await b.ip('link delete em1');
  assert.ok(['ENXIO', 'ENODEV'].includes((await codeOf()) ?? 'sent'), await codeOf());
  assert.equal(listener.count({ event: 'claimError' }), 0);
  await listener.ask('closeNeighbor');
  assert.equal(await codeOf(), 'EBADF');
  await listener.ask('quit');
  await until('the process to end', 3000, () => !listener.program.running);
});
