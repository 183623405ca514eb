/** Baton's BFD and FRR's bfdd agree on sessions, and each sees the other go. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { BfdSessionSettings } from '../../agent/bfd/settings.js';
import type { BfdStatus } from '../../proto/gen/baton/v1/status.js';
import { FrrBfd, frrUnavailable } from '../lab/frr.js';
import type { Host } from '../lab/host.js';
import { Lab, labUnavailable } from '../lab/lab.js';
import type { Program } from '../lab/program.js';
import { until } from '../lab/until.js';

const skip = labUnavailable('vtysh') || frrUnavailable();

const SETTINGS: BfdSessionSettings = {
  name: 'uplink',
  neighbor: '10.9.0.2',
  minRx: 50_000,
  minTx: 50_000,
  idleTx: 1_000_000,
  multiplier: 3,
  passive: false,
  multihop: false,
  maxHops: 254,
};

const TIMES = ['receive-interval 50', 'transmit-interval 50', 'detect-multiplier 4'];

function bfdConf(peer: string): string {
  return ['bfd', ` peer ${peer}`, ...TIMES.map((line) => `  ${line}`), ' !', ''].join('\n');
}

interface Said {
  readonly session?: string;
  readonly state?: string;
  readonly diagnostic?: string;
  readonly statuses?: readonly BfdStatus[];
}

class BatonBfd {
  readonly changes: string[] = [];
  #statuses: readonly BfdStatus[] = [];

  constructor(readonly program: Program) {
    program.onLine((line) => {
      if (!line.startsWith('{')) return;
      const said = JSON.parse(line) as Said;
      if (said.statuses !== undefined) this.#statuses = said.statuses;
      if (said.state !== undefined) this.changes.push(`${said.state}: ${said.diagnostic}`);
    });
  }

  get last(): string {
    return this.changes.at(-1) ?? '';
  }

  get status(): BfdStatus | undefined {
    return this.#statuses[0];
  }

  async until(state: string, withinMs: number): Promise<void> {
    await until(`the session to be ${state}`, withinMs, () => this.last.startsWith(state), this.#seen);
  }

  /** Until silence is noticed within a second. */
  async untilFast(withinMs: number): Promise<void> {
    const isFast = () => this.status?.state === 'up' && this.status.detectionTime?.seconds === 0;
    await until('the session to notice silence soon', withinMs, isFast, this.#seen);
  }

  readonly #seen = () => ({ changes: this.changes, status: this.status, said: this.program.tail() });
}

async function stage(t: TestContext) {
  const lab = await Lab.open();
  t.after(() => lab.close());
  const b = await lab.host('baton', { addresses: ['10.9.0.1/24', 'fd00:9::1/64'] });
  const f = await lab.host('frr', { addresses: ['10.9.0.2/24', 'fd00:9::2/64'] });
  const startBaton = (host: Host, settings: Partial<BfdSessionSettings> = {}) =>
    new BatonBfd(
      host.startModule(new URL('../lab/bfd-main.js', import.meta.url), JSON.stringify([{ ...SETTINGS, ...settings }])),
    );
  const startFrr = async (peer: string) => {
    const frr = await FrrBfd.start(f, bfdConf(peer));
    t.after(() => frr.close());
    return frr;
  };
  return { lab, b, f, startBaton, startFrr };
}

test('up on both ends with the times of both; a cut link is down on both; mended, up again', { skip }, async (t) => {
  const { lab, b, f, startBaton, startFrr } = await stage(t);
  const frr = await startFrr('10.9.0.1 local-address 10.9.0.2');
  const baton = startBaton(b, { source: '10.9.0.1' });
  await baton.until('up', 5_000);
  const peer = await frr.untilPeer('up', 5_000);
  await until('the times to be agreed', 3_000, async () => (await frr.peers())[0]?.['remote-transmit-interval'] === 50);
  assert.equal(peer['remote-detect-multiplier'], 3);
  await until(
    'our times',
    3_000,
    () => baton.status?.transmitInterval?.nanos === 50_000_000,
    () => baton.status,
  );
  assert.deepEqual(baton.status?.detectionTime, { seconds: 0, nanos: 200_000_000 }, "FRR's multiplier of 4");

  await lab.cut(f);
  await baton.until('down', 2_000);
  assert.equal(baton.last, 'down: control detection time expired');
  await frr.untilPeer('down', 2_000);
  await lab.mend(f);
  await baton.until('up', 10_000);
  await frr.untilPeer('up', 10_000);
});

test('over IPv6', { skip }, async (t) => {
  const { b, startBaton, startFrr } = await stage(t);
  const frr = await startFrr('fd00:9::1 local-address fd00:9::2');
  const baton = startBaton(b, { neighbor: 'fd00:9::2', source: 'fd00:9::1' });
  await baton.until('up', 10_000);
  await frr.untilPeer('up', 5_000);
});

test('over routers, in the port and with the TTL limit of RFC 5883', { skip }, async (t) => {
  const { b, startBaton, startFrr } = await stage(t);
  const frr = await startFrr('10.9.0.1 multihop local-address 10.9.0.2');
  const baton = startBaton(b, { source: '10.9.0.1', multihop: true, maxHops: 2 });
  await baton.until('up', 10_000);
  await frr.untilPeer('up', 5_000);
});

