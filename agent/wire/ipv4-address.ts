/** The IPv4 group and prefixes under their former names; proto/rules/ip.ts has addresses of either family. */
import { type IpPrefix, prefixContains } from '../../proto/rules/ip.js';
import type { Ipv4 } from '../vrrp/virtual-router.js';
import { VRRP_GROUPS } from './advertisement.js';

export { formatIpv4, parseIpv4 } from '../../proto/rules/ipv4.js';

export const VRRP_GROUP: Ipv4 = VRRP_GROUPS[4];

export type Ipv4Prefix = IpPrefix;

export function isInPrefix(address: Ipv4, prefix: IpPrefix): boolean {
  return prefixContains(prefix, address);
}
