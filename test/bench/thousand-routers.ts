/** 1,000 virtual routers over four interfaces: time to settle from a cold start, and what they cost once they are. */
import { setTimeout as pause } from 'node:timers/promises';
import { ipBatch } from '../lab/command.js';
import { type Conduct, Contest, type Samples } from './contest.js';
import type { Kind } from './figure.js';
import type { RouterBlock } from './many-routers.js';
import type { Row } from './row.js';
import { coldStart } from './settling.js';
import { onPair, type Pair } from './stage.js';
import { processorMicros } from './usage.js';

const EACH = 250;
const INTERVAL_MS = 100;
/** em1 is on the stage's LAN; the others are cables from one host to the other. */
const CABLES = ['em2', 'em3', 'em4'];
const BLOCKS: readonly RouterBlock[] = ['em1', ...CABLES].map((device, index) => ({
  device,
  count: EACH,
  network: index + 1,
}));
const ROUTERS = EACH * BLOCKS.length;

export const THOUSAND_ROUTERS: Row = {
  name: 'thousand-routers',
  summary: `${ROUTERS} virtual routers on ${BLOCKS.length} interfaces at ${INTERVAL_MS} ms: time to settle, processor time`,
  run: async (conduct) => {
    const contest = await Contest.hold(conduct, (kind) => onPair((pair) => settleAndRun(pair, kind, conduct)));
    const what = `${ROUTERS} routers on ${BLOCKS.length} interfaces at ${INTERVAL_MS} ms`;
    return {
      figures: [
        contest.figure(`${what}: settled from a cold start`, 's', 'settled s', 'median', { kind: 'times', factor: 1 }),
        contest.figure(`${what}: CPU of the active one`, '%', 'active %', 'median', { kind: 'times', factor: 1 }),
        contest.figure(`${what}: CPU of the backup`, '%', 'backup %', 'median', { kind: 'times', factor: 1 }),
      ],
      turns: contest.turns,
      notes: contest.failures,
    };
  },
};

async function settleAndRun({ one, two }: Pair, kind: Kind, { quick }: Conduct): Promise<Samples> {
  for (const device of CABLES) {
    await ipBatch(one.namespace, [
      `link add ${device} type veth peer name ${device} netns ${two.namespace}`,
      `link set ${device} up`,
    ]);
    await two.ip(`link set ${device} up`);
  }
  for (const [index, device] of CABLES.entries()) {
    await one.ip(`address add 192.168.${index + 1}.1/24 dev ${device}`);
    await two.ip(`address add 192.168.${index + 1}.2/24 dev ${device}`);
  }
  const wanted = { blocks: BLOCKS, intervalMs: INTERVAL_MS };
  const { seconds, wrongTakeovers, active, backup } = await coldStart(kind, one, two, wanted);
  const used = () => [active, backup].map((each) => processorMicros(each.processes()));
  const [activeBefore = 0, backupBefore = 0] = used();
  const begin = performance.now();
  await pause(quick ? 3000 : 6000);
  const [activeAfter = 0, backupAfter = 0] = used();
  const percent = 100 / ((performance.now() - begin) * 1000);
  return {
    'settled s': [seconds],
    'wrong takeovers': [wrongTakeovers],
    'active %': [(activeAfter - activeBefore) * percent],
    'backup %': [(backupAfter - backupBefore) * percent],
  };
}