test('a passive end waits for FRR to begin', { skip }, async (t) => {
  const { b, startBaton, startFrr } = await stage(t);
  const baton = startBaton(b, { source: '10.9.0.1', passive: true });
  await until('a status', 3_000, () => baton.status);
  assert.equal(baton.status?.counters['packets-sent'], undefined);
  await startFrr('10.9.0.1 local-address 10.9.0.2');
  await baton.until('up', 10_000);
});

test('FRR shut down on purpose is down by its word, killed by its silence; our goodbye is heard', {
  skip,
}, async (t) => {
  const { b, startBaton, startFrr } = await stage(t);
  const frr = await startFrr('10.9.0.1 local-address 10.9.0.2');
  const baton = startBaton(b, { source: '10.9.0.1' });
  await baton.until('up', 5_000);
  await frr.configure('bfd', 'peer 10.9.0.1 local-address 10.9.0.2', 'shutdown');
  await baton.until('down', 2_000);
  assert.equal(baton.last, 'down: neighbor signaled session down');
  await frr.configure('bfd', 'peer 10.9.0.1 local-address 10.9.0.2', 'no shutdown');
  await baton.until('up', 10_000);

  baton.program.write('stop\n');
  const peer = await frr.untilPeer('down', 5_000);
  assert.match(peer['remote-diagnostic'], /administratively/i);

  const again = startBaton(b, { source: '10.9.0.1' });
  await again.until('up', 10_000);
  // Until both have agreed on it, a session is as slow as at its start: 4 s.
  await again.untilFast(5_000);
  await frr.bfdd.kill();
  await again.until('down', 2_000);
  assert.equal(again.last, 'down: control detection time expired');
});

test('a packet that came over a router, or from a stranger, is not heard', { skip }, async (t) => {
  const { lab, b, f, startBaton, startFrr } = await stage(t);
  await startFrr('10.9.0.1 local-address 10.9.0.2');
  const baton = startBaton(b, { source: '10.9.0.1' });
  await baton.until('up', 5_000);
  const stranger = await lab.host('stranger', { addresses: ['10.9.0.66/24'] });
  // "Administratively down", from the neighbour with a TTL of 254, and from a stranger with 255.
  const packet = '270003180000006300000000' + '0000c3500000c35000000000';
  const send = (host: Host, ttl: number) =>
    host.run(
      process.execPath,
      '-e',
      `const s = require('node:dgram').createSocket('udp4');
       s.bind(0, () => { s.setTTL(${ttl}); s.send(Buffer.from('${packet}', 'hex'), 3784, '10.9.0.1', () => s.close()); });`,
    );
  const before = baton.changes.length;
  await send(f, 254);
  await send(stranger, 255);
  const received = baton.status?.counters['packets-received'] ?? 0;
  await until('more packets from FRR', 3_000, () => (baton.status?.counters['packets-received'] ?? 0) > received + 10);
  assert.equal(baton.changes.length, before);
  // The same packet is believed when the TTL says that it was sent on this link.
  await send(f, 255);
  // FRR brings the session up again at once.
  const seen = () => baton.changes;
  await until('it to be believed', 2_000, () => baton.changes.length > before, seen);
  assert.equal(baton.changes[before], 'down: neighbor signaled session down');
});

test('one link-local neighbour on two links: each session is of its own link', { skip }, async (t) => {
  const lab = await Lab.open();
  t.after(() => lab.close());
  const hosts = [
    await lab.host('a', { addresses: ['10.9.0.1/24'], linkLocal: 'fe80::1' }),
    await lab.host('b', { addresses: ['10.9.0.2/24'], linkLocal: 'fe80::2' }),
  ];
  const [a, b] = hosts.map((host, index) => {
    const sessions = ['em1', 'em2'].map((device) => ({
      ...SETTINGS,
      name: device,
      neighbor: `fe80::${2 - index}`,
      interface: device,
    }));
    return {
      host,
      start: () => host.startModule(new URL('../lab/bfd-main.js', import.meta.url), JSON.stringify(sessions)),
    };
  });
  assert.ok(a !== undefined && b !== undefined);
  await lab.attach(a.host, 'em2', 'fe80::1/64 nodad');
  await lab.attach(b.host, 'em2', 'fe80::2/64 nodad');
  const said: string[] = [];
  b.start();
  a.start().onLine((line) => {
    if (!line.startsWith('{')) return;
    const { session, state } = JSON.parse(line) as Said;
    if (session !== undefined) said.push(`${session} ${state}`);
  });
  const last = (session: string) => said.findLast((each) => each.startsWith(session));
  const seen = () => said;
  await until('both to be up', 10_000, () => last('em1') === 'em1 up' && last('em2') === 'em2 up', seen);
  await lab.switchHost.ip(`link set ${lab.portOf(b.host, 'em2')} down`);
  await until('the one on the cut link to be down', 5000, () => last('em2') === 'em2 down', seen);
  assert.equal(last('em1'), 'em1 up');
  await lab.switchHost.ip(`link set ${lab.portOf(b.host, 'em2')} up`);
  await until('it to come back', 10_000, () => last('em2') === 'em2 up', seen);
  assert.equal(last('em1'), 'em1 up');
});
