/** The words of what is tracked (scripts, files, processes, BFD) and of routes, rules and other settings of the host. */
import { type KeywordTable, missing, nothing, readAll, without } from './support.js';

export const SCRIPT: KeywordTable = {
  ...readAll('script', 'interval', 'timeout', 'weight', 'rise', 'fall', 'user'),
  init_fail: without(
    "not supported: until its first run a check counts as unknown and holds the instance in fault; keepalived's own init_fail has no effect either",
  ),
};

export const TRACK_FILE: KeywordTable = readAll('file', 'weight', 'init_file');

export const TRACK_PROCESS: KeywordTable = readAll(
  'process',
  'param_match',
  'full_command',
  'weight',
  'quorum',
  'quorum_max',
  'delay',
  'terminate_delay',
  'fork_delay',
);

export const BFD: KeywordTable = {
  ...readAll(
    'neighbor_ip',
    'neighbour_ip',
    'source_ip',
    'min_rx',
    'min_tx',
    'idle_tx',
    'multiplier',
    'passive',
    'multihop',
    'max_hops',
    'weight',
  ),
  ttl: nothing('Baton sends BFD packets with TTL or hop limit 255, as RFC 5881 section 5 has it'),
  hoplimit: nothing('Baton sends BFD packets with TTL or hop limit 255, as RFC 5881 section 5 has it'),
  vrrp: nothing('an instance that tracks the session says so itself'),
  checker: without("belongs to the load balancer, which is out of Baton's scope; it hears nothing of the session"),
};

export const GARP_GROUP: KeywordTable = readAll('garp_interval', 'gna_interval', 'interface', 'interfaces');

export const TRACK_GROUP: KeywordTable = readAll('group');

const MPLS = missing('not supported: encapsulated routes have to be set by another program');

export const ROUTE_OPTION: KeywordTable = {
  ...readAll(
    'inet',
    'inet6',
    'to',
    'via',
    'gw',
    'or',
    'nexthop',
    'dev',
    'oif',
    'src',
    'table',
    'metric',
    'priority',
    'preference',
    'scope',
    'protocol',
    'tos',
    'dsfield',
    'onlink',
    'mtu',
    'advmss',
    'window',
    'rtt',
    'rttvar',
    'ssthresh',
    'cwnd',
    'initcwnd',
    'initrwnd',
    'reordering',
    'hoplimit',
    'rto_min',
    'quickack',
    'features',
    'fastopen_no_cookie',
    'congctl',
    'pref',
    'prepend',
    'append',
    'no_track',
    'track_group',
  ),
  add: nothing('Baton replaces a route of the same prefix and metric that is there already'),
  encap: MPLS,
  as: MPLS,
  'ttl-propagate': MPLS,
  realms: without('not supported: the route has no realm'),
  from: missing('not supported: IPv6 routes by source prefix; write a rule and a table of its own'),
  expires: without('not supported: the route stays as long as the instance is active'),
  vrf: missing('not supported: write the table of the VRF instead ("table NUMBER")'),
};

export const NEXT_HOP_OPTION: KeywordTable = {
  ...readAll('via', 'dev', 'weight', 'onlink', 'inet', 'inet6'),
  encap: MPLS,
  as: MPLS,
  realms: without('not supported: the next hop has no realm'),
};

export const RULE_OPTION: KeywordTable = {
  ...readAll(
    'inet',
    'inet6',
    'not',
    'from',
    'to',
    'table',
    'lookup',
    'preference',
    'order',
    'priority',
    'tos',
    'dsfield',
    'fwmark',
    'suppress_prefixlength',
    'sup_pl',
    'suppress_ifgroup',
    'sup_group',
    'dev',
    'iif',
    'oif',
    'uidrange',
    'l3mdev',
    'ipproto',
    'sport',
    'dport',
    'type',
    'goto',
    'nop',
    'blackhole',
    'unreachable',
    'prohibit',
    'no_track',
    'track_group',
  ),
  realms: without('not supported: the rule sets no realm'),
  'tunnel-id': missing('not supported: the rule would match packets of every tunnel'),
  protocol: nothing("marks who made the rule; Baton's rules carry keepalived's number (18)"),
};
