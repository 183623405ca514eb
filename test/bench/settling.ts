/**
 * A cold start of both hosts at once: how long until the one of higher priority is active for every router and the other
 * one for none, and nothing changes any more. What the kernels say of the addresses decides, not what the programs say.
 */
import type { Host } from '../lab/host.js';
import { Census } from './census.js';
import { type Conduct, Contest, type Samples } from './contest.js';
import { Contestant, type ContestantOptions } from './contestant.js';
import type { Kind } from './figure.js';
import { manyRouters, type RouterBlock } from './many-routers.js';
import type { Row } from './row.js';
import { onPair } from './stage.js';

const ROUTERS = 255;
const INTERVAL_MS = 100;
const BLOCKS: readonly RouterBlock[] = [{ device: 'em1', count: ROUTERS, network: 1 }];
/** What changes no more for so long is settled: five Active_Down_Intervals. */
const QUIET_MS = 2000;
const WITHIN_MS = 40_000;
const WANTED_SECONDS = 2.2;

export const SETTLING: Row = {
  name: 'settling',
  summary: `${ROUTERS} virtual routers at ${INTERVAL_MS} ms: time to settle from a cold start, also with debug logging`,
  run: async (conduct: Conduct) => {
    const measure = async (kind: Kind, options: ContestantOptions): Promise<Samples> =>
      await onPair(async ({ one, two }) => {
        const { seconds, wrongTakeovers } = await coldStart(kind, one, two, {
          blocks: BLOCKS,
          intervalMs: INTERVAL_MS,
          ...options,
        });
        const how = options.debugLog === true ? ', debug' : '';
        return { [`settled s${how}`]: [seconds], [`wrong takeovers${how}`]: [wrongTakeovers] };
      });
    const contest = await Contest.hold(conduct, async (kind) => ({
      ...(await measure(kind, {})),
      ...(await measure(kind, { debugLog: true })),
    }));
    const figure = (how: string, quantity: string) =>
      contest.figure(
        `${ROUTERS} routers at ${INTERVAL_MS} ms: settled from a cold start${how}`,
        's',
        quantity,
        'median',
        {
          kind: 'atMost',
          limit: WANTED_SECONDS,
        },
      );
    return {
      figures: [figure('', 'settled s'), figure(', debug log', 'settled s, debug')],
      turns: contest.turns,
      notes: contest.failures,
    };
  },
};

export interface ColdStart {
  /** From the first process to the last change. */
  readonly seconds: number;
  /** Addresses that the backup took. */
  readonly wrongTakeovers: number;
  readonly active: Contestant;
  readonly backup: Contestant;
}

/** Starts both and waits until they are settled; both go on running. */
export async function coldStart(
  kind: Kind,
  one: Host,
  two: Host,
  wanted: { readonly blocks: readonly RouterBlock[]; readonly intervalMs: number } & ContestantOptions,
): Promise<ColdStart> {
  const { blocks, intervalMs, ...options } = wanted;
  const census = await Census.take(one, two);
  const backup = Contestant.start(kind, two, manyRouters(blocks, 100, intervalMs), options);
  const active = Contestant.start(kind, one, manyRouters(blocks, 150, intervalMs), options);
  const count = blocks.reduce((sum, block) => sum + block.count, 0);
  const settled = await census.untilSettled(one, two, count, { quietMs: QUIET_MS, withinMs: WITHIN_MS });
  await census.stop();
  const seconds = (settled.atMs - Math.min(active.startedAtMs, backup.startedAtMs)) / 1000;
  return { seconds, wrongTakeovers: settled.wrongTakeovers, active, backup };
}
