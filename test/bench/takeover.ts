/**
 * kill -9 of whoever is active: how long until the other one's first advertisement. Two hosts of equal priority without
 * preemption take turns: the one that was killed is started again as a backup, and then the other one is killed.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Host } from '../lab/host.js';
import { Capture } from './capture.js';
import { type Conduct, Contest, type Samples } from './contest.js';
import { Contestant } from './contestant.js';
import type { Kind } from './figure.js';
import { Load } from './load.js';
import type { Findings, Row } from './row.js';
import { activeDownMs, oneRouter, onStage, pauseUpTo, type Stage, VIRTUAL_ADDRESS } from './stage.js';

const PRIORITY = 100;
/** A process of a loaded machine starts slowly. */
const START_MS = 30_000;

export const TAKEOVER: Row = {
  name: 'takeover',
  summary: 'takeover after kill -9 at adverts of 100 ms, quiet and with all processors busy',
  run: async (conduct) => await onStage((stage) => overNominal(stage, conduct)),
};

export const FAST_TAKEOVER: Row = {
  name: 'fast-takeover',
  summary: 'takeover after kill -9 at adverts of 10 ms',
  run: async (conduct) => {
    const contest = await onStage(async (stage) => {
      const capture = await Capture.open(stage.observer);
      return await Contest.hold(conduct, async (kind) => ({
        'takeover ms': (await killAndWatch(stage, capture, kind, 10, kills(conduct))).map(({ takenMs }) => takenMs),
      }));
    });
    const nominal = activeDownMs(10, PRIORITY).toFixed(1);
    return {
      figures: [
        contest.figure(
          `takeover at 10 ms adverts, last advert to first (nominal ${nominal}), median`,
          'ms',
          'takeover ms',
          'median',
          { kind: 'times', factor: 1.05 },
        ),
      ],
      turns: contest.turns,
      notes: contest.failures,
    };
  },
};

async function overNominal(stage: Stage, conduct: Conduct): Promise<Findings> {
  const capture = await Capture.open(stage.observer);
  const measure = async (kind: Kind, state: string): Promise<Samples> => {
    const takeovers = await killAndWatch(stage, capture, kind, 100, kills(conduct));
    return { [`over nominal ms, ${state}`]: takeovers.map(({ overMs }) => overMs) };
  };
  const contest = await Contest.hold(conduct, async (kind) => {
    const quiet = await measure(kind, 'quiet');
    const load = Load.start();
    try {
      return { ...quiet, ...(await measure(kind, 'busy')) };
    } finally {
      load.stop();
    }
  });
  const figure = (state: string, statistic: 'median' | 'max') =>
    contest.figure(
      `takeover after kill -9, over nominal, ${state}, ${statistic}`,
      'ms',
      `over nominal ms, ${state}`,
      statistic,
      {
        kind: 'times',
        factor: 1.2,
      },
    );
  return {
    figures: [figure('quiet', 'median'), figure('quiet', 'max'), figure('busy', 'median'), figure('busy', 'max')],
    turns: contest.turns,
    notes: contest.failures,
  };
}

function kills({ quick }: Conduct): number {
  return quick ? 2 : 6;
}

interface Takeover {
  /** From the last advertisement of the killed one to the first one of the other. */
  readonly takenMs: number;
  /** The same less what the RFC wants it to be. */
  readonly overMs: number;
}

async function killAndWatch(
  { one, two }: Stage,
  capture: Capture,
  kind: Kind,
  intervalMs: number,
  count: number,
): Promise<readonly Takeover[]> {
  const config = oneRouter({ priority: PRIORITY, intervalMs, more: ['nopreempt'] });
  const downMs = activeDownMs(intervalMs, PRIORITY);
  let [active, backup] = [Contestant.start(kind, one, config), undefined as Contestant | undefined];
  const takeovers: Takeover[] = [];
  try {
    capture.clear();
    await capture.untilAdvert(`${kind} to be active`, START_MS, from(active.host));
    for (let each = 0; each < count; each += 1) {
      const next = otherOf(active.host, one, two);
      backup = Contestant.start(kind, next, config);
      await backup.untilBackup(START_MS);
      capture.clear();
      // What a start brings with it is over by then.
      await pause(10 * intervalMs + 300);
      await pauseUpTo(intervalMs);
      await active.kill();
      const taken = await capture.untilAdvert(`the backup's takeover`, START_MS, from(next));
      const last = capture.adverts.findLast(from(active.host));
      // A backup that took over before the kill, as on a machine that is too busy, is no measurement of this.
      if (last !== undefined && last.atMs < taken.atMs) {
        const takenMs = taken.atMs - last.atMs;
        takeovers.push({ takenMs, overMs: takenMs - downMs });
      }
      await forget(active.host);
      [active, backup] = [backup, undefined];
    }
  } finally {
    await Promise.all([active.kill(), backup?.kill()]);
    await Promise.all([forget(one), forget(two)]);
  }
  if (takeovers.length === 0) throw new Error(`no takeover of ${count} could be measured`);
  return takeovers;
}

function otherOf(host: Host, one: Host, two: Host): Host {
  return host === one ? two : one;
}

function from(host: Host): (advert: { readonly source: string }) => boolean {
  return ({ source }) => source === host.address;
}

/** A killed keepalived leaves its address behind for good. */
async function forget(host: Host): Promise<void> {
  await host.ip(`address flush dev ${host.device} to ${VIRTUAL_ADDRESS}`);
}
