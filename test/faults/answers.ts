/** Who answers for an address, as a client sees it: ARP requests and neighbour solicitations, and every answer to them. */
import type { Host } from '../lab/host.js';
import { ipv6Bytes } from '../lab/packet.js';
import type { Tap } from '../lab/tap.js';
import { throughout, until } from '../lab/until.js';

/** Nobody who answers takes longer than this after the first one. */
const LATE_MS = 60;
const NEIGHBOR_SOLICITATION = 135;
const NEIGHBOR_ADVERTISEMENT = 136;

/** The MAC addresses that answer, each once; fails if none does within a second. */
export async function whoAnswers(client: Host, ear: Tap, address: string): Promise<readonly string[]> {
  const [arpSeen, neighborSeen] = [ear.frames.length, ear.ipv6Frames.length];
  const answers = (): readonly string[] =>
    address.includes(':')
      ? neighborAnswers(ear, address, neighborSeen)
      : ear.frames.slice(arpSeen).flatMap(({ outgoing, bytes }) => {
          const isAnswer = !outgoing && bytes[12] === 0x08 && bytes[13] === 0x06 && bytes[21] === 2;
          return isAnswer && bytes.subarray(28, 32).join('.') === address ? [macText(bytes.subarray(22, 28))] : [];
        });
  ear.sendFrame(await question(client, address));
  await until(`somebody to answer for ${address}`, 1000, () => answers().length > 0);
  await throughout('answers are gathered', LATE_MS, () => true);
  return [...new Set(answers())].sort();
}

function neighborAnswers(ear: Tap, address: string, seen: number): readonly string[] {
  const target = ipv6Bytes(address);
  return ear.ipv6Frames.slice(seen).flatMap(({ outgoing, bytes }) => {
    const isAnswer = !outgoing && bytes[20] === 58 && bytes[54] === NEIGHBOR_ADVERTISEMENT;
    // The target link-layer address option is the only one that answers to a multicast question have.
    return isAnswer && target.equals(bytes.subarray(62, 78)) ? [macText(bytes.subarray(80, 86))] : [];
  });
}

async function question(client: Host, address: string): Promise<Uint8Array> {
  const mac = Buffer.from((await client.mac()).replaceAll(':', ''), 'hex');
  if (!address.includes(':')) {
    return Buffer.concat([
      Buffer.alloc(6, 0xff),
      mac,
      Buffer.from([0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, 1]),
      mac,
      Buffer.from(client.address.split('.').map(Number)),
      Buffer.alloc(6),
      Buffer.from(address.split('.').map(Number)),
    ]);
  }
  const own = (await client.kernelAddresses(6)).find(({ address: each }) => each.startsWith('fd09:'))?.address ?? '';
  const [source, target] = [ipv6Bytes(own), ipv6Bytes(address)];
  const group = Buffer.concat([ipv6Bytes('ff02::1:ff00:0').subarray(0, 13), target.subarray(13)]);
  const message = Buffer.concat([
    Buffer.from([NEIGHBOR_SOLICITATION, 0, 0, 0, 0, 0, 0, 0]),
    target,
    Buffer.from([1, 1]),
    mac,
  ]);
  const pseudo = Buffer.concat([source, group, Buffer.from([0, 0, 0, message.length, 0, 0, 0, 58])]);
  message.writeUInt16BE(checksum(Buffer.concat([pseudo, message])), 2);
  const header = Buffer.from([0x60, 0, 0, 0, 0, message.length, 58, 255]);
  const ethernet = Buffer.concat([
    Buffer.from([0x33, 0x33, 0xff]),
    target.subarray(13),
    mac,
    Buffer.from([0x86, 0xdd]),
  ]);
  return Buffer.concat([ethernet, header, source, group, message]);
}

/** RFC 1071, of an even number of bytes. */
function checksum(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += bytes.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

function macText(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}
