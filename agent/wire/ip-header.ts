/** What the IPv4 and IPv6 headers of advertisements have in common. Pure. */
import type { IpAddress } from '../../proto/rules/ip.js';

export const VRRP_PROTOCOL = 112;

/** TTL and hop limit of multicast advertisements, which no router can have forwarded (RFC 9568 section 5.1.1.3). */
export const VRRP_TTL = 255;

/** DSCP CS6, network control. */
export const TRAFFIC_CLASS = 0xc0;

/** Of a received packet. */
export interface IpHeader {
  readonly source: IpAddress;
  readonly destination: IpAddress;
  /** TTL or hop limit. */
  readonly ttl: number;
  /** Where the payload begins and ends in the packet; what follows its end is link-layer padding. */
  readonly payloadStart: number;
  readonly payloadEnd: number;
  /** Where source and destination are, one after the other: all of the pseudo-header that is not a constant. */
  readonly addressesStart: number;
  readonly addressesEnd: number;
}

/** Why a header is not that of one whole VRRP packet. */
export type IpHeaderFault = 'truncated' | 'bad-ip-header' | 'not-vrrp' | 'fragment' | 'ip-options';
