/**
 * 200 scripts a second beside adverts at 10 ms: what a run costs, and what it does to the adverts. Every script adds a
 * byte to a file, so that the runs are counted and not assumed.
 */
import { chmodSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Capture, type SeenAdvert } from './capture.js';
import { type Conduct, Contest, type Samples } from './contest.js';
import { Contestant } from './contestant.js';
import type { Kind } from './figure.js';
import type { Row } from './row.js';
import { oneRouter, onStage, type Stage } from './stage.js';
import { jitterOf, takeoversIn } from './steady-adverts.js';
import { endedChildrenMicros, processorMicros } from './usage.js';

const SCRIPTS = 200;
const INTERVAL_MS = 10;
const START_MS = 30_000;
/** The first runs of all scripts come at once. */
const WARM_MS = 3000;

export const HEAVY_CHECKS: Row = {
  name: 'heavy-checks',
  summary: `${SCRIPTS} check scripts a second beside adverts at ${INTERVAL_MS} ms: cost of a run, jitter, false takeovers`,
  run: async (conduct) => {
    const contest = await Contest.hold(conduct, (kind) => onStage((stage) => runChecks(stage, kind, conduct)));
    const times = { kind: 'times', factor: 1.2 } as const;
    const what = `${SCRIPTS} scripts a second`;
    return {
      figures: [
        contest.figure(`${what}: runs a second`, '', 'runs/s', 'median', { kind: 'none' }),
        contest.figure(`${what}: CPU per run, with the script`, 'µs', 'µs per run with the script', 'median', times),
        contest.figure(`${what}: CPU per run of the program itself`, 'µs', 'µs per run', 'median', { kind: 'none' }),
        contest.figure(`${what}: advert jitter at 10 ms, p99`, 'ms', 'jitter ms', 'p99', times),
        contest.figure(`${what}: false takeovers`, '', 'false takeovers', 'sum', { kind: 'atMost', limit: 0 }),
      ],
      turns: contest.turns,
      notes: contest.failures,
    };
  },
};

async function runChecks({ lab, one, two, observer }: Stage, kind: Kind, { quick }: Conduct): Promise<Samples> {
  const runs = path.join(lab.directory, 'runs');
  const script = path.join(lab.directory, 'check.sh');
  writeFileSync(runs, '');
  writeFileSync(script, `#!/bin/sh\nprintf . >> ${runs}\n`);
  chmodSync(script, 0o755);
  const names = Array.from({ length: SCRIPTS }, (_, index) => `check_${index + 1}`);
  const blocks = names.map((name) => `vrrp_script ${name} {\n  script "${script}"\n  interval 1\n}`);
  const more = ['track_script {', ...names.map((name) => `  ${name}`), '}'];

  const capture = await Capture.open(observer);
  const ofActive = ({ source }: SeenAdvert) => source === one.address;
  const active = Contestant.start(kind, one, oneRouter({ priority: 150, intervalMs: INTERVAL_MS, blocks, more }));
  await capture.untilAdvert(`${kind} to be active`, START_MS, ofActive);
  const backup = Contestant.start(kind, two, oneRouter({ priority: 100, intervalMs: INTERVAL_MS }));
  await backup.untilBackup(START_MS);
  const first = active.processes();
  await pause(WARM_MS);
  const second = new Set(active.processes());
  // Those that are not a script.
  const processes = first.filter((pid) => second.has(pid));

  capture.clear();
  const account = () => {
    return { runs: statSync(runs).size, own: processorMicros(processes), ended: endedChildrenMicros(processes) };
  };
  const [before, begin] = [account(), performance.now()];
  await pause(quick ? 4000 : 8000);
  const [after, end] = [account(), performance.now()];
  capture.update();
  const count = after.runs - before.runs;
  if (count === 0) throw new Error('no script ran');
  const own = after.own - before.own;
  return {
    'runs/s': [count / ((end - begin) / 1000)],
    'µs per run': [own / count],
    'µs per run with the script': [(own + after.ended - before.ended) / count],
    'jitter ms': jitterOf(capture.adverts.filter(ofActive), INTERVAL_MS),
    'false takeovers': [takeoversIn(capture.adverts, two.address).length],
  };
}
