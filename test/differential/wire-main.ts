/**
 * The process of a Wire: hears what enters the switch at every port, and asks who answers for an address.
 *
 *   node wire-main.js SILENCE PORT=NAME...
 *     standard input: "ask BRIDGE ADDRESS" a line
 *     standard output: "ready", then one line of JSON for each advertisement that is not as the one before it of the same
 *     port and VRID, for each that comes more than SILENCE milliseconds after the one before it, and for each question
 */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { AF_PACKET, libc, SOCK_RAW } from '../../agent/net/libc.js';
import { ipv6Bytes } from '../lab/packet.js';
import type { WireLine } from './wire.js';

const ETH_P_ALL = 0x0003;
const PACKET_OUTGOING = 4;
const EAGAIN = 11;
/** The asker's addresses; nobody has them. */
const ASKER = Uint8Array.of(10, 9, 0, 250);
const ASKER_IPV6 = ipv6Bytes('fe80::fa');
/** Questions are put this many milliseconds apart. */
const QUESTION_MS = 80;
/** So many times at least, in case others answer as well. */
const FEWEST_QUESTIONS = 4;
/** So many times if nobody answers. */
const MOST_QUESTIONS = 15;

const c = libc();
const [, , silence = '', ...ports] = process.argv;
const names = new Map(
  ports.map((argument) => {
    const [port = '', name = ''] = argument.split('=');
    return [indexOf(port), name] as const;
  }),
);
/** What was heard last, by port and VRID. */
const heard = new Map<string, { readonly priority: number; readonly atMs: number }>();
let question: { readonly address: string; readonly target: Buffer; readonly answers: Set<string> } | undefined;

const socket = c.socket(AF_PACKET, SOCK_RAW, ((ETH_P_ALL & 0xff) << 8) | (ETH_P_ALL >> 8));
if (socket < 0) throw new Error(`cannot open a packet socket: errno ${-socket}`);
const buffer = new Uint8Array(65_536);
/** struct sockaddr_ll of packet(7). */
const from = new Uint8Array(20);
c.poll(socket, () => {
  for (;;) {
    const length = c.recvfrom(socket, buffer, 0, from);
    if (length === -EAGAIN) return;
    // A port went down: the others go on.
    if (length < 0) continue;
    const name = names.get(new DataView(from.buffer).getInt32(4, true));
    if (name !== undefined && from[10] !== PACKET_OUTGOING) hear(name, Buffer.from(buffer.subarray(0, length)));
  }
});

createInterface({ input: process.stdin }).on('line', (line) => {
  const [, bridge = '', address = ''] = line.split(' ');
  ask(bridge, address);
});
process.stdout.write('ready\n');

function tell(line: WireLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function hear(name: string, frame: Buffer): void {
  const type = frame.readUInt16BE(12);
  if (type === 0x0806) hearArp(name, frame);
  else if (type === 0x0800 && frame[23] === 112) hearAdvert(name, frame.subarray(14 + 4 * ((frame[14] ?? 0) & 15)));
  else if (type === 0x86dd && frame[20] === 112) hearAdvert(name, frame.subarray(54));
  else if (type === 0x86dd && frame[20] === 58 && frame[54] === 136) hearNeighbor(name, frame);
}

function hearAdvert(name: string, message: Buffer): void {
  const [, vrid, priority] = message;
  if (vrid === undefined || priority === undefined) return;
  const key = `${name} ${vrid}`;
  const before = heard.get(key);
  const atMs = performance.timeOrigin + performance.now();
  heard.set(key, { priority, atMs });
  if (before?.priority !== priority) tell({ kind: 'advert', name, vrid, priority });
  const silentMs = before === undefined ? 0 : atMs - before.atMs;
  if (silentMs > Number(silence)) tell({ kind: 'silence', name, vrid, silentMs, untilMs: atMs });
}

function hearArp(name: string, frame: Buffer): void {
  const isReply = frame.readUInt16BE(20) === 2;
  if (isReply && frame.subarray(38, 42).equals(ASKER)) answered(name, frame, frame.subarray(28, 32));
}

function hearNeighbor(name: string, frame: Buffer): void {
  if (frame.subarray(38, 54).equals(ASKER_IPV6)) answered(name, frame, frame.subarray(62, 78));
}

function answered(name: string, frame: Buffer, address: Buffer): void {
  if (question?.target.equals(address) !== true) return;
  const isVirtual = frame.subarray(6, 10).equals(Uint8Array.of(0, 0, 0x5e, 0));
  question.answers.add(isVirtual ? `${name} virtually` : name);
}

function ask(bridge: string, address: string): void {
  const index = indexOf(bridge);
  const mac = Buffer.from(readFileSync(`/sys/class/net/${bridge}/address`, 'utf8').trim().replaceAll(':', ''), 'hex');
  const isIpv6 = address.includes(':');
  const target = isIpv6 ? ipv6Bytes(address) : Buffer.from(address.split('.').map(Number));
  const asked = { address, target, answers: new Set<string>() };
  question = asked;
  const frame = isIpv6 ? solicitation(mac, target) : arpRequest(mac, target);
  const destination = new Uint8Array(20);
  const view = new DataView(destination.buffer);
  view.setUint16(0, AF_PACKET, true);
  view.setInt32(4, index, true);
  let questions = 0;
  const asking = setInterval(() => {
    if (questions < (asked.answers.size > 0 ? FEWEST_QUESTIONS : MOST_QUESTIONS)) {
      questions += 1;
      c.sendto(socket, frame, frame.length, 0, destination);
      return;
    }
    clearInterval(asking);
    // A timer that was late is served before what has arrived meanwhile: that is read first.
    setImmediate(() => tell({ kind: 'answers', address, names: [...asked.answers].sort() }));
  }, QUESTION_MS);
}

/** RFC 826. */
function arpRequest(mac: Buffer, target: Buffer): Buffer {
  return Buffer.concat([
    Buffer.from('ffffffffffff', 'hex'),
    mac,
    Buffer.from('08060001080006040001', 'hex'),
    mac,
    ASKER,
    Buffer.alloc(6),
    target,
  ]);
}

/** RFC 4861 section 4.3, with the asker's link-layer address, to the solicited-node group. */
function solicitation(mac: Buffer, target: Buffer): Buffer {
  const tail = target.subarray(13);
  const group = Buffer.concat([ipv6Bytes('ff02::1:ff00:0').subarray(0, 13), tail]);
  const message = Buffer.concat([Buffer.from('8700000000000000', 'hex'), target, Buffer.from('0101', 'hex'), mac]);
  const header = Buffer.from('60000000', 'hex');
  const length = Buffer.from([0, message.length]);
  const sum = checksum(
    Buffer.concat([ASKER_IPV6, group, Buffer.alloc(2), length, Buffer.from([0, 0, 0, 58]), message]),
  );
  message.writeUInt16BE(sum, 2);
  return Buffer.concat([
    Buffer.from('3333ff', 'hex'),
    tail,
    mac,
    Buffer.from('86dd', 'hex'),
    header,
    length,
    Buffer.from([58, 255]),
    ASKER_IPV6,
    group,
    message,
  ]);
}

/** RFC 1071. */
function checksum(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

function indexOf(device: string): number {
  return Number(readFileSync(`/sys/class/net/${device}/ifindex`, 'utf8'));
}
