import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Attempt } from '../../controller/notify/delivery.js';
import { SendTestError } from '../../controller/notify/index.js';
import {
  ACTIVE,
  accept,
  BACKUP,
  checkChanged,
  FAULT,
  INITIALIZE,
  NOON,
  Office,
  openTables,
  quiet,
  receiver,
  router,
  transition,
} from './alert-fixture.js';

const base1Starts = transition({ node: 'base1', from: BACKUP, to: ACTIVE, cause: 'active-down', at: NOON - 60_000 });
const base1Leaves = transition({
  node: 'base1',
  from: ACTIVE,
  to: BACKUP,
  cause: 'higher-priority-heard',
  priority: 90,
});
const base2Takes = transition({ node: 'base2', from: BACKUP, to: ACTIVE, cause: 'active-down', at: NOON + 5 });
const failover = [checkChanged('base1', 'pg-alive', 'down', NOON - 500), base1Leaves, base2Takes];

const down: Attempt = { kind: 'unreachable', reason: 'mail.example.net:25: connect ECONNREFUSED' };

function refusing(...codes: [string, number][]): Attempt {
  const refused = codes.map(([recipient, code]) => ({ recipient, code, reason: `${code} no` }));
  return { kind: 'refused', refused, reason: 'refused' };
}

test('one failover on two nodes is one mail to each receiver, one group wait after the first report', async () => {
  const office = new Office(await openTables());
  office.receivers.set('dba', receiver({ to: ['dba@example.net', 'On Call <oncall@example.net>'] }));
  office.routers.set('pg', router(['ops', 'dba']));
  office.notifier.start();
  await office.hear(...failover.slice(0, 2));
  await office.clock.advance(1_000);
  await office.hear(base2Takes);
  await office.clock.advance(999);
  assert.equal(office.sent.length, 0);
  await office.clock.advance(1);
  assert.deepEqual(
    office.sent.map(({ mail }) => mail.subject),
    Array(2).fill('[Baton] pg: base1 -> base2 active (check pg-alive failed on base1)'),
  );
  assert.deepEqual(office.sent.map(({ mail }) => mail.to.map(({ address }) => address)).sort(), [
    ['dba@example.net', 'oncall@example.net'],
    ['ops@example.net'],
  ]);
  const [first] = office.sent;
  assert.match(first?.mail.messageId ?? '', /^<id-\d+@example\.net>$/u);
  assert.deepEqual(first?.mail.headers, {
    'Auto-Submitted': 'auto-generated',
    'X-Baton-Router': 'pg',
    'X-Baton-Event': 'failover',
    'X-Baton-Alert': 'id-1',
  });
  await office.clock.advance(600_000);
  assert.equal(office.sent.length, 2);
  assert.deepEqual(await office.notifier.overview(), { pending: 0, sent: 2, failed: 0, lastError: '' });
  await office.notifier.stop();
});

test('who was active is remembered over restarts, so the death of a host names it', async () => {
  const office = new Office(await openTables());
  office.notifier.start();
  await office.hear(base1Starts);
  await office.clock.advance(25_000);
  await office.notifier.stop();
  office.hire().start();
  await office.hear(base2Takes);
  // Held up, and the controller has just started: base1 might have given up and not found it yet.
  await office.clock.advance(25_000);
  assert.equal(office.sent.at(-1)?.mail.subject, '[Baton] pg: base1 -> base2 active (base2 heard nothing from base1)');
  await office.notifier.stop();
});

test('a router without receivers is not mailed, and what it did is not kept', async () => {
  const office = new Office(await openTables());
  office.routers.set('pg', router([]));
  office.notifier.start();
  await office.hear(...failover);
  await office.clock.advance(10_000);
  assert.equal(office.sent.length, 0);
  assert.deepEqual(await office.db.selectFrom('alert_transitions').selectAll().execute(), []);
  await office.notifier.stop();
});

test('agents that start beside each other are not mailed', async () => {
  const office = new Office(await openTables());
  office.notifier.start();
  await office.hear(
    transition({ node: 'base1', from: INITIALIZE, to: BACKUP, cause: 'startup' }),
    transition({ node: 'base2', from: INITIALIZE, to: BACKUP, cause: 'startup' }),
  );
  await office.clock.advance(10_000);
  assert.equal(office.sent.length, 0);
  await office.notifier.stop();
});

test('routers are told apart', async () => {
  const office = new Office(await openTables());
  office.routers.set('web', router(['ops']));
  office.notifier.start();
  await office.hear(
    base2Takes,
    transition({ node: 'base1', router: 'web', from: BACKUP, to: FAULT, cause: 'track-failed' }),
  );
  await office.clock.advance(2_000);
  assert.deepEqual(office.sent.map(({ mail }) => mail.headers['X-Baton-Router']).sort(), ['pg', 'web']);
  await office.notifier.stop();
});

