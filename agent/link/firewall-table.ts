/**
 * What is in the nftables table: as nft(8) would write it,
 *
 *     chain input  { type filter hook input priority -1; policy accept;
 *                    ip daddr @dropped4 drop
 *                    icmpv6 type 135-136 accept
 *                    ip6 daddr @dropped6 drop
 *                    ip6 daddr . iif @dropped_link_local drop }
 *     chain output { type filter hook output priority -1; policy accept;
 *                    oif @quiet meta l4proto igmp drop
 *                    oif @quiet icmpv6 type 131-133 drop
 *                    oif @quiet icmpv6 type 143 drop }
 *
 * Accepting here ends this table's say only: the host's own filter has its say as well.
 */
import {
  ACCEPT,
  compareByte,
  DROP,
  type Expression,
  HOOK_INPUT,
  HOOK_OUTPUT,
  KEY_INTERFACE,
  KEY_IPV4,
  KEY_IPV6,
  keyPair,
  loadMeta,
  loadPayload,
  lookUp,
  META_FAMILY,
  META_INPUT_INTERFACE,
  META_OUTPUT_INTERFACE,
  META_PROTOCOL,
  NFPROTO_IPV4,
  NFPROTO_IPV6,
  type NftablesBatch,
  REGISTER_2,
} from '../wire/nftables-message.js';

export const TABLE = 'baton';
/** Just before the host's own filter. */
const PRIORITY = -1;

export const SETS = [
  { name: 'dropped4', keyType: KEY_IPV4, keyLength: 4, byteOrder: 'network' },
  { name: 'dropped6', keyType: KEY_IPV6, keyLength: 16, byteOrder: 'network' },
  {
    name: 'dropped_link_local',
    keyType: keyPair(KEY_IPV6, KEY_INTERFACE),
    keyLength: 20,
    byteOrder: 'network',
  },
  { name: 'quiet', keyType: KEY_INTERFACE, keyLength: 4, byteOrder: 'host' },
] as const;
export type SetName = (typeof SETS)[number]['name'];

const PROTOCOL_IGMP = 2;
const PROTOCOL_ICMPV6 = 58;
/** RFC 4861, 2710, 3810. */
const NEIGHBOR_SOLICITATION = 135;
const NEIGHBOR_ADVERTISEMENT = 136;
const MULTICAST_LISTENER_REPORT = 131;
const ROUTER_SOLICITATION = 133;
const MULTICAST_LISTENER_REPORT_V2 = 143;

/** Sets, chains and rules into a table that is there and empty. */
export function addRuleset(batch: NftablesBatch): void {
  for (const set of SETS) batch.addSet(set);
  batch.addChain('input', HOOK_INPUT, PRIORITY);
  batch.addChain('output', HOOK_OUTPUT, PRIORITY);
  const destination = { 4: loadPayload(1, 16, 4), 6: loadPayload(1, 24, 16) };
  batch.addRule('input', [...isFamily(NFPROTO_IPV4), destination[4], lookUp('dropped4'), DROP]);
  batch.addRule('input', [...isIcmpv6(NEIGHBOR_SOLICITATION, NEIGHBOR_ADVERTISEMENT), ACCEPT]);
  batch.addRule('input', [...isFamily(NFPROTO_IPV6), destination[6], lookUp('dropped6'), DROP]);
  batch.addRule('input', [
    ...isFamily(NFPROTO_IPV6),
    destination[6],
    loadMeta(META_INPUT_INTERFACE, REGISTER_2),
    lookUp('dropped_link_local'),
    DROP,
  ]);
  const isQuiet = [loadMeta(META_OUTPUT_INTERFACE), lookUp('quiet')];
  batch.addRule('output', [...isQuiet, loadMeta(META_PROTOCOL), compareByte('equal', PROTOCOL_IGMP), DROP]);
  batch.addRule('output', [...isQuiet, ...isIcmpv6(MULTICAST_LISTENER_REPORT, ROUTER_SOLICITATION), DROP]);
  batch.addRule('output', [...isQuiet, ...isIcmpv6(MULTICAST_LISTENER_REPORT_V2, MULTICAST_LISTENER_REPORT_V2), DROP]);
}

function isFamily(family: number): readonly Expression[] {
  return [loadMeta(META_FAMILY), compareByte('equal', family)];
}

function isIcmpv6(firstType: number, lastType: number): readonly Expression[] {
  const type = loadPayload(2, 0, 1);
  const isType =
    firstType === lastType
      ? [type, compareByte('equal', firstType)]
      : [type, compareByte('at least', firstType), compareByte('at most', lastType)];
  return [loadMeta(META_PROTOCOL), compareByte('equal', PROTOCOL_ICMPV6), ...isType];
}
