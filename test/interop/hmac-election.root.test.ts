/**
 * Elections with signed advertisements beside a keepalived that knows auth_hmac (2.4 or later): both families, either
 * role, and the way from unsigned to signed and from key to key without a transition.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Holders } from '../lab/holders.js';
import { keepalivedConf, newerKeepalived } from '../lab/keepalived.js';
import { labUnavailable } from '../lab/lab.js';
import { StandaloneAgent } from '../lab/standalone-agent.js';
import { throughout, until } from '../lab/until.js';
import { Contender, ROLES } from './contender.js';
import { DOWN_MS, INTERVAL_MS, openStage, SLACK_MS } from './stage.js';

const newer = newerKeepalived();
const skip = labUnavailable() || newer.skip;

const KEYS: Readonly<Record<number, string>> = {
  7: Buffer.from('0123456789abcdef0123456789abcdef').toString('hex'),
  8: Buffer.from('another key of thirty-two bytes!').toString('hex'),
};

interface Signing {
  readonly keys: readonly number[];
  readonly active: number;
  readonly mode: 'receive-only' | 'permissive' | 'enforce';
}

function block({ keys, active, mode }: Signing): readonly string[] {
  return [
    'auth_hmac {',
    ...keys.map((id) => `  key ${id} hex:${KEYS[id]}`),
    `  active_key ${active}`,
    '  anti_replay time',
    `  mode ${mode}`,
    '}',
  ];
}

const FAMILIES = [
  { vip: '10.9.0.100', addresses: ['10.9.0.100/32'] },
  { vip: '2001:db8:9::100', addresses: ['fe80::44/64', '2001:db8:9::100/128'] },
];
const ENFORCE: Signing = { keys: [7], active: 7, mode: 'enforce' };

for (const { vip, addresses } of FAMILIES) {
  const conf = (priority: number, signing?: Signing) =>
    keepalivedConf({
      vrid: 44,
      priority,
      interval: INTERVAL_MS / 1000,
      interface: 'em1',
      addresses,
      more: signing === undefined ? [] : block(signing),
    });

  for (const [first, second] of ROLES) {
    test(`signed, ${vip}: ${first} active, ${second} backup`, { skip }, async (t) => {
      const { one, two } = await openStage(t);
      const holders = await Holders.watch(vip, one, two);
      let active = await Contender.start(first, one, conf(150, ENFORCE), newer.path);
      await one.untilHolds(vip, DOWN_MS + SLACK_MS);
      const backup = await Contender.start(second, two, conf(100, ENFORCE), newer.path);
      await throughout(`${second} believes ${first}`, 1.5 * DOWN_MS, () => holders.now.join() === 'one');
      if (backup.program instanceof StandaloneAgent) {
        const { peers, authentication } = await backup.program.router();
        assert.equal(peers[0]?.authentication, 'signed');
        assert.match(authentication, /^hmac.*enforce$/i);
      }
      await active.stop();
      await two.untilHolds(vip, DOWN_MS + SLACK_MS);
      active = await Contender.start(first, one, conf(150, ENFORCE), newer.path);
      await until(`${second} to yield`, DOWN_MS + SLACK_MS, () => holders.now.join() === 'one');
      assert.equal((await backup.account()).state, 'backup');
      await active.kill();
      await two.untilHolds(vip, DOWN_MS + SLACK_MS);
    });
  }
}

for (const [first, second] of ROLES) {
  test(`from unsigned to signed to another key without a transition: ${first} active, ${second} backup`, {
    skip,
  }, async (t) => {
    const { one, two } = await openStage(t);
    const vip = '10.9.0.100';
    const conf = (priority: number, signing?: Signing) =>
      keepalivedConf({
        vrid: 44,
        priority,
        interval: INTERVAL_MS / 1000,
        interface: 'em1',
        addresses: [`${vip}/32`],
        more: signing === undefined ? [] : block(signing),
      });
    const unsigned: Signing = { keys: [7], active: 7, mode: 'receive-only' };
    const active = await Contender.start(first, one, conf(150, unsigned), newer.path);
    await one.untilHolds(vip, DOWN_MS + SLACK_MS);
    const backup = await Contender.start(second, two, conf(100, unsigned), newer.path);
    const holders = await Holders.watch(vip, one, two);
    const both = [7, 8];
    // Each step first where it receives only, as an operator has to: the backup, then the active one.
    for (const signing of [
      { keys: [7], active: 7, mode: 'permissive' },
      { keys: [7], active: 7, mode: 'enforce' },
      { keys: both, active: 7, mode: 'enforce' },
      { keys: both, active: 8, mode: 'enforce' },
      { keys: [8], active: 8, mode: 'enforce' },
    ] as const satisfies readonly Signing[]) {
      await t.test(`${signing.mode}, keys ${signing.keys.join(' and ')}, sent with ${signing.active}`, async () => {
        for (const [contender, priority] of [
          [backup, 100],
          [active, 150],
        ] as const) {
          contender.reload(conf(priority, signing));
          await throughout('nothing moves', 1.2 * DOWN_MS, () => holders.now.join() === 'one');
        }
        assert.equal((await active.account()).state, 'active');
        assert.equal((await backup.account()).state, 'backup');
      });
    }
    assert.equal(holders.holdings.length, 1, JSON.stringify(holders.holdings));
    await active.stop();
    await two.untilHolds(vip, DOWN_MS + SLACK_MS);
  });
}
