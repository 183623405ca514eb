/**
 * Adverts at 10 ms while other programs want every processor: how far from 10 ms apart they are on the wire, and how often
 * the backup takes over from an active router that has not failed.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { Capture, type SeenAdvert } from './capture.js';
import { Contest, type Samples } from './contest.js';
import { Contestant, type ContestantOptions } from './contestant.js';
import type { Kind } from './figure.js';
import { Load } from './load.js';
import type { Row } from './row.js';
import { oneRouter, onStage, type Stage } from './stage.js';
import { type Standstills, stoodStill, Witness } from './witness.js';

const INTERVAL_MS = 10;
const PRIORITIES = { active: 150, backup: 100 };
/** Of the backup: three intervals and its skew time (RFC 9568 section 6.1). */
const DOWN_MS = (3 + (256 - PRIORITIES.backup) / 256) * INTERVAL_MS;
const START_MS = 30_000;
/** Before every ordinary program, after what is most urgent to the kernel. */
const REALTIME_PRIORITY = 50;
const SECONDS = { quick: 10, usual: 30, long: 600 };

export const STEADY_ADVERTS: Row = {
  name: 'steady-adverts',
  summary: 'adverts at 10 ms with all processors busy: jitter and false takeovers (ten minutes with --long)',
  run: async (conduct) => {
    const seconds = conduct.long ? SECONDS.long : conduct.quick ? SECONDS.quick : SECONDS.usual;
    const contest = await Contest.hold(conduct, async (kind) => {
      const usual = await onStage((stage) => watch(stage, kind, seconds, {}));
      if (conduct.long) return usual;
      const realtime = await onStage((stage) => watch(stage, kind, seconds, { realtimePriority: REALTIME_PRIORITY }));
      const renamed = Object.entries(realtime).map(([quantity, samples]) => [`${quantity}, real time`, samples]);
      return { ...usual, ...Object.fromEntries(renamed) };
    });
    const jitter = (statistic: 'median' | 'p99', text: string) =>
      contest.figure(`advert jitter at 10 ms, busy, ${text}`, 'ms', 'jitter ms', statistic, {
        kind: 'times',
        factor: 1.2,
      });
    const takeovers = (text: string, quantity: string) =>
      contest.figure(`false takeovers in ${seconds} s at 10 ms, busy${text}`, '', quantity, 'sum', {
        kind: 'atMost',
        limit: 0,
      });
    const realtime = takeovers(', both with a real-time priority', 'false takeovers, real time');
    return {
      figures: [
        jitter('median', 'p50'),
        jitter('p99', 'p99'),
        takeovers('', 'false takeovers'),
        takeovers(', while no processor stood still', 'false takeovers, machine running'),
        contest.figure('longest that a processor stood still meanwhile', 'ms', 'standstill ms', 'max', {
          kind: 'none',
        }),
        ...(conduct.long ? [] : [realtime]),
      ],
      turns: contest.turns,
      notes: [
        ...contest.failures,
        ...(conduct.long ? [] : [`watched for ${seconds} s; --long watches for ten minutes`]),
      ],
    };
  },
};

async function watch(
  { one, two, observer }: Stage,
  kind: Kind,
  seconds: number,
  options: ContestantOptions,
): Promise<Samples> {
  const capture = await Capture.open(observer);
  Contestant.start(kind, one, oneRouter({ priority: PRIORITIES.active, intervalMs: INTERVAL_MS }), options);
  const ofActive = ({ source }: SeenAdvert) => source === one.address;
  await capture.untilAdvert(`${kind} to be active`, START_MS, ofActive);
  const backup = Contestant.start(
    kind,
    two,
    oneRouter({ priority: PRIORITIES.backup, intervalMs: INTERVAL_MS }),
    options,
  );
  await backup.untilBackup(START_MS);
  await pause(1000);
  const witness = await Witness.start();
  const load = Load.start();
  let standstills: Standstills = [];
  try {
    // What the load's own start brings with it is over by then.
    await pause(1000);
    capture.clear();
    await pause(seconds * 1000);
    capture.update();
  } finally {
    load.stop();
    standstills = witness.stop();
  }
  const takeovers = takeoversIn(capture.adverts, two.address);
  const unexcused = takeovers.filter(
    ({ silentSinceMs, atMs }) => atMs - silentSinceMs - stoodStill(standstills, silentSinceMs, atMs) >= DOWN_MS,
  );
  return {
    'jitter ms': jitterOf(capture.adverts.filter(ofActive), INTERVAL_MS),
    'false takeovers': [takeovers.length],
    'false takeovers, machine running': [unexcused.length],
    'standstill ms': [Math.max(0, ...standstills.flat().map(({ fromMs, toMs }) => toMs - fromMs))],
  };
}

/** How far each interval is from what it should be, either way. Milliseconds. */
export function jitterOf(adverts: readonly Pick<SeenAdvert, 'atMs'>[], intervalMs: number): readonly number[] {
  return adverts.slice(1).map(({ atMs }, index) => Math.abs(atMs - (adverts[index]?.atMs ?? atMs) - intervalMs));
}

/** When this source began to advertise after another one had, and since when nobody had. */
export function takeoversIn(
  adverts: readonly Pick<SeenAdvert, 'source' | 'atMs'>[],
  source: string,
): readonly { readonly silentSinceMs: number; readonly atMs: number }[] {
  return adverts.flatMap((advert, index) => {
    const before = adverts[index - 1];
    if (advert.source !== source || before?.source === source) return [];
    return [{ silentSinceMs: before?.atMs ?? advert.atMs, atMs: advert.atMs }];
  });
}
