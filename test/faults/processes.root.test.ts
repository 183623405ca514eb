/** What befalls the agent's process: killed, stopped, stalled, out of memory, started with another one. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { labUnavailable } from '../lab/lab.js';
import { throughout, until } from '../lab/until.js';
import { ControlGroup, noControlGroups } from './control-group.js';
import { Flood } from './flood.js';
import { Actor, DOWN_MS, INTERVAL_MS, IPV4, IPV6, LEASE_MS, MARGIN_MS, SLACK_MS, Stage, VIRTUAL_MAC } from './stage.js';

const skip = labUnavailable();

for (const kind of [IPV4, IPV6, VIRTUAL_MAC]) {
  test(`F01 kill -9 of the active agent (${kind.title}): the other takes over, the lease ends`, { skip }, async (t) => {
    const stage = await Stage.set(t, kind);
    const { a, b } = stage;
    const failedAt = Date.now();
    await a.election.kill();
    const took = await stage.heldAfter(b, failedAt, SLACK_MS);
    const left = await stage.heldAfter(a, failedAt, SLACK_MS, 'ended');
    t.diagnostic(`taken over after ${took.toFixed(0)} ms, given up after ${left.toFixed(0)} ms`);
    assert.ok(took <= DOWN_MS + MARGIN_MS, `taken over after ${took} ms`);
    assert.ok(left <= LEASE_MS + 1000, `given up after ${left} ms`);
    assert.deepEqual(stage.holders.now, ['b']);
    await stage.assertAnswers(b);
    await a.start();
    await stage.untilAsBefore();
  });
}

for (const kind of [IPV4, IPV6]) {
  test(`F02 SIGSTOP of the active agent (${kind.title}): after SIGCONT it listens before anything else`, {
    skip,
  }, async (t) => {
    const stage = await Stage.set(t, kind, { preempt: false });
    const { a, b, ear } = stage;
    const source = (await a.election.router()).sourceAddress ?? '';
    const adverts = () => (kind === IPV6 ? ear.ipv6Adverts(source) : ear.adverts(source)).length;
    const failedAt = Date.now();
    a.election.program.signal('SIGSTOP');
    await stage.heldAfter(b, failedAt, SLACK_MS);
    const left = await stage.heldAfter(a, failedAt, SLACK_MS, 'ended');
    assert.ok(left <= LEASE_MS + 1000, `given up after ${left} ms`);
    await stage.assertAnswers(b);
    const before = adverts();
    a.election.program.signal('SIGCONT');
    await a.election.untilState('backup', SLACK_MS);
    await throughout('b alone holds the address', 2 * DOWN_MS, () => stage.holders.now.join() === 'b');
    assert.equal(adverts(), before, 'it advertised after its pause');
    assert.equal(a.election.occurrences('leaseLost').length, 1);
    stage.assertNoTwoAfter(failedAt + LEASE_MS + 1000);
  });
}

test('F03 a stall of half the down interval moves nothing', { skip }, async (t) => {
  // 0.5 s of a down interval of 1.04 s.
  const stage = await Stage.set(t, IPV4, { interval: 300_000 });
  const { a, b } = stage;
  const transitions = () => a.transitions() + b.transitions();
  const before = transitions();
  a.election.program.signal('SIGSTOP');
  const stopped = performance.now();
  await until('half a second', 1000, () => performance.now() - stopped >= 500);
  a.election.program.signal('SIGCONT');
  await throughout('nothing moves', 1500, () => transitions() === before && stage.holders.now.join() === 'a');
  const { lag } = await a.election.status();
  assert.ok(lag.max >= 100_000, `the stall is seen in the lag of ${lag.max} µs`);
  await stage.untilAsBefore();
});

for (const stallMs of [2000, 10_000]) {
  test(`F03 a stall of ${stallMs / 1000} s is a clean handover, and told`, { skip }, async (t) => {
    const stage = await Stage.set(t, IPV4);
    const { a, b } = stage;
    const failedAt = Date.now();
    a.election.program.signal('SIGSTOP');
    const took = await stage.heldAfter(b, failedAt, SLACK_MS);
    assert.ok(took <= DOWN_MS + MARGIN_MS, `taken over after ${took} ms`);
    await until('the end of the stall', stallMs + 1000, () => Date.now() - failedAt >= stallMs);
    a.election.program.signal('SIGCONT');
    await until('the stall to be told', SLACK_MS, () => a.election.occurrences('leaseLost').length === 1);
    const [told] = a.election.occurrences('leaseLost');
    await until('b alone to hold it', MARGIN_MS, () => stage.holders.now.join() === 'b');
    assert.ok((told?.away ?? 0) >= (stallMs - INTERVAL_MS) * 1000, `told of ${told?.away} µs`);
    await stage.untilAsBefore();
    const states = a.election.occurrences('transition').slice(-2);
    assert.deepEqual(
      states.map(({ from, to }) => `${from} to ${to}`),
      ['active to backup', 'backup to active'],
    );
    assert.equal(b.transitions(), 3, 'to backup, to active, to backup');
  });
}

test('F04 out of memory while active: as if killed, and back with the next start', {
  skip: skip || noControlGroups('memory'),
}, async (t) => {
  const stage = await Stage.set(t, IPV4);
  const { a, b } = stage;
  const group = new ControlGroup('memory');
  t.after(() => group.remove());
  const { pid } = a.election.program;
  group.add(pid);
  const hog = a.host.start('sh', '-c', 'echo -1000 > /proc/self/oom_score_adj; read go; exec tail /dev/zero');
  group.add(hog.pid);
  // What a process had before it came into the group is not counted there.
  group.write('memory.limit_in_bytes', String(32 << 20));
  const failedAt = Date.now();
  hog.write('go\n');
  assert.equal(await a.election.program.ended, 'SIGKILL');
  await hog.kill();
  const took = await stage.heldAfter(b, failedAt, SLACK_MS);
  t.diagnostic(`taken over ${took.toFixed(0)} ms after memory ran out`);
  const restartedAt = performance.now();
  await a.start();
  await a.election.untilState('active', SLACK_MS);
  const recovered = performance.now() - restartedAt;
  assert.ok(recovered <= 5000, `active again ${recovered} ms after the start`);
  await stage.untilAsBefore();
});

test('F05 100,000 advertisements leave no memory behind', { skip }, async (t) => {
  const stage = await Stage.set(t, IPV4);
  const { b } = stage;
  const flood = await Flood.open(stage.client);
  const heard = async () => (await b.election.router()).counters['advertisements-received'] ?? 0;
  const residentBytes = () => {
    const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${b.election.program.pid}/status`, 'utf8')) ?? [];
    return Number(kilobytes) * 1024;
  };
  const frame = flood.ipv4Advert({ vrid: 10, priority: 120, addresses: [stage.kind.address], interval: 20 });
  const send = async (count: number) => {
    const wanted = (await heard()) + count;
    await flood.send([frame], count, 10_000);
    await until('all of them to be heard', SLACK_MS, async () => (await heard()) >= wanted);
  };
  await send(20_000);
  const before = residentBytes();
  await send(80_000);
  const after = residentBytes();
  t.diagnostic(`${(before / 1e6).toFixed(1)} MB after 20,000, ${(after / 1e6).toFixed(1)} MB after 100,000`);
  assert.ok(after < before * 1.05, `${before} bytes after 20,000, ${after} after 100,000`);
  await flood.close();
  await stage.untilAsBefore();
});

test('F11 suspended and resumed (freezer): backup first, and it listens', {
  skip: skip || noControlGroups('freezer'),
}, async (t) => {
  const stage = await Stage.set(t, IPV4, { preempt: false });
  const { a, b, ear } = stage;
  const group = new ControlGroup('freezer');
  t.after(() => group.remove());
  group.add(a.election.program.pid);
  const failedAt = Date.now();
  group.write('freezer.state', 'FROZEN');
  await stage.heldAfter(b, failedAt, SLACK_MS);
  const left = await stage.heldAfter(a, failedAt, SLACK_MS, 'ended');
  assert.ok(left <= LEASE_MS + 1000, `given up after ${left} ms`);
  const before = ear.adverts(a.host.address).length;
  group.write('freezer.state', 'THAWED');
  await a.election.untilState('backup', SLACK_MS);
  await throughout('b alone holds the address', DOWN_MS, () => stage.holders.now.join() === 'b');
  assert.equal(ear.adverts(a.host.address).length, before, 'it advertised within a down interval of its return');
  stage.assertNoTwoAfter(failedAt + LEASE_MS + 1000);
});

for (const kind of [IPV4, IPV6]) {
  test(`F61 both hosts start together (${kind.title}): one election, no back and forth`, { skip }, async (t) => {
    const stage = await Stage.set(t, kind);
    const { a, b } = stage;
    await Promise.all([a.election.kill(), b.election.kill()]);
    await until('nobody to hold it', LEASE_MS + 1000, () => stage.holders.now.length === 0);
    const before = stage.holders.holdings.length;
    const startedAt = performance.now();
    await Promise.all([a.start(), b.start()]);
    await a.election.untilState('active', DOWN_MS + SLACK_MS);
    t.diagnostic(`active ${(performance.now() - startedAt).toFixed(0)} ms after both were started`);
    await stage.untilAsBefore();
    const taken = stage.holders.holdings.slice(before).map(({ host }) => host);
    assert.ok(taken.length <= 2, `held by ${taken.join(', ')} one after the other`);
  });
}

test('F65 leftovers of a killed agent with a virtual MAC are removed, and nothing of others', { skip }, async (t) => {
  const stage = await Stage.set(t, VIRTUAL_MAC);
  const { a } = stage;
  const links = () => a.host.run('ip', '-o', 'link');
  await a.host.ip(
    'link add vrrp.77 link em1 type macvlan mode private',
    'link set vrrp.77 alias somebody',
    'address add 10.9.0.77/32 dev vrrp.77',
  );
  await a.election.kill();
  assert.match(await links(), /vrrp\.10@/, 'the macvlan of a killed agent stays');
  const { routers } = stage.b.configuration;
  const other = routers.map(({ virtualMac: _none, ...plain }) => ({ ...plain, router: { ...plain.router, vrid: 11 } }));
  const fresh = new Actor(a.host, { routers: other });
  await fresh.start();
  assert.doesNotMatch(await links(), /vrrp\.10@/);
  assert.match(await links(), /vrrp\.77@/);
  assert.equal(await a.host.holds('10.9.0.77'), true);
  await fresh.election.stop();
  await a.host.ip('link delete vrrp.77');
  await a.start();
  await stage.untilAsBefore();
});
