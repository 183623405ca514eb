/** What an operator looks at: status, nodes, watch, events. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { EventSeverity } from '../../proto/gen/baton/v1/events.js';
import {
  type FollowEventsRequest,
  type ListEventsRequest,
  ListEventsResponse,
  StoredEvent,
  WatchStatusResponse,
} from '../../proto/gen/baton/v1/status_service.js';
import { bench, cluster, getStatus } from './bench.js';
import { CallRefusal, KEEP_OPEN, NOON, type RunOptions } from './fake-controller.js';

test('status, as a table and for programs', async (context) => {
  const { ctl } = await bench(context, { getStatus });
  const table = await ctl('status');
  assert.equal(table.code, 0);
  assert.match(
    table.stdout,
    /^test: all is well {3}generation 7 {3}2026-11-22 12:00:00\.000Z\n\npg {2}VRID 10 {2}192\.0\.2\.1\n/u,
  );
  const json = await ctl('status', '-o', 'json');
  assert.equal(json.code, 0);
  const parsed = JSON.parse(json.stdout);
  assert.equal(parsed.routers[0].members[0].state, 'active');
  assert.equal(parsed.routers[0].members[0].holdsAddresses, true);
  const yaml = await ctl('-o', 'yaml', 'status');
  assert.match(yaml.stdout, /^capturedAt: /u);
  assert.equal(yaml.stderr, '');
});

test('nodes', async (context) => {
  const { ctl } = await bench(context, { getStatus });
  assert.equal(
    (await ctl('nodes')).stdout,
    `NAME   STATE      SEEN  VERSION  FROM            BUNDLE  CERTIFICATE EXPIRES
base1  connected  live  0.1.0    192.0.2.9:1234  7       in 1d
`,
  );
  assert.equal(JSON.parse((await ctl('nodes', '-o', 'json')).stdout).nodes[0].name, 'base1');
});

test('watch in a pipe tells changes, in JSON every state, on a terminal one screen', async (context) => {
  const second = cluster({ generation: 8 });
  const { with: ctlWith } = await bench(context, {
    watchStatus: () => [
      WatchStatusResponse.fromPartial({ status: cluster() }),
      WatchStatusResponse.fromPartial({ status: second }),
      KEEP_OPEN,
    ],
  });
  const until = (pattern: RegExp): Partial<RunOptions> => {
    const stop = new AbortController();
    return { interrupted: stop.signal, onWrite: (text) => pattern.test(text) && stop.abort() };
  };
  const piped = await ctlWith(until(/generation 7 -> 8/u), 'watch');
  assert.equal(piped.code, 0);
  assert.equal(
    piped.stdout,
    `2026-11-22 12:00:00.000Z  pg on base1: active: alone
2026-11-22 12:00:00.000Z  base1: connected
2026-11-22 12:00:00.000Z  generation 7 -> 8
`,
  );
  const json = await ctlWith(until(/"generation":8/u), 'watch', '-o', 'json');
  assert.deepEqual(
    json.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).generation),
    [7, 8],
  );
  const screen = await ctlWith({ terminal: true, ...until(/generation 8/u) }, 'watch');
  assert.ok(screen.stdout.startsWith('\u001b[H\u001b[J\u001b[H'));
  assert.match(screen.stdout, /generation 8/u);
  const low = await ctlWith({ terminal: true, rows: 4, ...until(/generation 8/u) }, 'watch');
  const last = low.stdout.split('\u001b[H').at(-1) ?? '';
  assert.match(last, /generation 8/u);
  assert.match(last, /\.\.\. \d+ more lines: "batonctl status" shows them all/u);
  assert.equal(last.split('\n').length, 4);
});

test('watch opens a broken stream again and says so', async (context) => {
  let times = 0;
  const { with: ctlWith } = await bench(context, {
    watchStatus: () => {
      times += 1;
      if (times === 2) throw new CallRefusal(status.UNAVAILABLE, 'stopping');
      return [WatchStatusResponse.fromPartial({ status: cluster({ generation: times }) })];
    },
  });
  const stop = new AbortController();
  const answer = await ctlWith(
    { interrupted: stop.signal, onWrite: (text) => /1 -> 3/u.test(text) && stop.abort() },
    'watch',
  );
  assert.equal(answer.code, 0);
  assert.match(answer.stderr, /the controller ended the stream; trying again\n.*stopping; trying again\n/u);
});

const event = (id: number, message: string) =>
  StoredEvent.fromPartial({
    id,
    event: { node: 'base1', router: 'pg', time: new Date(NOON), severity: EventSeverity.WARNING, message },
  });

test('events: filters and limit go to the controller, texts come clean', async (context) => {
  const { fake, ctl } = await bench(context, {
    listEvents: () => ListEventsResponse.fromPartial({ events: [event(1, 'one\u001b[2J'), event(2, 'two')] }),
  });
  const listed = await ctl('events', '--node', 'base1', '--router', 'pg', '--severity', 'warning', '--limit', '5');
  assert.equal(
    listed.stdout,
    `TIME                      NODE   ROUTER  SEVERITY  WHAT
2026-11-22 12:00:00.000Z  base1  pg      warning   one [2J
2026-11-22 12:00:00.000Z  base1  pg      warning   two
`,
  );
  assert.deepEqual(fake.calls[0]?.request as ListEventsRequest, {
    filter: { node: 'base1', router: 'pg', severity: EventSeverity.WARNING },
    limit: 5,
  });
  const json = await ctl('events', '-o', 'json');
  assert.equal(JSON.parse(json.stdout).events[1].event.message, 'two');
  assert.equal(json.stdout.includes('\u001b'), false);
});

test('events --follow goes on over a broken stream and shows nothing twice', async (context) => {
  let times = 0;
  const asked: number[] = [];
  const { with: ctlWith } = await bench(context, {
    followEvents: ({ limit }: FollowEventsRequest) => {
      times += 1;
      asked.push(limit);
      return times === 1
        ? [{ event: event(1, 'one') }, { event: event(2, 'two') }]
        : [{ event: event(2, 'two') }, { event: event(3, 'three') }, KEEP_OPEN];
    },
  });
  const stop = new AbortController();
  const followed = await ctlWith(
    { interrupted: stop.signal, onWrite: (text) => text.includes('three') && stop.abort() },
    'events',
    '--follow',
    '--limit',
    '2',
  );
  assert.equal(followed.code, 0);
  assert.deepEqual(
    followed.stdout
      .trim()
      .split('\n')
      .map((line) => line.split(/\s+/u).at(-1)),
    ['one', 'two', 'three'],
  );
  assert.deepEqual(asked, [2, 10_000]);
});
