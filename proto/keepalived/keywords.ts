/**
 * Every word that keepalived's parser knows on the VRRP side, by the block that it stands in, and what Baton makes of
 * it. A word that is not listed is unknown to keepalived as well.
 */
import { nearestName } from '../rules/nearest-name.js';
import type { Severity } from './remark.js';

/** `read`: has its meaning in Baton. `reported`: has none, or not yet; the meaning says what that changes. */
export type KeywordSupport =
  | { readonly support: 'read' }
  | { readonly support: 'reported'; readonly severity: Severity; readonly meaning: string };

export type Context =
  | 'top'
  | 'global_defs'
  | 'vrrp_script'
  | 'vrrp_instance'
  | 'authentication'
  | 'virtual_ipaddress option'
  | 'unicast_peer option';

const READ: KeywordSupport = { support: 'read' };
const reported =
  (severity: Severity) =>
  (meaning: string): KeywordSupport => ({ support: 'reported', severity, meaning });
/** What runs would not be what the file asks for. */
const missing = reported('error');
/** Runs without it; the meaning says what is different. */
const without = reported('warning');
/** Nothing is lost. */
const nothing = reported('note');

const PROCESS = nothing("tunes keepalived's own processes; it has no meaning for Baton");
const DUMP = nothing('says where keepalived writes its dumps; ask "baton-agent status" instead');
const RELOAD = nothing("controls keepalived's reload; Baton takes a configuration whole or not at all");
const SNMP = without('SNMP is not supported; monitoring that reads it has to change');
const DBUS = without('D-Bus is not supported; programs that listen there get nothing');
const FIREWALL = nothing("concerns keepalived's firewall rules; Baton sets none");
const LVS = without(
  'belongs to the load balancer (LVS), which is out of Baton\'s scope; keep running "keepalived --check" for it',
);
const CHECKER = nothing("belongs to keepalived's load balancer half, which is out of Baton's scope");
const BFD_PROCESS = nothing("tunes keepalived's BFD process; BFD is not supported yet");
const VMAC_NAME = nothing('names virtual MAC interfaces, which are not supported yet; none is made');
const STARTUP = without(
  'not supported: the script is not run; run it from a systemd unit ordered before or after baton-agent',
);
const NEIGHBOUR_RATE = without('spacing of gratuitous ARP is not supported yet; all of a burst is sent at once');
const EXTRA_GARP = without(
  'not supported yet: no gratuitous ARP is sent on interfaces other than those that carry the addresses',
);
const IPV6_ONLY = nothing('concerns IPv6, which is not supported yet');

const TOP: Readonly<Record<string, KeywordSupport>> = {
  global_defs: READ,
  vrrp_script: READ,
  vrrp_instance: READ,
  vrrp_sync_group: missing(
    "sync groups are not supported yet: its instances would fail over each for itself, and the group's notify scripts, tracks and smtp_alert are not carried over",
  ),
  vrrp_track_process: without(
    'process tracking is not supported yet; instances that track it are reported where they do',
  ),
  track_file: without('file tracking is not supported yet; instances that track it are reported where they do'),
  vrrp_track_file: without('file tracking is not supported yet; instances that track it are reported where they do'),
  bfd_instance: without(
    'BFD is not supported yet: no session is opened; instances that track it are reported where they do',
  ),
  static_ipaddress: missing(
    "static addresses are not supported yet: Baton would not set them; configure them on the host's interfaces",
  ),
  static_routes: missing(
    "static routes are not supported yet: Baton would not set them; configure them in the host's network settings",
  ),
  static_rules: missing(
    "static rules are not supported yet: Baton would not set them; configure them in the host's network settings",
  ),
  track_group: without(
    'not supported: Baton sets no static addresses, routes or rules, so losing one puts no instance in fault',
  ),
  garp_group: NEIGHBOUR_RATE,
  interface_up_down_delays: without(
    'not supported yet: an interface that goes down or up acts at once, without the delay',
  ),
  linkbeat_interfaces: without(
    "link polling is not supported: Baton takes the link state from the kernel's notices only",
  ),
  linkbeat_use_polling: without(
    "link polling is not supported: Baton takes the link state from the kernel's notices only",
  ),
  net_namespace: missing(
    'not supported: Baton would run in another network namespace than the file asks for; start baton-agent inside it ("ip netns exec")',
  ),
  net_namespace_ipvs: LVS,
  namespace_with_ipsets: FIREWALL,
  instance: nothing("names keepalived's own files; use --run-dir and --state-dir of baton-agent"),
  use_pid_dir: nothing("places keepalived's pid files; Baton writes none"),
  child_wait_time: PROCESS,
  virtual_server: LVS,
  virtual_server_group: LVS,
  SSL: CHECKER,
};

