import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventLine, explanationText } from '../../agent/cli/ask-commands.js';
import { statusScreen } from '../../agent/cli/status-screen.js';
import { plainPaint, table } from '../../agent/cli/terminal.js';
import { explain } from '../../agent/local/explain.js';
import { Event, EventSeverity } from '../../proto/gen/baton/v1/events.js';
import { MemberState } from '../../proto/gen/baton/v1/status.js';
import { sampleStatus, secondsAgo } from '../local/sample-status.js';

test('one screen: the agent, its routers with reasons, its checks with results', () => {
  assert.equal(
    statusScreen(sampleStatus(), plainPaint),
    `base1
  agent          0.1.0, pid 42, up 1h2m, timers late by 260us now, 4.21ms at most
  controller     connected (ctl:7443) for 1m0s
  configuration  generation 7 (abcdef012345)

ROUTER  VRID  INTERFACE  STATE   SINCE  PRIORITY       ACTIVE              ADDRESSES
pg      10    em1        backup  12s    80 = 100 - 20  192.168.1.12 (100)  (192.168.1.26/24) 192.168.1.27/24

  pg: 192.168.1.12 advertises the higher priority 100

CHECK  KIND  STATE  SINCE  LAST RUN  TOOK    RUNS            LAST RESULT
alive  exec  down   15s    1s ago    12.3ms  30 (2 skipped)  exit code 1: connection refused
`,
  );
});

test('what is not usual is shown: faults, a lost controller, events that wait', () => {
  const screen = statusScreen(
    sampleStatus(
      { state: MemberState.FAULT, holdReasons: ['check alive'], cause: 'failed: check alive' },
      {
        controller: {
          state: 'connecting',
          address: 'ctl:7443',
          since: undefined,
          error: 'connect ECONNREFUSED\n10.0.0.1',
        },
        queuedEvents: 3,
        droppedEvents: 1,
        bundle: undefined,
      },
    ),
    plainPaint,
  );
  for (const line of [
    '  controller     connecting (ctl:7443): connect ECONNREFUSED 10.0.0.1',
    '  configuration  none yet',
    '  events         3 not delivered yet, 1 dropped',
    '  pg: held by check alive',
  ]) {
    assert.ok(screen.split('\n').includes(line), `${line}\n${screen}`);
  }
  assert.match(statusScreen(sampleStatus({}, { routers: [] }), plainPaint), /No virtual router is configured\./);
});

test('a refused configuration is told on the host, reason by reason', () => {
  const refused = {
    bundle: { generation: 8, hash: 'bb' },
    at: secondsAgo(75),
    reasons: ['routers[pg].vrid: no\n', 'b'],
  };
  const screen = statusScreen(sampleStatus({}, { refused }), plainPaint);
  assert.match(screen, /\n\nrefused: generation 8 1m15s ago\n {2}routers\[pg\]\.vrid: no\n {2}b\n\nROUTER /);
});

test('colours never move a column', () => {
  const painted = table(['A', 'B'], [[{ text: 'x', colour: 'red' }, 'y']], (_colour, text) => `<${text}>`);
  assert.deepEqual(painted, ['<A>  <B>', '<x>  y']);
});

test('an event is one line, whatever its message holds', () => {
  const event = Event.fromPartial({ severity: EventSeverity.ERROR, message: 'a\nb', time: new Date(0) });
  assert.match(eventLine(event, plainPaint), /^\d{4}-\d\d-\d\d \d\d:\d\d:00\.000 {2}error {4}a b$/);
});

test('an explanation has its sections apart', () => {
  const explanation = explain(sampleStatus(), 'pg');
  assert.ok(explanation);
  const text = explanationText(explanation, plainPaint);
  assert.match(text, /^State\n {2}pg \(VRID 10.*\n\nPriority\n {2}The effective priority is 80:\n {4}100 base/);
});

test('groups, BFD sessions, missing static items and conflicts have their lines; what is in order has none', () => {
  const conflicts = [{ address: '192.168.1.27', mac: '02:00:00:00:00:66', last: secondsAgo(1) }];
  const screen = statusScreen(
    sampleStatus(
      { conflicts, excludedAddresses: ['10.0.0.1/32'] },
      {
        groups: [
          { name: 'pair', state: MemberState.FAULT, since: secondsAgo(5), policy: 'all', routers: ['pg', 'web'] },
        ],
        bfdSessions: [
          {
            name: 'uplink',
            state: 'down',
            since: secondsAgo(7),
            neighbor: '192.0.2.2',
            transmitInterval: { seconds: 1, nanos: 0 },
            detectionTime: { seconds: 0, nanos: 150_000_000 },
            diagnostic: 'control detection time expired',
          },
        ],
        hostItems: [
          { item: '10.1.0.0/16 via 192.168.1.1', kind: 'route', present: false, error: 'network is unreachable' },
          { item: '10.0.0.9/32 dev em1', kind: 'address', present: true },
        ],
      },
    ),
    plainPaint,
  );
  const has = (line: string): void => assert.ok(screen.includes(`${line}\n`), screen);
  has('GROUP  STATE  SINCE  POLICY  ROUTERS');
  has('pair   fault  5s     all     pg web');
  has('BFD SESSION  STATE  SINCE  NEIGHBOR   INTERVAL  DETECTION  WHY');
  has('uplink       down   7s     192.0.2.2  1s        150ms      control detection time expired');
  has('missing: static route 10.1.0.0/16 via 192.168.1.1: network is unreachable');
  has('  pg: 02:00:00:00:00:66 answers for 192.168.1.27 too');
  assert.ok(screen.includes('(10.0.0.1/32)'));
  assert.ok(!screen.includes('10.0.0.9'));
});
