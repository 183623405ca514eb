/**
 * One raw socket that receives IPv6 packets of protocol 112. Several packets are received in one call; of each a packet
 * with an IPv6 header is made, since the kernel gives the payload alone and tells the rest beside it (RFC 3542).
 */
import { constants, endianness } from 'node:os';
import { VRRP_PROTOCOL } from '../wire/ip-header.js';
import { IPV6_EXTENSION, IPV6_HEADER_LENGTH, IPV6_OFFSET } from '../wire/ipv6-header.js';
import { IPV6_ADD_MEMBERSHIP, IPV6_DROP_MEMBERSHIP, ipv6Membership } from './group-member.js';
import { AF_INET6, intOption, libc, SOCK_RAW } from './libc.js';
import { Arena, MessageVector } from './message-vector.js';
import { must, PacketReceiver, type PacketSource, setOption, setUpRawSocket } from './packet-receiver.js';
import type { Receiver, ReceiverOptions } from './receiver-pair.js';
import { IN6_ADDRESS_AT, SOCKADDR_IN6_LENGTH } from './socket-address.js';
import { refusal, SocketOpenError } from './system-error.js';

const IPPROTO_IPV6 = 41;
const IPV6_RECVPKTINFO = 49;
const IPV6_PKTINFO = 50;
const IPV6_RECVHOPLIMIT = 51;
const IPV6_HOPLIMIT = 52;
const IPV6_RECVHOPOPTS = 53;
const IPV6_HOPOPTS = 54;
const IPV6_RECVRTHDR = 56;
const IPV6_RTHDR = 57;
const IPV6_RECVDSTOPTS = 58;
const IPV6_DSTOPTS = 59;
const MSG_CTRUNC = 0x8;

/** Packets received in one call. */
const BATCH = 8;
/** Greater than any advertisement that is not refused for its length anyhow (8 + 255 x 16 + 28). */
const PACKET_BUFFER = 4224;
/** Room for what is asked for; extension headers that are longer are cut, which is noticed. */
const CONTROL_BUFFER = 256;
/** struct cmsghdr: length of all, level, type. */
const CONTROL_HEADER = 16;
const LITTLE = endianness() === 'LE';

/** What the kernel told of an extension header, as the next header that it was. */
const EXTENSIONS: ReadonlyMap<number, number> = new Map([
  [IPV6_HOPOPTS, IPV6_EXTENSION.hopByHop],
  [IPV6_RTHDR, IPV6_EXTENSION.routing],
  [IPV6_DSTOPTS, IPV6_EXTENSION.destination],
]);

interface Slot {
  /** Header and payload, one after the other. */
  readonly packet: Uint8Array;
  readonly view: DataView;
  readonly name: Uint8Array;
  readonly control: Uint8Array;
  readonly controlView: DataView;
}

/** Throws SocketOpenError. */
export function openIpv6Receiver(options: ReceiverOptions): Receiver {
  const c = libc();
  const fd = c.socket(AF_INET6, SOCK_RAW, VRRP_PROTOCOL);
  if (fd < 0) throw new SocketOpenError(refusal(-fd, 'open a raw socket for protocol 112'));
  try {
    for (const option of [IPV6_RECVPKTINFO, IPV6_RECVHOPLIMIT, IPV6_RECVHOPOPTS, IPV6_RECVRTHDR, IPV6_RECVDSTOPTS]) {
      must(
        setOption(
          fd,
          IPPROTO_IPV6,
          option,
          intOption(1),
          `ask for what is beside the payload on ${options.interfaceName}`,
        ),
      );
    }
    const source = sourceOf(fd, options);
    setUpRawSocket(fd, source, options);
    return new PacketReceiver(fd, source, options);
  } catch (error) {
    c.close(fd);
    throw error;
  }
}

function sourceOf(fd: number, { interfaceIndex, interfaceName }: ReceiverOptions): PacketSource {
  const arena = new Arena(
    BATCH * Arena.roomFor(IPV6_HEADER_LENGTH + PACKET_BUFFER, SOCKADDR_IN6_LENGTH, CONTROL_BUFFER) +
      MessageVector.roomFor(BATCH),
  );
  const slots = Array.from({ length: BATCH }, () => newSlot(arena));
  const vector = new MessageVector(
    arena,
    slots.map(({ packet, name, control }) => ({ data: packet.subarray(IPV6_HEADER_LENGTH), name, control })),
  );
  return {
    vector,
    packetOf: (index) => {
      const slot = slots[index];
      if (slot === undefined) return undefined;
      const length = vector.receivedLength(index);
      writeHeader(slot, length, vector.controlLength(index), (vector.flags(index) & MSG_CTRUNC) !== 0);
      return slot.packet.subarray(0, IPV6_HEADER_LENGTH + length);
    },
    setMembership: (group, isJoin, doing) => {
      if (typeof group !== 'bigint') return refusal(constants.errno.EAFNOSUPPORT, doing);
      const option = isJoin ? IPV6_ADD_MEMBERSHIP : IPV6_DROP_MEMBERSHIP;
      const request = ipv6Membership(interfaceIndex, group);
      return setOption(fd, IPPROTO_IPV6, option, request, `${doing} on ${interfaceName}`);
    },
  };
}

function newSlot(arena: Arena): Slot {
  const packet = arena.piece(IPV6_HEADER_LENGTH + PACKET_BUFFER);
  const control = arena.piece(CONTROL_BUFFER);
  const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const name = arena.piece(SOCKADDR_IN6_LENGTH);
  return { packet, view: viewOf(packet), name, control, controlView: viewOf(control) };
}

/**
 * Writes the header before the payload. What was not told is zero: a hop limit and a destination that nobody expects.
 * Extension headers are gone, and are shown by the first one's number.
 */
function writeHeader(slot: Slot, payloadLength: number, controlLength: number, isCut: boolean): void {
  const { packet, view, name, control, controlView } = slot;
  packet.fill(0, 0, IPV6_HEADER_LENGTH);
  packet[0] = 0x60;
  view.setUint16(IPV6_OFFSET.payloadLength, payloadLength);
  // What does not fit are extension headers: the fixed ones come first.
  let nextHeader: number = isCut ? IPV6_EXTENSION.hopByHop : VRRP_PROTOCOL;
  packet.set(name.subarray(IN6_ADDRESS_AT, IN6_ADDRESS_AT + 16), IPV6_OFFSET.source);
  for (let at = 0; at + CONTROL_HEADER <= controlLength; ) {
    const length = Number(controlView.getBigUint64(at, LITTLE));
    if (length < CONTROL_HEADER || at + length > controlLength) break;
    const level = controlView.getInt32(at + 8, LITTLE);
    const type = controlView.getInt32(at + 12, LITTLE);
    const data = at + CONTROL_HEADER;
    if (level === IPPROTO_IPV6) {
      if (type === IPV6_PKTINFO) packet.set(control.subarray(data, data + 16), IPV6_OFFSET.destination);
      else if (type === IPV6_HOPLIMIT) packet[IPV6_OFFSET.hopLimit] = controlView.getInt32(data, LITTLE);
      else nextHeader = EXTENSIONS.get(type) ?? nextHeader;
    }
    at += (length + 7) & ~7;
  }
  packet[IPV6_OFFSET.nextHeader] = nextHeader;
}