const GLOBAL: Readonly<Record<string, KeywordSupport>> = {
  router_id: READ,
  notification_email: READ,
  notification_email_from: READ,
  smtp_server: READ,
  smtp_helo_name: READ,
  smtp_connect_timeout: READ,
  smtp_alert: READ,
  smtp_alert_vrrp: READ,
  vrrp_version: READ,
  vrrp_mcast_group4: READ,
  vrrp_garp_master_delay: READ,
  vrrp_garp_master_repeat: READ,
  vrrp_garp_master_refresh: READ,
  vrrp_garp_master_refresh_repeat: READ,
  vrrp_garp_lower_prio_delay: READ,
  vrrp_garp_lower_prio_repeat: READ,
  vrrp_min_garp: READ,
  vrrp_down_timer_adverts: READ,
  vrrp_strict: READ,
  v3_checksum_as_v2: READ,
  notify_fifo: READ,
  vrrp_notify_fifo: READ,
  script_user: READ,
  enable_script_security: nothing('baton-agent always judges by its own agent.yaml what may run'),
  smtp_alert_checker: CHECKER,
  no_email_faults: without('not supported yet: entering fault is mailed like every other change'),
  vrrp_mcast_group6: IPV6_ONLY,
  default_interface: nothing('only static addresses use it, which are not supported yet'),
  vrrp_garp_interval: NEIGHBOUR_RATE,
  vrrp_gna_interval: IPV6_ONLY,
  vrrp_garp_extra_if: EXTRA_GARP,
  vrrp_vmac_garp_intvl: EXTRA_GARP,
  vrrp_lower_prio_no_advert: without(
    'not supported: an active router answers an advertisement of lower priority at once, as keepalived does by default',
  ),
  vrrp_higher_prio_send_advert: without(
    'not supported: an active router that hears a higher priority yields without another advertisement',
  ),
  vrrp_owner_ignore_adverts: without('not supported: a router with priority 255 judges advertisements like any other'),
  vrrp_check_unicast_src: nothing(
    'is always so in Baton: a unicast advertisement from any but a peer is dropped and counted',
  ),
  vrrp_skip_check_adv_addr: nothing(
    'Baton accepts and reports an advertisement whose address list differs, so there is nothing to skip',
  ),
  vrrp_notify_priority_changes: without('not supported: changes of priority are not written to the FIFO'),
  vrrp_startup_delay: without('not supported yet: elections begin as soon as baton-agent runs'),
  vrrp_delay_after_boot: without('not supported yet: elections begin as soon as baton-agent runs'),
  log_unknown_vrids: nothing('Baton counts advertisements of unknown virtual routers in any case'),
  dynamic_interfaces: nothing(
    'an interface that is absent is a fault in Baton until it appears, whether this is set or not',
  ),
  disable_local_igmp: without("not supported: the kernel's IGMP setting is left as it is"),
  notify_fifo_script: without('not supported: the process is not started; read the FIFO from a service of your own'),
  vrrp_notify_fifo_script: without(
    'not supported: the process is not started; read the FIFO from a service of your own',
  ),
  fifo_write_vrrp_states_on_reload: without('not supported: a new configuration does not repeat states on the FIFO'),
  use_symlink_paths: nothing('Baton runs a script by the path that is given'),
  set_supplementary_groups: without("not supported: a script runs with its user's primary group only"),
  startup_script: STARTUP,
  startup_script_timeout: STARTUP,
  shutdown_script: STARTUP,
  shutdown_script_timeout: STARTUP,
  vmac_prefix: VMAC_NAME,
  vmac_addr_prefix: VMAC_NAME,
  random_seed: nothing('only the predefined definition _RANDOM uses it, which are not supported yet'),
  umask: PROCESS,
  include_check: without(
    'not supported: a plain include that matches nothing is a warning; write includer, includem or includea for an error',
  ),
  reload_check_config: RELOAD,
  reload_time_file: RELOAD,
  reload_repeat: RELOAD,
  reload_file: RELOAD,
  config_save_dir: RELOAD,
  tmp_config_directory: RELOAD,
  data_use_instance: DUMP,
  state_dump_file: DUMP,
  stats_dump_file: DUMP,
  json_dump_file: DUMP,
  state_file_location: DUMP,
  stats_file_location: DUMP,
  json_file_location: DUMP,
  json_version: DUMP,
  vrrp_priority: PROCESS,
  vrrp_rt_priority: PROCESS,
  vrrp_rlimit_rttime: PROCESS,
  vrrp_rlimit_rtime: PROCESS,
  vrrp_no_swap: PROCESS,
  vrrp_cpu_affinity: PROCESS,
  max_auto_priority: PROCESS,
  min_auto_priority_delay: PROCESS,
  vrrp_rx_bufs_policy: PROCESS,
  vrrp_rx_bufs_multiplier: PROCESS,
  vrrp_netlink_cmd_rcv_bufs: PROCESS,
  vrrp_netlink_cmd_rcv_bufs_force: PROCESS,
  vrrp_netlink_monitor_rcv_bufs: PROCESS,
  vrrp_netlink_monitor_rcv_bufs_force: PROCESS,
  process_monitor_rcv_bufs: PROCESS,
  process_monitor_rcv_bufs_force: PROCESS,
  process_names: PROCESS,
  process_name: PROCESS,
  vrrp_process_name: PROCESS,
  nftables: FIREWALL,
  nftables_priority: FIREWALL,
  nftables_counters: FIREWALL,
  nftables_ifindex: FIREWALL,
  vrrp_iptables: FIREWALL,
  vrrp_ipsets: FIREWALL,
  snmp_socket: SNMP,
  enable_snmp_vrrp: SNMP,
  enable_snmp_keepalived: SNMP,
  enable_snmp_rfc: SNMP,
  enable_snmp_rfcv2: SNMP,
  enable_snmp_rfcv3: SNMP,
  enable_traps: SNMP,
  enable_dbus: DBUS,
  dbus_service_name: DBUS,
  dbus_no_interface_name: DBUS,
  iproute_usr_dir: nothing('names tables of routes, which are not supported yet'),
  iproute_etc_dir: nothing('names tables of routes, which are not supported yet'),
  lvs_sync_daemon: LVS,
  enable_snmp_checker: CHECKER,
  snmp_rs_stats_update_interval: CHECKER,
  snmp_vs_stats_update_interval: CHECKER,
  nftables_ipvs: CHECKER,
  nftables_ipvs_priority: CHECKER,
  nftables_ipvs_start_fwmark: CHECKER,
  rs_init_notifies: CHECKER,
  no_checker_emails: CHECKER,
  checker_log_all_failures: CHECKER,
};

