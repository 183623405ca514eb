import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeNotice, describeReason } from '../../agent/vrrp/index.js';
import { GREATER } from './sample-router.js';

test('reasons are sentences with addresses and names', () => {
  assert.equal(
    describeReason({ code: 'preempted', peer: GREATER, priority: 90 }),
    'took over from 192.0.2.3, which advertises the lower priority 90',
  );
  assert.equal(
    describeReason({ code: 'track-failed', tracks: ['interface em1', 'check pg'] }),
    'failed: interface em1, check pg',
  );
});

test('notices name who caused them', () => {
  assert.match(describeNotice('interval-bounded', GREATER), /^192\.0\.2\.3 advertises an interval far above/);
  assert.match(describeNotice('owner-conflict'), /^another router/);
});

test('addresses of IPv6 as RFC 5952 has them', () => {
  assert.match(
    describeReason({ code: 'higher-priority-heard', peer: (0xfe80n << 112n) | 2n, priority: 200 }),
    /^fe80::2 advertises/,
  );
});

test('a group names the member that caused it and why', () => {
  assert.equal(describeReason({ code: 'group', member: 'pg' }), 'moves with pg of its sync group');
  assert.equal(
    describeReason({ code: 'group', member: 'pg', why: { code: 'track-failed', tracks: ['check pg'] } }),
    'moves with pg of its sync group: failed: check pg',
  );
});
