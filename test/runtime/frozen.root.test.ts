/**
 * The whole agent is frozen for longer than its leases, with routers of all kinds, and goes on: it steps down before it
 * does anything else.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { LabElection, type LabRouter, labRouter } from '../lab/election.js';
import type { Host } from '../lab/host.js';
import { Lab, labUnavailable } from '../lab/lab.js';
import type { Program } from '../lab/program.js';
import { Tap } from '../lab/tap.js';
import { throughout, until } from '../lab/until.js';

const skip = labUnavailable();
const INTERVAL = 200_000;
const DOWN_MS = 800;
const LEASE_MS = 2000;
const SLACK_MS = 4000;
const VMAC = '00:00:5e:00:01:0c';
const NAMES = ['v4', 'v6', 'mac', 'g1', 'g2'];
const ADDRESSES = ['10.9.0.110', 'fe80::111', '2001:db8:61::111', '10.9.0.112', '10.9.0.113', 'fe80::114'];

function configuration(priority: number) {
  const router = (more: LabRouter) => labRouter({ priority, interval: INTERVAL, preempt: false, ...more });
  const virtualMac = { name: 'vrrp.12', address: VMAC, transmitOnBase: false };
  return {
    routers: [
      router({ name: 'v4', vrid: 10, addresses: ['10.9.0.110'] }),
      router({ name: 'v6', vrid: 11, addresses: ['fe80::111', '2001:db8:61::111'] }),
      router({
        name: 'mac',
        vrid: 12,
        addresses: ['10.9.0.112'],
        tracks: [{ id: 'virtual mac', weight: 0, reverse: false }],
        more: { virtualMac },
      }),
      router({ name: 'g1', vrid: 13, addresses: ['10.9.0.113'], group: 'g' }),
      router({ name: 'g2', vrid: 14, addresses: ['fe80::114'], group: 'g' }),
    ],
    groups: [{ name: 'g', routers: ['g1', 'g2'], policy: 'all' as const }],
  };
}

async function stage(t: TestContext) {
  const lab = await Lab.open();
  t.after(() => lab.close());
  const host = (name: string, number: number) =>
    lab.host(name, { addresses: [`10.9.0.${number}/24`, `fe80::b${number}/64 nodad`] });
  const [a, b] = [await host('a', 1), await host('b', 2)];
  const agentA = await LabElection.startWith(a, configuration(150));
  for (const name of NAMES) await agentA.untilState('active', SLACK_MS, name);
  const agentB = await LabElection.startWith(b, configuration(100));
  for (const name of NAMES) await agentB.untilState('backup', SLACK_MS, name);
  return { a, b, agentA, agentB, tap: await Tap.open(b) };
}

async function held(host: Host): Promise<readonly string[]> {
  const lines = await host.run('ip', '-o', 'address');
  return ADDRESSES.filter((address) => lines.includes(` ${address}/`));
}

/** What each way to freeze needs, or does: freezes the program, and gives what lets it go on. */
const WAYS: readonly (readonly [
  name: string,
  unavailable: string | false,
  freeze: (program: Program) => Promise<() => void>,
])[] = [
  [
    'SIGSTOP',
    skip,
    async (program) => {
      program.signal('SIGSTOP');
      return await Promise.resolve(() => program.signal('SIGCONT'));
    },
  ],
  ['a cgroup freezer', skip === false ? freezerUnavailable() : skip, freezeByCgroup],
];

