/** Signed advertisements between us and a keepalived that knows auth_hmac (2.4 or later), in both directions. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Keepalived, newerKeepalived } from '../lab/keepalived.js';
import { Lab, labUnavailable } from '../lab/lab.js';
import { until } from '../lab/until.js';
import { Edge } from './edge.js';

const newer = newerKeepalived();
const skip = labUnavailable() || newer.skip;

const key = Buffer.from('0123456789abcdef0123456789abcdef').toString('hex');
const otherKey = Buffer.from('another key of thirty-two bytes!').toString('hex');

interface Variant {
  readonly name: string;
  readonly family: 4 | 6;
  readonly version: 2 | 3;
  readonly destination: string;
  readonly guard: 'time' | 'monotonic';
  readonly unicast?: boolean;
}
const variants: readonly Variant[] = [
  { name: 'version 3', family: 4, version: 3, destination: '224.0.0.18', guard: 'time' },
  { name: 'version 2, monotonic', family: 4, version: 2, destination: '224.0.0.18', guard: 'monotonic' },
  { name: 'version 3 unicast', family: 4, version: 3, destination: '10.9.0.1', guard: 'time', unicast: true },
  { name: 'version 3 over IPv6', family: 6, version: 3, destination: 'ff02::12', guard: 'time' },
  { name: 'version 2 over IPv6', family: 6, version: 2, destination: 'ff02::12', guard: 'time' },
];

async function laboratory(t: TestContext, { family, version, guard, unicast }: Variant) {
  const lab = await Lab.open();
  t.after(() => lab.close());
  const a = await lab.host('a', { addresses: ['10.9.0.1/24', 'fe80::1/64 nodad'] });
  const b = await lab.host('b', { addresses: ['10.9.0.2/24', 'fe80::2/64 nodad'] });
  const edge = await Edge.start(b);
  const virtual = family === 6 ? 'fe80::aa:26' : '10.9.0.26';
  await Keepalived.start(
    a,
    `vrrp_instance pg {
       interface em1
       virtual_router_id ${unicast === true ? 11 : 10}
       version ${version}
       priority 150
       advert_int 1
       ${unicast === true ? 'unicast_src_ip 10.9.0.1\n unicast_peer {\n 10.9.0.2\n }' : ''}
       auth_hmac {
         key 7 hex:${key}
         active_key 7
         anti_replay ${guard}
       }
       virtual_ipaddress {
         ${virtual}/${family === 6 ? 128 : 32}
       }
     }`,
    newer.path,
  );
  const holds = async () => (await a.run('ip', 'address', 'show', 'dev', 'em1')).includes(`${virtual}/`);
  return { a, edge, virtual, holds };
}

for (const variant of variants) {
  const { name, family, version, destination, unicast } = variant;
  test(`${name}: keepalived's are believed, ours are`, { skip }, async (t) => {
    const { edge, virtual, holds } = await laboratory(t, variant);
    await edge.ask('openVrrp', { family, version, key, guard: variant.guard });
    if (unicast === true) await edge.ask('anyTtl', { on: true });
    const source = family === 6 ? 'fe80::1' : '10.9.0.1';
    for (let seen = 0, heard = 0; heard < 2; heard++) {
      await edge.untilEvent({ event: 'advertisement', source, priority: 150, isSigned: true }, 10_000, seen);
      seen = edge.events.length;
    }
    assert.equal(edge.count({ event: 'dropped' }), 0);
    assert.ok(await holds());

    const advert = {
      family,
      version,
      vrid: unicast === true ? 11 : 10,
      priority: 200,
      addresses: [virtual],
      source: family === 6 ? 'fe80::2' : '10.9.0.2',
      destination,
    };
    await until('keepalived to yield', 5000, async () => {
      assert.deepEqual(await edge.ask('advertise', advert), [{ ok: true }]);
      return !(await holds());
    });
  });
}

const [variant] = variants;
for (const [what, wrong, reason] of [
  ['another key', { key: otherKey }, 'auth-invalid'],
  ['no signature', {}, 'bad-length'],
] as const) {
  test(`${what}: neither side believes the other`, { skip }, async (t) => {
    assert.ok(variant !== undefined);
    const { edge, virtual, holds } = await laboratory(t, variant);
    await edge.ask('openVrrp', wrong);
    await edge.untilEvent({ event: 'dropped', source: '10.9.0.1', reason }, 10_000);
    assert.ok(await holds());
    const advert = { priority: 200, addresses: [virtual], source: '10.9.0.2', destination: '224.0.0.18' };
    // For longer than its timer, at the interval of the other: it goes on, heard again and again.
    for (let round = 0; round < 4; round++) {
      await edge.ask('advertise', advert);
      const seen = edge.events.length;
      await edge.untilEvent({ event: 'dropped', source: '10.9.0.1', reason }, 3000, seen);
      assert.ok(await holds());
    }
    assert.equal(edge.count({ event: 'advertisement' }), 0);
  });
}
