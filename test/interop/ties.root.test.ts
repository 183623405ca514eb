/** Two routers that cannot both be right: owners on both sides, and equal priorities, after a partition of the LAN. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Holders } from '../lab/holders.js';
import { keepalivedConf } from '../lab/keepalived.js';
import { labUnavailable } from '../lab/lab.js';
import { StandaloneAgent } from '../lab/standalone-agent.js';
import { throughout, until } from '../lab/until.js';
import { Contender, type Kind, ROLES } from './contender.js';
import { DOWN_MS, INTERVAL_MS, openStage, SLACK_MS } from './stage.js';

const skip = labUnavailable('keepalived');

function conf(addresses: readonly string[], priority: number): string {
  return keepalivedConf({ vrid: 43, priority, interval: INTERVAL_MS / 1000, interface: 'em1', addresses });
}

/** Both become active in a partition. It ends for what Baton hears first, and for the rest when `hasHeard` resolves. */
async function afterPartition(
  t: TestContext,
  kinds: readonly [Kind, Kind],
  { text, vip, hasHeard }: { text: string; vip: string; hasHeard?: (baton: StandaloneAgent) => Promise<unknown> },
) {
  const { lab, one, two } = await openStage(t);
  const holders = await Holders.watch(vip, one, two);
  const [toTwo, toOne] = [await lab.drop(one, two), await lab.drop(two, one)];
  const contenders = [await Contender.start(kinds[0], one, text), await Contender.start(kinds[1], two, text)] as const;
  for (const host of [one, two]) await host.untilHolds(vip, DOWN_MS + SLACK_MS);
  const [first, second] = kinds[0] === 'baton' ? [toOne, toTwo] : [toTwo, toOne];
  await first();
  for (const { program } of contenders) {
    if (program instanceof StandaloneAgent) await hasHeard?.(program);
  }
  await second();
  await until(
    'one of them to yield',
    3 * DOWN_MS + SLACK_MS,
    () => holders.now.length === 1,
    () => holders.holdings,
  );
  await throughout('it stays so', 1.5 * DOWN_MS, () => holders.now.length === 1);
  return {
    holder: holders.now.join(),
    states: await Promise.all(contenders.map(async (each) => (await each.account()).state)),
  };
}

for (const kinds of ROLES) {
  test(`two owners, ${kinds[0]} of the lower address and ${kinds[1]}: the greater one stays, Baton tells`, {
    skip,
  }, async (t) => {
    const { holder, states } = await afterPartition(t, kinds, {
      text: conf(['10.9.0.100/32'], 255),
      vip: '10.9.0.100',
      hasHeard: (baton) => baton.program.untilSays('"owner-conflict"', SLACK_MS),
    });
    assert.equal(holder, 'two');
    assert.deepEqual(states, ['backup', 'active']);
  });

  test(`IPv6, equal priority, ${kinds[0]} of the lower address and ${kinds[1]}: the greater one stays`, {
    skip,
  }, async (t) => {
    const text = conf(['fe80::42/64', '2001:db8:9::100/128'], 100);
    const { holder, states } = await afterPartition(t, kinds, { text, vip: '2001:db8:9::100' });
    assert.equal(holder, 'two');
    assert.deepEqual(states, ['backup', 'active']);
  });
}
