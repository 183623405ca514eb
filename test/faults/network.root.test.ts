/** What befalls the network between the hosts: partitions, loss, delay, strangers. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { LabElection, labRouter } from '../lab/election.js';
import { labUnavailable } from '../lab/lab.js';
import { advertPacket } from '../lab/packet.js';
import { throughout, until } from '../lab/until.js';
import { Random } from '../sim/random.js';
import { DOWN_MS, INTERVAL_MS, IPV4, IPV6, SLACK_MS, Stage } from './stage.js';

const skip = labUnavailable('ping');

/** Nothing changes hands for so many intervals. */
async function assertCalm(stage: Stage, intervals: number): Promise<void> {
  const { a, b } = stage;
  const before = a.transitions() + b.transitions();
  await throughout(
    'nothing changes hands',
    intervals * INTERVAL_MS,
    () => a.transitions() + b.transitions() === before && stage.holders.now.join() === 'a',
  );
}

for (const kind of [IPV4, IPV6]) {
  test(`F18 a full partition (${kind.title}): one on each side, one within a down interval of its end`, {
    skip,
  }, async (t) => {
    const stage = await Stage.set(t, kind);
    const { lab, a, b } = stage;
    const mends = [await lab.drop(a.host, b.host), await lab.drop(b.host, a.host)];
    await b.election.untilState('active', DOWN_MS + SLACK_MS);
    assert.equal((await a.election.router()).state, 'active');
    const healedAt = Date.now();
    for (const mend of mends) await mend();
    await stage.heldAfter(b, healedAt, SLACK_MS, 'ended');
    await stage.untilAsBefore();
    stage.assertNoTwoAfter(healedAt + DOWN_MS);
  });
}

test('F19 b hears a no more, and a hears b: told by a who b is, and over at the end', { skip }, async (t) => {
  const stage = await Stage.set(t);
  const { lab, a, b } = stage;
  const mend = await lab.drop(a.host, b.host);
  await b.election.untilState('active', DOWN_MS + SLACK_MS);
  await until('a to tell of b', SLACK_MS, () => a.election.occurrences('lowerPriorityHeard').length > 0);
  assert.equal(a.election.occurrences('lowerPriorityHeard')[0]?.source, b.host.address);
  assert.equal((await a.election.router()).state, 'active');
  const healedAt = Date.now();
  await mend();
  await stage.untilAsBefore();
  stage.assertNoTwoAfter(healedAt + DOWN_MS);
});

test('F19 a hears b no more, and b hears a: nothing happens', { skip }, async (t) => {
  const stage = await Stage.set(t);
  const mend = await stage.lab.drop(stage.b.host, stage.a.host);
  await assertCalm(stage, 8);
  await mend();
  await stage.untilAsBefore();
});

test('F20 multicast alone is lost, both ways: the same bounds; unicast goes on', { skip }, async (t) => {
  const stage = await Stage.set(t);
  const { lab, a, b } = stage;
  const multicast = 'ip daddr 224.0.0.18';
  const mends = [await lab.drop(a.host, b.host, multicast), await lab.drop(b.host, a.host, multicast)];
  await b.election.untilState('active', DOWN_MS + SLACK_MS);
  await a.host.run('ping', '-n', '-c', '1', '-W', '1', b.host.address);
  const healedAt = Date.now();
  for (const mend of mends) await mend();
  await stage.untilAsBefore();
  stage.assertNoTwoAfter(healedAt + DOWN_MS);
});

test('F21 10 %, a third and two thirds of the advertisements are lost, never three in a row: no flap', {
  skip,
}, async (t) => {
  const stage = await Stage.set(t);
  const { lab, a, b } = stage;
  for (const [lost, of] of [
    [1, 10],
    [1, 3],
    [2, 3],
  ] as const) {
    const mend = await lab.drop(a.host, b.host, `ip protocol 112 numgen inc mod ${of} < ${lost}`);
    await assertCalm(stage, 20);
    await mend();
  }
  const [peer] = (await b.election.router()).peers;
  assert.ok((peer?.lost ?? 0) >= 20, `${peer?.lost} were noticed as lost`);
  // What the bound is worth: one more in a row is a takeover.
  const mend = await lab.drop(a.host, b.host, 'ip protocol 112 numgen inc mod 5 < 4');
  await b.election.untilState('active', 10 * INTERVAL_MS + SLACK_MS);
  await mend();
  await stage.untilAsBefore();
});

