/** What befalls interfaces and addresses: links that flap, go away, are renamed; addresses that others touch. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { labUnavailable } from '../lab/lab.js';
import { throughout, until } from '../lab/until.js';
import { KernelEdge } from '../link/kernel-edge.js';
import { DOWN_MS, INTERVAL_MS, IPV4, IPV6, MARGIN_MS, SLACK_MS, Stage, VIRTUAL_MAC } from './stage.js';

const skip = labUnavailable('ping');

test('F25 a link that flaps ten times a second, with delays: one fault, one return', { skip }, async (t) => {
  const stage = await Stage.set(t);
  const { lab, a, b } = stage;
  const delays = [{ interface: 'em1', down: 100_000, up: 600_000 }];
  const hostNetworks = [
    { name: 'h', addresses: [], routes: [], rules: [], announcementLimits: [], interfaceDelays: delays },
  ];
  assert.deepEqual(await a.election.configureWith({ ...a.configuration, hostNetworks }), []);
  const before = [a.transitions(), b.transitions()];
  // Gone for longer than the down delay once; never back for as long as the up delay.
  await lab.cut(a.host);
  await a.election.untilState('fault', SLACK_MS);
  await b.election.untilState('active', DOWN_MS + SLACK_MS);
  for (let flap = 0; flap < 10; flap++) {
    await lab.mend(a.host);
    await throughout('a stays in fault', 50, () => a.transitions() === (before[0] ?? 0) + 1);
    await lab.cut(a.host);
  }
  await lab.mend(a.host);
  await a.election.untilState('active', DOWN_MS + SLACK_MS);
  await b.election.untilState('backup', SLACK_MS);
  assert.deepEqual(
    [a.transitions(), b.transitions()],
    before.map((count, index) => count + (index === 0 ? 3 : 2)),
    'a: fault, backup, active; b: active, backup',
  );
  // Shorter than the down delay: nothing at all.
  await lab.cut(a.host);
  await lab.mend(a.host);
  await throughout('nothing moves', 500, () => a.transitions() === (before[0] ?? 0) + 3);
  assert.deepEqual(await a.election.configureWith(a.configuration), []);
  await stage.untilAsBefore();
});

for (const kind of [IPV4, VIRTUAL_MAC]) {
  test(`F26 carrier is lost (${kind.title}): a fault at once, and the other takes over`, { skip }, async (t) => {
    const stage = await Stage.set(t, kind);
    const { lab, a, b } = stage;
    const failedAt = Date.now();
    await lab.cut(a.host);
    await a.election.untilState('fault', 500);
    const took = await stage.heldAfter(b, failedAt, SLACK_MS);
    assert.ok(took <= DOWN_MS + MARGIN_MS, `taken over after ${took} ms`);
    assert.match((await a.election.router()).sentence, /em1/);
    await lab.mend(a.host);
    await stage.untilAsBefore();
  });
}

for (const kind of [IPV4, VIRTUAL_MAC]) {
  test(`F27 the interface is deleted and made anew (${kind.title}): as elected, without a restart`, {
    skip,
  }, async (t) => {
    const stage = await Stage.set(t, kind);
    const { lab, a, b } = stage;
    await a.host.ip('link delete em1');
    await a.election.untilState('fault', SLACK_MS);
    await b.election.untilState('active', DOWN_MS + SLACK_MS);
    await lab.plug(a.host);
    const backAt = Date.now();
    const took = await stage.heldAfter(a, backAt, SLACK_MS);
    t.diagnostic(`active ${took.toFixed(0)} ms after the interface was back`);
    assert.ok(took <= 2 * DOWN_MS, `active ${took} ms after the interface was back`);
    await stage.untilAsBefore();
  });
}

test('F28 the interface is renamed, and moved to another namespace: a fault with its reason', { skip }, async (t) => {
  const stage = await Stage.set(t);
  const { a, b, client } = stage;
  const own = ['address add fd09::1/64 dev em1 nodad'];
  const gone = async () => {
    await a.election.untilState('fault', SLACK_MS);
    assert.match((await a.election.router()).sentence, /em1/);
    await b.election.untilState('active', DOWN_MS + SLACK_MS);
  };
  await a.host.ip('link set em1 down', 'link set em1 name em9', 'link set em9 up');
  await gone();
  await a.host.ip('link set em9 down', 'link set em9 name em1', 'link set em1 up', ...own);
  await stage.a.election.untilState('active', DOWN_MS + SLACK_MS);
  await b.election.untilState('backup', SLACK_MS);

  await a.host.ip('link set em1 name em9', `link set em9 netns ${client.namespace}`);
  await gone();
  await client.ip('link set em9 down', 'link set em9 name em1x', `link set em1x netns ${a.host.namespace}`);
  await a.host.ip('link set em1x name em1', 'address add 10.9.0.1/24 dev em1', ...own, 'link set em1 up');
  await stage.untilAsBefore();
});

for (const kind of [IPV4, IPV6, VIRTUAL_MAC]) {
  test(`F29 the address is removed by hand (${kind.title}): back within a second, and told`, { skip }, async (t) => {
    const stage = await Stage.set(t, kind);
    const { a } = stage;
    const family = kind === IPV6 ? 6 : 4;
    const held = (await a.host.kernelAddresses(family)).find(({ address }) => address === kind.address);
    const before = a.transitions();
    const removedAt = Date.now();
    await a.host.ip(`address delete ${kind.address}/${held?.prefixLength} dev ${held?.device}`);
    const gone = await stage.heldAfter(a, removedAt, SLACK_MS, 'ended');
    const back = await stage.heldAfter(a, removedAt, SLACK_MS);
    t.diagnostic(`gone after ${gone.toFixed(0)} ms, back after ${back.toFixed(0)} ms`);
    assert.ok(back <= 1000, `back after ${back} ms`);
    await until('it to be told', SLACK_MS, () => a.election.occurrences('address').length > 0);
    assert.deepEqual(
      a.election.occurrences('address').map(({ address, change }) => `${address} ${change}`),
      [`${kind.address}/${kind === IPV6 ? 64 : 32} restored`],
    );
    assert.equal(a.transitions(), before);
    await stage.untilAsBefore();
  });
}

for (const kind of [IPV4, IPV6]) {
  test(`F30 the address is added by hand on the backup (${kind.title}): told within 2 s`, { skip }, async (t) => {
    const stage = await Stage.set(t, kind);
    const { a, b } = stage;
    const before = a.transitions() + b.transitions();
    await b.host.ip(`address add ${kind.address}/${kind === IPV6 ? '64 dev em1 nodad' : '32 dev em1'}`);
    const told = await until('b to tell of it', 2000, () =>
      b.election.occurrences('notice').find(({ notice }) => notice === 'address-held-while-not-active'),
    );
    assert.match(told.sentence, new RegExp(`^${kind.address}/\\d+ is on em1 though`));
    assert.equal(a.transitions() + b.transitions(), before);
    await b.host.ip(`address delete ${kind.address}/${kind === IPV6 ? 64 : 32} dev em1`);
    await stage.untilAsBefore();
  });
}

for (const kind of [IPV4, IPV6]) {
  test(`F31 a stranger takes the address (${kind.title}): told with its MAC address, the active router stays`, {
    skip,
  }, async (t) => {
    const stage = await Stage.set(t, kind, { router: { duplicateProbe: 'warn' } });
    const { a, b, client, ear } = stage;
    const [length, nodad] = kind === IPV6 ? [64, ' nodad'] : [32, ''];
    const settings = kind === IPV6 ? 'ipv6.conf.em1.ndisc_notify=1' : 'ipv4.conf.em1.arp_notify=1';
    await client.run('sysctl', '-q', '-w', `net.${settings}`);
    const before = a.transitions() + b.transitions();
    await client.ip(`address add ${kind.address}/${length} dev em1${nodad}`);
    const mac = await client.mac();
    // What it sends in the address's name names it.
    await until('a to tell of it', SLACK_MS, async () => {
      await client.ip('neighbor flush all');
      await client.attempt(
        'ping',
        '-n',
        '-c',
        '1',
        '-W',
        '1',
        '-I',
        kind.address,
        kind === IPV6 ? 'fd09::1' : '10.9.0.1',
      );
      return a.election
        .occurrences('addressConflict')
        .some((told) => told.mac === mac && told.address === kind.address);
    });
    assert.equal(a.transitions() + b.transitions(), before);
    await client.ip(`address delete ${kind.address}/${length} dev em1`);
    assert.ok(ear.frames.length >= 0);
    await stage.untilAsBefore();
  });
}

test('F32 more netlink messages than fit while it was stopped: it looks anew, and goes on', { skip }, async (t) => {
  // A down interval of 3.6 s: the stop is no reason to step down.
  const stage = await Stage.set(t, IPV4, { interval: 1_000_000 });
  const { a, b } = stage;
  const numbers = Array.from({ length: 5000 }, (_, index) => `10.77.${index >> 8}.${index & 255}/32 dev lo`);
  const before = a.transitions() + b.transitions();
  a.election.program.signal('SIGSTOP');
  const stoppedAt = performance.now();
  await a.host.ip(
    ...numbers.map((number) => `address add ${number}`),
    `address delete ${stage.kind.address}/32 dev em1`,
  );
  a.election.program.signal('SIGCONT');
  t.diagnostic(`stopped for ${(performance.now() - stoppedAt).toFixed(0)} ms`);
  const goesOnAt = performance.now();
  await a.host.untilHolds(stage.kind.address, 1000);
  t.diagnostic(`restored after ${(performance.now() - goesOnAt).toFixed(0)} ms`);
  assert.equal(a.transitions() + b.transitions(), before);
  await a.host.ip(...numbers.map((number) => `address delete ${number}`));
  await stage.untilAsBefore();
});

test('F33 netlink messages of another process are not believed', { skip }, async (t) => {
  const stage = await Stage.set(t);
  const { a, b } = stage;
  const liar = await KernelEdge.start(a.host);
  const before = a.transitions() + b.transitions();
  const ports = (await a.host.run('cat', '/proc/net/netlink'))
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    // Protocol 0 is rtnetlink's; port 0 the kernel's own, and the liar has its own.
    .filter(([, protocol, port]) => protocol === '0' && port !== '0')
    .map(([, , port]) => Number(port));
  const index = Number((await a.host.run('cat', '/sys/class/net/em1/ifindex')).trim());
  const word = (value: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    return bytes;
  };
  // RTM_DELLINK of em1, and RTM_DELADDR of the virtual address.
  const link = Buffer.concat([
    word(32),
    Buffer.from('1100000000000000', 'hex'),
    word(0),
    Buffer.alloc(4),
    word(index),
    Buffer.alloc(8),
  ]);
  const address = Buffer.concat([
    word(40),
    Buffer.from('1500000000000000', 'hex'),
    word(0),
    Buffer.from([2, 32, 0, 0]),
    word(index),
    Buffer.from([8, 0, 1, 0, 10, 9, 0, 100, 8, 0, 2, 0, 10, 9, 0, 100]),
  ]);
  let forged = 0;
  for (const port of ports) {
    for (const message of [link, address]) {
      const sent = await liar.acts.forge(new Uint8Array(message), port).catch(() => -1);
      if (sent > 0) forged += 1;
    }
  }
  assert.ok(forged >= 4, `${forged} messages reached sockets`);
  await throughout('nothing moves', 3 * INTERVAL_MS, () => a.transitions() + b.transitions() === before);
  assert.deepEqual(a.election.occurrences('address'), []);
  await liar.program.kill();
  await stage.untilAsBefore();
});
