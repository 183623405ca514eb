/** 255 virtual routers at 20 ms: processor time per advertisement sent and received, once everything is settled. */
import { setTimeout as pause } from 'node:timers/promises';
import { type Conduct, Contest, type Samples } from './contest.js';
import type { Kind } from './figure.js';
import { trafficOf } from './many-routers.js';
import type { Row } from './row.js';
import { coldStart } from './settling.js';
import { onPair, type Pair } from './stage.js';
import { processorMicros } from './usage.js';

const ROUTERS = 255;
const INTERVAL_MS = 20;
const NOMINAL = (ROUTERS * 1000) / INTERVAL_MS;
/** More packets of the backup than this share of the adverts are not only ARP. */
const TOLERATED = 0.01;
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
  const sent = after.active.sent - before.active.sent;
  const received = after.backup.received - before.backup.received;
  const stray = after.backup.sent - before.backup.sent;
  if (stray > TOLERATED * sent) throw new Error(`the backup sent ${stray} packets: it was not a backup of all routers`);
  return {
    'adverts/s sent': [sent / seconds],
    'of nominal': [sent / seconds / NOMINAL],
    'µs per advert sent': [(after.activeMicros - before.activeMicros) / sent],
    'µs per advert received': [(after.backupMicros - before.backupMicros) / received],
  };

  async function account() {
    return {
      active: await trafficOf(one),
      backup: await trafficOf(two),
      activeMicros: processorMicros(active.processes()),
      backupMicros: processorMicros(backup.processes()),
    };
  }
}
