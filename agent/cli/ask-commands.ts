/** "status", "explain" and "events": questions to the running agent over its control socket. */
import process from 'node:process';
import { Event } from '../../proto/gen/baton/v1/events.js';
import { NodeStatus } from '../../proto/gen/baton/v1/status.js';
import { ask, type ControlClientError, listen } from '../local/control-client.js';
import { MAX_EVENTS } from '../local/control-protocol.js';
import type { Explanation } from '../local/explain.js';
import { type CommandSpec, type ParsedCommand, UsageError } from './command-line.js';
import { LOCATION_OPTIONS, OUTPUT_OPTION, runDirOf, wantsJson } from './locations.js';
import { statusScreen } from './status-screen.js';
import { type Paint, standardPaint } from './terminal.js';

export const STATUS: CommandSpec = {
  name: 'status',
  usage: '',
  summary:
    'Shows what the agent on this host does: every virtual router with its state, priority and addresses, every check.',
  operands: [],
  options: { output: OUTPUT_OPTION, ...LOCATION_OPTIONS },
};

export async function status(command: ParsedCommand): Promise<number> {
  const json = wantsJson(command);
  const result = await ask(await runDirOf(command), { command: 'status' });
  const found = NodeStatus.fromJSON(result);
  if (json) process.stdout.write(pretty((await plainWriter())('baton.v1.NodeStatus', found)));
  else process.stdout.write(statusScreen(found, standardPaint()));
  return 0;
}

export const EXPLAIN: CommandSpec = {
  name: 'explain',
  usage: 'ROUTER',
  summary:
    'Says in sentences why a virtual router is in its state, how its priority came about and what would happen next.',
  operands: ['ROUTER'],
  options: { output: OUTPUT_OPTION, ...LOCATION_OPTIONS },
};

export async function explain(command: ParsedCommand): Promise<number> {
  const json = wantsJson(command);
  const router = command.operands[0] ?? '';
  const result = await ask(await runDirOf(command), { command: 'explain', router });
  process.stdout.write(json ? pretty(result) : explanationText(result as Explanation, standardPaint()));
  return 0;
}

export const EVENTS: CommandSpec = {
  name: 'events',
  usage: '',
  summary: 'Shows the last events of this host, oldest first. With -o json one object per line.',
  operands: [],
  options: {
    limit: { type: 'string', short: 'n', value: 'N', help: `how many, up to ${MAX_EVENTS} (default 20)` },
    follow: { type: 'boolean', short: 'f', help: 'go on with new ones as they happen' },
    output: OUTPUT_OPTION,
    ...LOCATION_OPTIONS,
  },
};

export async function events(command: ParsedCommand): Promise<number> {
  const json = wantsJson(command);
  const limit = eventLimit(command.text('limit') ?? '20');
  const runDir = await runDirOf(command);
  const paint = standardPaint();
  const toPlain = json ? await plainWriter() : undefined;
  const print = (result: unknown): void => {
    const { events: found } = result as { readonly events: readonly unknown[] };
    for (const event of found.map((one) => Event.fromJSON(one))) {
      const line = toPlain === undefined ? eventLine(event, paint) : JSON.stringify(toPlain('baton.v1.Event', event));
      process.stdout.write(`${line}\n`);
    }
  };
  if (!command.flag('follow')) {
    print(await ask(runDir, { command: 'events', limit, follow: false }));
    return 0;
  }
  const failure = await new Promise<ControlClientError | undefined>((resolve) => {
    const stop = listen(runDir, { command: 'events', limit, follow: true }, { result: print, failed: resolve });
    process.once('SIGINT', () => {
      stop();
      resolve(undefined);
    });
  });
  if (failure !== undefined) throw failure;
  return 0;
}

function eventLimit(text: string): number {
  const limit = Number(text);
  if (/^\d+$/.test(text) && limit <= MAX_EVENTS) return limit;
  throw new UsageError(`--limit is a whole number from 0 to ${MAX_EVENTS}, not "${text}"`);
}

const SEVERITIES: Readonly<Record<string, { readonly word: string; readonly colour: Parameters<Paint>[0] }>> = {
  EVENT_SEVERITY_WARNING: { word: 'warning', colour: 'yellow' },
  EVENT_SEVERITY_ERROR: { word: 'error', colour: 'red' },
};

/** "2026-11-22 16:50:01.123  warning  pg: ...", in local time. */
export function eventLine(event: Event, paint: Paint): string {
  const { word, colour } = SEVERITIES[event.severity] ?? { word: 'info', colour: 'dim' };
  return `${localTime(event.time)}  ${paint(colour, word.padEnd(7))}  ${event.message.replaceAll('\n', ' ')}`;
}

function localTime(time: Date | undefined): string {
  if (time === undefined) return '-'.padEnd(23);
  const shifted = new Date(time.getTime() - time.getTimezoneOffset() * 60_000);
  return shifted.toISOString().replace('T', ' ').replace('Z', '');
}

export function explanationText({ sections }: Explanation, paint: Paint): string {
  const blocks = sections.map(({ title, sentences }) =>
    [paint('bold', title), ...sentences.map((sentence) => `  ${sentence}`)].join('\n'),
  );
  return `${blocks.join('\n\n')}\n`;
}

/** As batonctl writes messages. Loaded only where it is needed: it brings the whole schema. */
async function plainWriter(): Promise<typeof import('../../proto/manifest/plain.js').messageToPlain> {
  return (await import('../../proto/manifest/plain.js')).messageToPlain;
}

function pretty(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
