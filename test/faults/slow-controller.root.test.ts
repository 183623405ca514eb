/** F17: the way to the controller passes 100 bytes a second, while the routers of a host change all the time. */
import assert from 'node:assert/strict';
import { appendFileSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Cluster, type EventJson } from '../e2e/cluster.js';
import { checkManifest, document } from '../e2e/manifests.js';
import { labUnavailable } from '../lab/lab.js';
import type { Program } from '../lab/program.js';
import { until } from '../lab/until.js';

const skip = labUnavailable();
const TRICKLE_PORT = 7444;
const ROUTERS = 20;
/** How often all routers go to fault and come back: longer than the check's interval, shorter than the down interval. */
const CHANGES = 40;
const CHANGE_MS = 300;
/** Beyond what the agent had before, in KiB: the heap of its worker breathes. */
const GROWTH_KIB = 48 * 1024;
/** The longest back-off, and the longest wait for a welcome. */
const CONNECTED_AGAIN_MS = 35_000;

test('F17 a slow controller: memory is bounded, all transitions arrive after it, in order', { skip }, async (t) => {
  const cluster = await Cluster.prepare(t, ['a']);
  const { controller } = cluster;
  const a = cluster.node('a');
  const { address } = controller.host;
  const trickle = controller.host.startModule(
    new URL('./trickle-main.js', import.meta.url),
    String(TRICKLE_PORT),
    address,
    '7443',
  );
  const pass = async (bytesPerSecond: string): Promise<void> => {
    trickle.write(`${bytesPerSecond}\n`);
    await trickle.untilSays(`passing ${bytesPerSecond}`, 5000);
  };
  await trickle.untilSays('listening', 5000);
  await controller.init();
  await controller.start();
  await cluster.join(a);
  appendFileSync(a.configFile, `controllers: ["${address}:${TRICKLE_PORT}"]\n`);
  const program = a.start();
  await cluster.applyAndWait(manifest(a.scripts.check));
  const areAll = (state: string) => async (): Promise<boolean> =>
    (await cluster.status()).routers.every(({ members }) => members.every((member) => member.state === state));
  await until('all routers to be active', 15_000, areAll('active'));
  const [before, began] = [residentKib(program), transitionsSaid(program)];

  await pass('100');
  let most = before;
  for (let change = 0; change < CHANGES; change++) {
    if (change % 2 === 0) a.breakHealth();
    else a.mendHealth();
    await pause(CHANGE_MS);
    most = Math.max(most, residentKib(program));
  }
  await until('the slow controller to be noticed', 20_000, async () => {
    most = Math.max(most, residentKib(program));
    return (await a.status()).controller?.state !== 'connected';
  });
  t.diagnostic(`${before} KiB before, ${most} KiB at most`);
  assert.ok(most - before < GROWTH_KIB, `${before} KiB before, ${most} KiB while the controller was slow`);

  await pass('all');
  // What the agent says and what the controller has stored, once the one has been read and the other written.
  const [said, told] = await until('as many transitions to arrive as there were', CONNECTED_AGAIN_MS, async () => {
    const events = await cluster.events('--node', 'a');
    const both = [transitionsSaid(program), events] as const;
    return both[0].length === events.filter(({ transition }) => transition !== undefined).length ? both : undefined;
  });
  t.diagnostic(`${said.length} transitions`);
  assert.ok(said.length - began.length >= (ROUTERS * CHANGES) / 2, `only ${said.length - began.length} transitions`);
  const sequences = told.map(({ sequence }) => sequence);
  assert.deepEqual(
    sequences,
    sequences.map((_, index) => (sequences[0] ?? 0) + index),
  );
  assert.deepEqual(told.flatMap(asSaid), said);
  await until('all routers to be told as active', 10_000, areAll('active'));
});

/** All of them follow one check. */
function manifest(check: string): string {
  const routers = Array.from({ length: ROUTERS }, (_, index) =>
    document('VirtualRouter', `r${index + 1}`, [
      `vrid: ${index + 1}`,
      'advertisementInterval: 100ms',
      `addresses: [10.9.0.${101 + index}]`,
      'members:',
      '  - {node: a, interface: em1, priority: 100}',
      'track:',
      '  - {check: healthy}',
    ]),
  );
  return checkManifest('healthy', check, 'interval: 100ms', 'rise: 1', 'fall: 1') + routers.join('');
}

/** "ROUTER FROM TO" of every transition in the agent's log, oldest first. */
function transitionsSaid({ lines }: Program): readonly string[] {
  return lines
    .filter((line) => line.includes('"msg":"state changed"'))
    .map((line) => {
      const { router, from, to } = JSON.parse(line) as Readonly<Record<'router' | 'from' | 'to', string>>;
      return `${router} ${from} ${to}`;
    });
}

function asSaid({ router, transition }: EventJson): readonly string[] {
  return transition === undefined ? [] : [`${router} ${transition.from} ${transition.to}`];
}

function residentKib({ pid }: Program): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}
