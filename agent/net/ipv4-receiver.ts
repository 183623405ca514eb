/**
 * Receives IPv4 packets of protocol 112 by a raw socket, which the kernel gives whole, header included. raw-socket opens
 * it; it would wake up for each packet and give each memory of its own, so packets are received through libc.
 */
import { constants } from 'node:os';
import { createSocket, type RawSocket } from 'raw-socket';
import { VRRP_PROTOCOL } from '../wire/ip-header.js';
import { IP_ADD_MEMBERSHIP, IP_DROP_MEMBERSHIP, ipv4Membership } from './group-member.js';
import { libc, SOL_SOCKET } from './libc.js';
import { Arena, MessageVector } from './message-vector.js';
import { PacketReceiver, type PacketSource, setOption, setUpRawSocket } from './packet-receiver.js';
import type { Receiver, ReceiverOptions } from './receiver-pair.js';
import { errnoOfText, type Refusal, refusal, SocketOpenError } from './system-error.js';

const IPPROTO_IP = 0;
/** A number that no other socket of this kernel has; since Linux 4.6. */
const SO_COOKIE = 57;
const COOKIE_BYTES = 8;
/** Descriptors that are looked at for raw-socket's: the kernel gives the lowest that is free. */
const MOST_DESCRIPTORS = 65_536;

/** Packets received in one call. */
const BATCH = 16;
/** Greater than any advertisement (20 + 8 + 255 x 4 + 28); what is longer is refused for its length anyhow. */
const PACKET_BUFFER = 2048;

/** Throws SocketOpenError. */
export function openIpv4Receiver(options: ReceiverOptions): Receiver {
  const fd = openRawSocket();
  try {
    const source = sourceOf(fd, options);
    setUpRawSocket(fd, source, options);
    return new PacketReceiver(fd, source, options);
  } catch (error) {
    libc().close(fd);
    throw error;
  }
}

function sourceOf(fd: number, { interfaceIndex, interfaceName }: ReceiverOptions): PacketSource {
  const { vector, packetOf } = ipv4Packets();
  return {
    vector,
    packetOf,
    setMembership: (group, isJoin, doing) => {
      if (typeof group !== 'number') return refusal(constants.errno.EAFNOSUPPORT, doing);
      const option = isJoin ? IP_ADD_MEMBERSHIP : IP_DROP_MEMBERSHIP;
      return setOption(fd, IPPROTO_IP, option, ipv4Membership(interfaceIndex, group), `${doing} on ${interfaceName}`);
    },
  };
}

/** Room for packets that the kernel gives whole. */
export function ipv4Packets(): Pick<PacketSource, 'vector' | 'packetOf'> {
  const arena = new Arena(BATCH * Arena.roomFor(PACKET_BUFFER) + MessageVector.roomFor(BATCH));
  const packets = Array.from({ length: BATCH }, () => arena.piece(PACKET_BUFFER));
  const vector = new MessageVector(
    arena,
    packets.map((data) => ({ data })),
  );
  // Most are as long as the one before: no other array is made of the same bytes.
  const received = [...packets];
  const packetOf = (index: number): Uint8Array | undefined => {
    const length = vector.receivedLength(index);
    const former = received[index];
    if (former === undefined || former.length === length) return former;
    const packet = packets[index]?.subarray(0, length);
    if (packet !== undefined) received[index] = packet;
    return packet;
  };
  return { vector, packetOf };
}

/**
 * raw-socket does not say which descriptor it has, which programs that are started would inherit: a check or hook that runs
 * as nobody would have a raw socket of root's, could send advertisements, and change the filter of what we hear. Ours is
 * another descriptor of the same socket, and raw-socket's, with its poll, is closed at once.
 */
function openRawSocket(): number {
  const doing = 'open a raw socket for protocol 112';
  let socket: RawSocket;
  try {
    socket = createSocket({ protocol: VRRP_PROTOCOL, bufferSize: 1 });
  } catch (error) {
    throw new SocketOpenError(refusalOf(error, doing));
  }
  try {
    const fd = libc().duplicate(descriptorOf(socket));
    if (fd < 0) throw new SocketOpenError(refusal(-fd, doing));
    return fd;
  } finally {
    socket.close();
  }
}

function descriptorOf(socket: RawSocket): number {
  const doing = 'find the descriptor of a raw socket';
  const cookie = Buffer.alloc(COOKIE_BYTES);
  const found = Buffer.alloc(COOKIE_BYTES);
  try {
    socket.getOption(SOL_SOCKET, SO_COOKIE, cookie, cookie.length);
  } catch (error) {
    throw new SocketOpenError(refusalOf(error, doing));
  }
  for (let fd = 0; fd < MOST_DESCRIPTORS; fd++) {
    if (libc().getsockopt(fd, SOL_SOCKET, SO_COOKIE, found) >= 0 && found.equals(cookie)) return fd;
  }
  throw new SocketOpenError(refusal(constants.errno.EBADF, doing));
}

/** raw-socket's errors have only strerror's words. */
function refusalOf(error: unknown, doing: string): Refusal {
  const text = error instanceof Error ? error.message : String(error);
  const errno = errnoOfText(text);
  return errno === undefined ? refusal(constants.errno.EIO, doing, text) : refusal(errno, doing);
}
