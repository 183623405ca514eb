/** From the exec of the program to its first advertisement, and to its word that a router of it is a backup. */
import { Capture } from './capture.js';
import { type Conduct, Contest, type Samples } from './contest.js';
import { Contestant, wallMs } from './contestant.js';
import type { Kind } from './figure.js';
import type { Row } from './row.js';
import { oneRouter, onStage, type Stage } from './stage.js';

const START_MS = 30_000;
/** keepalived advertises at once only when its file says MASTER as well; to Baton the word means nothing. */
const OWNER = oneRouter({ priority: 255, intervalMs: 1000 }).replace('state BACKUP', 'state MASTER');

export const AGENT_START: Row = {
  name: 'agent-start',
  summary: 'start of the program: exec to the first advert, exec to a router that listens',
  run: async (conduct) => {
    const contest = await Contest.hold(conduct, (kind) => onStage((stage) => starts(stage, kind, conduct)));
    return {
      figures: [
        contest.figure('start: exec to first advert (priority 255), median', 'ms', 'first advert ms', 'median', {
          kind: 'none',
        }),
        contest.figure('start: exec to a router in backup, median', 'ms', 'backup ms', 'median', { kind: 'none' }),
      ],
      turns: contest.turns,
      notes: contest.failures,
    };
  },
};

async function starts({ one, observer }: Stage, kind: Kind, { quick }: Conduct): Promise<Samples> {
  const capture = await Capture.open(observer);
  const adverts: number[] = [];
  const backups: number[] = [];
  for (let each = 0; each < (quick ? 1 : 5); each += 1) {
    capture.clear();
    // RFC 9568 section 6.4.1: the address owner advertises as soon as it starts.
    const owner = Contestant.start(kind, one, OWNER);
    const { atMs } = await capture.untilAdvert(`${kind} to advertise`, START_MS, () => true);
    adverts.push(atMs - owner.startedAtMs);
    await owner.stop();

    const backup = Contestant.start(kind, one, oneRouter({ priority: 100, intervalMs: 1000 }));
    await backup.untilBackup(START_MS);
    backups.push(wallMs() - backup.startedAtMs);
    await backup.stop();
  }
  return { 'first advert ms': adverts, 'backup ms': backups };
}