test('F22 delay, jitter, disorder and duplicates below the down interval: no transition', { skip }, async (t) => {
  const stage = await Stage.set(t);
  const { lab, a, b, ear } = stage;
  const seed = 22;
  const random = new Random(seed);
  t.diagnostic(`seed ${seed}`);
  const target = Buffer.from((await b.host.mac()).replaceAll(':', ''), 'hex');
  const mend = await lab.drop(a.host, b.host, 'ip protocol 112');
  const sent = ear.adverts(a.host.address).length;
  const heard = async () => (await b.election.router()).counters['advertisements-received'] ?? 0;
  const before = await heard();
  let relayed = sent;
  const pending = new Set<NodeJS.Timeout>();
  const later = (packet: Uint8Array, delayMs: number) => {
    const timer = setTimeout(() => {
      pending.delete(timer);
      ear.send(packet, target);
    }, delayMs);
    pending.add(timer);
  };
  const relay = setInterval(() => {
    for (const { packet } of ear.adverts(a.host.address).slice(relayed)) {
      relayed += 1;
      // Up to two intervals late, so that one may overtake the next; half of them twice.
      later(packet, random.between(0, 2 * INTERVAL_MS));
      if (random.chance(0.5)) later(packet, random.between(0, 2 * INTERVAL_MS));
    }
  }, 2);
  try {
    await assertCalm(stage, 20);
  } finally {
    clearInterval(relay);
    for (const timer of pending) clearTimeout(timer);
  }
  assert.ok((await heard()) - before > relayed - sent, 'the duplicates were heard');
  await mend();
  await stage.untilAsBefore();
});

test('F24 a stranger with our VRID and a higher priority: named within 3 s, and back when it goes', {
  skip,
}, async (t) => {
  const stage = await Stage.set(t);
  const { a, b, ear, client } = stage;
  const stranger = advertOf(client.address, ['10.9.0.200']);
  const startedAt = Date.now();
  const sending = setInterval(() => ear.send(stranger), INTERVAL_MS / 2);
  t.after(() => clearInterval(sending));
  for (const { election } of [a, b]) {
    await until('the other list of addresses to be told', 3000, () =>
      election
        .occurrences('notice')
        .some(({ notice, source }) => notice === 'address-list-mismatch' && source === client.address),
    );
  }
  await stage.heldAfter(a, startedAt, SLACK_MS, 'ended');
  clearInterval(sending);
  await stage.untilAsBefore();
});

for (const [how, believe] of [
  ['believed sources', { more: { believedSources: ['10.9.0.1', '10.9.0.2'] } }],
  ['unicast peers', {}],
] as const) {
  test(`F24 a stranger with our VRID where there are ${how}: no outage, and counted`, { skip }, async (t) => {
    const isUnicast = how === 'unicast peers';
    const stage = isUnicast ? await unicastStage(t) : await Stage.set(t, IPV4, believe);
    const { a, b, ear, client } = stage;
    const sending = setInterval(() => {
      ear.send(advertOf(client.address, [stage.kind.address]));
    }, INTERVAL_MS / 2);
    t.after(() => clearInterval(sending));
    await assertCalm(stage, 10);
    for (const { election } of [a, b]) {
      const { counters } = await election.router();
      const refused = (counters['rejected.not-a-peer'] ?? 0) + (counters['rejected.wrong-destination'] ?? 0);
      if (!isUnicast) assert.ok(refused > 5, JSON.stringify(counters));
    }
    clearInterval(sending);
    await stage.untilAsBefore();
  });
}

test('F23 two hosts with one router address: told with the MAC of the other, no flapping', { skip }, async (t) => {
  const stage = await Stage.set(t, IPV4, { router: { duplicateProbe: 'warn' } });
  const { lab, a, b } = stage;
  const twin = await lab.host('twin', { addresses: [`${a.host.address}/24`] });
  const before = a.transitions() + b.transitions();
  const other = await LabElection.start(
    twin,
    labRouter({
      interval: INTERVAL_MS * 1000,
      addresses: [stage.kind.address],
      priority: 150,
      router: { duplicateProbe: 'warn' },
    }),
  );
  await other.untilState('active', DOWN_MS + SLACK_MS);
  const mac = await twin.mac();
  await until(
    'a to tell of the other one',
    SLACK_MS,
    () => a.election.occurrences('addressConflict').some((told) => told.mac === mac),
    () => a.election.program.tail(),
  );
  await throughout('nobody moves', 2000, () => a.transitions() + b.transitions() === before);
  assert.equal(other.occurrences('transition').length, 2, 'initialize, backup, active');
  await other.kill();
  await twin.ip('link set em1 down');
  await stage.untilAsBefore();
});

