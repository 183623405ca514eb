/** Good packets of each version and family: captured ones, and one for every router that packets are fuzzed against. */

import { type AdvertFields, advertPacket, ipv6AdvertPacket } from '../../lab/packet.js';
import * as captured from '../../wire/captured.js';
import { joined } from '../mutator.js';
import { signature } from '../reference/vrrp.js';
import { CLOCK_MS, KEYS } from './vrrp-packets.js';

const { bytesOf } = captured;

const CAPTURED: Readonly<Record<string, readonly string[]>> = {
  '2-4': [captured.V2_NONE, captured.V2_PASS, captured.HMAC_V2],
  '3-4': [captured.V3_MULTICAST, captured.V3_UNICAST, captured.V3_MESSAGE_ONLY, captured.HMAC_V3],
  '2-6': [captured.V2_IPV6, captured.V2_IPV6_PASS],
  '3-6': [captured.V3_IPV6, captured.HMAC_V3_IPV6],
};

export function goodPackets(version: 2 | 3, family: 4 | 6): readonly Uint8Array[] {
  const forRouters = [10, 11, 14, 15, 18].map((vrid) => advert(version, family, { vrid }));
  return [
    ...(CAPTURED[`${version}-${family}`] ?? []).map(bytesOf),
    ...forRouters,
    advert(version, family, { vrid: 12, destination: family === 4 ? '10.9.0.2' : 'fe80::2' }),
    advert(version, family, { vrid: 13, ...(version === 2 ? { password: 'pg-vrrp\0', authenticationType: 1 } : {}) }),
    advert(version, family, { vrid: 15, addresses: [] }),
    advert(version, family, {
      vrid: 10,
      addresses: new Array<string>(255).fill(family === 4 ? '10.9.0.26' : 'fe80::aa'),
    }),
    signedAdvert(version, family, 16),
    signedAdvert(version, family, 17),
  ];
}

/** A right one from a neighbour on the link, but for what is said otherwise. */
export function advert(version: 2 | 3, family: 4 | 6, fields: Partial<AdvertFields> = {}): Uint8Array {
  const whole: AdvertFields = {
    source: family === 4 ? '10.9.0.1' : 'fe80::1',
    version,
    vrid: 10,
    priority: 150,
    addresses: family === 4 ? ['10.9.0.26', '10.9.0.27'] : ['fe80::aa:26', '2001:db8::26'],
    interval: version === 2 ? 1 : 100,
    ...fields,
  };
  return family === 4 ? advertPacket(whole) : ipv6AdvertPacket(whole);
}

export interface TrailerFields {
  readonly type?: number;
  readonly keyId?: number;
  /** Seconds that the stamp is later than the receiver's clock. */
  readonly ahead?: number;
  readonly spoil?: boolean;
}

/** With a trailer; over IPv6 the checksum does not cover it, which receivers may accept. */
export function signedAdvert(version: 2 | 3, family: 4 | 6, vrid: number, fields: TrailerFields = {}): Uint8Array {
  const packet = advert(version, family, { vrid });
  const start = family === 4 ? 20 : 40;
  const trailer = new Uint8Array(28);
  trailer[0] = fields.type ?? 1;
  trailer[1] = fields.keyId ?? Number(Object.keys(KEYS)[0]);
  new DataView(trailer.buffer).setUint32(4, Math.floor(CLOCK_MS / 1000) + (fields.ahead ?? 0));
  const [key = new Uint8Array(0)] = Object.values(KEYS);
  trailer.set(signature(family, packet, packet.subarray(start), trailer, key), 12);
  if (fields.spoil === true) trailer[27] = (trailer[27] ?? 0) ^ 1;
  const whole = joined(packet, trailer);
  new DataView(whole.buffer).setUint16(family === 4 ? 2 : 4, whole.length - (family === 4 ? 0 : start));
  return whole;
}
