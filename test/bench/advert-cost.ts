/** 255 virtual routers at 20 ms: processor time per advertisement sent and received, once everything is settled. */
import { setTimeout as pause } from 'node:timers/promises';
import { type Conduct, Contest, type Samples } from './contest.js';
import type { Kind } from './figure.js';
import { multicastsOf } from './many-routers.js';
import type { Row } from './row.js';
import { coldStart } from './settling.js';
import { onPair, type Pair } from './stage.js';
import { processorMicros } from './usage.js';

const ROUTERS = 255;
const INTERVAL_MS = 20;
const NOMINAL = (ROUTERS * 1000) / INTERVAL_MS;
/** Adverts of the backup, of a false takeover, to those of the active one. */
const TOLERATED = 0.001;
const BLOCKS = [{ device: 'em1', count: ROUTERS, network: 1 }];

export const ADVERT_COST: Row = {
  name: 'advert-cost',
  summary: `${ROUTERS} virtual routers at ${INTERVAL_MS} ms: processor time per advert sent and received`,
  run: async (conduct) => {
    const contest = await Contest.hold(conduct, (kind) => onPair((stage) => cost(stage, kind, conduct)));
    const figure = (verb: string, factor: number) =>
      contest.figure(
        `${ROUTERS} routers at ${INTERVAL_MS} ms: CPU per advert ${verb}`,
        'µs',
        `µs per advert ${verb}`,
        'median',
        {
          kind: 'times',
          factor,
        },
      );
    return { figures: [figure('sent', 0.7), figure('received', 0.8)], turns: contest.turns, notes: contest.failures };
  },
};

async function cost({ one, two }: Pair, kind: Kind, { quick }: Conduct): Promise<Samples> {
  const { active, backup } = await coldStart(kind, one, two, { blocks: BLOCKS, intervalMs: INTERVAL_MS });
  const before = await account();
  const begin = performance.now();
  await pause(quick ? 3000 : 8000);
  const seconds = (performance.now() - begin) / 1000;
  const after = await account();
  // The cable loses nothing: what one has received is what the other has sent, by whatever kind of socket.
  const adverts = after.backup.received - before.backup.received;
  const stray = after.backup.sent - before.backup.sent;
  if (stray > TOLERATED * adverts) throw new Error(`the backup sent ${stray} adverts beside ${adverts}: not settled`);
  return {
    'adverts/s': [adverts / seconds],
    'adverts of the backup': [stray],
    'of nominal': [adverts / seconds / NOMINAL],
    'µs per advert sent': [(after.activeMicros - before.activeMicros) / adverts],
    'µs per advert received': [(after.backupMicros - before.backupMicros) / adverts],
  };

  async function account() {
    return {
      backup: await multicastsOf(two),
      activeMicros: processorMicros(active.processes()),
      backupMicros: processorMicros(backup.processes()),
    };
  }
}
