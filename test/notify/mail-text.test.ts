import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Alert, MemberChange } from '../../controller/notify/alert.js';
import { renderAlert, renderTest } from '../../controller/notify/mail-text.js';
import { ACTIVE, BACKUP, NOON } from './alert-fixture.js';

function change(node: string, more: Partial<MemberChange>): MemberChange {
  return {
    eventId: 1,
    node,
    from: BACKUP,
    to: ACTIVE,
    cause: 'active-down',
    message: 'no advertisement for 3.6 s',
    at: NOON + 123,
    receivedAt: NOON + 200,
    priority: 100,
    peer: '',
    vrid: 10,
    knownState: BACKUP,
    knownSince: NOON - 60_000,
    ...more,
  };
}

const failover: Alert = {
  isGroup: false,
  kind: 'failover',
  severity: 'warning',
  router: 'pg',
  vrid: 10,
  addresses: ['192.0.2.26/24', '192.0.2.27'],
  headline: 'base1 -> base2 active',
  cause: 'check pg-alive failed on base1',
  happenedAt: NOON,
  delayMs: 80,
  changes: [
    change('base1', { from: ACTIVE, to: BACKUP, at: NOON, priority: 90, message: 'heard priority 100 from 192.0.2.2' }),
    change('base2', {}),
  ],
  members: [
    { node: 'base1', state: BACKUP, since: NOON, priority: 90 },
    { node: 'base2', state: ACTIVE, since: NOON + 123, priority: 100 },
  ],
  notes: [],
};

test('a failover reads well', () => {
  const { subject, text } = renderAlert(failover);
  assert.equal(subject, '[Baton] pg: base1 -> base2 active (check pg-alive failed on base1)');
  assert.equal(
    text,
    `Virtual router: pg (VRID 10)
What:           base1 -> base2 active
Cause:          check pg-alive failed on base1
When:           2026-11-22 12:00:00.000 UTC
Addresses:      192.0.2.26/24, 192.0.2.27

State changes
  Time                         Node   Change            Priority  Reason
  2026-11-22 12:00:00.000 UTC  base1  active -> backup  90        heard priority 100 from 192.0.2.2
  2026-11-22 12:00:00.123 UTC  base2  backup -> active  100       no advertisement for 3.6 s

Members by last report
  Node   State   Priority  Since
  base1  backup  90        2026-11-22 12:00:00.000 UTC
  base2  active  100       2026-11-22 12:00:00.123 UTC

-- 
Sent by Baton. Times are those of the nodes, in UTC.
`,
  );
});

test('what is told late says how late', () => {
  const { text } = renderAlert({ ...failover, delayMs: 3_723_000 });
  assert.match(text, /^Reported late: +the controller was told 1h 2m after it happened$/mu);
});

test('nothing from a host can forge a line, a header or a tag', () => {
  const nasty = 'a\r\nBcc: x@evil\u2028<script>alert("1")</script>\u0000\u001b[31m\u202e\'&';
  const { subject, text, html } = renderAlert({
    ...failover,
    router: nasty,
    headline: nasty,
    cause: nasty,
    addresses: [nasty],
    changes: [change(nasty, { message: nasty, cause: nasty })],
    members: [{ node: nasty, state: ACTIVE, since: NOON, priority: 1 }],
    notes: [nasty],
  });
  for (const part of [subject, text, html]) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
    assert.doesNotMatch(part, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202e]/u);
  }
  assert.doesNotMatch(subject, /\n/u);
  assert.doesNotMatch(text, /^Bcc:/mu);
  assert.doesNotMatch(html, /<script|alert\("/u);
  assert.match(html, /&lt;script&gt;alert\(&quot;1&quot;\)&lt;\/script&gt;/u);
  assert.match(html, /&#39;&amp;/u);
});

test('a subject and a list of changes have an end', () => {
  const { subject, text } = renderAlert({
    ...failover,
    cause: 'x'.repeat(10_000),
    changes: Array.from({ length: 1_000 }, (_, index) => change('base2', { message: `change ${index}` })),
  });
  assert.ok(subject.length <= 200, `${subject.length}`);
  assert.match(text, /900 earlier changes are not shown/u);
  assert.match(text, /change 999/u);
  assert.doesNotMatch(text, /change 899\b/u);
});

test('a test mail says what it is', () => {
  const { subject, text } = renderTest('ops', 'controller', NOON);
  assert.equal(subject, '[Baton] test mail for receiver ops');
  assert.match(text, /sent at 2026-11-22 12:00:00\.000 UTC through the receiver "ops"/u);
});

test('a sync group has its own words, and neither VRID nor priorities', () => {
  const { subject, text, html } = renderAlert({ ...failover, router: 'both', isGroup: true, vrid: 0 });
  assert.match(subject, /^\[Baton\] group both: /u);
  assert.match(text, /^Sync group: +both$/mu);
  assert.doesNotMatch(`${text}${html}`, /Priority|VRID/u);
});
