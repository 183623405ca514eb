/**
 * Which advertisements may be believed, written from RFC 9568, RFC 3768, draft-cassen-vrrp-auth-hmac and the decision
 * records, and from no line of the decoder: plain, slow, byte by byte. What is wrong with a packet is given in stages;
 * the decoder must name one reason of the first stage that has any, and accept a packet with none.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { addsUp, internetChecksum, pseudoHeader } from './checksum.js';

export interface TtlLimits {
  readonly least: number;
  readonly greatest: number;
}

/** What a router is set to; addresses are texts of hexadecimal bytes. */
export interface RouterSetting {
  readonly version: 2 | 3;
  /** In the unit of the wire; version 2 demands it. */
  readonly interval: number;
  readonly password?: string;
  /** Absent: multicast. */
  readonly peers?: Readonly<Record<string, TtlLimits>>;
  readonly believed?: readonly string[];
  readonly own: readonly string[];
  readonly onLink: readonly (readonly [address: string, prefixLength: number])[];
  readonly mayBeEmpty: boolean;
  readonly linkLocalFirst: boolean;
  readonly hmac?: { readonly isRequired: boolean; readonly hasWindow: boolean };
}

export interface Keys {
  readonly [id: number]: Uint8Array;
}

export interface Judgement {
  /** Empty: it is to be accepted. Else the decoder's reason must be one of these. */
  readonly faults: ReadonlySet<string>;
  /** Of an accepted one, as far as it can be read of any. */
  readonly priority: number;
  readonly interval: number;
  readonly addresses: readonly string[];
  readonly checksumForm: 'message_only' | 'pseudo_header';
  readonly isSigned: boolean;
}

export const GROUP: Readonly<Record<4 | 6, string>> = { 4: 'e0000012', 6: 'ff020000000000000000000000000012' };
export const TRAILER = 28;

const NOTHING = { priority: 0, interval: 0, addresses: [], checksumForm: 'message_only', isSigned: false } as const;

/**
 * @param settings by VRID
 * @param clockMs the receiver's wall clock; the window is 5 s
 */
export function judge(
  family: 4 | 6,
  packet: Uint8Array,
  settings: Readonly<Record<number, RouterSetting>>,
  keys: Keys,
  clockMs: number,
): Judgement {
  const ip = family === 4 ? ipv4Faults(packet) : ipv6Faults(packet);
  if (ip.length > 0) return { faults: new Set(ip), ...NOTHING };
  const start = family === 4 ? 20 : 40;
  const end = family === 4 ? word(packet, 2) : 40 + word(packet, 4);
  const payload = packet.subarray(start, end);
  if (payload.length < 8) return { faults: new Set(['truncated']), ...NOTHING };
  const setting = settings[payload[1] ?? 0];
  if (setting === undefined) return { faults: new Set(['unknown-vrid']), ...NOTHING };

  const { version } = setting;
  const count = payload[3] ?? 0;
  const size = family === 4 ? 4 : 16;
  const length = 8 + count * size + (version === 2 && family === 4 ? 8 : 0);
  const isSigned = setting.hmac !== undefined && payload.length === length + TRAILER;
  const message = payload.subarray(0, length);
  const form = formOf(family, version, packet, payload, length);
  const read = {
    priority: payload[2] ?? 0,
    interval: version === 2 ? (payload[5] ?? 0) : word(payload, 4) % 4096,
    addresses: Array.from({ length: count }, (_, i) => hex(payload.subarray(8 + i * size, 8 + (i + 1) * size))),
    checksumForm: form ?? 'message_only',
    isSigned,
  };
  const stages = [
    senderFaults(family, packet, setting),
    messageFaults(family, payload, setting, read.addresses, form, length),
    setting.hmac === undefined
      ? []
      : signatureFaults(family, packet, payload, message, isSigned, setting.hmac, keys, clockMs),
    agreementFaults(family, payload, setting, read.interval),
  ];
  return { faults: new Set(stages.find((stage) => stage.length > 0) ?? []), ...read };
}

/** RFC 791; what is not heard of it, decision 0013. */
function ipv4Faults(packet: Uint8Array): string[] {
  if (packet.length < 20) return ['truncated'];
  const [first = 0] = packet;
  const headerLength = (first % 16) * 4;
  const faults: string[] = [];
  if (first >> 4 !== 4 || headerLength < 20) faults.push('bad-ip-header');
  if (word(packet, 2) < headerLength) faults.push('bad-ip-header');
  if (word(packet, 2) > packet.length) faults.push('truncated');
  if (packet[9] !== 112) faults.push('not-vrrp');
  // "More fragments" and the offset; "don't fragment" is no fault.
  if (word(packet, 6) % 0x4000 !== 0) faults.push('fragment');
  if (headerLength > 20) faults.push('ip-options');
  return faults;
}

