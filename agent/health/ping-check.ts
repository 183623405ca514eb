/**
 * An ICMP or ICMPv6 echo from a raw socket that is open for this one request. The reply must come from the host asked
 * and carry our identifier, sequence number and bytes, so that no other ping's reply is taken for ours.
 */
import { randomBytes, randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { endianness } from 'node:os';
import { bitsOf, familyOf, type IpAddress, parseIp } from '../../proto/rules/ip.js';
import { AF_INET, intOption, type libc as loadLibc, SO_RCVBUF, SOCK_RAW, SOL_SOCKET } from '../net/libc.js';
import { errnoName } from '../net/system-error.js';
import type { PingProbe } from './check-settings.js';
import type { NameLookup } from './host-lookup.js';
import { type Echo, echoAnswer, encodeEcho } from './icmp-echo.js';
import { type Attempt, cannotRun, failing, good, type Verdict } from './run.js';

type Libc = ReturnType<typeof loadLibc>;

const AF_INET6 = 10;
const IPPROTO_ICMP = 1;
const IPPROTO_ICMPV6 = 58;
/** linux/icmp.h, linux/icmpv6.h: messages whose bit is set are not delivered. */
const SOL_RAW = 255;
const ICMP_FILTER = 1;
const ICMPV6_FILTER = 1;
const RECEIVE_BUFFER = 64 * 1024;
const LARGEST_PACKET = 2_048;

const WORDS: Readonly<Record<string, string>> = {
  ENETUNREACH: 'there is no route',
  EHOSTUNREACH: 'the host cannot be reached',
  EADDRNOTAVAIL: 'the source address is not on this host',
  EPERM: 'CAP_NET_RAW is needed, or a firewall forbids it',
  EACCES: 'it is a broadcast address, or CAP_NET_RAW is needed',
};

interface Target {
  readonly text: string;
  readonly address: IpAddress;
  /** Of a link-local address; 0 for none. */
  readonly scope: number;
}

export function pingAttempt(probe: PingProbe, names: NameLookup, libc: () => Libc): Attempt {
  return async (signal, phase) => {
    phase(`looking up ${probe.host}`);
    const addresses = await names.addressesOf(probe.host, signal);
    const source = probe.source === undefined ? undefined : targetOf(probe.source);
    if (probe.source !== undefined && source === undefined) {
      return cannotRun(`the source ${probe.source} is not an address of this host`);
    }
    const candidates = addresses.map(({ address }) => targetOf(address)).filter((target) => target !== undefined);
    const target = candidates.find(({ address }) => source === undefined || sameFamily(address, source.address));
    if (target === undefined) return cannotRun(`${probe.host} has no address of the family of ${probe.source}`);
    phase(`waiting for the reply of ${target.text}`);
    return await ping(target, source, probe.size, signal, libc());
  };
}

function sameFamily(left: IpAddress, right: IpAddress): boolean {
  return familyOf(left) === familyOf(right);
}

/** Undefined for what is no address, or has the zone of an interface that is not there. */
function targetOf(text: string): Target | undefined {
  const [host = '', zone] = text.split('%');
  const address = parseIp(host);
  if (address === undefined) return undefined;
  const scope = zone === undefined ? 0 : interfaceIndex(zone);
  return scope === undefined ? undefined : { text, address, scope };
}

function interfaceIndex(zone: string): number | undefined {
  if (/^\d+$/.test(zone)) return Number(zone);
  if (!/^[^/\s]{1,15}$/.test(zone)) return undefined;
  try {
    return Number(readFileSync(`/sys/class/net/${zone}/ifindex`, 'utf8'));
  } catch {
    return undefined;
  }
}

function ping(
  target: Target,
  source: Target | undefined,
  size: number,
  signal: AbortSignal,
  libc: Libc,
): Promise<Verdict> {
  const family = familyOf(target.address);
  const fd = libc.socket(family === 4 ? AF_INET : AF_INET6, SOCK_RAW, family === 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
  if (fd < 0) return Promise.resolve(cannotRun(`no ICMP socket: ${wordsOf(fd)}`));
  const echo: Echo = { identifier: randomInt(0x1_0000), sequence: 1, payload: randomBytes(size) };
  const address = socketAddress(target);
  const packet = new Uint8Array(LARGEST_PACKET);
  const sender = new Uint8Array(address.length);
  return new Promise((resolve) => {
    const sentAt = process.hrtime.bigint();
    const poll = libc.poll(fd, receive);
    const abort = () => finish(cannotRun('given up'));
    let open = true;
    function finish(verdict: Verdict): void {
      if (!open) return;
      open = false;
      signal.removeEventListener('abort', abort);
      poll.close();
      libc.close(fd);
      resolve(verdict);
    }
    function receive(): void {
      while (open) {
        const verdict = received();
        if (verdict === 'nothing') return;
        if (verdict !== undefined) finish(verdict);
      }
    }
    /** What the next packet says; undefined when it is not about our echo. */
    function received(): Verdict | 'nothing' | undefined {
      const length = libc.recvfrom(fd, packet, 0, sender);
      if (length < 0) {
        return errnoName(-length) === 'EAGAIN' ? 'nothing' : failing(`${target.text}: ${wordsOf(length)}`);
      }
      const answer = echoAnswer(family, packet.subarray(0, length), echo, sameHost(sender, address, family));
      if (answer === undefined) return undefined;
      if (answer.kind === 'unreachable') return failing(`${target.text}: ${answer.reason}`);
      const micros = Number((process.hrtime.bigint() - sentAt) / 1_000n);
      return good(`${size} bytes from ${target.text} in ${micros / 1_000} ms`);
    }
    signal.addEventListener('abort', abort, { once: true });
    libc.setsockopt(fd, SOL_SOCKET, SO_RCVBUF, intOption(RECEIVE_BUFFER));
    // Without the filter every ICMP message of the host would wake this thread; it would be passed over all the same.
    if (family === 4) libc.setsockopt(fd, SOL_RAW, ICMP_FILTER, filterBut([0, 3, 11], 4));
    else libc.setsockopt(fd, IPPROTO_ICMPV6, ICMPV6_FILTER, filterBut([1, 3, 129], 32));
    const bound = source === undefined ? 0 : libc.bind(fd, socketAddress(source));
    if (bound < 0) return finish(cannotRun(`cannot send from ${source?.text}: ${wordsOf(bound)}`));
    const bytes = encodeEcho(family, echo);
    const sent = libc.sendto(fd, bytes, bytes.length, 0, address);
    if (sent < 0) finish(failing(`cannot send to ${target.text}: ${wordsOf(sent)}`));
  });
}

function wordsOf(result: number): string {
  const code = errnoName(-result);
  const words = WORDS[code];
  return words === undefined ? code : `${words} (${code})`;
}

/** struct sockaddr_in or sockaddr_in6, port 0. */
function socketAddress({ address, scope }: Target): Uint8Array {
  const family = familyOf(address);
  const isLittle = endianness() === 'LE';
  const bytes = new Uint8Array(family === 4 ? 16 : 28);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, family === 4 ? AF_INET : AF_INET6, isLittle);
  if (typeof address === 'number') view.setUint32(4, address);
  else {
    for (let at = 0; at < bitsOf(6) / 8; at += 1) bytes[8 + at] = Number((address >> BigInt(120 - at * 8)) & 0xffn);
    view.setUint32(24, scope, isLittle);
  }
  return bytes;
}

function sameHost(sender: Uint8Array, address: Uint8Array, family: 4 | 6): boolean {
  const [from, to] = family === 4 ? [4, 8] : [8, 24];
  return sender.subarray(from, to).every((byte, at) => byte === address[from + at]);
}

/** A mask of message types in words of 32 bits of the host; all are set but these. */
function filterBut(types: readonly number[], length: number): Uint8Array {
  const bytes = new Uint8Array(length).fill(0xff);
  const view = new DataView(bytes.buffer);
  const isLittle = endianness() === 'LE';
  for (const type of types) {
    const at = (type >>> 5) * 4;
    view.setUint32(at, view.getUint32(at, isLittle) & ~(1 << (type & 31)), isLittle);
  }
  return bytes;
}