const SCRIPT: Readonly<Record<string, KeywordSupport>> = {
  script: READ,
  interval: READ,
  timeout: READ,
  weight: READ,
  rise: READ,
  fall: READ,
  user: READ,
  init_fail: without(
    "not supported: until its first run a check counts as unknown and holds the instance in fault; keepalived's own init_fail has no effect either",
  ),
};

const INSTANCE: Readonly<Record<string, KeywordSupport>> = {
  state: READ,
  interface: READ,
  virtual_router_id: READ,
  priority: READ,
  advert_int: READ,
  version: READ,
  preempt: READ,
  nopreempt: READ,
  preempt_delay: READ,
  mcast_src_ip: READ,
  unicast_src_ip: READ,
  unicast_peer: READ,
  authentication: READ,
  virtual_ipaddress: READ,
  track_interface: READ,
  track_script: READ,
  notify_master: READ,
  notify_backup: READ,
  notify_fault: READ,
  notify_stop: READ,
  notify: READ,
  smtp_alert: READ,
  garp_master_delay: READ,
  garp_master_repeat: READ,
  garp_master_refresh: READ,
  garp_master_refresh_repeat: READ,
  garp_lower_prio_delay: READ,
  garp_lower_prio_repeat: READ,
  v3_checksum_as_v2: READ,
  mcast_dst_ip: READ,
  down_timer_adverts: READ,
  strict_mode: READ,
  accept: nothing("Baton's addresses always answer"),
  no_accept: without('not supported: the addresses answer on the active router, nothing is dropped'),
  vrf: missing('not supported: Baton needs an interface for every instance'),
  native_ipv6: IPV6_ONLY,
  track_src_ip: nothing('Baton is in fault without its configured source address in any case'),
  unicast_ttl: without('not supported: advertisements are sent with TTL 255'),
  unicast_fault_no_peer: nothing('Baton takes an empty list of peers for multicast and reports it'),
  check_unicast_src: nothing(
    'is always so in Baton: a unicast advertisement from any but a peer is dropped and counted',
  ),
  old_unicast_checksum: without('not supported: the checksum of keepalived up to 1.3.6 is neither sent nor accepted'),
  use_vmac: without(
    "virtual MAC addresses are not supported yet: the addresses use the interface's own MAC address, and clients learn of a change by gratuitous ARP",
  ),
  use_vmac_addr: without(
    "virtual MAC addresses are not supported yet: the addresses use their interface's own MAC address",
  ),
  vmac_xmit_base: nothing('Baton sends on the interface itself, since it makes no virtual MAC interface'),
  use_ipvlan: without('ipvlan is not supported yet: the addresses are added to the interface itself'),
  dont_track_primary: without("not supported yet: Baton is in fault while the instance's own interface is down"),
  track_file: missing(
    'file tracking is not supported yet: the file would not move the priority nor put the instance in fault',
  ),
  track_process: missing(
    'process tracking is not supported yet: the process would not move the priority nor put the instance in fault',
  ),
  track_bfd: missing(
    'BFD tracking is not supported yet: the session would not move the priority nor put the instance in fault',
  ),
  virtual_ipaddress_excluded: missing('excluded addresses are not supported yet: these addresses will not be moved'),
  virtual_routes: missing('not supported yet: these routes will not be moved'),
  virtual_rules: missing('not supported yet: these rules will not be moved'),
  no_virtual_ipaddress: missing('not supported yet: Baton needs at least one address in every instance'),
  promote_secondaries: without("not supported: the interface's promote_secondaries setting is left as it is"),
  garp_extra_if: EXTRA_GARP,
  vmac_garp_intvl: EXTRA_GARP,
  lower_prio_no_advert: without(
    'not supported: an active router answers an advertisement of lower priority at once, as keepalived does by default',
  ),
  higher_prio_send_advert: without(
    'not supported: an active router that hears a higher priority yields without another advertisement',
  ),
  owner_ignore_adverts: without('not supported: a router with priority 255 judges advertisements like any other'),
  timer_expired_backup: nothing('Baton steps down after every pause longer than its lease or down interval'),
  thread_timer_expired: nothing('Baton steps down after every pause longer than its lease or down interval'),
  skip_check_adv_addr: nothing(
    'Baton accepts and reports an advertisement whose address list differs, so there is nothing to skip',
  ),
  auth_hmac: missing(
    "HMAC authentication is not supported: Baton and its peers would refuse each other's advertisements",
  ),
  notify_deleted: without('not supported: nothing is run when the instance is removed from the configuration'),
  notify_master_rx_lower_pri: without('not supported: nothing is run when an advertisement of lower priority is heard'),
  notify_priority_changes: without('not supported: changes of priority are not written to the FIFO'),
  kernel_rx_buf_size: PROCESS,
  linkbeat_use_polling: without(
    "link polling is not supported: Baton takes the link state from the kernel's notices only",
  ),
  lvs_sync_daemon_interface: LVS,
  debug: nothing('has no effect in keepalived either; use --log-level of baton-agent'),
};