test('what was recorded before a crash is mailed by the next run', async () => {
  const office = new Office(await openTables());
  await office.hear(...failover);
  office.clock.set(NOON + 3_600_000);
  office.notifier.start();
  await quiet();
  assert.equal(office.sent.length, 1);
  await office.notifier.stop();
});

test('events of an outage of the controller: one mail although the nodes come back seconds apart, with its lateness', async () => {
  const office = new Office(await openTables());
  office.clock.set(NOON + 600_000);
  office.notifier.start();
  await office.hear(base2Takes);
  await office.clock.advance(4_000);
  await office.hear(...failover.slice(0, 2));
  await office.clock.advance(60_000);
  assert.equal(office.sent.length, 1);
  const mail = office.sent[0]?.mail;
  assert.equal(mail?.subject, '[Baton] pg: base1 -> base2 active (check pg-alive failed on base1)');
  assert.match(mail?.text ?? '', /Reported late: +the controller was told 10m 4s after it happened/u);
  assert.match(mail?.text ?? '', /When: +2026-11-22 12:00:00\.000 UTC/u);
  await office.notifier.stop();
});

test('the second node may come back even later', async () => {
  const office = new Office(await openTables());
  office.clock.set(NOON + 600_000);
  office.notifier.start();
  await office.hear(base2Takes);
  await office.clock.advance(60_000);
  await office.hear(...failover.slice(0, 2));
  await office.clock.advance(60_000);
  assert.equal(office.sent.length, 1);
  await office.notifier.stop();
});

test('a server that is down is tried again, more and more rarely, with the same Message-ID', async () => {
  const office = new Office(await openTables());
  office.answer = () => down;
  office.notifier.start();
  await office.hear(...failover);
  await office.clock.advance(2_000 + 2_000 + 4_000 + 8_000);
  assert.deepEqual(
    office.sent.map(({ at }) => at - NOON),
    [2_000, 4_000, 8_000, 16_000],
  );
  assert.deepEqual(await office.notifier.overview(), {
    pending: 1,
    sent: 0,
    failed: 0,
    lastError: 'ops: mail.example.net:25: connect ECONNREFUSED',
  });
  await office.notifier.stop();

  office.hire().start();
  office.answer = accept;
  await office.clock.advance(16_000);
  assert.equal(office.sent.length, 5);
  assert.equal(new Set(office.sent.map(({ mail }) => mail.messageId)).size, 1);
  assert.equal(new Set(office.sent.map(({ mail }) => mail.date.getTime())).size, 1);
  assert.deepEqual(await office.notifier.overview(), { pending: 0, sent: 1, failed: 0, lastError: '' });
  await office.notifier.stop();
});

test('while a server is down only one mail knocks', async () => {
  const office = new Office(await openTables());
  office.routers.set('web', router(['ops']));
  office.answer = () => down;
  office.notifier.start();
  await office.hear(
    ...failover,
    transition({ node: 'base1', router: 'web', from: BACKUP, to: FAULT, cause: 'track-failed' }),
  );
  await office.clock.advance(2_000);
  assert.equal(office.sent.length, 1);
  office.answer = accept;
  await office.clock.advance(2_000);
  assert.deepEqual(
    office.sent
      .map(({ mail }) => mail.headers['X-Baton-Router'])
      .slice(1)
      .sort(),
    ['pg', 'web'],
  );
  await office.notifier.stop();
});

test('a receiver that hangs holds up no other receiver', async () => {
  const office = new Office(await openTables());
  office.receivers.set('dba', receiver({ to: ['dba@example.net'] }));
  office.routers.set('pg', router(['ops', 'dba']));
  office.answer = (mail, signal) =>
    mail.to[0]?.address === 'ops@example.net'
      ? new Promise((resolve) => signal.addEventListener('abort', () => resolve(down)))
      : accept(mail);
  office.notifier.start();
  await office.hear(...failover);
  await office.clock.advance(2_000);
  assert.equal((await office.notifier.overview()).sent, 1);
  // Stopping ends the one that hangs; it counts as no attempt.
  await office.notifier.stop();
  const [waiting] = await office.db.selectFrom('outbox').selectAll().where('state', '=', 'pending').execute();
  assert.equal(waiting?.attempts, 0);
});

test('451 is tried again, 550 is a dead letter', async () => {
  const office = new Office(await openTables());
  office.answer = () => refusing(['ops@example.net', 451]);
  office.notifier.start();
  await office.hear(...failover);
  await office.clock.advance(2_000);
  assert.equal((await office.notifier.overview()).pending, 1);
  office.answer = () => refusing(['ops@example.net', 550]);
  await office.clock.advance(3_600_000);
  assert.equal(office.sent.length, 2);
  assert.deepEqual(await office.notifier.overview(), {
    pending: 0,
    sent: 0,
    failed: 1,
    lastError: 'ops: ops@example.net: 550 no',
  });
  await office.notifier.stop();
});

