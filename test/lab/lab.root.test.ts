import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { run } from './command.js';
import { Holders } from './holders.js';
import { Lab, labUnavailable } from './lab.js';
import { advertPacket } from './packet.js';
import { Probe } from './probe.js';
import { Tap } from './tap.js';
import { until } from './until.js';

const skip = labUnavailable();

test('hosts reach one another over the switch, until the cable is cut', { skip }, async (t) => {
  const lab = await Lab.open();
  t.after(() => lab.close());
  const a = await lab.host('a', { addresses: ['10.9.0.1/24'] });
  const b = await lab.host('b', { addresses: ['10.9.0.2/24'] });
  const probe = await Probe.start(a, b.address);
  await probe.untilAnswered(3000);
  await lab.cut(b);
  await until('the outage to be seen', 3000, async () => (await probe.report()).longestOutageMs > 100);
  await lab.mend(b);
  await probe.untilAnswered(3000);
  const mend = await lab.drop(b, a);
  await until('the one-way drop to be seen', 3000, async () => (await probe.report()).answered === 0);
  await mend();
  await probe.untilAnswered(3000);
});

test('a tap sends packets that a tap on another host sees, byte for byte', { skip }, async (t) => {
  const lab = await Lab.open();
  t.after(() => lab.close());
  const a = await lab.host('a', { addresses: ['10.9.0.1/24'] });
  const b = await lab.host('b', { addresses: ['10.9.0.2/24'] });
  const [mouth, ear] = [await Tap.open(a), await Tap.open(b)];
  const packet = advertPacket({ source: '0.0.0.0', vrid: 7, priority: 9, addresses: ['10.9.0.9'], interval: 100 });
  mouth.send(packet);
  assert.deepEqual([...(await ear.untilAdvert('0.0.0.0', 3000, 0))], [...packet]);
});

test('holders tell who had an address, and when two had it', { skip }, async (t) => {
  const lab = await Lab.open();
  t.after(() => lab.close());
  const a = await lab.host('a', { addresses: ['10.9.0.1/24'] });
  const b = await lab.host('b', { addresses: ['10.9.0.2/24'] });
  const holders = await Holders.watch('10.9.0.9', a, b);
  await a.ip('address add 10.9.0.9/32 dev em1');
  await until('one holder', 3000, () => holders.now.length === 1);
  assert.equal(holders.overlaps().length, 0);
  await b.ip('address add 10.9.0.9/32 dev em1 valid_lft 1 preferred_lft 1');
  await until('two holders', 3000, () => holders.now.length === 2);
  await until('the lease to end', 4000, () => holders.now.length === 1);
  const [overlap] = holders.overlaps();
  assert.deepEqual(overlap?.hosts, ['a', 'b']);
  const span = (overlap?.untilMs ?? 0) - (overlap?.fromMs ?? 0);
  assert.ok(span > 500 && span < 3000, `held by both for ${span} ms`);
});

test('nothing is left of a laboratory', { skip }, async () => {
  const lab = await Lab.open();
  const a = await lab.host('a', { addresses: ['10.9.0.1/24'] });
  const program = a.start('sleep', '1000');
  await lab.close();
  assert.equal(await program.ended, 'SIGKILL');
  assert.ok(!(await run('ip', ['netns', 'list'])).includes(a.namespace));
  assert.ok(!existsSync(lab.directory));
});