for (const [way, unavailable, freeze] of WAYS) {
  test(`frozen by ${way}, all kinds of routers lose their addresses and step down first when they go on`, {
    skip: unavailable,
  }, async (t) => {
    const { a, b, agentA, agentB, tap } = await stage(t);
    const goOn = await freeze(agentA.program);
    try {
      for (const name of NAMES) await agentB.untilState('active', DOWN_MS + SLACK_MS, name);
      await until(
        'the frozen host to have lost all addresses',
        LEASE_MS + 1500,
        async () => (await held(a)).length === 0,
        async () => ({ held: await held(a) }),
      );
      assert.deepEqual(await held(b), ADDRESSES);
    } finally {
      goOn();
    }
    const before = { told: agentA.messages.length, ipv4: tap.adverts('10.9.0.1').length, ipv6: ipv6Adverts(tap) };
    for (const name of NAMES) await agentA.untilState('backup', SLACK_MS, name);
    await throughout('b alone holds all', 3 * DOWN_MS, async () => (await held(a)).length === 0);
    assert.deepEqual(await held(b), ADDRESSES);
    assert.equal(tap.adverts('10.9.0.1').length, before.ipv4, 'advertised after the freeze');
    assert.equal(ipv6Adverts(tap), before.ipv6, 'advertised over IPv6 after the freeze');

    // Router by router, nothing comes before that it steps down.
    for (const name of NAMES) {
      const told = agentA.messages.slice(before.told).flatMap((message) => {
        if (message.kind !== 'occurrence') return [];
        const { occurrence } = message;
        return 'router' in occurrence && occurrence.router === name ? [occurrence] : [];
      });
      assert.deepEqual(
        told.slice(0, 2).map((each) => (each.kind === 'transition' ? `${each.from} ${each.to}` : each.kind)),
        // The second of a group goes along with the first, which has looked at the clock.
        name === 'g2' ? ['active backup'] : ['leaseLost', 'active backup'],
        name,
      );
      assert.equal(told.filter(({ kind }) => kind === 'transition').length, 1, `${name} moved again`);
    }
    const { routers, groups } = await agentA.status();
    assert.deepEqual(
      routers.map(({ state }) => state),
      NAMES.map(() => 'backup'),
    );
    assert.equal(groups[0]?.state, 'backup');
    // Nobody else has moved.
    for (const { counters } of (await agentB.status()).routers) assert.equal(counters['transitions'], 2);
  });
}

function ipv6Adverts(tap: Tap): number {
  return tap.ipv6Adverts('fe80::b1').length;
}

/** Version 2 freezes any group of its own, version 1 has a hierarchy for it. */
function freezerRoot(): string | undefined {
  if (existsSync('/sys/fs/cgroup/cgroup.controllers')) return '/sys/fs/cgroup';
  return existsSync('/sys/fs/cgroup/freezer/tasks') ? '/sys/fs/cgroup/freezer' : undefined;
}

function freezerUnavailable(): string | false {
  const root = freezerRoot();
  if (root === undefined) return 'needs a cgroup freezer: none is mounted';
  const probe = `${root}/bt${process.pid}-probe`;
  try {
    mkdirSync(probe);
    rmdirSync(probe);
    return false;
  } catch {
    return `needs a cgroup freezer: ${root} cannot be written`;
  }
}

async function freezeByCgroup({ pid, ended }: Program): Promise<() => void> {
  const root = freezerRoot() ?? '';
  const isVersion1 = root.endsWith('/freezer');
  const group = `${root}/bt${process.pid}-frozen`;
  mkdirSync(group);
  const [file, frozen, thawed] = isVersion1 ? ['freezer.state', 'FROZEN', 'THAWED'] : ['cgroup.freeze', '1', '0'];
  writeFileSync(`${group}/cgroup.procs`, String(pid));
  writeFileSync(`${group}/${file}`, frozen ?? '');
  const state = isVersion1 ? 'freezer.state' : 'cgroup.events';
  await until('the agent to be frozen', SLACK_MS, () =>
    /FROZEN|frozen 1/.test(readFileSync(`${group}/${state}`, 'utf8')),
  );
  void ended.then(() => {
    try {
      rmdirSync(group);
    } catch {
      // Its last process is not quite gone: an empty group is left.
    }
  });
  return () => writeFileSync(`${group}/${file}`, thawed ?? '');
}
