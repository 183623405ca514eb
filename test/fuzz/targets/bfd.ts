/** BFD control packets (RFC 5880). */
import { type Decoded, decodePacket, describeDiagnostic, encodePacket } from '../../../agent/bfd/packet.js';
import { must, mustEqual, PACKET_BUDGET, type Repair, type Target } from '../target.js';
import { hexOf } from '../trial.js';

const STATES = ['admin-down', 'down', 'init', 'up'] as const;
const GOOD = Buffer.from('20c0031800000001000000020000c3500000c35000000000', 'hex');

/** RFC 5880 section 6.8.6, the steps that need no session, sentence by sentence: every one that says "discard". */
function discards(bytes: Uint8Array): string[] {
  if (bytes.length < 24) return ['truncated'];
  const [first = 0, flags = 0, multiplier, length = 0] = bytes;
  const hasAuthentication = (flags & 4) !== 0;
  const faults: string[] = [];
  if (first >> 5 !== 1) faults.push('bad-version');
  if (length < (hasAuthentication ? 26 : 24) || length > bytes.length) faults.push('bad-length');
  if (multiplier === 0) faults.push('zero-multiplier');
  if ((flags & 1) !== 0) faults.push('multipoint');
  if (number(bytes, 4) === 0) faults.push('zero-discriminator');
  if (number(bytes, 8) === 0 && flags >> 6 > 1) faults.push('no-session');
  if (hasAuthentication) faults.push('authenticated');
  return faults;
}

const mended: Repair = (packet, random) => {
  if (packet.length < 24) return packet;
  packet[0] = 0x20 | ((packet[0] ?? 0) & 0x1f);
  packet[1] = (packet[1] ?? 0) & (random.chance(0.8) ? 0xfa : 0xff);
  if (random.chance(0.9)) packet[2] ||= 3;
  packet[3] = random.chance(0.8) ? 24 : Math.min(255, packet.length);
  if (random.chance(0.9)) packet[7] ||= 1;
  return packet;
};

export function bfdTarget(decode: (bytes: Uint8Array) => Decoded = decodePacket): Target {
  return {
    name: 'bfd',
    what: 'BFD control packets (RFC 5880)',
    files: ['agent/bfd/packet.ts'],
    group: 'decoders',
    seeds: [GOOD, GOOD.subarray(0, 23), Buffer.concat([GOOD, GOOD])].map((bytes) => new Uint8Array(bytes)),
    dictionary: [],
    repairs: [mended],
    maxLength: 96,
    isText: false,
    budget: PACKET_BUDGET,
    read: decode,
    run: (bytes) => {
      const decoded = decode(bytes);
      const faults = discards(bytes);
      const wanted = faults.join(' or ') || 'acceptance';
      if (!decoded.ok) {
        must(faults.includes(decoded.fault), 'accept-set', () => `${decoded.fault} instead of ${wanted}`);
        return decoded.fault;
      }
      must(faults.length === 0, 'accept-set', () => `accepted instead of ${wanted}`);
      const [first = 0, flags = 0, multiplier] = bytes;
      mustEqual(
        decoded.packet,
        {
          diagnostic: first & 31,
          state: STATES[flags >> 6],
          poll: (flags & 32) !== 0,
          final: (flags & 16) !== 0,
          demand: (flags & 2) !== 0,
          multiplier,
          myDiscriminator: number(bytes, 4),
          yourDiscriminator: number(bytes, 8),
          desiredMinTx: number(bytes, 12),
          requiredMinRx: number(bytes, 16),
          requiredMinEchoRx: number(bytes, 20),
        },
        'as RFC 5880 section 4.1 has it',
      );
      const again = encodePacket(decoded.packet);
      mustEqual(decode(again), decoded, 'decode(encode(m)) = m');
      // The C flag says something of the sender's own works, and its length is always the shortest.
      const canonical = bytes.slice(0, 24);
      canonical[1] = flags & ~8;
      canonical[3] = 24;
      mustEqual(hexOf(again), hexOf(canonical), 'encode(decode(x)) = x');
      must(describeDiagnostic(first & 31).length > 0, 'diagnostics have words', () => String(first & 31));
      return `${decoded.packet.state}${(first & 31) > 8 ? ', unknown diagnostic' : ''}`;
    },
  };
}

function number(bytes: Uint8Array, at: number): number {
  return Number.parseInt(hexOf(bytes.subarray(at, at + 4)), 16);
}
