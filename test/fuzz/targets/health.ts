/** Answers to health checks: DNS messages and echoes of whoever is asked. */
import { decodeResponse, encodeQuery, sameDnsText } from '../../../agent/health/dns-message.js';
import { echoAnswer, encodeEcho } from '../../../agent/health/icmp-echo.js';
import { joined } from '../mutator.js';
import { internetChecksum } from '../reference/checksum.js';
import { must, mustEqual, PACKET_BUDGET, type Repair, type Target } from '../target.js';

const TYPES = ['A', 'NS', 'CNAME', 'SOA', 'PTR', 'MX', 'TXT', 'AAAA', 'SRV'] as const;
const NUMBERS = [1, 2, 5, 6, 12, 15, 16, 28, 33];
const NAME = 'vip.example.com';
const ID = 0x1234;

/** The first byte of the input says what was asked for. */
function questionOf(input: Uint8Array) {
  return { id: ID, name: NAME, type: TYPES[(input[0] ?? 0) % TYPES.length] ?? 'A' } as const;
}

function response(type: number, data: readonly number[], records = 1): Uint8Array {
  const number = NUMBERS[type] ?? 1;
  const [question] = [encodeQuery({ id: ID, name: NAME, type: TYPES[type] ?? 'A' }) ?? new Uint8Array(0)];
  const message = Uint8Array.from(question);
  message.set([0x81, 0x80, 0, 1, 0, records], 2);
  const record = Uint8Array.from([
    0xc0,
    12,
    0,
    number,
    0,
    1,
    0,
    0,
    0,
    60,
    data.length >> 8,
    data.length & 255,
    ...data,
  ]);
  return joined(Uint8Array.of(type), message, ...Array.from({ length: records }, () => record));
}

const pointer = [0xc0, 12];
const numbers = [0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8, 0, 9, 0, 10];
const label = [1, 97, 0];

const dnsHeader: Repair = (input, random) => {
  if (input.length < 13 + 17) return input;
  const question = encodeQuery(questionOf(input)) ?? new Uint8Array(0);
  const records = input[8] === 0 ? (input[8] ?? 0) & 3 : 1;
  const rest = input.subarray(1 + question.length);
  const whole = joined(input.subarray(0, 1), question, rest);
  whole.set(
    [0x80 | (random.chance(0.8) ? 1 : 3), random.chance(0.9) ? 0x80 : random.between(0, 15), 0, 1, 0, records],
    3,
  );
  return whole;
};
const dnsRecord: Repair = (input, random) => {
  const at = 1 + (encodeQuery(questionOf(input))?.length ?? 0);
  if (input.length < at + 12) return input;
  const left = Math.max(0, input.length - at - 12);
  input.set([0xc0, 12, 0, NUMBERS[(input[0] ?? 0) % 9] ?? 1, 0, 1], at);
  const length = random.chance(0.8) ? left : random.between(0, left + 3);
  input.set([length >> 8, length & 255], at + 10);
  return input;
};

export function dnsTarget(): Target {
  return {
    name: 'dns',
    what: 'answers of DNS servers to checks (RFC 1035)',
    files: ['agent/health/dns-message.ts'],
    group: 'decoders',
    seeds: [
      response(0, [10, 9, 0, 26], 2),
      response(1, pointer),
      response(2, label),
      response(3, [...pointer, ...label, ...numbers]),
      response(4, pointer),
      response(5, [0, 10, ...pointer]),
      response(6, [3, 97, 98, 99, 1, 100]),
      response(7, new Array<number>(16).fill(1)),
      response(8, [0, 1, 0, 2, 0, 3, ...label]),
      response(0, [10, 9, 0]),
      response(7, [1]),
      new Uint8Array(100).fill(0x61),
      Uint8Array.from({ length: 300 }, (_, at) => (at % 50 === 0 ? 0x2e : 0x61)),
    ],
    dictionary: [Uint8Array.from(pointer), Uint8Array.from([0xc0, 33])],
    repairs: [dnsHeader, dnsRecord],
    maxLength: 512,
    isText: false,
    budget: PACKET_BUDGET,
    read: (input) => decodeResponse(input.subarray(1), questionOf(input)),
    run: (input) => {
      const question = questionOf(input);
      const answer = decodeResponse(input.subarray(1), question);
      // What is asked for is what is looked for in an answer: a query sent back is not an answer.
      const query = encodeQuery({ ...question, name: Buffer.from(input.subarray(1)).toString('latin1') });
      if (query !== undefined) mustEqual(decodeResponse(query, question), { kind: 'other' }, 'a query is no answer');
      if (answer.kind !== 'response')
        return answer.kind === 'other' ? 'other' : `malformed: ${answer.reason.replaceAll(/\d+/g, 'N')}`;
      must(
        input.length >= 13 && input[1] === 0x12 && input[2] === 0x34,
        'answers of our own question',
        () => 'another id',
      );
      must(answer.answers.length <= 512, 'records are bounded', () => String(answer.answers.length));
      for (const { text, name } of answer.answers) {
        must(name === undefined || text.includes(name), 'the name is in the text', () => text);
        must(
          sameDnsText(text, `${text.toUpperCase()}.`) || /\.$|[^\x20-\x7e]/.test(text),
          'letters of either case',
          () => text,
        );
      }
      return `${answer.code.startsWith('code') ? 'another code' : answer.code}, ${answer.answers.length > 0 ? question.type : 'nothing'}`;
    },
  };
}

