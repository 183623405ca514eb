/** SIGTERM to the active one at adverts of 1 s: for how long a client that sends each millisecond gets no answer. */
import { setTimeout as pause } from 'node:timers/promises';
import { Probe } from '../lab/probe.js';
import { type Conduct, Contest } from './contest.js';
import { Contestant } from './contestant.js';
import type { Kind } from './figure.js';
import type { Row } from './row.js';
import { oneRouter, onStage, pauseUpTo, type Stage, VIRTUAL_ADDRESS } from './stage.js';

const INTERVAL_MS = 1000;
const PRIORITY = 100;
const START_MS = 30_000;
/** The client's account is closed when the outage is over for certain. */
const AFTER_MS = 2500;

export const PLANNED_STOP: Row = {
  name: 'planned-stop',
  summary: 'SIGTERM at adverts of 1 s: outage that a client sees who sends each millisecond',
  run: async (conduct) => {
    const contest = await Contest.hold(conduct, async (kind) => ({
      'outage ms': await onStage((stage) => stops(stage, kind, conduct)),
    }));
    return {
      figures: [
        contest.figure('planned stop at 1 s adverts: outage of a client, median', 'ms', 'outage ms', 'median', {
          kind: 'atMost',
          limit: 5,
        }),
      ],
      turns: contest.turns,
      notes: contest.failures,
    };
  },
};

/** The two hosts take turns: whoever was stopped comes back as a backup, then the other one is stopped. */
async function stops({ one, two, observer }: Stage, kind: Kind, { quick }: Conduct): Promise<readonly number[]> {
  const config = oneRouter({ priority: PRIORITY, intervalMs: INTERVAL_MS, more: ['nopreempt'] });
  let active = Contestant.start(kind, one, config);
  await one.untilHolds(VIRTUAL_ADDRESS, START_MS);
  const probe = await Probe.start(observer, VIRTUAL_ADDRESS);
  const outages: number[] = [];
  for (let each = 0; each < (quick ? 1 : 3); each += 1) {
    const backup = Contestant.start(kind, active.host === one ? two : one, config);
    await backup.untilBackup(START_MS);
    await pause(1500);
    await pauseUpTo(INTERVAL_MS);
    await probe.untilAnswered(START_MS);
    await active.stop();
    await pause(AFTER_MS);
    const { longestOutageMs, answered } = await probe.report();
    if (answered === 0) throw new Error('nobody answered after the stop');
    outages.push(longestOutageMs);
    active = backup;
  }
  return outages;
}
