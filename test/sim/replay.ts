/** Runs one schedule, or a part of it, with its whole story printed; exit 1 if something does not hold. */
import { bugNamed, UnknownBug } from './bugs.js';
import { numbers, runProgram, UsageError, wholeNumber } from './command-line.js';
import { PRODUCTION_CORE } from './core.js';
import { replayCommand, simulate } from './simulate.js';
import { Violation } from './violation.js';

const USAGE = `usage: node dist/test/sim/replay.js SEED [--keep N,N...] [--hosts N,N...] [--units N,N...] [--bug NAME]
  SEED     a whole number, as a failure prints it
  --keep   the decisions of its schedule that are made ("none" for none); without it, all
  --hosts  the hosts that there are; --units, the virtual routers or sync groups; without them, all
  --bug    runs a broken core; "npm run mutations -- --list" names them`;

await runProgram(
  USAGE,
  {
    keep: { type: 'string' },
    hosts: { type: 'string' },
    units: { type: 'string' },
    bug: { type: 'string' },
  },
  async ({ keep, hosts, units, bug }, [text, ...rest]) => {
    if (text === undefined || rest.length > 0) throw new UsageError('one seed is needed');
    const seed = wholeNumber('the seed', text, 0);
    const part = {
      ...(keep !== undefined && { decisions: numbers('--keep', keep) }),
      ...(hosts !== undefined && { hosts: numbers('--hosts', hosts) }),
      ...(units !== undefined && { units: numbers('--units', units) }),
    };
    const log = (line: string) => process.stdout.write(`${line}\n`);
    try {
      simulate(seed, { core: bug === undefined ? PRODUCTION_CORE : bugNamed(bug)(), part, bug, log });
      process.stdout.write(`${replayCommand(seed, part, bug)}: everything holds\n`);
      return 0;
    } catch (error) {
      if (error instanceof UnknownBug) throw new UsageError(error.message);
      // Of a violation, the story's last line is the message.
      if (!(error instanceof Violation)) throw error;
      return 1;
    }
  },
);
