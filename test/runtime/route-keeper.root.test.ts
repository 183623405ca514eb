/** Virtual routes and rules in real kernels. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { RouterSettings } from '../../agent/runtime/messages.js';
import { LabElection, type LabRouter, labRouter } from '../lab/election.js';
import type { Host } from '../lab/host.js';
import { Lab, labUnavailable } from '../lab/lab.js';
import { until } from '../lab/until.js';
import { prefix, route, rule } from './item-settings.js';

const skip = labUnavailable();

const ROUTES: RouterSettings['routes'] = [
  // Its source is a virtual address: it can only be there after that.
  route('10.77.0.0/16', { via: '10.9.0.200', source: '10.9.0.100', metric: 50 }),
  route('10.78.0.0/16', { table: 100, device: 'em1', scope: 253 }),
  route('10.79.0.0/16', {
    nextHops: [
      { via: '10.9.0.201', weight: 1, onLink: false },
      { via: '10.9.0.202', weight: 3, onLink: false },
    ],
  }),
  route('fd77::/32', { via: 'fd09::99' }),
  route('10.80.0.0/16', { type: 6 }),
];
const RULES: RouterSettings['rules'] = [
  rule('from 10.66.0.0/16', { from: prefix('10.66.0.0/16') }),
  rule('to fd66::/16 priority 77', { family: 6, to: prefix('fd66::/16'), priority: 77, table: 101 }),
];

const options: LabRouter = { addresses: ['10.9.0.100'], interval: 100_000, more: { routes: ROUTES, rules: RULES } };

async function laboratory(t: TestContext) {
  const lab = await Lab.open();
  t.after(() => lab.close());
  const a = await lab.host('a', { addresses: ['10.9.0.1/24', 'fd09::1/64'] });
  return { lab, a };
}

const routes = (host: Host, ...which: string[]) => host.run('ip', 'route', 'show', 'table', 'all', ...which);
const routes6 = (host: Host) => host.run('ip', '-6', 'route', 'show', 'proto', '18');
const rules = (host: Host) => host.run('ip', 'rule', 'show');
const rules6 = (host: Host) => host.run('ip', '-6', 'rule', 'show');

test('routes and rules come with the role and go with it', { skip }, async (t) => {
  const { a } = await laboratory(t);
  // The kernel's own routes come and go as its addresses become usable.
  const all = async () => [
    (await routes(a)).split('\n').filter((line) => !line.includes('proto kernel')),
    await rules(a),
    await rules6(a),
  ];
  const before = await all();
  const election = await LabElection.start(a, labRouter(options));
  await election.untilState('active', 5000);
  const shown = await routes(a, 'proto', '18');
  assert.match(shown, /10\.77\.0\.0\/16 via 10\.9\.0\.200 dev em1 .*src 10\.9\.0\.100 metric 50/);
  assert.match(shown, /10\.78\.0\.0\/16 dev em1 table 100/);
  assert.match(shown, /10\.79\.0\.0\/16/);
  assert.match(shown, /nexthop via 10\.9\.0\.202 dev em1 weight 3/);
  assert.match(shown, /blackhole 10\.80\.0\.0\/16/);
  assert.match(await routes6(a), /fd77::\/32 via fd09::99 dev em1/);
  assert.match(await rules(a), /from 10\.66\.0\.0\/16 lookup 100/);
  assert.match(await rules6(a), /77:\s+from all to fd66::\/16 lookup 101/);
  const status = await election.router();
  assert.deepEqual(
    status.heldRoutes,
    ROUTES.map(({ text }) => text),
  );
  assert.deepEqual(
    status.heldRules,
    RULES.map(({ text }) => text),
  );
  assert.deepEqual(election.occurrences('item'), []);

  await election.program.stop();
  assert.deepEqual(await all(), before);
});

test('what somebody removes is put back, and told of once', { skip }, async (t) => {
  const { a } = await laboratory(t);
  const election = await LabElection.start(a, labRouter(options));
  await election.untilState('active', 5000);
  const removals = [
    ['route', 'delete', '10.77.0.0/16'],
    ['route', 'delete', '10.78.0.0/16', 'table', '100'],
    ['-6', 'route', 'delete', 'fd77::/32'],
    ['rule', 'delete', 'from', '10.66.0.0/16'],
  ];
  for (const removal of removals) await a.run('ip', ...removal);
  await until('all to be back', 3000, async () => {
    const shown = `${await routes(a, 'proto', '18')} ${await routes6(a)} ${await rules(a)}`;
    return ['10.77.0.0/16', '10.78.0.0/16', 'fd77::/32', 'from 10.66.0.0/16'].every((text) => shown.includes(text));
  });
  const told = election.occurrences('item');
  assert.deepEqual(told.map(({ item, change }) => [item, change]).sort(), [
    ['10.77.0.0/16', 'restored'],
    ['10.78.0.0/16', 'restored'],
    ['fd77::/32', 'restored'],
    ['from 10.66.0.0/16', 'restored'],
  ]);
  assert.equal((await rules(a)).match(/10\.66\.0\.0/g)?.length, 1, 'a rule without a priority is not added twice');
  assert.equal((await election.router()).state, 'active');
});

test('the kernel takes routes along without a word when the interface goes down; they come back with the role', {
  skip,
}, async (t) => {
  const { a } = await laboratory(t);
  const election = await LabElection.start(a, labRouter({ ...options, more: { routes: ROUTES, rules: RULES } }));
  await election.untilState('active', 5000);
  await a.ip('link set em1 down');
  await election.untilState('fault', 3000);
  assert.doesNotMatch(await rules(a), /10\.66/);
  await a.ip('link set em1 up');
  await election.untilState('active', 5000);
  assert.match(await routes(a, 'proto', '18'), /10\.77\.0\.0\/16.*src 10\.9\.0\.100/);
});

test('routes over another interface come back when it does, and when it has its address again; tracks tell', {
  skip,
}, async (t) => {
  const { a } = await laboratory(t);
  await a.ip(
    'link add up1 type veth peer name up2',
    'link set up2 up',
    'link set up1 up',
    'address add 10.50.0.1/24 dev up1',
  );
  const tracked = { id: 'route 10.50.0.0/24', prefix: prefix('10.50.0.0/24'), table: 254 };
  const own = labRouter({
    addresses: ['10.9.0.100'],
    interval: 100_000,
    tracks: [{ id: tracked.id, weight: -10, reverse: false }],
    more: { routes: [route('10.81.0.0/16', { via: '10.50.0.9', noTrack: true })], routeTracks: [tracked] },
  });
  const network = {
    name: 'lan',
    addresses: [],
    routes: [route('10.82.0.0/16', { via: '10.50.0.9' })],
    rules: [],
    announcementLimits: [],
    interfaceDelays: [],
  };
  const election = await LabElection.startWith(a, { routers: [own], hostNetworks: [network] });
  await election.untilState('active', 5000);
  const seen = async () => {
    const { heldRoutes, effectivePriority } = await election.router();
    const [item] = (await election.status()).hostItems;
    const shown = await routes(a);
    const inKernel = ['10.81.0.0/16', '10.82.0.0/16'].map((text) => shown.includes(text));
    return [...inKernel, heldRoutes.length === 1, item?.present, effectivePriority];
  };
  const untilSeen = (what: string, wanted: readonly unknown[]) =>
    until(what, 3000, async () => JSON.stringify(await seen()) === JSON.stringify(wanted), seen);
  const all = [true, true, true, true, 100];
  const none = [false, false, false, false, 90];
  await untilSeen('both to be there', all);
  // The kernel keeps the address, and makes its subnet's route again.
  await a.ip('link set up1 down');
  await untilSeen('both to be gone', none);
  await a.ip('link set up1 up');
  await untilSeen('both to be back', all);
  // As another manager does it: the gateway can be reached only after the address has come.
  await a.ip('link set up1 down', 'address flush dev up1', 'link set up1 up');
  await untilSeen('both to be gone', none);
  await a.ip('address add 10.50.0.1/24 dev up1');
  await untilSeen('both to be back with the address', all);
  // Routes without carrier stay, and lead nowhere.
  await a.ip('link set up2 down');
  await until('the track to tell', 3000, async () => (await election.router()).effectivePriority === 90);
  await a.ip('link set up2 up');
  await untilSeen('the carrier to be back', all);
  assert.equal((await election.router()).state, 'active');
});

test('another route of the same destination and metric is left alone, and told of', { skip }, async (t) => {
  const { a } = await laboratory(t);
  await a.ip('route add 10.80.0.0/16 via 10.9.0.250');
  const election = await LabElection.start(a, labRouter(options));
  await election.untilState('active', 5000);
  const [told] = election.occurrences('item');
  assert.equal(told?.item, '10.80.0.0/16');
  assert.equal(told?.change, 'add-failed');
  assert.match(told?.detail ?? '', /another route to the same destination/);
  assert.match(await routes(a), /10\.80\.0\.0\/16 via 10\.9\.0\.250/);
  assert.ok(!(await election.router()).heldRoutes.includes('10.80.0.0/16'));
  await election.program.stop();
  assert.match(await routes(a), /10\.80\.0\.0\/16 via 10\.9\.0\.250/);
});

test('leftovers of a crash are removed by a run that is not active', { skip }, async (t) => {
  const { lab, a } = await laboratory(t);
  const b = await lab.host('b', { addresses: ['10.9.0.2/24'] });
  const before = await LabElection.start(a, labRouter(options));
  await before.untilState('active', 5000);
  await before.program.kill();
  const other = await LabElection.start(b, labRouter({ addresses: ['10.9.0.100'], interval: 100_000, priority: 200 }));
  await other.untilState('active', 5000);
  const after = await LabElection.start(a, labRouter(options));
  assert.doesNotMatch(`${await routes(a)} ${await rules(a)}`, /10\.7[789]\.0\.0|10\.80|10\.66/);
  assert.ok(
    after.occurrences('item').some(({ item, change }) => item === '10.78.0.0/16' && change === 'leftover-removed'),
  );
  assert.equal((await after.router()).state, 'backup');
});

test('a change of the routes changes nothing else', { skip }, async (t) => {
  const { a } = await laboratory(t);
  const election = await LabElection.start(a, labRouter(options));
  await election.untilState('active', 5000);
  const other = [...ROUTES.slice(1), route('10.90.0.0/16', { via: '10.9.0.200' })];
  await election.configure(labRouter({ ...options, more: { routes: other, rules: RULES.slice(1) } }));
  const shown = await routes(a, 'proto', '18');
  assert.doesNotMatch(shown, /10\.77\.0\.0/);
  assert.match(shown, /10\.90\.0\.0\/16 via 10\.9\.0\.200/);
  assert.doesNotMatch(await rules(a), /10\.66/);
  assert.equal(election.occurrences('transition').length, 2, 'it stayed active');
});
