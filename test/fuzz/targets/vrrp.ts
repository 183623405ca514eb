/** Advertisements of both versions over both families, judged beside an acceptor that is written from the RFCs. */
import { AdvertisementTemplate } from '../../../agent/wire/advertisement.js';
import { DROP_REASONS, decodeAdvertisement } from '../../../agent/wire/reception.js';
import { badInputs } from '../bad-inputs.js';
import { GROUP, judge, TRAILER } from '../reference/vrrp.js';
import { must, mustEqual, PACKET_BUDGET, type Target } from '../target.js';
import { hexOf } from '../trial.js';
import { addressOf, CLOCK_MS, expectationsOf, KEYS, packetRepairs, settingsOf } from './vrrp-packets.js';
import { goodPackets } from './vrrp-seeds.js';

const FILES = [
  'agent/wire/reception.ts',
  'agent/wire/advertisement.ts',
  'agent/wire/checksum.ts',
  'agent/wire/ipv4-header.ts',
  'agent/wire/ipv6-header.ts',
  'agent/wire/hmac-trailer.ts',
  'agent/wire/hmac-verifier.ts',
];

/** The decoder, or one with a bug put in. */
export type DecodeAdvertisement = typeof decodeAdvertisement;

export function vrrpTarget(version: 2 | 3, family: 4 | 6, decode: DecodeAdvertisement = decodeAdvertisement): Target {
  const settings = settingsOf(family, version);
  const start = family === 4 ? 20 : 40;
  const routers = () =>
    new Map(Object.entries(settings).map(([vrid, setting]) => [Number(vrid), expectationsOf(family, setting)]));
  const decoded = (packet: Uint8Array) => decode(family, packet, routers());
  const lasting = routers();
  return {
    name: `vrrp${version}-ipv${family}`,
    what: `advertisements of version ${version} over IPv${family}, signed and unsigned`,
    files: FILES,
    group: 'decoders',
    seeds: [...goodPackets(version, family), ...badInputs(version, family)],
    dictionary: [Buffer.from(GROUP[family], 'hex')],
    repairs: packetRepairs(family, version),
    maxLength: 1_200,
    isText: false,
    budget: PACKET_BUDGET,
    read: (packet) => decode(family, packet, lasting),
    run: (packet) => {
      const reception = decoded(packet);
      const judgement = judge(family, packet, settings, KEYS, CLOCK_MS);
      const wanted = [...judgement.faults].join(' or ') || 'acceptance';
      if (!reception.ok) {
        must(DROP_REASONS.includes(reception.reason), 'closed list of reasons', () => reception.reason);
        must(judgement.faults.has(reception.reason), 'accept-set', () => `${reception.reason} instead of ${wanted}`);
        return reception.reason;
      }
      must(judgement.faults.size === 0, 'accept-set', () => `accepted instead of ${wanted}`);
      const { advertisement, vrid } = reception;
      const unit = version === 2 ? 1_000_000 : 10_000;
      mustEqual(advertisement.priority, judgement.priority, 'priority as sent');
      mustEqual(advertisement.interval, judgement.interval * unit, 'interval as sent');
      mustEqual(advertisement.addresses, judgement.addresses.map(addressOf), 'addresses as sent');
      mustEqual(
        reception.checksumForm,
        version === 3 && family === 4 ? judgement.checksumForm : undefined,
        'checksum form as sent',
      );
      mustEqual(
        reception.isSigned,
        settings[vrid]?.hmac === undefined ? undefined : judgement.isSigned,
        'signature as sent',
      );

      const [destinationStart, destinationEnd] = family === 4 ? [16, 20] : [24, 40];
      const password = settings[vrid]?.password === undefined ? {} : { password: passwordOf(packet) };
      const template = new AdvertisementTemplate({
        version,
        vrid,
        interval: advertisement.interval,
        addresses: advertisement.addresses,
        source: reception.source,
        destination: addressOf(hexOf(packet.subarray(destinationStart, destinationEnd))),
        ttl: Math.max(1, packet[family === 4 ? 8 : 7] ?? 0),
        checksum: judgement.checksumForm,
        isSigned: judgement.isSigned,
        ...password,
      });
      const end =
        family === 4 ? 256 * (packet[2] ?? 0) + (packet[3] ?? 0) : 40 + 256 * (packet[4] ?? 0) + (packet[5] ?? 0);
      const trailer = judgement.isSigned ? packet.slice(end - TRAILER, end) : undefined;
      const again = template.packet(advertisement.priority, trailer).slice();
      if (packet[family === 4 ? 8 : 7] === 0) again[family === 4 ? 8 : 7] = 0;
      // A signature covers reserved bits, which are not sent again.
      if (ignoredBits(version, family, packet.subarray(start)) && judgement.isSigned) return 'accepted, reserved bits';
      mustEqual(decoded(again), reception, 'decode(encode(decode(x))) = decode(x)');
      if (ignoredBits(version, family, packet.subarray(start))) return 'accepted, reserved bits';
      mustEqual(hexOf(comparable(again, start, end)), hexOf(comparable(packet, start, end)), 'encode(decode(x)) = x');
      return `accepted${judgement.isSigned ? ', signed' : ''}${advertisement.priority === 0 ? ', priority 0' : ''}`;
    },
  };
}

/** The VRRP message; of the two ways to write a checksum of zero neither counts. */
function comparable(packet: Uint8Array, start: number, end: number): Uint8Array {
  const message = packet.slice(start, end);
  message.fill(0, 6, 8);
  return message;
}

/** Whether something is set that receivers must ignore: the reserved bits of version 3, unused authentication data. */
function ignoredBits(version: 2 | 3, family: 4 | 6, message: Uint8Array): boolean {
  if (version === 3) return (message[4] ?? 0) >> 4 !== 0;
  const at = 8 + 4 * (message[3] ?? 0);
  return family === 4 && message[4] === 0 && message.subarray(at, at + 8).some((byte) => byte !== 0);
}

function passwordOf(packet: Uint8Array): Uint8Array {
  if ((packet[0] ?? 0) >> 4 === 6) return new TextEncoder().encode('pg-vrrp\0');
  const at = 28 + 4 * (packet[23] ?? 0);
  return packet.slice(at, at + 8);
}
