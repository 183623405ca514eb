/** ARP and neighbour discovery: frames that anybody on the link can send. */
import {
  type ArpMessage,
  decodeArp,
  encodeArpProbe,
  encodeGratuitousArp,
  isAnnouncement,
} from '../../../agent/wire/arp.js';
import { hardwareAddressText, isSameHardwareAddress } from '../../../agent/wire/ethernet.js';
import {
  decodeNeighbor,
  encodeNeighborAdvertisement,
  encodeNeighborProbe,
  encodeNeighborSolicitation,
  type NeighborMessage,
  solicitedNodeGroup,
} from '../../../agent/wire/neighbor.js';
import { bytesOf, GRATUITOUS_ARP, ip, ip6, KERNEL_PROBE, NEIGHBOR_ADVERTISEMENT } from '../../wire/captured.js';
import { internetChecksum, pseudoHeader } from '../reference/checksum.js';
import { validArp, validNeighbor } from '../reference/link-layer.js';
import { must, mustEqual, PACKET_BUDGET, type Repair, type Target } from '../target.js';

const MAC = Uint8Array.of(2, 0, 0, 0, 0, 1);

const arpHeader: Repair = (frame, random) => {
  if (frame.length < 42) return frame;
  frame.set([8, 6, 0, 1, 8, 0, 6, 4, 0, random.between(1, 2)], 12);
  return frame;
};

export function arpTarget(decode: (frame: Uint8Array) => ArpMessage | undefined = decodeArp): Target {
  return {
    name: 'arp',
    what: 'ARP frames (RFC 826)',
    files: ['agent/wire/arp.ts', 'agent/wire/ethernet.ts'],
    group: 'decoders',
    seeds: [bytesOf(GRATUITOUS_ARP), encodeArpProbe(MAC, ip('10.9.0.26')), new Uint8Array(41), new Uint8Array(0)],
    dictionary: [],
    repairs: [arpHeader],
    maxLength: 128,
    isText: false,
    budget: PACKET_BUDGET,
    read: decode,
    run: (frame) => {
      const message = decode(frame);
      const reference = validArp(frame);
      mustEqual(message, reference, 'as RFC 826 has it');
      if (message === undefined) return 'refused';
      const { senderHardware, senderAddress, targetAddress } = message;
      mustEqual(isAnnouncement(message), senderAddress === targetAddress, 'announcements');
      mustEqual(
        decode(encodeGratuitousArp(senderHardware, senderAddress)),
        {
          operation: 'request',
          senderHardware,
          senderAddress,
          targetHardware: new Uint8Array(6).fill(255),
          targetAddress: senderAddress,
        },
        'decode(encode(m)) = m',
      );
      const probe = decode(encodeArpProbe(senderHardware, targetAddress));
      mustEqual(probe?.senderAddress, 0, 'a probe is from nobody');
      must(isSameHardwareAddress(probe?.senderHardware ?? MAC, senderHardware), 'hardware address', () => 'differs');
      mustEqual(
        Buffer.from(hardwareAddressText(senderHardware).replaceAll(':', ''), 'hex'),
        Buffer.from(senderHardware),
        'hardware address as text',
      );
      return `${message.operation}${isAnnouncement(message) ? ', announcement' : ''}`;
    },
  };
}

const neighborHeader: Repair = (frame, random) => {
  if (frame.length < 78) return frame;
  frame.set([0x86, 0xdd, 0x60], 12);
  frame.set([0, random.chance(0.9) ? frame.length - 54 : random.between(0, 80), 58, 255], 18);
  frame.set([random.between(135, 136), 0], 54);
  if (random.chance(0.5)) frame.set(random.chance(0.5) ? new Uint8Array(16) : frame.subarray(62, 78), 22);
  const to = random.between(0, 3);
  if (to === 0) frame.set(Buffer.from('ff020000000000000000000000000001', 'hex'), 38);
  if (to === 1) frame.set([...Buffer.from('ff0200000000000000000001ff', 'hex'), ...frame.subarray(75, 78)], 38);
  if (random.chance(0.5)) frame[62] = 0xfe;
  return frame;
};
const neighborOptions: Repair = (frame, random) => {
  for (let at = 78; at + 1 < frame.length && random.chance(0.8); at += (frame[at + 1] ?? 0) * 8 || 8) {
    frame[at] = random.between(1, 2);
    if (random.chance(0.9)) frame[at + 1] = Math.min(random.between(0, 2), (frame.length - at) >> 3);
  }
  return frame;
};
const neighborChecksum: Repair = (frame) => {
  const length = 256 * (frame[18] ?? 0) + (frame[19] ?? 0);
  const message = frame.subarray(54, 54 + length);
  if (message.length < 4) return frame;
  frame.fill(0, 56, 58);
  const sum = internetChecksum(pseudoHeader(frame.subarray(22, 54), 58, length), message);
  frame.set([sum >> 8, sum & 255], 56);
  return frame;
};

export function neighborTarget(decode: (frame: Uint8Array) => NeighborMessage | undefined = decodeNeighbor): Target {
  return {
    name: 'neighbor',
    what: 'neighbour solicitations and advertisements (RFC 4861)',
    files: ['agent/wire/neighbor.ts'],
    group: 'decoders',
    seeds: [
      bytesOf(NEIGHBOR_ADVERTISEMENT),
      bytesOf(KERNEL_PROBE),
      encodeNeighborProbe(MAC, ip6('fe80::aa:26')),
      encodeNeighborSolicitation(MAC, ip6('fe80::1'), ip6('fe80::aa:26')),
    ],
    dictionary: [Buffer.from('ff020000000000000000000000000001', 'hex'), Buffer.from('0201020000000001', 'hex')],
    repairs: [neighborHeader, neighborOptions, neighborChecksum],
    maxLength: 256,
    isText: false,
    budget: PACKET_BUDGET,
    read: decode,
    run: (frame) => {
      const message = decode(frame);
      mustEqual(message, validNeighbor(frame), 'as RFC 4861 sections 7.1.1 and 7.1.2 have it');
      if (message === undefined) return 'refused';
      const { hardwareAddress, source, target, isRouter } = message;
      const flags = { isRouter: false, isSolicited: false, isOverride: false };
      const announced = decode(encodeNeighborAdvertisement(hardwareAddress, target, isRouter));
      const allNodes = ip6('ff02::1');
      mustEqual(
        announced,
        {
          ...flags,
          kind: 'advertisement',
          source: target,
          destination: allNodes,
          target,
          hardwareAddress,
          isRouter,
          isOverride: true,
        },
        'decode(encode(advertisement))',
      );
      const asked = {
        ...flags,
        kind: 'solicitation',
        destination: solicitedNodeGroup(target),
        target,
        hardwareAddress,
      };
      mustEqual(
        decode(encodeNeighborProbe(hardwareAddress, target)),
        { ...asked, source: 0n },
        'decode(encode(probe))',
      );
      const asking = decode(encodeNeighborSolicitation(hardwareAddress, source, target));
      // From nobody, with an option: what nobody may send.
      mustEqual(asking, source === 0n ? undefined : { ...asked, source }, 'decode(encode(solicitation))');
      return `${message.kind}${source === 0n ? ' from nobody' : ''}${message.isSolicited ? ', solicited' : ''}`;
    },
  };
}
