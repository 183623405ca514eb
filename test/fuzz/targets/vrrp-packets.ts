/** Routers that packets are fuzzed against, one for each VRID, and how broken packets are repaired. */

import { HmacVerifier } from '../../../agent/wire/hmac-verifier.js';
import type { Expectations } from '../../../agent/wire/reception.js';
import { HMAC_KEY, HMAC_KEY_ID, HMAC_SENT_MS } from '../../wire/captured.js';
import { macOf } from '../../wire/hmac-fixture.js';
import { pseudoHeader } from '../reference/checksum.js';
import { GROUP, type RouterSetting, rightChecksum, signature, TRAILER } from '../reference/vrrp.js';
import type { Repair } from '../target.js';

export const CLOCK_MS = HMAC_SENT_MS;
export const KEYS = { [HMAC_KEY_ID]: HMAC_KEY };
export const PASSWORD = 'pg-vrrp';

const SENDER: Readonly<Record<4 | 6, string>> = { 4: '0a090001', 6: 'fe800000000000000000000000000001' };
const OWN: Readonly<Record<4 | 6, string>> = { 4: '0a090002', 6: 'fe800000000000000000000000000002' };
const THIRD: Readonly<Record<4 | 6, string>> = { 4: '0a090003', 6: 'fe800000000000000000000000000003' };
const FAR: Readonly<Record<4 | 6, string>> = { 4: 'c0000201', 6: '20010db8000000000000000000000001' };

/** By VRID. */
export function settingsOf(family: 4 | 6, version: 2 | 3): Readonly<Record<number, RouterSetting>> {
  const plain: RouterSetting = {
    version,
    interval: version === 2 ? 1 : 100,
    own: [OWN[family]],
    onLink: family === 4 ? [[OWN[4], 24]] : [],
    mayBeEmpty: false,
    linkLocalFirst: false,
  };
  const any = { least: 0, greatest: 255 };
  const peers = { [SENDER[family]]: { least: 255, greatest: 255 }, [THIRD[family]]: { least: 1, greatest: 64 } };
  return {
    10: plain,
    11: { ...plain, own: [], onLink: [] },
    12: { ...plain, peers: { ...peers, [FAR[family]]: any } },
    13: version === 2 ? { ...plain, password: PASSWORD } : plain,
    14: {
      ...plain,
      believed: [SENDER[family], '0a080001', '0a070001', '0a090000', '0a0900ff'],
      onLink:
        family === 4
          ? [
              [OWN[4], 24],
              ['0a080000', 31],
              ['0a070001', 32],
            ]
          : [],
    },
    15: { ...plain, mayBeEmpty: true },
    16: { ...plain, hmac: { isRequired: true, hasWindow: true } },
    17: { ...plain, hmac: { isRequired: false, hasWindow: false } },
    18: { ...plain, linkLocalFirst: family === 6 },
  };
}

/** The same as the decoder takes it; made anew for each packet, since verifiers remember. */
export function expectationsOf(family: 4 | 6, setting: RouterSetting): Expectations {
  const unit = setting.version === 2 ? 1_000_000 : 10_000;
  const { peers, believed, password, hmac } = setting;
  const passwordBytes = new Uint8Array(8);
  if (password !== undefined) passwordBytes.set(new TextEncoder().encode(password));
  return {
    version: setting.version,
    interval: setting.interval * unit,
    ...(password === undefined ? {} : { password: passwordBytes }),
    transport:
      peers === undefined
        ? {
            kind: 'multicast',
            group: addressOf(GROUP[family]),
            ...(believed === undefined ? {} : { believed: new Set(believed.map(addressOf)) }),
          }
        : {
            kind: 'unicast',
            peers: new Map(Object.entries(peers).map(([address, limits]) => [addressOf(address), limits])),
          },
    ownAddresses: new Set(setting.own.map(addressOf)),
    onLink: [
      ...setting.onLink.map(([address, prefixLength]) => ({ address: addressOf(address), prefixLength })),
      // An interface has subnets of both families.
      ...(setting.onLink.length > 0 ? [{ address: 0xfe80n << 112n, prefixLength: 64 }] : []),
    ],
    mayBeEmpty: setting.mayBeEmpty,
    linkLocalFirst: setting.linkLocalFirst,
    ...(hmac === undefined
      ? {}
      : {
          hmac: new HmacVerifier({
            macs: new Map([[HMAC_KEY_ID, macOf(HMAC_KEY)]]),
            replayGuard: hmac.hasWindow ? 'time' : 'monotonic',
            timeWindow: 5_000_000,
            isRequired: hmac.isRequired,
            interval: 1_000_000,
            wallMs: () => CLOCK_MS,
            now: () => 0,
          }),
        }),
  };
}

