import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { ipBatch } from '../lab/command.js';
import { Lab, labUnavailable } from '../lab/lab.js';
import { Edge } from '../net/edge.js';

const skip = labUnavailable();

async function laboratory(t: TestContext) {
  const lab = await Lab.open();
  t.after(() => lab.close());
  const a = await lab.host('a', { addresses: ['10.9.0.1/24'] });
  const edge = await Edge.start(a);
  await edge.ask('monitor');
  return { lab, a, edge };
}

test('interfaces: carrier, administration, removal, return', { skip }, async (t) => {
  const { lab, a, edge } = await laboratory(t);
  const told = async (event: string, isUp: boolean, act: () => Promise<void>) => {
    const seen = edge.events.length;
    await act();
    await edge.untilEvent({ event, name: 'em1', isUp }, 3000, seen);
  };
  await told('link', false, () => lab.cut(a));
  await told('link', true, () => lab.mend(a));
  await told('link', false, () => a.ip('link set em1 down'));
  await told('link', true, () => a.ip('link set em1 up'));
  await told('linkRemoved', false, () => a.ip('link delete em1'));
  await edge.untilEvent({ event: 'addressRemoved', address: '10.9.0.1/24', own: false });
  await told('link', true, () => lab.plug(a));
  await edge.untilEvent({ event: 'addressAdded', address: '10.9.0.1/24', lifetime: 'forever' });
});

test("addresses: others' additions, changes and removals; of our own only removals", { skip }, async (t) => {
  const { a, edge } = await laboratory(t);
  const requests = [{ address: '10.9.0.26', prefixLength: 32, lifetime: 100 }];
  await edge.ask('add', { requests });
  await edge.ask('renew', { requests });
  await a.ip('address add 10.9.0.30/32 dev em1');
  await edge.untilEvent({ event: 'addressAdded', address: '10.9.0.30/32', lifetime: 'forever' });
  await a.ip('address change 10.9.0.26/32 dev em1 valid_lft 50 preferred_lft 50');
  await edge.untilEvent({ event: 'addressAdded', address: '10.9.0.26/32', lifetime: 50 });
  await a.ip('address delete 10.9.0.26/32 dev em1');
  await edge.untilEvent({ event: 'addressRemoved', address: '10.9.0.26/32', own: false });
  await edge.ask('add', { requests });
  await edge.ask('delete', { requests });
  await edge.untilEvent({ event: 'addressRemoved', address: '10.9.0.26/32', own: true });
  // Two additions by others; none of our three.
  assert.equal(edge.count({ event: 'addressAdded' }), 2);
});

test('deleting a primary address tells of the secondaries that go with it', { skip }, async (t) => {
  const { a, edge } = await laboratory(t);
  await a.run(
    'sysctl',
    '-q',
    '-w',
    'net.ipv4.conf.all.promote_secondaries=0',
    'net.ipv4.conf.em1.promote_secondaries=0',
  );
  const request = (address: string) => ({ address, prefixLength: 24, lifetime: 'forever' });
  await edge.ask('add', { requests: [request('10.8.0.1'), request('10.8.0.2')] });
  await edge.ask('delete', { requests: [request('10.8.0.1')] });
  await edge.untilEvent({ event: 'addressRemoved', address: '10.8.0.2/24', own: true });
  await edge.untilEvent({ event: 'addressRemoved', address: '10.8.0.1/24', own: true });
});

test('drain tells what is there without waiting for the loop', { skip }, async (t) => {
  const { a, edge } = await laboratory(t);
  edge.program.signal('SIGSTOP');
  await a.ip('address add 10.9.0.30/32 dev em1');
  edge.program.signal('SIGCONT');
  await edge.ask('drain');
  await edge.untilEvent({ event: 'addressAdded', address: '10.9.0.30/32' });
});

test('more than fits in the queue is told as an overrun, and listening goes on', { skip }, async (t) => {
  const { a, edge } = await laboratory(t);
  edge.program.signal('SIGSTOP');
  const addresses = Array.from({ length: 6000 }, (_, i) => `10.7.${i >> 8}.${i & 255}/32`);
  await ipBatch(
    a.namespace,
    addresses.map((address) => `address add ${address} dev em1`),
  );
  edge.program.signal('SIGCONT');
  await edge.untilEvent({ event: 'overrun' }, 10_000);
  await a.ip('address add 10.9.0.30/32 dev em1');
  await edge.untilEvent({ event: 'addressAdded', address: '10.9.0.30/32' }, 10_000);
  assert.equal(edge.count({ event: 'monitorError' }), 0);
  assert.equal(((await edge.ask('addresses')) as readonly unknown[]).length, 6003);
});