const ECHO = { identifier: 0x4242, sequence: 7, payload: Uint8Array.of(1, 2, 3, 4) };
const ipv4 = (payload: Uint8Array) => joined(Uint8Array.of(0x45), new Uint8Array(19), payload);

function reply(family: 4 | 6): Uint8Array {
  const bytes = encodeEcho(family, ECHO).slice();
  bytes[0] = family === 4 ? 0 : 129;
  return family === 4 ? ipv4(bytes) : bytes;
}

function refusal(family: 4 | 6, type: number, code: number): Uint8Array {
  const head = Uint8Array.of(type, code, 0, 0, 0, 0, 0, 0);
  const echo = encodeEcho(family, ECHO);
  return family === 4 ? ipv4(joined(head, ipv4(echo))) : joined(head, new Uint8Array(40), echo);
}

/** RFC 792 and RFC 4443 section 4 as they are written: an echo reply has what was sent, from the host that was asked. */
function isReply(family: 4 | 6, packet: Uint8Array): boolean {
  const message = family === 4 ? packet.subarray(4 * ((packet[0] ?? 0) % 16)) : packet;
  const wanted = encodeEcho(family, ECHO).slice();
  wanted[0] = family === 4 ? 0 : 129;
  // Neither code nor checksum: the kernel has looked at it.
  const same = (at: number) => message[at] === wanted[at];
  const hasHeader = family === 6 || 4 * ((packet[0] ?? 0) % 16) >= 20;
  return hasHeader && message.length === wanted.length && same(0) && [4, 5, 6, 7, 8, 9, 10, 11].every(same);
}

export function echoTarget(): Target {
  return {
    name: 'echo',
    what: 'answers to pings, and what hosts on the way say (RFC 792, RFC 4443)',
    files: ['agent/health/icmp-echo.ts'],
    group: 'decoders',
    seeds: [
      ...[reply(4), refusal(4, 3, 1), refusal(4, 3, 13), refusal(4, 11, 0)].map((packet) =>
        joined(Uint8Array.of(0), packet),
      ),
      ...[reply(6), refusal(6, 1, 0), refusal(6, 1, 9), refusal(6, 3, 0)].map((packet) =>
        joined(Uint8Array.of(1), packet),
      ),
      joined(Uint8Array.of(2), reply(4)),
      joined(Uint8Array.of(0), ipv4(new Uint8Array(7))),
    ],
    dictionary: [],
    repairs: [],
    maxLength: 256,
    isText: false,
    budget: PACKET_BUDGET,
    read: (input) => echoAnswer((input[0] ?? 0) % 2 === 0 ? 4 : 6, input.subarray(1), ECHO, true),
    run: (input) => {
      const family = (input[0] ?? 0) % 2 === 0 ? 4 : 6;
      const fromTarget = (input[0] ?? 0) < 2;
      const packet = input.subarray(1);
      const answer = echoAnswer(family, packet, ECHO, fromTarget);
      mustEqual(answer?.kind === 'reply', fromTarget && isReply(family, packet), 'replies to our echo');
      const echo = encodeEcho(4, { ...ECHO, payload: packet.slice(0, 64) });
      mustEqual(internetChecksum(echo), 0, 'a checksum that adds up');
      return answer?.kind === 'unreachable' ? answer.reason.replace(/code \d+/, 'code N') : (answer?.kind ?? 'other');
    },
  };
}