test('only those are tried again who do not have it, and a lost one stays visible', async () => {
  const office = new Office(await openTables());
  office.receivers.set(
    'ops',
    receiver({ to: ['a@example.net', 'b@example.net', 'gone@example.net', 'not an address'] }),
  );
  const partly: Attempt = {
    kind: 'delivered',
    accepted: ['a@example.net'],
    refused: [
      { recipient: 'b@example.net', code: 450, reason: '450 later' },
      { recipient: 'gone@example.net', code: 550, reason: '550 unknown' },
    ],
    response: '250',
    security: 'none',
  };
  office.answer = () => partly;
  office.notifier.start();
  await office.hear(...failover);
  await office.clock.advance(2_000);
  office.answer = accept;
  await office.clock.advance(2_000);
  assert.deepEqual(
    office.sent.map(({ mail }) => mail.to.map(({ address }) => address)),
    [['a@example.net', 'b@example.net', 'gone@example.net'], ['b@example.net']],
  );
  const overview = await office.notifier.overview();
  assert.equal(overview.failed, 1);
  assert.match(overview.lastError, /gone@example\.net: 550 unknown/u);
  assert.match(overview.lastError, /not an address/u);
  assert.match(overview.lastError, /delivered to a@example\.net, b@example\.net/u);
  await office.notifier.stop();
});

test('undeliverable mail is given up at its time, not before and not never', async () => {
  const office = new Office(await openTables(), { giveUpAfterMs: 60_000 });
  office.answer = () => down;
  office.notifier.start();
  await office.hear(...failover);
  await office.clock.advance(2_000 + 59_999);
  assert.equal((await office.notifier.overview()).pending, 1);
  await office.clock.advance(1);
  const { failed, lastError } = await office.notifier.overview();
  assert.equal(failed, 1);
  assert.match(lastError, /ECONNREFUSED; given up after \d+ attempts/u);
  const tries = office.sent.length;
  await office.clock.advance(3_600_000);
  assert.equal(office.sent.length, tries);
  await office.notifier.stop();
});

test('settings that would send a password in clear send nothing, and correcting them helps the waiting mail', async () => {
  const office = new Office(await openTables());
  const authentication = { username: 'baton', secret: 'smtp' };
  office.receivers.set('ops', receiver({ to: ['ops@example.net'], authentication }));
  office.notifier.start();
  await office.hear(...failover);
  await office.clock.advance(2_000);
  assert.equal(office.sent.length, 0);
  assert.match((await office.notifier.overview()).lastError, /there is no Secret "smtp"/u);
  office.secrets.set('smtp', 'hunter2');
  await office.clock.advance(2_000);
  assert.deepEqual(office.sent[0]?.settings.login, { username: 'baton', password: 'hunter2' });
  await office.notifier.stop();
});

test('a receiver that was deleted makes its mail a dead letter', async () => {
  const office = new Office(await openTables());
  office.notifier.start();
  await office.hear(...failover);
  office.receivers.delete('ops');
  await office.clock.advance(2_000);
  assert.equal((await office.notifier.overview()).failed, 1);
  await office.notifier.stop();
});

test('a directory that fails for a while loses nothing', async () => {
  const office = new Office(await openTables());
  const { routers } = office;
  const get = routers.get.bind(routers);
  routers.get = () => {
    throw new RangeError('disk I/O error');
  };
  office.notifier.start();
  await office.hear(...failover);
  await office.clock.advance(20_000);
  assert.equal(office.sent.length, 0);
  routers.get = get;
  await office.clock.advance(5_000);
  assert.equal(office.sent.length, 1);
  await office.notifier.stop();
});

test('the wall clock set back by a day holds nothing up for a day', async () => {
  const office = new Office(await openTables());
  office.answer = () => down;
  office.notifier.start();
  await office.hear(...failover);
  await office.clock.advance(2_000);
  assert.equal(office.sent.length, 1);
  office.clock.set(NOON - 86_400_000);
  office.notifier.wake();
  await quiet();
  assert.equal(office.sent.length, 2);
  await office.notifier.stop();
});

test('a test mail goes past the outbox and tells what the server said', async () => {
  const office = new Office(await openTables());
  const answer = await office.notifier.sendTest('ops');
  assert.deepEqual(answer, {
    accepted: ['ops@example.net'],
    rejected: [],
    response: '250 ok',
    messageId: '<id-1@example.net>',
    security: 'TLSv1.3',
  });
  assert.equal(office.sent[0]?.mail.headers['X-Baton-Event'], 'test');
  assert.equal((await office.notifier.overview()).sent, 0);

  await assert.rejects(
    office.notifier.sendTest('nobody'),
    (error) => error instanceof SendTestError && error.code === 'not-found',
  );
  office.answer = () => down;
  await assert.rejects(
    office.notifier.sendTest('ops'),
    (error) => error instanceof SendTestError && error.code === 'failed' && /ECONNREFUSED/u.test(error.message),
  );
  office.receivers.set('ops', receiver({ to: [], from: 'baton@example.net' }));
  await assert.rejects(
    office.notifier.sendTest('ops'),
    (error) => error instanceof SendTestError && error.code === 'invalid',
  );
});
