/**
 * The process of a Flood.
 *
 *   node flood-main.js INTERFACE     standard input: a FloodOrder a line; standard output: "ready", then {"rate"} a line
 */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { AF_PACKET, libc, SOCK_RAW } from '../../agent/net/libc.js';
import type { FloodOrder } from './flood.js';

const device = process.argv[2] ?? '';
const c = libc();
const socket = c.socket(AF_PACKET, SOCK_RAW, 0);
if (socket < 0) throw new Error(`cannot open a packet socket: errno ${-socket}`);

/** struct sockaddr_ll of packet(7). */
const destination = new Uint8Array(20);
const view = new DataView(destination.buffer);
view.setUint16(0, AF_PACKET, true);
view.setInt32(4, Number(readFileSync(`/sys/class/net/${device}/ifindex`, 'utf8')), true);

createInterface({ input: process.stdin }).on('line', (line) => {
  const { frames, count, perSecond } = JSON.parse(line) as FloodOrder;
  const bytes = frames.map((frame) => Buffer.from(frame, 'hex'));
  const start = performance.now();
  let sent = 0;
  const beat = () => {
    const due = Math.min(count, Math.ceil(((performance.now() - start) * perSecond) / 1000));
    for (; sent < due; sent++) {
      const frame = bytes[sent % bytes.length] ?? Buffer.alloc(0);
      c.sendto(socket, frame, frame.length, 0, destination);
    }
    if (sent < count) setTimeout(beat, 1);
    else process.stdout.write(`{"rate": ${(1000 * count) / (performance.now() - start)}}\n`);
  };
  beat();
});
process.stdout.write('ready\n');