/** RFC 8200 sections 3 and 4. */
function ipv6Faults(packet: Uint8Array): string[] {
  if (packet.length < 40) return ['truncated'];
  const faults: string[] = [];
  if ((packet[0] ?? 0) >> 4 !== 6) faults.push('bad-ip-header');
  if (40 + word(packet, 4) > packet.length) faults.push('truncated');
  const next = packet[6] ?? 0;
  if (next === 44) faults.push('fragment');
  else if (next === 0 || next === 43 || next === 60) faults.push('ip-options');
  else if (next !== 112) faults.push('not-vrrp');
  return faults;
}

/** RFC 9568 sections 5.1 and 7.1; decisions 0013 and 0016. */
function senderFaults(family: 4 | 6, packet: Uint8Array, setting: RouterSetting): string[] {
  const source = packet.subarray(...(family === 4 ? [12, 16] : [8, 24]));
  const destination = packet.subarray(...(family === 4 ? [16, 20] : [24, 40]));
  const ttl = packet[family === 4 ? 8 : 7] ?? 0;
  const faults: string[] = [];
  if (setting.own.includes(hex(source))) faults.push('own-source');
  const [first = 0, second = 0] = source;
  if (family === 4 && (first === 0 || first === 127 || first >= 224)) faults.push('bad-source');
  if (family === 6) {
    const text = hex(source);
    const isNobody = /^0{31}[01]$/.test(text) || text.startsWith('ff') || /^0{20}f{4}/.test(text);
    if (isNobody) faults.push('bad-source');
  }
  if (setting.peers !== undefined) {
    const [to = 0] = destination;
    if (family === 4 ? to >= 224 && to <= 239 : to === 255) faults.push('wrong-destination');
    const limits = setting.peers[hex(source)];
    if (limits === undefined) faults.push('not-a-peer');
    else if (ttl < limits.least || ttl > limits.greatest) faults.push('bad-ttl');
    return faults;
  }
  if (hex(destination) !== GROUP[family]) faults.push('wrong-destination');
  if (ttl !== 255) faults.push('bad-ttl');
  if (setting.believed !== undefined && !setting.believed.includes(hex(source))) faults.push('not-a-peer');
  if (family === 6 && !(first === 0xfe && second >> 6 === 2)) faults.push('off-link-source');
  if (family === 4 && setting.onLink.length > 0) {
    const places = setting.onLink.map(([address, prefixLength]) => placeIn(bits(source), address, prefixLength));
    if (!places.includes('host')) faults.push(places.includes('edge') ? 'bad-source' : 'off-link-source');
  }
  return faults;
}

/** The network's own and the broadcast address are the edges; subnets of one or two addresses have none (RFC 3021). */
function placeIn(source: string, address: string, prefixLength: number): 'host' | 'edge' | 'outside' {
  const subnet = bits(Buffer.from(address, 'hex')).slice(0, prefixLength);
  if (!source.startsWith(subnet)) return 'outside';
  const host = source.slice(prefixLength);
  return host.length >= 2 && /^(0+|1+)$/.test(host) ? 'edge' : 'host';
}

function messageFaults(
  family: 4 | 6,
  payload: Uint8Array,
  setting: RouterSetting,
  addresses: readonly string[],
  form: Judgement['checksumForm'] | undefined,
  length: number,
): string[] {
  const faults: string[] = [];
  if ((payload[0] ?? 0) >> 4 !== setting.version) faults.push('bad-version');
  if ((payload[0] ?? 0) % 16 !== 1) faults.push('bad-type');
  if (payload[3] === 0 && !setting.mayBeEmpty) faults.push('no-addresses');
  const hasTrailer = setting.hmac !== undefined && payload.length === length + TRAILER;
  if (payload.length !== length && !hasTrailer) return [...faults, 'bad-length'];
  if (form === undefined) faults.push('bad-checksum');
  const [first] = addresses;
  if (family === 6 && setting.linkLocalFirst && first !== undefined && !/^fe[89ab]/.test(first)) {
    faults.push('address-not-link-local');
  }
  return faults;
}

