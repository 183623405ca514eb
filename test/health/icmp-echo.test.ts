import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Echo, echoAnswer, encodeEcho } from '../../agent/health/icmp-echo.js';

const ECHO: Echo = { identifier: 0x1234, sequence: 1, payload: Uint8Array.from([1, 2, 3]) };
const IPV4_HEADER = Buffer.concat([Buffer.from([0x45]), Buffer.alloc(19)]);

function bytes(hexadecimal: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hexadecimal, 'hex'));
}

function v4(hexadecimal: string): Uint8Array {
  return Buffer.concat([IPV4_HEADER, bytes(hexadecimal)]);
}

test('requests of both families', () => {
  // 0800 + 1234 + 0001 + 0102 + 0300 = 1e37, whose complement is e1c8.
  assert.deepEqual(encodeEcho(4, ECHO), bytes('0800e1c812340001010203'));
  assert.deepEqual(encodeEcho(6, ECHO), bytes('8000000012340001010203'));
});

test('a reply is ours by source, identifier, sequence and bytes', () => {
  assert.deepEqual(echoAnswer(4, v4('0000000012340001010203'), ECHO, true), { kind: 'reply' });
  assert.deepEqual(echoAnswer(6, bytes('8100000012340001010203'), ECHO, true), { kind: 'reply' });
  assert.equal(echoAnswer(4, v4('0000000012340001010203'), ECHO, false), undefined);
  assert.equal(echoAnswer(4, v4('0800000012340001010203'), ECHO, true), undefined);
  assert.equal(echoAnswer(4, v4('0000000012350001010203'), ECHO, true), undefined);
  assert.equal(echoAnswer(4, v4('0000000012340002010203'), ECHO, true), undefined);
  assert.equal(echoAnswer(4, v4('0000000012340001010204'), ECHO, true), undefined);
  assert.equal(echoAnswer(4, v4('000000001234000101020300'), ECHO, true), undefined);
});

test('routers on the way say why a request of ours was not delivered', () => {
  const original = Buffer.concat([IPV4_HEADER, encodeEcho(4, ECHO)]);
  const unreachable = Buffer.concat([IPV4_HEADER, bytes('0301000000000000'), original]);
  assert.deepEqual(echoAnswer(4, unreachable, ECHO, false), { kind: 'unreachable', reason: 'host unreachable' });
  assert.equal(echoAnswer(4, unreachable, { ...ECHO, identifier: 1 }, false), undefined);
  const exceeded = Buffer.concat([bytes('0300000000000000'), Buffer.alloc(40), encodeEcho(6, ECHO)]);
  assert.deepEqual(echoAnswer(6, exceeded, ECHO, false), { kind: 'unreachable', reason: 'time to live exceeded' });
});

test('packets cut short anywhere are nobody’s', () => {
  const whole = Buffer.concat([IPV4_HEADER, bytes('0301000000000000'), IPV4_HEADER, encodeEcho(4, ECHO)]);
  for (let length = 0; length < 20 + 8 + 20 + 8; length += 1) {
    assert.equal(echoAnswer(4, whole.subarray(0, length), ECHO, true), undefined);
  }
  for (let length = 0; length < 8; length += 1)
    assert.equal(echoAnswer(6, new Uint8Array(length), ECHO, true), undefined);
});
