/**
 * Receives IPv4 packets of protocol 112 as they come to an interface, by a packet socket, before the kernel asks whether
 * their source would be reached by that interface. For the macvlan of a virtual MAC address: a backup's has no IPv4
 * address, and then the kernel drops everything whose way back is another interface, unless rp_filter is 0 there and for
 * all (docs/decisions/0017).
 */
import { byteAt, uint16At } from '../wire/big-endian.js';
import { addToSum, finishChecksum } from '../wire/checksum.js';
import { IPV4_HEADER_LENGTH, IPV4_OFFSET } from '../wire/ipv4-header.js';
import { GroupMember } from './group-member.js';
import { ipv4Packets } from './ipv4-receiver.js';
import { AF_PACKET, libc } from './libc.js';
import { attachFilter, must, PacketReceiver } from './packet-receiver.js';
import { enlargeQueue } from './receive-queue.js';
import type { Receiver, ReceiverOptions } from './receiver-pair.js';
import { linkAddress } from './socket-address.js';
import { OK, refusal, SocketOpenError } from './system-error.js';

/** Without the frame's header. */
const SOCK_DGRAM = 2;
const ETHERTYPE_IPV4 = 0x0800;

/** Throws SocketOpenError. */
export function openIpv4FrameReceiver(options: ReceiverOptions): Receiver {
  const { interfaceName, interfaceIndex, filter, room } = options;
  const doing = `receive advertisements on ${interfaceName}`;
  const c = libc();
  // Protocol 0 until the filter is attached: nothing else can be received.
  const fd = c.socket(AF_PACKET, SOCK_DGRAM, 0);
  if (fd < 0) throw new SocketOpenError(refusal(-fd, doing));
  try {
    must(attachFilter(fd, filter, interfaceName));
    must(enlargeQueue(fd, room, doing));
    const result = c.bind(fd, linkAddress(interfaceIndex, ETHERTYPE_IPV4));
    must(result < 0 ? refusal(-result, doing) : OK);
    const { vector, packetOf } = ipv4Packets();
    const member = new GroupMember(options);
    const source = {
      vector,
      packetOf: (index: number) => asOfRawSocket(packetOf(index)),
      setMembership: member.change.bind(member),
      close: () => member.close(),
    };
    return new PacketReceiver(fd, source, options);
  } catch (error) {
    c.close(fd);
    throw error;
  }
}

/** As a raw socket would have it: without the frame's padding, and nothing whose header has a wrong checksum. */
function asOfRawSocket(packet: Uint8Array | undefined): Uint8Array | undefined {
  if (packet === undefined) return undefined;
  const headerLength = (byteAt(packet, 0) & 0x0f) * 4;
  if (headerLength < IPV4_HEADER_LENGTH || packet.length < headerLength) return undefined;
  if (finishChecksum(addToSum(0, packet, 0, headerLength)) !== 0) return undefined;
  const length = uint16At(packet, IPV4_OFFSET.totalLength);
  return length < packet.length ? packet.subarray(0, length) : packet;
}