/** RFC 9568 section 5.2.8, RFC 5798 section 5.2.8, decision 0006; of signed ones over IPv6 with or without the trailer. */
function formOf(
  family: 4 | 6,
  version: 2 | 3,
  packet: Uint8Array,
  payload: Uint8Array,
  length: number,
): Judgement['checksumForm'] | undefined {
  const addresses = packet.subarray(...(family === 4 ? [12, 20] : [8, 40]));
  const message = payload.subarray(0, length);
  if (family === 4 && addsUp(message)) return 'message_only';
  if (family === 4 && version === 2) return undefined;
  if (addsUp(pseudoHeader(addresses, 112, length), message)) return 'pseudo_header';
  const isWhole = family === 6 && addsUp(pseudoHeader(addresses, 112, payload.length), payload);
  return isWhole ? 'pseudo_header' : undefined;
}

/** draft-cassen-vrrp-auth-hmac, decision 0019; of a sender that was never heard before. */
function signatureFaults(
  family: 4 | 6,
  packet: Uint8Array,
  payload: Uint8Array,
  message: Uint8Array,
  isSigned: boolean,
  hmac: NonNullable<RouterSetting['hmac']>,
  keys: Keys,
  clockMs: number,
): string[] {
  if (!isSigned) return hmac.isRequired ? ['auth-missing'] : [];
  const trailer = payload.subarray(message.length);
  if (trailer[0] !== 1) return ['auth-malformed'];
  const key = keys[trailer[1] ?? 0];
  if (key === undefined) return ['auth-unknown-key'];
  const faults: string[] = [];
  // Seconds go round in 2106: nearer to the clock by whichever way round.
  const seconds = ((trailer[4] ?? 0) * 2 ** 24 + (word(trailer, 5) * 256 + (trailer[7] ?? 0)) + 2 ** 32) % 2 ** 32;
  const ticks = BigInt(seconds) * 65_536n + BigInt(word(trailer, 8));
  const clock = BigInt(Math.floor((clockMs * 65_536) / 1000));
  const apart = BigInt.asIntN(48, ticks - clock);
  const window = 5n * 65_536n;
  // The counter is below a tick: it makes what is a whole window ahead too far ahead.
  const isLater = apart === window && word(trailer, 10) > 0;
  if (hmac.hasWindow && (apart > window || apart < -window || isLater)) faults.push('auth-stale');
  if (!timingSafeEqual(signature(family, packet, message, trailer, key), trailer.subarray(12))) {
    faults.push('auth-invalid');
  }
  return faults;
}

/** The 16 bytes that sign a message with this trailer. */
export function signature(
  family: 4 | 6,
  packet: Uint8Array,
  message: Uint8Array,
  trailer: Uint8Array,
  key: Uint8Array,
): Uint8Array {
  const source = new Uint8Array(16);
  source.set(family === 4 ? packet.subarray(12, 16) : packet.subarray(8, 24));
  const hmac = createHmac('sha256', key);
  hmac.update(Uint8Array.of(family, (message[0] ?? 0) >> 4, message[1] ?? 0, 0));
  hmac.update(source);
  hmac.update(message.subarray(0, 6)).update(Uint8Array.of(0, 0)).update(message.subarray(8));
  hmac.update(trailer.subarray(0, 12)).update(new Uint8Array(16));
  return hmac.digest().subarray(0, 16);
}

/** RFC 3768 section 7.1, RFC 9568 erratum 8301. */
function agreementFaults(family: 4 | 6, payload: Uint8Array, setting: RouterSetting, interval: number): string[] {
  const faults: string[] = [];
  if (interval === 0) faults.push('zero-interval');
  if (setting.version === 3) return faults;
  if (interval !== setting.interval) faults.push('interval-mismatch');
  if (payload[4] !== (setting.password === undefined ? 0 : 1)) faults.push('auth-type-mismatch');
  else if (family === 4 && setting.password !== undefined) {
    const at = 8 + (payload[3] ?? 0) * 4;
    const wanted = Buffer.alloc(8);
    wanted.write(setting.password);
    if (!wanted.equals(payload.subarray(at, at + 8))) faults.push('auth-failure');
  }
  return faults;
}

/** The right checksum of a message, whose own is taken for zero. */
export function rightChecksum(message: Uint8Array, ...before: readonly Uint8Array[]): number {
  return internetChecksum(...before, message.subarray(0, 6), Uint8Array.of(0, 0), message.subarray(8));
}

export function word(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0);
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function bits(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
}
