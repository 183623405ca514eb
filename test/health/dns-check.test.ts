import assert from 'node:assert/strict';
import { createSocket, type RemoteInfo } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import type { DnsProbe } from '../../agent/health/check-settings.js';
import { dnsAttempt } from '../../agent/health/dns-check.js';
import { type DnsQuestion, decodeResponse, encodeQuery } from '../../agent/health/dns-message.js';
import { CheckResult } from '../../proto/gen/baton/v1/status.js';
import { closedPort, listen, outcomeOf } from './attempts.js';

/** "a.b" as labels of a message. */
function labels(name: string): Buffer {
  const parts = name.split('.').filter((part) => part !== '');
  return Buffer.concat([
    ...parts.map((part) => Buffer.from(`${String.fromCharCode(part.length)}${part}`)),
    Buffer.alloc(1),
  ]);
}

/** One record whose owner is the question's name, by a pointer to byte 12. */
function record(type: number, data: Buffer): Buffer {
  const head = Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 60, 0, 0]);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

/** The response to a query, its question repeated. */
function response(query: Buffer, records: readonly Buffer[], flags = 0x8180): Buffer {
  const head = Buffer.from(query.subarray(0, 12));
  head.writeUInt16BE(flags, 2);
  head.writeUInt16BE(records.length, 6);
  return Buffer.concat([head, query.subarray(12), ...records]);
}

const IPV4 = record(1, Buffer.from([192, 0, 2, 1]));

async function withServer<T>(
  answers: (query: Buffer) => readonly Buffer[],
  use: (port: number) => Promise<T>,
): Promise<T> {
  const socket = createSocket('udp4');
  socket.on('message', (query: Buffer, from: RemoteInfo) => {
    for (const answer of answers(query)) socket.send(answer, from.port, from.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  try {
    return await use(socket.address().port);
  } finally {
    socket.close();
  }
}

async function ask(port: number, overrides: Partial<DnsProbe> = {}, timeout?: number) {
  const probe: DnsProbe = {
    kind: 'dns',
    server: '127.0.0.1',
    port,
    name: 'www.example.com',
    type: 'A',
    expect: [],
    tcp: false,
    ...overrides,
  };
  const { result, reason, output } = await outcomeOf(dnsAttempt(probe), timeout);
  return { result, reason, output };
}

test('any answer with the code NOERROR is good when nothing is expected', async () => {
  await withServer(
    (query) => [response(query, [])],
    async (port) => {
      assert.deepEqual(await ask(port), { result: CheckResult.OK, reason: '', output: 'NOERROR' });
    },
  );
  await withServer(
    (query) => [response(query, [], 0x8182)],
    async (port) => {
      assert.deepEqual(await ask(port), {
        result: CheckResult.FAILED,
        reason: `127.0.0.1:${port} answered SERVFAIL`,
        output: 'SERVFAIL',
      });
    },
  );
});

test('what is expected must be among the records', async () => {
  const rows = [
    ['A', IPV4, ['192.0.2.1'], ['192.0.2.2']],
    ['AAAA', record(28, Buffer.from('20010db8000000000000000000000001', 'hex')), ['2001:DB8::1'], ['::1']],
    ['CNAME', record(5, labels('Real.example.com')), ['real.example.com.'], ['com']],
    [
      'MX',
      record(15, Buffer.concat([Buffer.from([0, 10]), labels('mx.test')])),
      ['10 mx.test', 'mx.test'],
      ['20 mx.test'],
    ],
    ['SRV', record(33, Buffer.concat([Buffer.from([0, 1, 0, 2, 0, 80]), labels('s.test')])), ['1 2 80 s.test'], ['80']],
    ['TXT', record(16, Buffer.from('\x02ab\x01c')), ['abc'], ['ab']],
    ['NS', record(2, Buffer.concat([Buffer.from('\x02ns'), Buffer.from([0xc0, 16])])), ['ns.example.com'], ['ns']],
  ] as const;
  for (const [type, bytes, wanted, unwanted] of rows) {
    await withServer(
      (query) => [response(query, [record(99, Buffer.from('other')), bytes])],
      async (port) => {
        for (const expected of wanted) {
          assert.equal((await ask(port, { type, expect: ['no', expected] })).reason, '', `${type} ${expected}`);
        }
        const missed = await ask(port, { type, expect: unwanted });
        assert.equal(missed.result, CheckResult.FAILED, type);
        assert.match(missed.reason, /answered .*, wanted /);
      },
    );
  }
  const soa = Buffer.concat([labels('ns.test'), labels('root.test'), Buffer.alloc(20)]);
  await withServer(
    (query) => [response(query, [record(6, soa)])],
    async (port) => {
      const found = await ask(port, { name: '.', type: 'SOA', expect: ['ns.test'] });
      assert.deepEqual([found.reason, found.output], ['', 'NOERROR\nns.test root.test 0 0 0 0 0']);
    },
  );
});

test('only the response to the question counts, whatever comes before it', async () => {
  await withServer(
    (query) => {
      const otherId = response(query, [IPV4]);
      otherId.writeUInt16BE((query.readUInt16BE(0) + 1) & 0xffff, 0);
      const otherName = response(Buffer.concat([query.subarray(0, 12), labels('evil.test'), query.subarray(-4)]), [
        IPV4,
      ]);
      return [Buffer.alloc(0), Buffer.from('junk'), query, otherId, otherName, response(query, [])];
    },
    async (port) => {
      const outcome = await ask(port, { expect: ['192.0.2.1'] });
      assert.equal(outcome.reason, `127.0.0.1:${port} answered no A record, wanted 192.0.2.1`);
    },
  );
  await withServer(
    () => [Buffer.from('junk')],
    async (port) => {
      const outcome = await ask(port, {}, 150);
      assert.equal(outcome.result, CheckResult.TIMED_OUT);
      assert.match(outcome.reason, /^no answer within 0.15 s: .*; 1 that came were to other questions$/);
    },
  );
});

test('a malformed response to the question is a failure, not an exception', async () => {
  const selfPointer = (query: Buffer) => Buffer.from([0xc0, query.length, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0]);
  for (const [records, reason] of [
    [() => [record(1, Buffer.from([1, 2, 3]))], /A record of 3 bytes/],
    [(query: Buffer) => [selfPointer(query)], /leads forwards/],
    [() => [Buffer.from([0xc0])], /longer than the message/],
    [() => [Buffer.concat([IPV4.subarray(0, 10), Buffer.from([0xff, 0xff])])], /longer than the message/],
    [() => [Buffer.from([0x80, 1])], /label of an unknown kind/],
  ] as const) {
    await withServer(
      (query) => [response(query, records(query))],
      async (port) => {
        const outcome = await ask(port);
        assert.equal(outcome.result, CheckResult.FAILED);
        assert.match(outcome.reason, /^malformed answer from 127\.0\.0\.1:/);
        assert.match(outcome.reason, reason);
      },
    );
  }
});

test('over TCP, whole or in pieces, and after a truncated answer', async () => {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (data) => {
      const answer = response(data.subarray(2), [IPV4]);
      const length = Buffer.from([answer.length >> 8, answer.length & 0xff]);
      socket.write(Buffer.concat([length, answer.subarray(0, 5)]), () => socket.write(answer.subarray(5)));
    });
  });
  const port = await listen(server);
  assert.equal((await ask(port, { tcp: true, expect: ['192.0.2.1'] })).reason, '');
  const truncating = createSocket('udp4');
  truncating.on('message', (query: Buffer, from) =>
    truncating.send(response(query, [], 0x8380), from.port, from.address),
  );
  truncating.bind(port, '127.0.0.1');
  await once(truncating, 'listening');
  assert.equal((await ask(port, { expect: ['192.0.2.1'] })).reason, '');
  assert.equal((await ask(port)).reason, '');
  truncating.close();
  server.close();
  const closed = await closedPort(createServer());
  assert.equal((await ask(closed, { tcp: true })).reason, `connection refused by 127.0.0.1:${closed}`);
  assert.equal((await ask(closed)).reason, `connection refused by 127.0.0.1:${closed}`);
});