/** Hexadecimal bytes as the agent has addresses: a number, or of IPv6 a bigint. */
export function addressOf(hex: string): number | bigint {
  return hex.length === 32 ? BigInt(`0x${hex}`) : Number.parseInt(hex, 16);
}

/** In the order in which they must be made: what is signed or summed comes before its signature or sum. */
export function packetRepairs(family: 4 | 6, version: 2 | 3): readonly Repair[] {
  const start = family === 4 ? 20 : 40;
  const size = family === 4 ? 4 : 16;
  const authentication = version === 2 && family === 4 ? 8 : 0;
  const isSignedRouter = (packet: Uint8Array): boolean => packet[start + 1] === 16 || packet[start + 1] === 17;

  const header: Repair = (packet, random) => {
    if (packet.length < start) return packet;
    if (!random.chance(0.9)) return packet;
    packet[0] = family === 4 ? 0x45 : 0x60;
    packet[family === 4 ? 9 : 6] = 112;
    packet[family === 4 ? 8 : 7] = random.chance(0.9) ? 255 : random.pick([0, 1, 64, 254]);
    if (family === 4) packet.fill(0, 6, 8);
    const source = random.chance(0.7) ? SENDER : random.pick([SENDER, OWN, THIRD, FAR]);
    if (random.chance(0.8)) packet.set(Buffer.from(source[family], 'hex'), family === 4 ? 12 : 8);
    if (random.chance(0.9)) packet.set(Buffer.from(GROUP[family], 'hex'), family === 4 ? 16 : 24);
    else packet.set(Buffer.from(OWN[family], 'hex'), family === 4 ? 16 : 24);
    return packet;
  };
  const router: Repair = (packet, random) => {
    if (packet.length < start + 2) return packet;
    if (random.chance(0.9)) packet[start] = version * 16 + 1;
    if (random.chance(0.6)) packet[start + 1] = random.between(10, 18);
    return packet;
  };
  const lengths: Repair = (packet, random) => {
    if (packet.length < start + 8) return packet;
    const trailer = isSignedRouter(packet) && random.chance(0.8) ? TRAILER : 0;
    const room = packet.length - start - 8 - authentication - trailer;
    const count = Math.min(255, Math.max(0, Math.floor(room / size)));
    if (random.chance(0.8)) packet[start + 3] = count;
    const whole = packet.slice(0, start + 8 + count * size + authentication + trailer);
    const result = random.chance(0.9) && whole.length >= start + 8 ? whole : packet;
    // The password of version 2, and an interval that agrees.
    if (version === 2) {
      if (random.chance(0.8)) result[start + 5] = 1;
      if (random.chance(0.8)) result[start + 4] = result[start + 1] === 13 ? 1 : 0;
      if (result[start + 1] === 13 && family === 4 && random.chance(0.7)) {
        const password = Buffer.alloc(8);
        password.write(PASSWORD);
        const at = result.length - 8;
        if (at >= start + 8) result.set(password, at);
      }
    }
    new DataView(result.buffer, result.byteOffset).setUint16(
      family === 4 ? 2 : 4,
      result.length - (family === 4 ? 0 : start),
    );
    return result;
  };
  const signed: Repair = (packet, random) => {
    const at = packet.length - TRAILER;
    if (!isSignedRouter(packet) || at < start + 8) return packet;
    const trailer = packet.subarray(at);
    trailer[0] = 1;
    trailer[1] = random.chance(0.9) ? HMAC_KEY_ID : random.between(0, 255);
    const seconds =
      Math.floor(CLOCK_MS / 1000) + (random.chance(0.8) ? random.between(-5, 5) : random.between(-60, 60));
    new DataView(trailer.buffer, trailer.byteOffset).setUint32(4, seconds);
    trailer.set(signature(family, packet, packet.subarray(start, at), trailer, HMAC_KEY), 12);
    return packet;
  };
  const checksum: Repair = (packet, random) => {
    if (packet.length < start + 8) return packet;
    const hasTrailer = isSignedRouter(packet) && packet.length >= start + 8 + TRAILER;
    const end = hasTrailer && (family === 4 || random.chance(0.3)) ? packet.length - TRAILER : packet.length;
    const message = packet.subarray(start, end);
    const addresses = packet.subarray(...(family === 4 ? [12, 20] : [8, 40]));
    const hasPseudo = family === 6 || (version === 3 && random.chance(0.6));
    const before = hasPseudo ? [pseudoHeader(addresses, 112, message.length)] : [];
    new DataView(packet.buffer, packet.byteOffset).setUint16(start + 6, rightChecksum(message, ...before));
    return packet;
  };
  return [header, router, lengths, signed, checksum];
}
