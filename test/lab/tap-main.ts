/**
 * The process of a Tap: sends and reports whole Ethernet frames on one interface.
 *
 *   node tap-main.js INTERFACE      standard input: one frame in hexadecimal a line
 *                                   standard output: "ready", then {"atMs", "outgoing", "frame"} a line
 */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { AF_PACKET, libc, SOCK_RAW } from '../../agent/net/libc.js';

const ETH_P_ALL = 0x0003;
const PACKET_OUTGOING = 4;
const EAGAIN = 11;

const device = process.argv[2] ?? '';
const index = Number(readFileSync(`/sys/class/net/${device}/ifindex`, 'utf8'));
const c = libc();

/** struct sockaddr_ll of packet(7). */
function linkAddress(): Uint8Array {
  const bytes = new Uint8Array(20);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, AF_PACKET, true);
  view.setUint16(2, ETH_P_ALL, false);
  view.setInt32(4, index, true);
  return bytes;
}

const protocol = ((ETH_P_ALL & 0xff) << 8) | (ETH_P_ALL >> 8);
const socket = must('open a packet socket', c.socket(AF_PACKET, SOCK_RAW, protocol));
must('bind to the interface', c.bind(socket, linkAddress()));

const buffer = new Uint8Array(65_536);
const from = new Uint8Array(20);
c.poll(socket, () => {
  for (;;) {
    const length = c.recvfrom(socket, buffer, 0, from);
    if (length === -EAGAIN) return;
    // The interface went down or away: nothing more comes until it is back.
    if (length < 0) return;
    const frame = Buffer.from(buffer.subarray(0, length));
    const type = frame.readUInt16BE(12);
    // IPv6: VRRP, neighbour solicitations and advertisements.
    const isNeighbor = frame[20] === 58 && (frame[54] === 135 || frame[54] === 136);
    const isIpv6Wanted = type === 0x86dd && (frame[20] === 112 || isNeighbor);
    const wanted = type === 0x0806 || (type === 0x0800 && frame[23] === 112) || isIpv6Wanted;
    if (!wanted) continue;
    const atMs = performance.timeOrigin + performance.now();
    process.stdout.write(
      `${JSON.stringify({ atMs, outgoing: from[10] === PACKET_OUTGOING, frame: frame.toString('hex') })}\n`,
    );
  }
});

createInterface({ input: process.stdin }).on('line', (line) => {
  const frame = Buffer.from(line, 'hex');
  const sent = c.sendto(socket, frame, frame.length, 0, linkAddress());
  if (sent < 0) process.stdout.write(`{"failed": ${-sent}}\n`);
});
process.stdout.write('ready\n');

function must(what: string, result: number): number {
  if (result < 0) throw new Error(`cannot ${what} on ${device}: errno ${-result}`);
  return result;
}