test('what cannot be asked is no fault of the server', async () => {
  assert.equal((await ask(1, { server: 'ns.example.com' })).result, CheckResult.CANNOT_RUN);
  assert.equal((await ask(1, { name: `${'x'.repeat(64)}.com` })).result, CheckResult.CANNOT_RUN);
  assert.equal((await ask(1, { name: 'a..b' })).result, CheckResult.CANNOT_RUN);
});

test('no change of a response makes decoding throw or go on for ever', () => {
  const question: DnsQuestion = { id: 7, name: 'www.example.com', type: 'MX' };
  const query = encodeQuery(question);
  assert.ok(query !== undefined);
  const mx = record(15, Buffer.concat([Buffer.from([0, 10]), labels('mail.example.com')]));
  const whole = response(Buffer.from(query), [mx, mx, record(16, Buffer.from('\x03txt'))]);
  for (let length = 0; length <= whole.length; length += 1) decodeResponse(whole.subarray(0, length), question);
  let seed = 42;
  const random = () => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return seed >> 8;
  };
  const kinds = new Set<string>();
  for (let round = 0; round < 20_000; round += 1) {
    const mutated = Buffer.from(whole);
    for (let change = 0; change <= random() % 4; change += 1) mutated[random() % mutated.length] = random() & 0xff;
    kinds.add(decodeResponse(mutated, question).kind);
  }
  assert.deepEqual([...kinds].sort(), ['malformed', 'other', 'response']);
});