test('F62 a preempt delay: a flapping router of higher priority takes over once', { skip }, async (t) => {
  const stage = await Stage.set(t, IPV4, {}, { router: { preemptDelay: 2_000_000 } });
  const { lab, a, b } = stage;
  const before = b.transitions();
  for (let flap = 0; flap < 4; flap++) {
    await lab.cut(a.host);
    await a.election.untilState('fault', SLACK_MS);
    await b.election.untilState('active', DOWN_MS + SLACK_MS);
    await lab.mend(a.host);
    await a.election.untilState('backup', SLACK_MS);
  }
  assert.equal(b.transitions(), before + 1, 'b became active once');
  await stage.untilAsBefore();
  assert.equal(b.transitions(), before + 2, 'and gave way once');
});

test('F63 one member of a sync group fails: all go together, and come back together', { skip }, async (t) => {
  const second = {
    name: 's',
    vrid: 11,
    addresses: ['10.9.0.101'],
    tracks: [{ id: 'check x', weight: 0, reverse: false }],
  };
  const stage = await Stage.set(
    t,
    IPV4,
    { group: 'g' },
    {},
    [{ name: 'g', routers: ['r', 's'], policy: 'all' }],
    [second],
  );
  const { a, b } = stage;
  const newest = (name: string) => a.election.occurrences('transition').findLast(({ router }) => router === name);
  a.election.tell({ kind: 'track', id: 'check x', state: 'down' });
  for (const name of ['r', 's']) await b.election.untilState('active', DOWN_MS + SLACK_MS, name);
  for (const name of ['r', 's']) assert.equal((await a.election.router(name)).state, 'fault');
  const apart = Math.abs((newest('r')?.wallMs ?? 0) - (newest('s')?.wallMs ?? Number.NaN));
  assert.ok(apart <= INTERVAL_MS, `${apart} ms apart`);
  a.election.tell({ kind: 'track', id: 'check x', state: 'up' });
  for (const name of ['r', 's']) await a.election.untilState('active', DOWN_MS + SLACK_MS, name);
  for (const name of ['r', 's']) await b.election.untilState('backup', SLACK_MS, name);
  await stage.untilAsBefore();
});

for (const kind of [IPV4, IPV6]) {
  test(`F64 the first announcements are lost (${kind.title}): the next ones are believed`, { skip }, async (t) => {
    const announcements = {
      repeat: 2,
      delay: 1_000_000,
      refresh: 1_000_000,
      refreshRepeat: 1,
      lowerPriorityRepeat: 1,
      lowerPriorityDelay: 0,
    };
    const stage = await Stage.set(t, kind, { router: { announcements } });
    const { lab, a, b, client } = stage;
    const macOf = async () => await client.neighbor(kind.address);
    await client.run('ping', '-n', '-c', '1', '-W', '1', kind.address);
    assert.equal(await macOf(), await a.host.mac());
    const lost = kind === IPV6 ? 'icmpv6 type nd-neighbor-advert' : 'ether type arp';
    const mend = await lab.drop(b.host, client, lost);
    await a.election.kill();
    await b.election.untilState('active', DOWN_MS + SLACK_MS);
    assert.equal(await macOf(), await a.host.mac(), 'the client has not heard of it');
    await mend();
    const wanted = await b.host.mac();
    await until('the client to know', 2500, async () => (await macOf()) === wanted);
    await a.start();
    await stage.untilAsBefore();
  });
}

function advertOf(source: string, addresses: readonly string[]): Uint8Array {
  return advertPacket({ source, vrid: 10, priority: 250, addresses, interval: INTERVAL_MS / 10 });
}

async function unicastStage(t: TestContext): Promise<Stage> {
  return await Stage.set(t, IPV4, { peers: ['10.9.0.1'] }, { peers: ['10.9.0.2'] });
}
