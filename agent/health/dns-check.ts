/**
 * One DNS query, to the one server that is checked. Over UDP whatever is not the response to the question (another
 * identifier, another question, garbage) is passed over, so that nobody can answer in the server's place by guessing.
 */
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { createConnection, isIP } from 'node:net';
import { parseIp } from '../../proto/rules/ip.js';
import type { DnsProbe } from './check-settings.js';
import { hostPort } from './check-subject.js';
import { type DnsQuestion, type DnsResponse, decodeResponse, encodeQuery, sameDnsText } from './dns-message.js';
import { networkReason } from './network-error.js';
import { type Attempt, cannotRun, failing, good, type Verdict } from './run.js';

type Exchange =
  | { readonly kind: 'failed'; readonly reason: string }
  | Extract<DnsResponse, { kind: 'malformed' | 'response' }>;

export function dnsAttempt(probe: DnsProbe): Attempt {
  const target = hostPort(probe.server, probe.port);
  return async (signal, phase) => {
    if (isIP(probe.server) === 0) return cannotRun(`the server ${probe.server} is not an address`);
    const question: DnsQuestion = { id: randomInt(0x1_0000), name: probe.name, type: probe.type };
    const query = encodeQuery(question);
    if (query === undefined) return cannotRun(`"${probe.name}" is not a name that can be asked for`);
    phase(`waiting for the answer of ${target}`);
    const exchange = probe.tcp ? overTcp : overUdp;
    let answer = await exchange(probe, question, query, signal, phase);
    const isCut = answer.kind === 'response' && answer.truncated && judge(probe, answer, target).reason !== '';
    if (isCut && !probe.tcp && probe.expect.length > 0) {
      phase(`waiting for the whole answer of ${target} over TCP`);
      answer = await overTcp(probe, question, query, signal);
    }
    return judge(probe, answer, target);
  };
}

function judge(probe: DnsProbe, answer: Exchange, target: string): Verdict {
  if (answer.kind === 'failed') return failing(answer.reason);
  if (answer.kind === 'malformed') return failing(`malformed answer from ${target}: ${answer.reason}`);
  const found = answer.answers.map(({ text }) => text);
  const output = [answer.code, ...found].join('\n');
  if (answer.code !== 'NOERROR') return failing(`${target} answered ${answer.code}`, output);
  if (probe.expect.length === 0) return good(output);
  for (const { text, name } of answer.answers) {
    const isWanted = (wanted: string) => sameAnswer(text, wanted) || (name !== undefined && sameAnswer(name, wanted));
    if (probe.expect.some(isWanted)) return good(output);
  }
  const got = found.length === 0 ? `no ${probe.type} record` : found.slice(0, 8).join(', ');
  return failing(`${target} answered ${got}, wanted ${probe.expect.join(' or ')}`, output);
}

function sameAnswer(found: string, wanted: string): boolean {
  if (sameDnsText(found, wanted)) return true;
  const address = parseIp(wanted);
  return address !== undefined && address === parseIp(found);
}

function overUdp(
  probe: DnsProbe,
  question: DnsQuestion,
  query: Uint8Array,
  signal: AbortSignal,
  phase: (doing: string) => void,
): Promise<Exchange> {
  const target = hostPort(probe.server, probe.port);
  return new Promise((resolve) => {
    const socket = createSocket(isIP(probe.server) === 6 ? 'udp6' : 'udp4');
    let open = true;
    let others = 0;
    const done = (answer: Exchange) => {
      if (!open) return;
      open = false;
      signal.removeEventListener('abort', abort);
      socket.close();
      resolve(answer);
    };
    const abort = () => done({ kind: 'failed', reason: 'given up' });
    const failed = (error: Error) => done({ kind: 'failed', reason: networkReason(error, target) });
    signal.addEventListener('abort', abort, { once: true });
    socket.on('error', failed);
    socket.on('message', (message) => {
      const answer = decodeResponse(message, question);
      if (answer.kind !== 'other') return done(answer);
      others += 1;
      phase(`waiting for the answer of ${target}; ${others} that came were to other questions`);
    });
    // A connected socket takes messages from the server alone, and its refusals.
    socket.connect(probe.port, probe.server, () => {
      if (!open) return;
      socket.send(query, (error) => {
        if (error !== null) failed(error);
      });
    });
    if (signal.aborted) abort();
  });
}

/** RFC 1035 section 4.2.2: two bytes of length before each message. */
function overTcp(probe: DnsProbe, question: DnsQuestion, query: Uint8Array, signal: AbortSignal): Promise<Exchange> {
  const target = hostPort(probe.server, probe.port);
  return new Promise((resolve) => {
    const socket = createConnection({ host: probe.server, port: probe.port });
    const abort = () => socket.destroy();
    const done = (answer: Exchange) => {
      signal.removeEventListener('abort', abort);
      socket.destroy();
      resolve(answer);
    };
    let received = Buffer.alloc(0);
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    socket.on('error', (error) => done({ kind: 'failed', reason: networkReason(error, target) }));
    socket.once('close', () => done({ kind: 'failed', reason: `connection closed by ${target} before the answer` }));
    socket.once('connect', () => {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(query.length);
      socket.write(Buffer.concat([length, query]));
    });
    // At most 65,537 bytes are ever kept, since the first message decides.
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
      const answer = decodeResponse(received.subarray(2, 2 + received.readUInt16BE(0)), question);
      done(answer.kind === 'other' ? { kind: 'failed', reason: `${target} answered another question` } : answer);
    });
  });
}
