import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ago, explain } from '../../agent/local/explain.js';
import { MemberState } from '../../proto/gen/baton/v1/status.js';
import { NOW, sampleStatus, secondsAgo } from './sample-status.js';

function sections(...parameters: Parameters<typeof sampleStatus>): Record<string, readonly string[]> {
  const explanation = explain(sampleStatus(...parameters), 'pg');
  assert.ok(explanation);
  return Object.fromEntries(explanation.sections.map(({ title, sentences }) => [title, sentences]));
}

test('a backup: why, its priority term by term, and what would make it active', () => {
  const { State, Priority, Next, Others, Addresses } = sections();
  assert.deepEqual(State, [
    'pg (VRID 10, version 2, on em1) has been backup for 12s: 192.168.1.12 advertises the higher priority 100.',
  ]);
  assert.deepEqual(Priority, [
    'The effective priority is 80:',
    '  100 base (configured priority)',
    '  - 20 check alive (down, weight -20; last run: exit code 1)',
  ]);
  assert.deepEqual(Next, [
    '192.168.1.12 is active with priority 100.',
    'It takes over when it hears nothing for 3.6875s (now in 3s), or 687.5ms after the active router says that it stops.',
    'It preempts an active router of lower priority: with 101 or more it would take over.',
  ]);
  assert.deepEqual(Others, ['192.168.1.12: priority 100, every 1s, last heard 0s ago.']);
  assert.deepEqual(Addresses, ['192.168.1.26/24 is not on this host.', '192.168.1.27/24 is on this host.']);
});

test('preemption as it is', () => {
  assert.equal(
    sections({ preempt: false })['Next']?.[2],
    'It does not preempt: a working active router of lower priority stays active.',
  );
  assert.equal(
    sections({ activePriority: 60 })['Next']?.[2],
    'Its priority 80 is higher than 60: it is about to take over.',
  );
  assert.equal(sections({ activeAddress: '', activePriority: 0 })['Next']?.[0], 'No active router is known.');
});

test('an active router: when others take over, and what becomes of its addresses', () => {
  const { State, Next } = sections({
    state: MemberState.ACTIVE,
    cause: 'no advertisement was heard',
    handingOver: true,
  });
  assert.equal(State?.[1], 'It is handing its addresses over in a planned stop.');
  assert.match(Next?.[2] ?? '', /leased: the kernel removes them 3s after/);
  assert.match(sections({ state: MemberState.ACTIVE, lease: undefined })['Next']?.[2] ?? '', /no lease/);
});

test('what holds a router in fault is named with the last result of the check', () => {
  const held = sections({ state: MemberState.FAULT, holdReasons: ['check alive', 'interface em1'] })['Holds it'];
  assert.deepEqual(held, ['Check alive: exit code 1, 4 times in a row.', 'Interface em1.']);
});

test('a signed IPv6 router on its own MAC address says so', () => {
  const { State } = sections({
    version: 3,
    family: 6,
    transport: 'unicast',
    virtualMac: '00:00:5e:00:02:0a',
    virtualMacInterface: 'vrrp6.10',
    authentication: 'hmac key 1, enforce',
  });
  assert.match(
    State?.[0] ?? '',
    /^pg \(VRID 10, version 3 over IPv6, by unicast on em1 as 00:00:5e:00:02:0a \(vrrp6\.10\), authentication hmac key 1, enforce\)/,
  );
});

test('a group: its state, who else is in it, and what one in fault means', () => {
  const groups = [{ name: 'g', state: MemberState.BACKUP, policy: 'all', routers: ['pg', 'web'] }];
  assert.deepEqual(sections({ group: 'g' }, { groups })['Group'], [
    'It belongs to the group g, which is backup, with web.',
    'They move together; one in fault takes all of them to fault.',
  ]);
  const any = groups.map((group) => ({ ...group, policy: 'any' }));
  assert.match(sections({ group: 'g' }, { groups: any })['Group']?.[1] ?? '', /leaves the others to go on/);
  assert.equal(sections()['Group'], undefined);
});

test('how well others are heard, and who was refused', () => {
  const { Others, Refused } = sections({
    peers: [
      {
        address: '192.168.1.12',
        priority: 100,
        lastHeard: secondsAgo(1),
        advertisementInterval: { seconds: 1, nanos: 0 },
        advertisements: 97,
        lost: 3,
        jitter: { seconds: 0, nanos: 2_500_000 },
        checksumForm: 'pseudo_header',
        authentication: 'signed',
      },
    ],
    rejected: [
      { source: '192.168.1.66', reason: 'bad-ttl', count: 2, last: secondsAgo(5) },
      { source: '', reason: 'truncated', count: 1, last: secondsAgo(7) },
    ],
  });
  assert.deepEqual(Others, [
    '192.168.1.12: priority 100, every 1s, last heard 1s ago, 3 of 100 lost, jitter 2.5ms, checksum with pseudo-header, signed.',
  ]);
  assert.deepEqual(Refused, [
    'Refused 2 advertisements from 192.168.1.66: bad-ttl, the last one 5s ago.',
    'Refused an advertisement from an unknown sender: truncated, the last one 7s ago.',
  ]);
});

test('all that moves with the router, and who else answers for it', () => {
  const { Addresses } = sections({
    addresses: ['192.168.1.26/24'],
    excludedAddresses: ['10.0.0.1/32'],
    heldAddresses: ['10.0.0.1/32'],
    routes: ['default via 192.168.1.1'],
    heldRoutes: ['default via 192.168.1.1'],
    rules: ['from 10.0.0.1 lookup 100'],
    accept: false,
    conflicts: [{ address: '192.168.1.26', mac: '02:00:00:00:00:66', last: secondsAgo(1) }],
  });
  assert.deepEqual(Addresses, [
    '192.168.1.26/24 is not on this host.',
    '10.0.0.1/32 (not advertised) is on this host.',
    'The route default via 192.168.1.1 is on this host.',
    'The rule from 10.0.0.1 lookup 100 is not on this host.',
    'Traffic to them is dropped while active: accept is false.',
    '02:00:00:00:00:66 answers for 192.168.1.26 too.',
  ]);
});

test("keepalived's spelling of a name finds the router; others do not", () => {
  assert.equal(explain(sampleStatus(), 'PG')?.router, 'pg');
  assert.equal(explain(sampleStatus(), 'web'), undefined);
});

test('how long ago, in the two greatest units', () => {
  for (const [seconds, text] of [
    [0, '0s'],
    [59, '59s'],
    [60, '1m0s'],
    [3_599, '59m59s'],
    [3_600, '1h0m'],
    [90_000, '1d1h'],
    [-5, '0s'],
  ] as const) {
    assert.equal(ago(secondsAgo(seconds), NOW), text);
  }
});
