/**
 * Every word that keepalived's parser knows on the VRRP side, by the block that it stands in, and what Baton makes of
 * it. A word that is not listed is unknown to keepalived as well.
 */
import { nearestName } from '../rules/nearest-name.js';
import { GLOBAL, TOP } from './keywords-global.js';
import {
  ADDRESS_OPTION,
  AUTHENTICATION,
  HMAC,
  INSTANCE,
  PEER_OPTION,
  SYNC_GROUP,
  VMAC_OPTION,
} from './keywords-instance.js';
import {
  BFD,
  GARP_GROUP,
  NEXT_HOP_OPTION,
  ROUTE_OPTION,
  RULE_OPTION,
  SCRIPT,
  TRACK_FILE,
  TRACK_GROUP,
  TRACK_PROCESS,
} from './keywords-network.js';
import { BFD_PROCESS, CHECKER, type KeywordSupport, type KeywordTable, LVS } from './support.js';

export type { KeywordSupport } from './support.js';

export type Context =
  | 'top'
  | 'global_defs'
  | 'vrrp_script'
  | 'track_file'
  | 'vrrp_track_process'
  | 'bfd_instance'
  | 'vrrp_sync_group'
  | 'vrrp_instance'
  | 'authentication'
  | 'auth_hmac'
  | 'garp_group'
  | 'track_group'
  | 'virtual_ipaddress option'
  | 'unicast_peer option'
  | 'use_vmac option'
  | 'route option'
  | 'next hop option'
  | 'rule option';

const toMap = (table: KeywordTable): ReadonlyMap<string, KeywordSupport> => new Map(Object.entries(table));

/** All words by context. */
export const KEYWORDS: Readonly<Record<Context, ReadonlyMap<string, KeywordSupport>>> = {
  top: toMap(TOP),
  global_defs: toMap(GLOBAL),
  vrrp_script: toMap(SCRIPT),
  track_file: toMap(TRACK_FILE),
  vrrp_track_process: toMap(TRACK_PROCESS),
  bfd_instance: toMap(BFD),
  vrrp_sync_group: toMap(SYNC_GROUP),
  vrrp_instance: toMap(INSTANCE),
  authentication: toMap(AUTHENTICATION),
  auth_hmac: toMap(HMAC),
  garp_group: toMap(GARP_GROUP),
  track_group: toMap(TRACK_GROUP),
  'virtual_ipaddress option': toMap(ADDRESS_OPTION),
  'unicast_peer option': toMap(PEER_OPTION),
  'use_vmac option': toMap(VMAC_OPTION),
  'route option': toMap(ROUTE_OPTION),
  'next hop option': toMap(NEXT_HOP_OPTION),
  'rule option': toMap(RULE_OPTION),
};

/** Words of the other halves that share a prefix (settings of their processes, LVS time-outs and so on). */
const FAMILIES: readonly (readonly [RegExp, KeywordSupport])[] = [
  [/^lvs_/u, LVS],
  [/^checker_/u, CHECKER],
  [/^bfd_/u, BFD_PROCESS],
];

/** Undefined: keepalived does not know the word in that context either. */
export function keywordSupport(context: Context, word: string): KeywordSupport | undefined {
  const known = KEYWORDS[context].get(word);
  if (known !== undefined || context !== 'global_defs') return known;
  return FAMILIES.find(([pattern]) => pattern.test(word))?.[1];
}

/** The known word of a context that is nearest to a misspelt one; undefined when none is near. */
export function nearestKeyword(context: Context, word: string): string | undefined {
  return nearestName(word, KEYWORDS[context].keys());
}
