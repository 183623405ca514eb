/** What agent.yaml says of scheduling, as the kernel has it of the process. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { test } from 'node:test';
import { labUnavailable } from '../lab/lab.js';
import { until } from '../lab/until.js';
import { Cluster } from './cluster.js';
import { checkManifest, routerManifest } from './manifests.js';
import { writeOwnerRules } from './owner-rules.js';

interface Thread {
  readonly nice: number;
  readonly realtimePriority: number;
  /** 0 other, 2 round robin. */
  readonly policy: number;
  readonly processors: string;
}

/** proc(5), stat: fields 19, 40 and 41; status: Cpus_allowed_list. */
function threadOf(directory: string): Thread {
  const fields = readFileSync(`${directory}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  const field = (number: number): number => Number(fields[number - 3]);
  const status = readFileSync(`${directory}/status`, 'utf8');
  const processors = /^Cpus_allowed_list:\t(.*)$/m.exec(status)?.[1] ?? '';
  return { nice: field(19), realtimePriority: field(40), policy: field(41), processors };
}

/** Of the whole process, KiB. */
function lockedKiB(pid: number): number {
  return Number(/^VmLck:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

test('scheduling of agent.yaml is that of the election thread, and of no other', {
  skip: labUnavailable(),
}, async (t) => {
  const cluster = await Cluster.prepare(t, ['a', 'b', 'c']);
  const [a, b, c] = [cluster.node('a'), cluster.node('b'), cluster.node('c')];
  const before = threadOf('/proc/self');
  writeOwnerRules(a, 'scheduling: {realtimePriority: 20, lockMemory: true, cpus: [0]}');
  writeOwnerRules(b, 'scheduling: {nice: -7}');
  await cluster.serve();
  await cluster.applyAndWait(
    [
      checkManifest('alive', a.scripts.check, 'interval: 200ms', 'timeout: 2s'),
      routerManifest({
        priorities: { a: 150, b: 100, c: 90 },
        addresses: ['10.9.0.100'],
        more: ['track: [{check: alive}]'],
      }),
    ].join(''),
  );
  await cluster.untilStates('web', { a: 'active', b: 'backup', c: 'backup' });
  const main = (pid: number): Thread => threadOf(`/proc/${pid}/task/${pid}`);
  const others = (pid: number): Thread[] =>
    readdirSync(`/proc/${pid}/task`).flatMap((id) => (Number(id) === pid ? [] : [threadOf(`/proc/${pid}/task/${id}`)]));

  assert.deepEqual(main(a.agent.pid), { ...main(a.agent.pid), policy: 2, realtimePriority: 20, processors: '0' });
  assert.ok(lockedKiB(a.agent.pid) > 10_000, `${lockedKiB(a.agent.pid)} KiB are locked`);
  assert.deepEqual(main(b.agent.pid), { ...before, nice: -7 });
  assert.deepEqual(main(c.agent.pid), { ...before, nice: -10 });
  for (const node of [b, c]) assert.equal(lockedKiB(node.agent.pid), 0);
  const processors = cpus().length === 1 ? '0' : `0-${cpus().length - 1}`;
  for (const node of [a, b, c]) {
    for (const thread of others(node.agent.pid)) assert.deepEqual(thread, { ...before, processors });
  }

  // A file that no longer says it gives it back; one that asks for too much is told and the rest stands.
  writeOwnerRules(a);
  a.agent.signal('SIGHUP');
  await until('the policy to be given back', 5000, () => main(a.agent.pid).policy === 0);
  await until('the processors to be given back', 5000, () => main(a.agent.pid).processors === processors);
  writeOwnerRules(b, 'scheduling: {nice: 5, cpus: [900]}');
  b.agent.signal('SIGHUP');
  await until('the nice value', 5000, () => main(b.agent.pid).nice === 5);
  assert.match(await b.agent.untilSays('cannot be kept on the processors 900', 5000), /EINVAL/);
  await cluster.untilStates('web', { a: 'active', b: 'backup', c: 'backup' });
});
