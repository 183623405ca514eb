import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errnoName, errnoOfText, refusal, SocketOpenError } from '../../agent/net/system-error.js';

test('numbers have the names that manual pages use', () => {
  assert.equal(errnoName(19), 'ENODEV');
  assert.equal(errnoName(11), 'EAGAIN');
  assert.equal(errnoName(95), 'EOPNOTSUPP');
  assert.equal(errnoName(9999), 'E9999');
});

test('a refusal says what was tried, and what to do or what the kernel said', () => {
  assert.equal(
    refusal(1, 'open a socket').message,
    'cannot open a socket: EPERM (CAP_NET_ADMIN and CAP_NET_RAW are needed)',
  );
  assert.equal(refusal(22, 'do it', 'no such thing').message, 'cannot do it: EINVAL (no such thing)');
  assert.equal(refusal(22, 'do it').message, 'cannot do it: EINVAL');
});

test('words of strerror have their number', () => {
  assert.equal(errnoOfText('No such device'), 19);
  assert.equal(errnoOfText('Resource temporarily unavailable'), 11);
  assert.equal(errnoOfText('something else'), undefined);
});

test('the exception carries the code', () => {
  const error = new SocketOpenError(refusal(19, 'bind to em1'));
  assert.equal(error.code, 'ENODEV');
  assert.equal(error.errno, 19);
  assert.equal(error.name, 'SocketOpenError');
});
