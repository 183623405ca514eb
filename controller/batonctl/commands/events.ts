/** `batonctl events`: what happened, oldest first, and on request what happens next. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { EventSeverity } from '../../../proto/gen/baton/v1/events.js';
import type { StoredEvent } from '../../../proto/gen/baton/v1/status_service.js';
import { messageToPlain } from '../../../proto/manifest/index.js';
import { Backoff } from '../../../proto/process/backoff.js';
import { singleLine } from '../../../proto/rules/printable-text.js';
import { formatInstant } from '../ages.js';
import { messageOf } from '../failure.js';
import { action, addCommonOptions, type Invocation } from '../invocation.js';
import { printLines, printPlain } from '../output.js';
import type { Colour } from '../paint.js';
import type { Surroundings } from '../surroundings.js';
import { type Cell, renderTable } from '../table.js';

interface EventOptions {
  readonly follow?: true;
  readonly node?: string;
  readonly router?: string;
  readonly severity?: EventSeverity;
  readonly limit?: number;
}

const DEFAULT_LIMIT = 100;
const MOST = 10_000;
const BEGUN_AFTER_MS = 5_000;

export function eventsCommand(surroundings: Surroundings): Command {
  const command = new Command('events')
    .description('list what happened on the nodes, newest last')
    .option('-f, --follow', 'go on with new events as they arrive (end with Ctrl-C)')
    .option('--node <name>', 'only those of this node')
    .option('--router <name>', 'only those of this virtual router')
    .addOption(
      new Option('--severity <level>', 'only those at least this severe: info, warning, error').argParser(
        parseSeverity,
      ),
    )
    .addOption(
      new Option('--limit <n>', `the newest so many, 1 to ${MOST} (default: ${DEFAULT_LIMIT})`).argParser(parseLimit),
    );
  return addCommonOptions(command, { format: true }).action(
    action(surroundings, async (invocation: Invocation, options: EventOptions) => {
      await (options.follow ? follow(invocation, options) : list(invocation, options));
    }),
  );
}

async function list(invocation: Invocation, options: EventOptions): Promise<void> {
  const { session, format, surroundings, paint } = invocation;
  const { stdout } = surroundings;
  const request = { filter: filterOf(options), limit: options.limit ?? DEFAULT_LIMIT };
  const response = await session.call('list the events', ({ status }) => status.listEvents.bind(status), request);
  if (format !== 'table') {
    printPlain(stdout, messageToPlain('baton.v1.ListEventsResponse', response), format);
  } else if (response.events.length === 0) {
    surroundings.stderr.write('no events\n');
  } else {
    const head = ['TIME', 'NODE', 'ROUTER', 'SEVERITY', 'WHAT'];
    printLines(stdout, renderTable(head, response.events.map(rowOf), { paint }));
  }
}

async function follow(invocation: Invocation, options: EventOptions): Promise<void> {
  const { session, surroundings } = invocation;
  const { interrupted, stderr } = surroundings;
  const backoff = new Backoff({ initialMs: 500, maxMs: 10_000, random: surroundings.random });
  let last = 0;
  let hasBegun = false;
  while (!interrupted.aborted) {
    let reason = 'the controller ended the stream';
    // Opened again: enough to bridge the gap; what was shown already is left out.
    const limit = hasBegun ? MOST : (options.limit ?? DEFAULT_LIMIT);
    const openedAt = surroundings.now();
    try {
      await session.read(
        'follow the events',
        ({ status }) => status.followEvents({ filter: filterOf(options), limit }),
        ({ event }) => {
          hasBegun = true;
          backoff.reset();
          if (event !== undefined && event.id > last) {
            last = event.id;
            show(invocation, event);
          }
          return true;
        },
      );
    } catch (error) {
      // A quiet cluster sends nothing: a stream that lasted had begun all the same.
      if (!hasBegun && surroundings.now() - openedAt < BEGUN_AFTER_MS) throw error;
      reason = messageOf(error);
    }
    if (interrupted.aborted) return;
    hasBegun = true;
    stderr.write(`batonctl: ${singleLine(reason)}; trying again\n`);
    await surroundings.sleep(backoff.next() + 100, interrupted);
  }
}

/** Columns cannot be measured ahead in a stream: a fixed width for what is usually short. */
function show({ format, surroundings, paint }: Invocation, event: StoredEvent): void {
  if (format !== 'table') {
    printPlain(surroundings.stdout, messageToPlain('baton.v1.StoredEvent', event), format, true);
    return;
  }
  const [time = '', node = '', router = '', , what = ''] = rowOf(event).map((cell) =>
    singleLine(typeof cell === 'string' ? cell : cell.text),
  );
  const colour = colourOf(event.event?.severity);
  const line = `${time}  ${node.padEnd(12)}  ${router.padEnd(12)}  ${colour === undefined ? what : paint(colour, what)}`;
  printLines(surroundings.stdout, [line.trimEnd()]);
}

function rowOf({ event }: StoredEvent): Cell[] {
  const severity = event?.severity ?? EventSeverity.UNSPECIFIED;
  return [
    formatInstant(event?.time),
    event?.node ?? '',
    event?.router ?? '',
    { text: severityWord(severity), colour: colourOf(severity) },
    event?.message ?? '',
  ];
}

function severityWord(severity: EventSeverity): string {
  return severity === EventSeverity.UNSPECIFIED ? '-' : severity.replace(/^EVENT_SEVERITY_/u, '').toLowerCase();
}

function colourOf(severity: EventSeverity | undefined): Colour | undefined {
  if (severity === EventSeverity.ERROR) return 'red';
  return severity === EventSeverity.WARNING ? 'yellow' : undefined;
}

function filterOf({ node = '', router = '', severity = EventSeverity.UNSPECIFIED }: EventOptions) {
  return { node, router, severity };
}

function parseSeverity(text: string): EventSeverity {
  switch (text) {
    case 'info':
      return EventSeverity.INFO;
    case 'warning':
      return EventSeverity.WARNING;
    case 'error':
      return EventSeverity.ERROR;
    default:
      throw new InvalidArgumentError('wanted info, warning or error.');
  }
}

function parseLimit(text: string): number {
  const limit = Number(text);
  if (!/^\d+$/u.test(text) || limit < 1 || limit > MOST) {
    throw new InvalidArgumentError(`wanted a whole number from 1 to ${MOST}.`);
  }
  return limit;
}