const AUTHENTICATION: Readonly<Record<string, KeywordSupport>> = { auth_type: READ, auth_pass: READ };

const ADDRESS_OPTION: Readonly<Record<string, KeywordSupport>> = {
  dev: READ,
  label: READ,
  brd: READ,
  broadcast: READ,
  scope: without('address scope is not supported yet; the address has global scope'),
  peer: missing('point-to-point addresses are not supported; the address would be added without its peer'),
  home: IPV6_ONLY,
  '-nodad': IPV6_ONLY,
  mngtmpaddr: IPV6_ONLY,
  noprefixroute: without("not supported: the kernel makes the route of the address's prefix"),
  autojoin: without('not supported: no multicast group is joined'),
  no_track: without('not supported: Baton puts the address back when it is removed by hand'),
  preferred_lft: without("not supported: the lifetime of the address is Baton's lease"),
  use_vmac: without("virtual MAC addresses are not supported yet: the address uses the interface's own MAC address"),
  track_group: without('not supported: losing the address puts no other instance in fault'),
};

const PEER_OPTION: Readonly<Record<string, KeywordSupport>> = {
  min_ttl: without('not supported yet: the TTL of unicast advertisements is not checked'),
  max_ttl: without('not supported yet: the TTL of unicast advertisements is not checked'),
};

const toMap = (table: Readonly<Record<string, KeywordSupport>>): ReadonlyMap<string, KeywordSupport> =>
  new Map(Object.entries(table));

/** All words by context. */
export const KEYWORDS: Readonly<Record<Context, ReadonlyMap<string, KeywordSupport>>> = {
  top: toMap(TOP),
  global_defs: toMap(GLOBAL),
  vrrp_script: toMap(SCRIPT),
  vrrp_instance: toMap(INSTANCE),
  authentication: toMap(AUTHENTICATION),
  'virtual_ipaddress option': toMap(ADDRESS_OPTION),
  'unicast_peer option': toMap(PEER_OPTION),
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
