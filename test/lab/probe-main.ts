/**
 * The process of a Probe: an ICMP or ICMPv6 echo request each millisecond to one address.
 *
 *   node probe-main.js ADDRESS INTERFACE      the interface is for link-local addresses; standard input: "report" a line; standard output: a ProbeReport a line
 */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { AF_INET, AF_INET6, libc, SOCK_RAW } from '../../agent/net/libc.js';
import { ipv6Bytes } from './packet.js';
import type { ProbeReport } from './probe.js';

const PERIOD_MS = 1;
const IPPROTO_ICMP = 1;
const IPPROTO_ICMPV6 = 58;
/** RFC 792, RFC 4443 section 4. */
const ECHO = { request: 8, reply: 0 };
const ECHO_IPV6 = { request: 128, reply: 129 };
/** Answers that come later than this are taken as lost. */
const PATIENCE_MS = 250;
/** A timer that was late is made up for by at most so many requests at once. */
const MOST_AT_ONCE = 20;

const [, , wanted = '', device = ''] = process.argv;
const isIpv6 = wanted.includes(':');
const address = isIpv6 ? ipv6Bytes(wanted) : Uint8Array.from(wanted.split('.').map(Number));
const echo = isIpv6 ? ECHO_IPV6 : ECHO;
const c = libc();
const socket = c.socket(isIpv6 ? AF_INET6 : AF_INET, SOCK_RAW, isIpv6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
if (socket < 0) throw new Error(`cannot open an ICMP socket: errno ${-socket}`);

/** struct sockaddr_in of ip(7), or sockaddr_in6 of ipv6(7). */
const destination = new Uint8Array(isIpv6 ? 28 : 16);
const addressAt = isIpv6 ? 8 : 4;
new DataView(destination.buffer).setUint16(0, isIpv6 ? AF_INET6 : AF_INET, true);
destination.set(address, addressAt);
if (wanted.startsWith('fe80:')) {
  const index = Number(readFileSync(`/sys/class/net/${device}/ifindex`, 'utf8'));
  new DataView(destination.buffer).setUint32(24, index, true);
}

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
  message[0] = echo.request;
  message.writeUInt16BE(identifier, 4);
  message.writeUInt16BE(number & 0xffff, 6);
  message.writeUInt32BE(number, 8);
  let sum = 0;
  for (let at = 0; at < message.length; at += 2) sum += message.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  // The kernel writes that of ICMPv6 itself (RFC 3542 section 3.1).
  message.writeUInt16BE(~sum & 0xffff, 2);
  sentAt.push(performance.now());
  answers.push(0);
  // No route or no neighbour is an outage like any other: the answer will not come.
  c.sendto(socket, message, message.length, 0, destination);
}

const buffer = new Uint8Array(2048);
const from = new Uint8Array(28);
/** The IP header comes with IPv4 messages only. */
const messageAt = isIpv6 ? 0 : 20;
c.poll(socket, () => {
  for (;;) {
    const length = c.recvfrom(socket, buffer, 0, from);
    if (length < 0) return;
    const message = Buffer.from(buffer.buffer, messageAt, Math.max(0, length - messageAt));
    const isOurs = message.length >= 16 && message[0] === echo.reply && message.readUInt16BE(4) === identifier;
    if (!isOurs || from.subarray(addressAt, addressAt + address.length).join() !== address.join()) continue;
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
  // Up to the last request whose fate is known: those after it may have been answered, or may yet be.
  if (silentSince !== undefined) {
    longestOutageMs = Math.max(longestOutageMs, (sentAt[judged - 1] ?? silentSince) - silentSince);
  }
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
