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

CHECK  STATE  SINCE  LAST RUN  TOOK    RUNS            LAST RESULT
alive  down   15s    1s ago    12.3ms  30 (2 skipped)  exit code 1: connection refused
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
