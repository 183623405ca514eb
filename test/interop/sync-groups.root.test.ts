/** Sync groups of Baton and keepalived beside each other: one link cut moves all of it; group hooks with the same arguments. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { LabElection, labRouter } from '../lab/election.js';
import type { Host } from '../lab/host.js';
import { keepalivedFile, vrrpInstance } from '../lab/keepalived.js';
import { labUnavailable } from '../lab/lab.js';
import { StandaloneAgent } from '../lab/standalone-agent.js';
import { throughout, until } from '../lab/until.js';
import { Contender, type Kind, ROLES } from './contender.js';
import { DOWN_MS, INTERVAL_MS, openStage, SLACK_MS } from './stage.js';

const skip = labUnavailable('keepalived');
const VIPS = ['10.9.0.101', '10.9.1.102'];
/** On a second LAN. */
const SECOND = 'em2';

async function twoLans(t: TestContext) {
  const stage = await openStage(t);
  await stage.lab.attach(stage.one, SECOND, '10.9.1.1/24');
  await stage.lab.attach(stage.two, SECOND, '10.9.1.2/24');
  return stage;
}

async function untilHolder(holder: Host, other: Host, withinMs = DOWN_MS + SLACK_MS): Promise<void> {
  for (const vip of VIPS) {
    await holder.untilHolds(vip, withinMs);
    await other.untilHolds(vip, withinMs, false);
  }
}

function groupConf(priority: number, hook: string): string {
  const instance = (name: string, vrid: number, device: string, vip: string) =>
    vrrpInstance(name, {
      vrid,
      priority,
      interval: INTERVAL_MS / 1000,
      interface: device,
      addresses: [`${vip}/32`],
    });
  return keepalivedFile(
    [
      'vrrp_sync_group both {',
      '  group {',
      '    VI_1',
      '    VI_2',
      '  }',
      `  notify ${hook}`,
      `  notify_master "${hook} specific master"`,
      `  notify_fault "${hook} specific fault"`,
      '}',
    ].join('\n'),
    instance('VI_1', 1, 'em1', VIPS[0] ?? ''),
    instance('VI_2', 2, SECOND, VIPS[1] ?? ''),
  );
}

/** A script that writes down its arguments, and what it wrote. */
function hookOf(host: Host, name: string) {
  const script = path.join(host.directory, `${name}.sh`);
  const log = path.join(host.directory, `${name}.log`);
  writeFileSync(script, `#!/bin/sh\necho "$@" >> ${log}\n`);
  chmodSync(script, 0o755);
  return { script, lines: () => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []) };
}

/** keepalived starts its scripts side by side: only their lines are compared, each kind in its own order. */
const sorted = (lines: readonly string[]) => ({
  specific: lines.filter((line) => line.startsWith('specific')),
  general: lines.filter((line) => line.startsWith('GROUP')),
});

const hookLines = new Map<Kind, readonly string[]>();

for (const [first, second] of ROLES) {
  test(`a link cut moves the whole group: ${first} active, ${second} backup`, { skip }, async (t) => {
    const { one, two } = await twoLans(t);
    const [hook, otherHook] = [hookOf(one, 'one'), hookOf(two, 'two')];
    const active = await Contender.start(first, one, groupConf(150, hook.script));
    await untilHolder(one, two);
    const backup = await Contender.start(second, two, groupConf(100, otherHook.script));
    await throughout(`${second} stays backup`, 1.2 * DOWN_MS, async () => !(await two.holds(VIPS[0] ?? '')));

    await t.test('cut: both are in fault here and active there', async () => {
      await one.ip(`link set ${SECOND} down`);
      await untilHolder(two, one);
      for (const name of ['VI_1', 'VI_2']) {
        await active.untilState('fault', SLACK_MS, name);
        assert.equal((await backup.account(name)).state, 'active');
      }
      if (active.program instanceof StandaloneAgent) {
        const { groups } = await active.program.status();
        assert.match(groups[0]?.state ?? '', /FAULT/);
      }
    });

    await t.test('mended: both come back', async () => {
      await one.ip(`link set ${SECOND} up`);
      await untilHolder(one, two);
      for (const name of ['VI_1', 'VI_2']) await backup.untilState('backup', SLACK_MS, name);
    });

    await t.test('the other link cut at the other side, where nobody is active: nothing moves', async () => {
      await two.ip(`link set ${SECOND} down`);
      await backup.untilState('fault', SLACK_MS, 'VI_1');
      await throughout('the first one holds both', DOWN_MS, async () => one.holds(VIPS[1] ?? ''));
      await two.ip(`link set ${SECOND} up`);
      for (const name of ['VI_1', 'VI_2']) await backup.untilState('backup', SLACK_MS, name);
    });

    await t.test(`stop of ${first}: both move`, async () => {
      await active.stop();
      await untilHolder(two, one);
    });
    await until('the hooks of the last state', SLACK_MS, () => hook.lines().some((line) => /GROUP.* STOP/.test(line)));
    hookLines.set(first, hook.lines());
  });
}

test('the hooks of the group were called with the same arguments', { skip }, (t) => {
  const [ours, theirs] = [hookLines.get('baton') ?? [], hookLines.get('keepalived') ?? []];
  t.diagnostic(theirs.join(' | '));
  assert.ok(theirs.includes('GROUP both MASTER 0') && theirs.includes('specific fault'), theirs.join('\n'));
  assert.deepEqual(sorted(ours), sorted(theirs));
});

test('policy any, two Batons: the one that lost its link leaves the group, the other stays', { skip }, async (t) => {
  const { one, two } = await twoLans(t);
  const configuration = (priority: number) => {
    const member = (name: string, vrid: number, device: string, address: string) =>
      labRouter({
        name,
        vrid,
        priority,
        interval: INTERVAL_MS * 1000,
        interface: device,
        addresses: [address],
        group: 'g',
      });
    return {
      routers: [member('r1', 1, 'em1', VIPS[0] ?? ''), member('r2', 2, SECOND, VIPS[1] ?? '')],
      groups: [{ name: 'g', routers: ['r1', 'r2'], policy: 'any' as const }],
    };
  };
  const first = await LabElection.startWith(one, configuration(150));
  await untilHolder(one, two);
  const second = await LabElection.startWith(two, configuration(100));
  await one.ip(`link set ${SECOND} down`);
  await first.untilState('fault', SLACK_MS, 'r2');
  // A group moves as a whole: the other side cannot have one of them only, unless the rest of its own group is away.
  await throughout('r1 stays where it is', 1.5 * DOWN_MS, async () => one.holds(VIPS[0] ?? ''));
  assert.equal((await first.router('r1')).state, 'active');
  assert.equal((await first.status()).groups[0]?.state, 'active');
  await one.ip(`link set ${SECOND} up`);
  await untilHolder(one, two);
  await one.ip(`link set ${SECOND} down`, 'link set em1 down');
  await untilHolder(two, one);
  assert.equal((await first.status()).groups[0]?.state, 'fault');
  assert.equal((await second.status()).groups[0]?.state, 'active');
});
