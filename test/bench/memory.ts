/**
 * Memory of all processes of a program with one router, when it has run for a minute; and of a Node that does nothing.
 * Either Node is a copy of its own: pages that it would share with the bench, and with any other Node on this machine,
 * are its own on a host where the agent is the only one.
 */
import { copyFileSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';

import type { Lab } from '../lab/lab.js';
import { type Conduct, Contest, type Samples } from './contest.js';
import { Contestant } from './contestant.js';
import type { Kind } from './figure.js';
import type { Row } from './row.js';
import { oneRouter, onPair, VIRTUAL_ADDRESS } from './stage.js';
import { condense } from './statistics.js';
import { memoryOf } from './usage.js';

const START_MS = 30_000;
const BARE = 'bare Node, Pss MiB';

export const MEMORY: Row = {
  name: 'memory',
  summary: 'memory of an agent with one router after a minute, beside a Node that does nothing',
  run: async (conduct) => {
    // What a program needs is nearly the same each time: two rounds tell whether it is.
    const rounds = Math.min(conduct.rounds, 2);
    const contest = await Contest.hold({ ...conduct, rounds }, (kind) => afterMinute(kind, conduct));
    const bare = contest.turns.flatMap((turn) => ('samples' in turn ? (turn.samples[BARE] ?? []) : []));
    const value = condense(bare, 'median');
    const other = `a bare Node (${value.toFixed(1)})`;
    return {
      figures: [
        contest.figure('memory of an agent with one router, Pss', 'MiB', 'Pss MiB', 'median', {
          kind: 'timesOther',
          factor: 1.3,
          other,
          value,
        }),
        contest.figure('the same, what no other process shares', 'MiB', 'own MiB', 'median', { kind: 'none' }),
      ],
      turns: contest.turns,
      notes: contest.failures,
    };
  },
};

async function afterMinute(kind: Kind, { quick }: Conduct): Promise<Samples> {
  return await onPair(async ({ lab, one, two }) => {
    const nodeFrom = copyOfNode(lab, 'agent');
    const contestant = Contestant.start(kind, one, oneRouter({ priority: 100, intervalMs: 1000 }), { nodeFrom });
    const bare = two.start(path.join(copyOfNode(lab, 'bare'), 'node'), '-e', 'setInterval(() => {}, 1000)');
    await one.untilHolds(VIRTUAL_ADDRESS, START_MS);
    await pause(quick ? 5000 : 60_000);
    const memory = memoryOf(contestant.processes());
    const ofBare = memoryOf([bare.pid]);
    return {
      'Pss MiB': [memory.proportional],
      'own MiB': [memory.own],
      [BARE]: [ofBare.proportional],
      'bare Node, own MiB': [ofBare.own],
    };
  });
}

/** Gives the directory; it goes with the laboratory. */
function copyOfNode(lab: Lab, name: string): string {
  const directory = path.join(lab.directory, `node-${name}`);
  mkdirSync(directory);
  copyFileSync(process.execPath, path.join(directory, 'node'));
  return directory;
}
