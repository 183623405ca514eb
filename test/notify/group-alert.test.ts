/** Sync groups: one mail for a failover of all of their routers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SyncPolicy, Track } from '../../proto/gen/baton/v1/resources.js';
import {
  ACTIVE,
  BACKUP,
  checkChanged,
  FAULT,
  group,
  groupTransition,
  NOON,
  Office,
  openTables,
  receiver,
  router,
  transition,
} from './alert-fixture.js';

const ROUTERS = ['pg', 'web'];

/** Everything that two agents tell of one failover of a group of two. */
const failover = [
  checkChanged('base1', 'pg-alive', 'down', NOON - 500),
  ...ROUTERS.map((name) => transition({ node: 'base1', router: name, from: ACTIVE, to: FAULT, cause: 'track-failed' })),
  groupTransition({ node: 'base1', from: ACTIVE, to: FAULT, cause: 'track-failed' }),
  ...ROUTERS.map((name) =>
    transition({ node: 'base2', router: name, from: BACKUP, to: ACTIVE, cause: 'active-down', at: NOON + 5 }),
  ),
  groupTransition({ node: 'base2', from: BACKUP, to: ACTIVE, cause: 'active-down', at: NOON + 6 }),
];

async function office(receivers: { readonly routers: string[]; readonly group: string[] }, policy = SyncPolicy.ALL) {
  const one = new Office(await openTables());
  for (const name of ROUTERS) one.routers.set(name, router(receivers.routers));
  one.groups.set('both', group({ receivers: receivers.group, policy }));
  one.receivers.set('dba', receiver({ to: ['dba@example.net'] }));
  one.notifier.start();
  return one;
}

function told(one: Office): string[] {
  return one.sent.map(({ mail }) => `${mail.to[0]?.address}: ${mail.subject}`).sort();
}

test("the group's receivers get one mail for all of its routers", async () => {
  const one = await office({ routers: [], group: ['ops'] });
  await one.hear(...failover);
  await one.clock.advance(2_000);
  assert.deepEqual(told(one), [
    'ops@example.net: [Baton] group both: base1 -> base2 active (check pg-alive failed on base1)',
  ]);
  const [sent] = one.sent;
  assert.equal(sent?.mail.headers['X-Baton-Group'], 'both');
  assert.equal(sent?.mail.headers['X-Baton-Router'], undefined);
  assert.match(sent?.mail.text ?? '', /^Addresses: +192\.0\.2\.26\/24, 192\.0\.2\.26\/24$/mu);
  await one.clock.advance(600_000);
  assert.equal(one.sent.length, 1);
  await one.notifier.stop();
});

test('whoever is told by the group is not told by its routers again; others are', async () => {
  const one = await office({ routers: ['ops', 'dba'], group: ['ops'] });
  await one.hear(...failover);
  await one.clock.advance(10_000);
  assert.deepEqual(told(one), [
    'dba@example.net: [Baton] pg: base1 -> base2 active (check pg-alive failed on base1)',
    'dba@example.net: [Baton] web: base1 -> base2 active (check pg-alive failed on base1)',
    'ops@example.net: [Baton] group both: base1 -> base2 active (check pg-alive failed on base1)',
  ]);
  await one.notifier.stop();
});

test('with policy any a router in fault alone is told by itself, as its group goes on', async () => {
  const one = await office({ routers: ['ops'], group: ['ops'] }, SyncPolicy.ANY);
  await one.hear(transition({ node: 'base2', from: BACKUP, to: FAULT, cause: 'track-failed', message: 'em2 is down' }));
  await one.clock.advance(2_000);
  assert.deepEqual(told(one), ['ops@example.net: [Baton] pg: base2 fault, no active router known (em2 is down)']);
  await one.notifier.stop();
});

test("checks that the group tracks explain its routers' failovers", async () => {
  const one = await office({ routers: ['ops'], group: [] });
  one.groups.set('both', group({ track: [Track.fromPartial({ check: 'shared' })] }));
  await one.hear(
    checkChanged('base1', 'shared', 'down', NOON - 500),
    checkChanged('base1', 'of-others', 'down', NOON - 400),
    ...failover.slice(1).filter(({ router: name }) => name === 'pg'),
  );
  await one.clock.advance(2_000);
  assert.deepEqual(told(one), ['ops@example.net: [Baton] pg: base1 -> base2 active (check shared failed on base1)']);
  await one.notifier.stop();
});

test('a group that is not declared any more, or names nobody, is not mailed, and nothing of it is kept', async () => {
  for (const forget of [true, false]) {
    const one = await office({ routers: [], group: [] });
    if (forget) one.groups.clear();
    await one.hear(...failover);
    await one.clock.advance(10_000);
    assert.equal(one.sent.length, 0);
    assert.deepEqual(await one.db.selectFrom('alert_transitions').selectAll().execute(), []);
    await one.notifier.stop();
  }
});

test('an agent cannot have a router taken for a group', async () => {
  const one = await office({ routers: [], group: ['ops'] });
  await one.hear(transition({ node: 'base2', router: 'group/both', from: BACKUP, to: ACTIVE, cause: 'active-down' }));
  await one.clock.advance(10_000);
  assert.deepEqual(told(one), []);
  await one.notifier.stop();
});
