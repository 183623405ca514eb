/**
 * The process of a Probe: an ICMP echo request each millisecond to one address.
 *
 *   node probe-main.js ADDRESS      standard input: "report" a line; standard output: a ProbeReport a line
 */
import { createInterface } from 'node:readline';
import { AF_INET, libc, SOCK_RAW } from '../../agent/net/libc.js';
import type { ProbeReport } from './probe.js';

const PERIOD_MS = 1;
const IPPROTO_ICMP = 1;
const ECHO_REQUEST = 8;
/** Answers that come later than this are taken as lost. */
const PATIENCE_MS = 250;
/** A timer that was late is made up for by at most so many requests at once. */
const MOST_AT_ONCE = 20;

const address = (process.argv[2] ?? '').split('.').map(Number);
const c = libc();
const socket = c.socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
if (socket < 0) throw new Error(`cannot open an ICMP socket: errno ${-socket}`);

/** struct sockaddr_in of ip(7). */
const destination = new Uint8Array(16);
new DataView(destination.buffer).setUint16(0, AF_INET, true);
destination.set(address, 4);

const identifier = process.pid & 0xffff;
/** When each request was sent, by its number. */
const sentAt: number[] = [];
const answers: number[] = [];
/** First request that the next report is about. */
let reportFrom = 0;
/** When the first of a row of unanswered requests was sent; goes on over reports. A pause of this process is no outage. */
let silentSince: number | undefined;

function send(): void {
  const number = sentAt.length;
  const message = Buffer.alloc(16);
  message[0] = ECHO_REQUEST;
  message.writeUInt16BE(identifier, 4);
  message.writeUInt16BE(number & 0xffff, 6);
  message.writeUInt32BE(number, 8);
  let sum = 0;
  for (let at = 0; at < message.length; at += 2) sum += message.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  message.writeUInt16BE(~sum & 0xffff, 2);
  sentAt.push(performance.now());
  answers.push(0);
  // No route or no neighbour is an outage like any other: the answer will not come.
  c.sendto(socket, message, message.length, 0, destination);
}

const buffer = new Uint8Array(2048);
const from = new Uint8Array(16);
c.poll(socket, () => {
  for (;;) {
    const length = c.recvfrom(socket, buffer, 0, from);
    if (length < 0) return;
    const message = Buffer.from(buffer.buffer, 20, length - 20);
    const isOurs = length >= 36 && message[0] === 0 && message.readUInt16BE(4) === identifier;
    if (!isOurs || from.subarray(4, 8).join() !== address.join()) continue;
    const number = message.readUInt32BE(8);
    answers[number] = (answers[number] ?? 0) + 1;
  }
});

function report(): ProbeReport {
  const now = performance.now();
  let answered = 0;
  let duplicates = 0;
  let longestOutageMs = 0;
  let judged = reportFrom;
  for (; judged < sentAt.length; judged += 1) {
    const at = sentAt[judged] ?? now;
    const count = answers[judged] ?? 0;
    if (count === 0 && now - at < PATIENCE_MS) break;
    if (count === 0) {
      silentSince ??= at;
      continue;
    }
    answered += 1;
    duplicates += count - 1;
    if (silentSince !== undefined) longestOutageMs = Math.max(longestOutageMs, at - silentSince);
    silentSince = undefined;
  }
  if (silentSince !== undefined) longestOutageMs = Math.max(longestOutageMs, now - silentSince);
  const sent = judged - reportFrom;
  reportFrom = judged;
  return { sent, answered, unanswered: sent - answered, duplicates, longestOutageMs };
}

createInterface({ input: process.stdin }).on('line', () => process.stdout.write(`${JSON.stringify(report())}\n`));

let due = performance.now();
function beat(): void {
  const now = performance.now();
  let left = MOST_AT_ONCE;
  for (; due <= now && left > 0; due += PERIOD_MS, left -= 1) send();
  if (left === 0) due = now;
  setTimeout(beat, Math.max(0, due - performance.now()));
}
beat();
process.stdout.write('ready\n');
