import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { messagesOf, type NetlinkMessage, NetlinkWriter } from '../../agent/wire/netlink-message.js';
import { readProcessEvent, writeProcessListening } from '../../agent/wire/process-event.js';
import { bytesOf } from './captured.js';

/*
 * From Linux 6.18: the answer to a listener, and what a shell that runs `true` brings forth.
 */
const HEAD = '4c000000 0300 0000 08050000 00000000 01000000 01000000';
const ANSWER = `${HEAD} 05050000 ec780000 28000000 00000000 01000000 8cd30d0a480c0000 00000000 ${'00'.repeat(20)}`;
const FORK = `${HEAD} 07050000 00000000 28000000 01000000 01000000 60af100a480c0000 eb780000 eb780000 14790000 14790000
  ${'00'.repeat(8)}`;
const EXEC = `${HEAD} 08050000 00000000 28000000 02000000 01000000 8c851c0a480c0000 14790000 14790000 ${'00'.repeat(16)}`;
const EXIT = `${HEAD} 09050000 00000000 28000000 00000080 01000000 4b98240a480c0000 14790000 14790000
  00000000 11000000 eb780000 eb780000`;
/** Made by hand from linux/cn_proc.h. */
const COMM = `${HEAD} 09050000 00000000 28000000 00020000 01000000 4b98240a480c0000 14790000 14790000
  776f726b65720000 0000000000000000`;

const onlyMessage = (hex: string): NetlinkMessage => {
  const [message, ...more] = [...messagesOf(bytesOf(hex))];
  assert.ok(message !== undefined && more.length === 0);
  return message;
};
const read = (hex: string) => readProcessEvent(onlyMessage(hex));

test('events are read as the kernel wrote them', () => {
  assert.deepEqual(read(ANSWER), { kind: 'answer', tag: 0x78eb, errno: 0 });
  assert.deepEqual(read(ANSWER.replace('480c0000 00000000', '480c0000 01000000')), {
    kind: 'answer',
    tag: 0x78eb,
    errno: 1,
  });
  assert.deepEqual(read(FORK), { kind: 'fork', parent: 0x78eb, process: 0x7914 });
  assert.deepEqual(read(EXEC), { kind: 'exec', process: 0x7914 });
  assert.deepEqual(read(COMM), { kind: 'comm', process: 0x7914, command: 'worker' });
  assert.deepEqual(read(EXIT), { kind: 'exit', process: 0x7914 });
});

test('threads, other kinds and other connectors are not read', () => {
  assert.equal(read(FORK.replace('14790000 14790000', '15790000 14790000')), undefined);
  assert.equal(read(COMM.replace('14790000 14790000', '15790000 14790000')), undefined);
  assert.equal(read(EXIT.replace('14790000 14790000', '15790000 14790000')), undefined);
  // A thread that starts a program becomes the process.
  assert.deepEqual(read(EXEC.replace('14790000 14790000', '15790000 14790000')), { kind: 'exec', process: 0x7914 });
  assert.equal(read(EXIT.replace('00000080', '04000000')), undefined);
  assert.equal(read(EXIT.replace('01000000 01000000', '02000000 01000000')), undefined);
});

test('bytes of the request', () => {
  const written = (on: boolean) => {
    const writer = new NetlinkWriter();
    writeProcessListening(writer, on, 0x78eb);
    return writer.datagram();
  };
  const request = '28000000 0300 0100 00000000 00000000 01000000 01000000 00000000 eb780000 0400 0000';
  assert.deepEqual(written(true), bytesOf(`${request} 01000000`));
  assert.deepEqual(written(false), bytesOf(`${request} 02000000`));
});

test('cut at every offset, and any mutation: an answer', () => {
  for (const hex of [ANSWER, FORK, EXEC, COMM, EXIT]) {
    const whole = onlyMessage(hex);
    for (let length = 0; length <= whole.payload.length; length++) {
      const event = readProcessEvent({ ...whole, payload: whole.payload.slice(0, length) });
      if (length < 44) assert.equal(event, undefined);
    }
    const mutation = fc.record({ at: fc.nat(whole.payload.length - 1), value: fc.nat(255) });
    fc.assert(
      fc.property(fc.array(mutation, { maxLength: 4 }), (mutations) => {
        const payload = whole.payload.slice();
        for (const { at, value } of mutations) payload[at] = value;
        const event = readProcessEvent({ ...whole, payload });
        if (event?.kind === 'comm') assert.ok(event.command.length <= 16);
      }),
      { seed: 34, numRuns: 300 },
    );
  }
});
