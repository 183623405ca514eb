/** The agent is replaced while it runs, as a service manager does it: addresses and roles stay, and nobody is told of a move. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { AgentHost } from '../lab/agent-host.js';
import { Holders } from '../lab/holders.js';
import { labUnavailable } from '../lab/lab.js';
import { Probe } from '../lab/probe.js';
import type { Program } from '../lab/program.js';
import { until } from '../lab/until.js';
import { Cluster } from './cluster.js';
import { document } from './manifests.js';

const VIP = '10.9.0.100';
const VIP6 = 'fd09::100';

/** At the default interval of 1 s: two routers in a group, the IPv6 one on a virtual MAC, preempting. */
const MANIFEST = [
  ...[
    ['front', `vrid: 4`, `addresses: [${VIP}/24]`],
    ['front6', `vrid: 6`, `addresses: ["fe80::6", "${VIP6}/64"]`, 'virtualMac: {}'],
  ].map(([name = '', ...lines]) =>
    document('VirtualRouter', name, [
      ...lines,
      'members:',
      '  - {node: a, interface: em1, priority: 150}',
      '  - {node: b, interface: em1, priority: 100}',
    ]),
  ),
  document('SyncGroup', 'site', ['routers: [front, front6]', 'receivers: [oncall]']),
  document('Receiver', 'oncall', [
    'email: {host: 127.0.0.1, security: none, from: baton@example.com, to: [oncall@example.com]}',
  ]),
].join('');

/** What deploy/systemd/baton-agent.service says: started again 100 ms after it ended, until told otherwise. */
function supervise(node: AgentHost): () => void {
  let isOver = false;
  const watch = (): void => {
    void node.agent.ended.then(async () => {
      await pause(100);
      if (isOver) return;
      node.start();
      watch();
    });
  };
  watch();
  return () => {
    isOver = true;
  };
}

/** Changes of the packet filter by which the table went, and did not come back at once with what is to be quiet. */
function timesWithoutFilter(monitor: Program): readonly string[] {
  const changes = monitor.lines.join('\n').split(/^# new generation .*$/m);
  return changes.filter((change) => /delete set inet baton quiet(?!.*add element inet baton quiet)/s.test(change));
}

test('baton-agent restart at intervals of 1 s keeps addresses and roles', { skip: labUnavailable() }, async (t) => {
  const cluster = await Cluster.prepare(t, ['a', 'b']);
  const [a, b] = [cluster.node('a'), cluster.node('b')];
  const client = await cluster.lab.host('client', { addresses: ['10.9.0.50/24', 'fd09::50/64'] });
  for (const { host } of cluster.nodes) await host.untilIpv6Ready();
  await client.untilIpv6Ready();
  await cluster.controller.startMailServer('--tls', 'none');
  await cluster.serve();
  await cluster.applyAndWait(MANIFEST);
  for (const router of ['front', 'front6']) await cluster.untilStates(router, { a: 'active', b: 'backup' }, 15_000);
  const held = [await Holders.watch(VIP, a.host, b.host), await Holders.watch(VIP6, a.host, b.host)];
  const probes = [await Probe.start(client, VIP), await Probe.start(client, VIP6)];
  for (const probe of probes) await probe.untilAnswered(5000);
  const { mails } = cluster.controller;
  await until('the mail of the start', 10_000, () => mails.length > 0);
  const filters = cluster.nodes.map(({ host }) => host.start('nft', 'monitor'));
  const before = (await cluster.events()).length;
  const mac = readFileSync(`/proc/${a.agent.pid}/net/dev`, 'utf8').includes('vrrp6.6');
  assert.ok(mac, 'the virtual MAC interface is there');
  const ends = [supervise(a), supervise(b)];
  t.after(() => {
    for (const end of ends) end();
  });

  const stayed = async (...causes: readonly string[]): Promise<void> => {
    // Longer than a down interval: whoever missed an advertisement would have moved by then.
    await pause(4000);
    for (const each of held) {
      assert.deepEqual(
        each.holdings.map(({ host, untilMs }) => [host, untilMs]),
        [['a', undefined]],
        each.address,
      );
    }
    for (const probe of probes) {
      const { unanswered, duplicates, answered, longestOutageMs } = await probe.report();
      t.diagnostic(
        `${probe.address}: ${answered} answers, the longest time without one ${longestOutageMs.toFixed(1)} ms`,
      );
      assert.ok(answered > 3000);
      assert.deepEqual([unanswered, duplicates], [0, 0], probe.address);
    }
    for (const router of ['front', 'front6']) await cluster.untilStates(router, { a: 'active', b: 'backup' });
    // A report of the kernel's with the virtual MAC would teach the switch that a backup is where it is.
    for (const filter of filters) assert.deepEqual(timesWithoutFilter(filter), []);
    // What happened is in the log, and is what it is: nothing else than that an agent made room for the next one.
    const told = (await cluster.events()).slice(before).flatMap(({ transition, groupTransition }) => {
      const cause = (transition ?? groupTransition)?.cause;
      return cause === undefined ? [] : [cause];
    });
    assert.deepEqual([...new Set(told)].sort(), causes, 'nobody moved');
  };

  await t.test('the active one, by the command, which says what came of it', async () => {
    const old = a.agent.pid;
    const output = await a.command('restart', '--run-dir', a.runDirectory);
    t.diagnostic(output.trim());
    assert.match(output, new RegExp(`agent restarted in \\d\\.\\d s \\(pid ${old}, now ${a.agent.pid}\\)`));
    assert.match(output, /front: stayed active\n {2}front6: stayed active\n/);
    await stayed('resumed', 'suspended');
  });

  await t.test('the backup, and once more the active one, by SIGUSR2', async () => {
    for (const node of [b, a]) {
      const old = node.agent;
      old.signal('SIGUSR2');
      assert.equal(await old.ended, 'exit 0');
      await until('the next one', 5000, async () => node.agent !== old && (await node.status()).bundle !== undefined);
    }
    // A backup that is started anew listens first, as ever.
    await stayed('resumed', 'startup', 'suspended');
  });

  for (const filter of filters) assert.match(filter.lines.join('\n'), /^add element inet baton quiet/m, filter.title);
  assert.equal(mails.length, 1, mails.map(({ subject }) => subject).join());
});
