/** `batonctl watch`: the status as it changes; on a terminal one screen that stays current, else a line per change. */
import { Command } from 'commander';
import type { ClusterStatus } from '../../../proto/gen/baton/v1/status_service.js';
import { messageToPlain } from '../../../proto/manifest/index.js';
import { Backoff } from '../../../proto/process/backoff.js';
import { singleLine } from '../../../proto/rules/printable-text.js';
import { formatInstant } from '../ages.js';
import { messageOf } from '../failure.js';
import { fitScreen } from '../fit-screen.js';
import { action, addCommonOptions, type Invocation } from '../invocation.js';
import { printLines, printPlain } from '../output.js';
import { describeChanges } from '../status-changes.js';
import { renderStatus } from '../status-screen.js';
import type { Surroundings } from '../surroundings.js';

/** Ages on the screen are brought up to date this often. */
const REDRAW_MS = 1_000;
/** Home, and erase from there to the end of each line and of the screen: without the flicker of erasing everything. */
const HOME = '\u001b[H';
const END_OF_LINE = '\u001b[K';
const END_OF_SCREEN = '\u001b[J';

export function watchCommand(surroundings: Surroundings): Command {
  const command = new Command('watch').description(
    'show the status and go on showing it as it changes (end with Ctrl-C)',
  );
  return addCommonOptions(command, { format: true }).action(
    action(surroundings, async (invocation) => {
      const { format } = invocation;
      const { stdout } = surroundings;
      if (format !== 'table') {
        await follow(invocation, (status) => {
          printPlain(stdout, messageToPlain('baton.v1.ClusterStatus', status), format, true);
        });
      } else if (stdout.isTerminal) {
        await keepScreen(invocation);
      } else {
        await keepLog(invocation);
      }
    }),
  );
}

async function keepLog(invocation: Invocation): Promise<void> {
  const { stdout } = invocation.surroundings;
  let before: ClusterStatus | undefined;
  await follow(invocation, (status) => {
    const at = formatInstant(status.capturedAt);
    printLines(
      stdout,
      describeChanges(before, status).map((line) => `${at}  ${line}`),
    );
    before = status;
  });
}

async function keepScreen(invocation: Invocation): Promise<void> {
  const { surroundings, paint, context } = invocation;
  const { stdout, interrupted } = surroundings;
  let shown: { readonly status: ClusterStatus; readonly at: number } | undefined;
  let trouble = '';
  const draw = (): void => {
    if (shown === undefined) return;
    // The controller's clock goes on by ours.
    const now = (shown.status.capturedAt?.getTime() ?? shown.at) + (surroundings.now() - shown.at);
    const lines = renderStatus(shown.status, { now, paint, width: stdout.columns, context: context.name });
    if (trouble !== '') lines.unshift(paint('red', `NOT CURRENT: ${singleLine(trouble)}`), '');
    const visible = fitScreen(lines, stdout.rows, stdout.columns);
    stdout.write(`${HOME}${visible.map((line) => `${line}${END_OF_LINE}\n`).join('')}${END_OF_SCREEN}`);
  };
  stdout.write(`${HOME}${END_OF_SCREEN}`);
  const ended = new AbortController();
  const redrawing = (async () => {
    while (!ended.signal.aborted && !interrupted.aborted) {
      await surroundings.sleep(REDRAW_MS, AbortSignal.any([ended.signal, interrupted]));
      draw();
    }
  })();
  try {
    await follow(
      invocation,
      (status) => {
        shown = { status, at: surroundings.now() };
        trouble = '';
        draw();
      },
      (message) => {
        trouble = message;
        draw();
      },
    );
  } finally {
    ended.abort();
    await redrawing;
  }
}

/** Until interrupted. A stream that breaks is opened again; one that never began is a failure. */
async function follow(
  invocation: Invocation,
  show: (status: ClusterStatus) => void,
  complain?: (message: string) => void,
): Promise<void> {
  const { surroundings, session } = invocation;
  const { interrupted, stderr } = surroundings;
  const backoff = new Backoff({ initialMs: 500, maxMs: 10_000, random: surroundings.random });
  let hasBegun = false;
  while (!interrupted.aborted) {
    let reason = 'the controller ended the stream';
    try {
      await session.read(
        'watch the status',
        ({ status }) => status.watchStatus({}),
        ({ status }) => {
          hasBegun = true;
          backoff.reset();
          if (status !== undefined) show(status);
          return true;
        },
      );
    } catch (error) {
      if (!hasBegun) throw error;
      reason = messageOf(error);
    }
    if (interrupted.aborted) return;
    if (complain !== undefined) complain(reason);
    else stderr.write(`batonctl: ${singleLine(reason)}; trying again\n`);
    await surroundings.sleep(backoff.next() + 100, interrupted);
  }
}
