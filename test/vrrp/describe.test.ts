import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareIpv4, describeNotice, describeReason, formatIpv4 } from '../../agent/vrrp/index.js';
import { GREATER } from './sample-router.js';

test('addresses are dotted quads', () => {
  assert.equal(formatIpv4(0), '0.0.0.0');
  assert.equal(formatIpv4(0xffff_ffff), '255.255.255.255');
  assert.equal(formatIpv4(0xc0a8_011a), '192.168.1.26');
});

test('addresses compare as unsigned numbers', () => {
  assert.ok(compareIpv4(0x8000_0000, 0x7fff_ffff) > 0, '128.0.0.0 is greater than 127.255.255.255');
  assert.ok(compareIpv4(0x0a00_0001, 0x0a00_0002) < 0);
  assert.equal(compareIpv4(7, 7), 0);
});

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
