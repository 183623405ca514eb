/** Recordings of the core's inputs, which somebody sends with a report: reading the lines, and replaying them. */
import {
  againLine,
  encode,
  formatOf,
  groupedLine,
  groupLine,
  heardLine,
  inputLine,
  movedLine,
  parseLine,
  type RecordingLine,
  routerLine,
  segmentLine,
} from '../../../agent/record/recording-format.js';
import { Replay } from '../../../agent/record/replay.js';
import { type Input, initialMember, step } from '../../../agent/vrrp/index.js';
import { heard, SECOND, sampleRouter } from '../../vrrp/sample-router.js';
import { must, mustEqual, type Target, TEXT_BUDGET } from '../target.js';

const textOf = (input: Uint8Array) => Buffer.from(input).toString('utf8');
const bytesOf = (text: string) => new Uint8Array(Buffer.from(text));
const MOST_LINES = 60;

/** As it would have been written; undefined lines have no writer. */
function writtenAgain(line: RecordingLine): string {
  switch (line.kind) {
    case 'segment':
      return segmentLine(line.agent, line);
    case 'router':
      return routerLine(line.id, line.router, line.member);
    case 'group':
      return groupLine(line.id, line.group, line.members);
    case 'grouped':
      return groupedLine(line.id, line.group ?? undefined);
    case 'input':
      return inputLine(line.since, line.id, line.input);
    case 'heard':
      return heardLine(line.since, line.id, line.number, line.input);
    case 'again':
      return againLine(line.since, line.id, line.number);
    case 'moved':
      return movedLine(line.id, line.transition);
  }
}

/** One router that begins, hears nobody, becomes active, and hears a better one. */
function seed(isGrouped: boolean): string {
  const router = sampleRouter();
  let member = initialMember(router);
  let text = segmentLine('0.1.0', { reason: 'start', at: SECOND, wallMs: 1_700_000_000_000 });
  text += routerLine(1, router, member);
  if (isGrouped) {
    text += groupLine(2, { name: 'g', routers: [router.name] } as unknown as Parameters<typeof groupLine>[1], [
      [router.name, 1],
    ]);
    text += groupedLine(1, isGrouped ? 2 : undefined);
  }
  let now = SECOND;
  const better = heard(200);
  const inputs: readonly (readonly [number, Input])[] = [
    [1, { kind: 'startup' }],
    [4 * SECOND, { kind: 'tick' }],
    [SECOND, { kind: 'tick' }],
    [1000, better],
    [SECOND, better],
  ];
  for (const [index, [since, input]] of inputs.entries()) {
    now += since;
    if (input.kind !== 'advertisement') text += inputLine(since, 1, input);
    else text += index === 3 ? heardLine(since, 1, 1, input) : againLine(since, 1, 1);
    const outcome = step(router, member, input, now);
    member = outcome.member;
    for (const effect of outcome.effects) if (effect.kind === 'transitioned') text += movedLine(1, effect);
  }
  return (
    text + segmentLine('0.1.0', { reason: 'size', at: now, wallMs: 1_700_000_009_000 }) + routerLine(1, router, member)
  );
}

export function recordingTarget(): Target {
  const replayed = (input: Uint8Array) => {
    const replay = new Replay();
    for (const [index, text] of textOf(input).split('\n').slice(0, MOST_LINES).entries()) {
      if (text !== '') replay.take({ number: index + 1, line: parseLine(text) });
    }
    return replay.report();
  };
  return {
    name: 'recording',
    what: 'recordings, and their replay',
    files: ['agent/record/recording-format.ts'],
    group: 'decoders',
    seeds: [
      ...[false, true].map(seed),
      `[1,1,"a",1,{"kind":"advertisement","source":{"ip6":"fe80::1"},"advertisement":{}}]\n`,
      ...['lost', 'worker', 'start', 'other'].map(
        (reason) =>
          `{"recording":"baton-agent","format":1,"agent":"a","reason":"${reason}","at":1,"wallMs":2}\n[1,1,"t"]\n`,
      ),
      '{"recording":"baton-agent","format":2}\n',
      '{"recording":"other"}\n{"router":1,"is":{},"member":3}\n{"group":1}\n[]\n["a"]\n[1,1,"x"]\n{"ip6":"fe80::1"}\n7\n{\n',
      '{"ip6":"nonsense"}\n{"moved":1,"transition":{}}\n{"recording":"baton-agent","format":1,"reason":"size","at":"x"}\n',
      '',
    ].map(bytesOf),
    dictionary: [
      '{"ip6":"fe80::1"}',
      '"member":',
      '[1,1,"i",{"kind":"startup"}]\n',
      '[1,1,1]\n',
      '{"router":1,"group":2}\n',
      '1e999',
      'null',
      '\n',
    ].map(bytesOf),
    repairs: [],
    maxLength: 6_000,
    isText: true,
    budget: { ...TEXT_BUDGET, memory: 1_048_576, ms: 20 },
    read: replayed,
    run: (input) => {
      const kinds = new Set<string>();
      for (const text of textOf(input).split('\n').slice(0, MOST_LINES)) {
        formatOf(text);
        const line = parseLine(text);
        kinds.add(line?.kind ?? 'none');
        if (line === undefined) continue;
        const again = parseLine(writtenAgain(line).trimEnd());
        mustEqual(encode(again), encode(line), 'decode(encode(m)) = m');
      }
      const { segments, inputs, transitions, differences, remarks } = replayed(input);
      must(transitions.length <= inputs * 300, 'transitions come of inputs', () => String(transitions.length));
      must(
        [...remarks].every((remark) => remark.length > 0),
        'remarks in words',
        () => remarks.join(),
      );
      const report = differences.length > 0 ? 'differs' : remarks.length > 0 ? 'with remarks' : 'the same';
      return `${kinds.has('none') ? 'unread lines' : 'lines'}: ${segments > 0 ? report : 'nothing'}`;
    },
  };
}
