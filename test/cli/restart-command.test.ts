import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rolesKept } from '../../agent/cli/restart-command.js';
import { MemberState } from '../../proto/gen/baton/v1/status.js';
import { sampleStatus } from '../local/sample-status.js';

test('a restart says of every router that was active what became of it, and nothing of the others', () => {
  const active = { state: MemberState.ACTIVE, cause: 'it went on' };
  const before = sampleStatus(active);
  assert.deepEqual(rolesKept(before, sampleStatus(active)), ['pg: stayed active']);
  assert.deepEqual(rolesKept(before, sampleStatus({ cause: 'it started' })), ['pg: not active any more: it started']);
  assert.deepEqual(rolesKept(before, sampleStatus({ name: 'other' })), ['pg: no longer configured']);
  assert.deepEqual(rolesKept(sampleStatus(), sampleStatus(active)), []);
});
