/**
 * VRRP packets byte by byte, right or deliberately wrong. Written apart from agent/wire on purpose: the agent's own
 * encoder is among what is tested with it.
 */

/** Ethernet address of 224.0.0.18. */
export const VRRP_GROUP_MAC: Uint8Array = Uint8Array.of(0x01, 0x00, 0x5e, 0x00, 0x00, 0x12);
export const VRRP_GROUP = '224.0.0.18';

/** Ethernet address of ff02::12. */
export const VRRP_IPV6_GROUP_MAC: Uint8Array = Uint8Array.of(0x33, 0x33, 0, 0, 0, 0x12);
export const VRRP_IPV6_GROUP = 'ff02::12';

export interface AdvertFields {
  readonly source: string;
  readonly destination?: string;
  readonly version?: number;
  readonly type?: number;
  readonly vrid: number;
  readonly priority: number;
  readonly addresses: readonly string[];
  /** What the count field says; by default the truth. */
  readonly count?: number;
  /** Version 3: centiseconds; version 2: seconds. */
  readonly interval: number;
  /** The four reserved bits of version 3. */
  readonly reserved?: number;
  /** Version 2: exactly 8 bytes; zeros by default. */
  readonly password?: string;
  readonly authenticationType?: number;
  readonly ttl?: number;
  /** Default for version 3: with pseudo-header, as keepalived. */
  readonly checksum?: 'message_only' | 'pseudo_header' | 'wrong';
  /** Bytes of the VRRP message that are sent; all by default. */
  readonly truncateTo?: number;
}

export function advertPacket(fields: AdvertFields): Uint8Array {
  const destination = fields.destination ?? VRRP_GROUP;
  const message = advertMessage(fields, destination).subarray(0, fields.truncateTo);
  return ipv4Packet(fields.source, destination, message, fields.ttl ?? 255);
}

/** An IPv4 packet of protocol 112 with any payload. */
export function ipv4Packet(source: string, destination: string, payload: Uint8Array, ttl = 255): Uint8Array {
  const packet = new Uint8Array(20 + payload.length);
  const view = new DataView(packet.buffer);
  packet[0] = 0x45;
  packet[1] = 0xc0;
  view.setUint16(2, packet.length);
  packet[8] = ttl;
  packet[9] = 112;
  packet.set(quad(source), 12);
  packet.set(quad(destination), 16);
  view.setUint16(10, internetChecksum(packet.subarray(0, 20)));
  packet.set(payload, 20);
  return packet;
}

/** The same over IPv6; `ttl` is the hop limit, and version 2 has no password. */
export function ipv6AdvertPacket(fields: AdvertFields): Uint8Array {
  const { version = 3, addresses, source, destination = VRRP_IPV6_GROUP } = fields;
  const message = new Uint8Array(8 + 16 * addresses.length);
  const view = new DataView(message.buffer);
  message[0] = (version << 4) | (fields.type ?? 1);
  message[1] = fields.vrid;
  message[2] = fields.priority;
  message[3] = fields.count ?? addresses.length;
  if (version === 2) message[5] = fields.interval;
  else view.setUint16(4, ((fields.reserved ?? 0) << 12) | fields.interval);
  for (const [index, address] of addresses.entries()) message.set(ipv6Bytes(address), 8 + 16 * index);
  const cut = message.subarray(0, fields.truncateTo);
  const pseudo = [
    ...ipv6Bytes(source),
    ...ipv6Bytes(destination),
    0,
    0,
    cut.length >> 8,
    cut.length & 255,
    0,
    0,
    0,
    112,
  ];
  const sum = internetChecksum(Uint8Array.from([...(fields.checksum === 'message_only' ? [] : pseudo), ...cut]));
  if (cut.length >= 8) view.setUint16(6, sum ^ (fields.checksum === 'wrong' ? 0x5555 : 0));
  return ipv6Packet(source, destination, cut, fields.ttl ?? 255);
}

/** An IPv6 packet of protocol 112, or of extension headers before it, with any payload. */
export function ipv6Packet(
  source: string,
  destination: string,
  payload: Uint8Array,
  hopLimit = 255,
  nextHeader = 112,
): Uint8Array {
  const packet = new Uint8Array(40 + payload.length);
  packet[0] = 0x6c;
  new DataView(packet.buffer).setUint16(4, payload.length);
  packet[6] = nextHeader;
  packet[7] = hopLimit;
  packet.set(ipv6Bytes(source), 8);
  packet.set(ipv6Bytes(destination), 24);
  packet.set(payload, 40);
  return packet;
}

/** The 16 bytes of an address. */
export function ipv6Bytes(address: string): Buffer {
  const [head = '', tail] = address.split('::');
  const groups = (run: string | undefined) => (run === undefined || run === '' ? [] : run.split(':'));
  const [before, after] = [groups(head), groups(tail)];
  const zeros = new Array<string>(8 - before.length - after.length).fill('0');
  return Buffer.from([...before, ...zeros, ...after].map((group) => group.padStart(4, '0')).join(''), 'hex');
}

function advertMessage(fields: AdvertFields, destination: string): Uint8Array {
  const version = fields.version ?? 3;
  const message = new Uint8Array(8 + 4 * fields.addresses.length + (version === 2 ? 8 : 0));
  const view = new DataView(message.buffer);
  message[0] = (version << 4) | (fields.type ?? 1);
  message[1] = fields.vrid;
  message[2] = fields.priority;
  message[3] = fields.count ?? fields.addresses.length;
  if (version === 2) {
    message[4] = fields.authenticationType ?? (fields.password === undefined ? 0 : 1);
    message[5] = fields.interval;
  } else view.setUint16(4, ((fields.reserved ?? 0) << 12) | fields.interval);
  for (const [index, address] of fields.addresses.entries()) message.set(quad(address), 8 + 4 * index);
  if (version === 2 && fields.password !== undefined) {
    message.set(new TextEncoder().encode(fields.password).subarray(0, 8), message.length - 8);
  }
  const form = fields.checksum ?? (version === 2 ? 'message_only' : 'pseudo_header');
  const pseudo = new Uint8Array(12);
  pseudo.set(quad(fields.source), 0);
  pseudo.set(quad(destination), 4);
  pseudo[9] = 112;
  new DataView(pseudo.buffer).setUint16(10, message.length);
  const covered = form === 'pseudo_header' ? new Uint8Array([...pseudo, ...message]) : message;
  view.setUint16(6, internetChecksum(covered) ^ (form === 'wrong' ? 0x5555 : 0));
  return message;
}

/** RFC 1071. */
function internetChecksum(bytes: Uint8Array): number {
  let sum = 0;
  for (const [index, byte] of bytes.entries()) sum += index % 2 === 0 ? byte << 8 : byte;
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}

function quad(address: string): readonly number[] {
  return address.split('.').map(Number);
}
