/** Every word of keepalived's parser is either read or reported with a meaning; none is dropped. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KEYWORDS } from '../../proto/keepalived/index.js';
import { nearestKeyword } from '../../proto/keepalived/keywords.js';
import { instanceText, readText, shown } from './memory-files.js';

const words = (text: string): readonly string[] => text.split(/\s+/u).filter((word) => word !== '');

/** The words of global_defs in keepalived.conf(5) and in its parser, the other halves' among them. */
const GLOBAL = words(`
  router_id notification_email notification_email_from smtp_server smtp_helo_name smtp_connect_timeout smtp_alert
  smtp_alert_vrrp smtp_alert_checker no_email_faults vrrp_mcast_group4 vrrp_mcast_group6 default_interface vrrp_version
  vrrp_garp_master_delay vrrp_garp_master_repeat vrrp_garp_master_refresh vrrp_garp_master_refresh_repeat
  vrrp_garp_lower_prio_delay vrrp_garp_lower_prio_repeat vrrp_garp_interval vrrp_gna_interval vrrp_min_garp
  vrrp_garp_extra_if vrrp_vmac_garp_intvl vrrp_down_timer_adverts vrrp_lower_prio_no_advert
  vrrp_higher_prio_send_advert vrrp_owner_ignore_adverts v3_checksum_as_v2 vrrp_check_unicast_src
  vrrp_skip_check_adv_addr vrrp_strict vrrp_notify_priority_changes vrrp_startup_delay vrrp_delay_after_boot
  log_unknown_vrids dynamic_interfaces disable_local_igmp notify_fifo vrrp_notify_fifo notify_fifo_script
  vrrp_notify_fifo_script fifo_write_vrrp_states_on_reload script_user enable_script_security use_symlink_paths
  set_supplementary_groups startup_script shutdown_script startup_script_timeout shutdown_script_timeout vmac_prefix
  vmac_addr_prefix random_seed umask reload_check_config reload_time_file reload_repeat reload_file config_save_dir
  tmp_config_directory data_use_instance state_dump_file stats_dump_file json_dump_file json_version vrrp_priority
  vrrp_rt_priority vrrp_rlimit_rttime vrrp_rlimit_rtime vrrp_no_swap vrrp_cpu_affinity max_auto_priority
  min_auto_priority_delay vrrp_rx_bufs_policy vrrp_rx_bufs_multiplier vrrp_netlink_cmd_rcv_bufs
  vrrp_netlink_cmd_rcv_bufs_force vrrp_netlink_monitor_rcv_bufs vrrp_netlink_monitor_rcv_bufs_force
  process_monitor_rcv_bufs process_monitor_rcv_bufs_force process_names process_name vrrp_process_name nftables
  nftables_priority nftables_counters nftables_ifindex vrrp_iptables vrrp_ipsets snmp_socket enable_snmp_vrrp
  enable_snmp_keepalived enable_snmp_rfc enable_snmp_rfcv2 enable_snmp_rfcv3 enable_traps enable_dbus
  dbus_service_name dbus_no_interface_name lvs_sync_daemon iproute_usr_dir iproute_etc_dir include_check
  lvs_flush lvs_flush_on_stop lvs_timeouts lvs_notify_fifo lvs_notify_fifo_script lvs_netlink_cmd_rcv_bufs
  lvs_netlink_monitor_rcv_bufs_force lvs_process_name checker_priority checker_rt_priority checker_rlimit_rttime
  checker_no_swap checker_cpu_affinity checker_process_name bfd_priority bfd_rt_priority bfd_rlimit_rtime bfd_no_swap
  bfd_cpu_affinity bfd_process_name rs_init_notifies no_checker_emails checker_log_all_failures enable_snmp_checker
  snmp_rs_stats_update_interval snmp_vs_stats_update_interval nftables_ipvs nftables_ipvs_priority
  nftables_ipvs_start_fwmark`);

const INSTANCE = words(`
  state interface vrf virtual_router_id priority advert_int version native_ipv6 mcast_src_ip unicast_src_ip
  mcast_dst_ip track_src_ip unicast_peer unicast_ttl unicast_fault_no_peer check_unicast_src old_unicast_checksum
  v3_checksum_as_v2 use_vmac use_vmac_addr vmac_xmit_base use_ipvlan dont_track_primary track_interface track_script
  track_file track_process track_bfd virtual_ipaddress virtual_ipaddress_excluded no_virtual_ipaddress
  promote_secondaries virtual_routes virtual_rules accept no_accept nopreempt preempt preempt_delay garp_master_delay
  garp_master_repeat garp_master_refresh garp_master_refresh_repeat garp_lower_prio_delay garp_lower_prio_repeat
  garp_extra_if vmac_garp_intvl down_timer_adverts lower_prio_no_advert higher_prio_send_advert owner_ignore_adverts
  timer_expired_backup thread_timer_expired skip_check_adv_addr strict_mode authentication auth_hmac notify_master
  notify_backup notify_fault notify_stop notify_deleted notify notify_master_rx_lower_pri notify_priority_changes
  smtp_alert kernel_rx_buf_size linkbeat_use_polling lvs_sync_daemon_interface debug`);

const TOP = words(`
  global_defs vrrp_script vrrp_instance vrrp_sync_group vrrp_track_process track_file vrrp_track_file bfd_instance
  net_namespace net_namespace_ipvs namespace_with_ipsets instance use_pid_dir linkbeat_use_polling child_wait_time
  linkbeat_interfaces interface_up_down_delays garp_group track_group static_ipaddress static_routes static_rules
  virtual_server virtual_server_group SSL`);

const SCRIPT = words('script interval timeout weight rise fall user init_fail');
const TRACK_FILE = words('file weight init_file');
const TRACK_PROCESS = words(
  'process param_match full_command weight quorum quorum_max delay terminate_delay fork_delay',
);
const BFD = words(`
  neighbor_ip neighbour_ip source_ip min_rx min_tx idle_tx multiplier passive ttl hoplimit max_hops multihop weight
  vrrp checker`);
const SYNC_GROUP = words(`
  group track_interface track_script track_file track_process track_bfd notify_master notify_backup notify_fault
  notify_stop notify notify_priority_changes smtp_alert sync_group_tracking_weight global_tracking`);
const GARP_GROUP = words('garp_interval gna_interval interface interfaces');
const HMAC = words('key active_key anti_replay time_window mode');
const ADDRESS = words(`
  dev label brd broadcast scope peer home -nodad mngtmpaddr noprefixroute autojoin no_track preferred_lft use_vmac
  track_group`);
const ROUTE = words(`
  inet inet6 to via gw or nexthop dev oif src table metric priority preference scope protocol tos dsfield onlink mtu
  advmss window rtt rttvar ssthresh cwnd initcwnd initrwnd reordering hoplimit rto_min quickack features
  fastopen_no_cookie congctl pref prepend append add no_track track_group encap as ttl-propagate realms from expires
  vrf`);
const RULE = words(`
  inet inet6 not from to table lookup preference order priority tos dsfield fwmark suppress_prefixlength sup_pl
  suppress_ifgroup sup_group dev iif oif uidrange l3mdev ipproto sport dport type goto nop blackhole unreachable
  prohibit no_track track_group realms tunnel-id protocol`);

/** The other halves' words are known by their prefix, but for these. */
const families = /^(?:lvs|checker|bfd)_/u;
const OWN_ENTRIES: ReadonlySet<string> = new Set(['lvs_sync_daemon', 'checker_log_all_failures']);

test('the table has every word of the lists above, and no other', () => {
  for (const [context, list] of [
    ['top', TOP],
    ['global_defs', GLOBAL.filter((word) => !families.test(word) || OWN_ENTRIES.has(word))],
    ['vrrp_script', SCRIPT],
    ['track_file', TRACK_FILE],
    ['vrrp_track_process', TRACK_PROCESS],
    ['bfd_instance', BFD],
    ['vrrp_sync_group', SYNC_GROUP],
    ['vrrp_instance', INSTANCE],
    ['authentication', words('auth_type auth_pass')],
    ['auth_hmac', HMAC],
    ['garp_group', GARP_GROUP],
    ['track_group', words('group')],
    ['virtual_ipaddress option', ADDRESS],
    ['unicast_peer option', words('min_ttl max_ttl')],
    ['use_vmac option', words('name netlink_notify_msg group')],
    ['route option', ROUTE],
    ['next hop option', words('via dev weight onlink inet inet6 encap as realms')],
    ['rule option', RULE],
  ] as const) {
    const known = [...KEYWORDS[context].keys()].filter((word) => !/^(?:state|stats|json)_file_location$/u.test(word));
    assert.deepEqual(known.sort(), [...list].sort(), context);
  }
});

/** Each is met with a value that no keyword takes, so one that is read must complain as well. */
for (const [context, list, wrap] of [
  ['global_defs', GLOBAL, (line: string) => `global_defs {\n\n${line}\n}\n${instanceText()}`],
  [
    'vrrp_instance',
    INSTANCE,
    (line: string) =>
      `vrrp_instance A {\n\n${line}\ninterface em1\nvirtual_router_id 1\nvirtual_ipaddress { 192.0.2.1 }\n}\n`,
  ],
  ['vrrp_script', SCRIPT, (line: string) => `vrrp_script s {\n\n${line}\n}\n${instanceText()}`],
  ['track_file', TRACK_FILE, (line: string) => `track_file s {\n\n${line}\n}\n${instanceText()}`],
  ['vrrp_track_process', TRACK_PROCESS, (line: string) => `vrrp_track_process s {\n\n${line}\n}\n${instanceText()}`],
  ['bfd_instance', BFD, (line: string) => `bfd_instance s {\n\n${line}\n}\n${instanceText()}`],
  [
    'vrrp_sync_group',
    SYNC_GROUP,
    (line: string) => `vrrp_sync_group s {\n\n${line}\ngroup { VI_1 }\n}\n${instanceText()}`,
  ],
  ['garp_group', GARP_GROUP, (line: string) => `garp_group {\n\n${line}\n}\n${instanceText()}`],
  ['top', TOP, (line: string) => `\n\n${line}\n${instanceText()}`],
] as const) {
  test(`every word of ${context} is read or reported at its line`, () => {
    for (const word of list) {
      const { config, remarks } = readText(wrap(`${word} {\n"not a value"\n}`));
      const told = remarks.filter((remark) => remark.line >= 3 && remark.line <= 4);
      const isKnown = !told.some((remark) => remark.message.startsWith(`unknown keyword: '${word}'`));
      assert.ok(isKnown, `${word} is taken for unknown`);
      assert.ok(told.length > 0 || JSON.stringify(config).includes('not a value'), `${word} is dropped silently`);
    }
  });
}

test('what is not supported says so by its name, with a severity and a sentence', () => {
  for (const [context, table] of Object.entries(KEYWORDS)) {
    for (const [word, support] of table) {
      if (support.support !== 'reported') continue;
      assert.ok(support.meaning.length > 20, `${context} ${word}`);
      assert.doesNotMatch(support.meaning, /\.$/u, `${context} ${word}`);
    }
  }
  const { remarks } = readText(instanceText('use_ipvlan {\n a\n b\n}'));
  assert.deepEqual(shown(remarks), [
    'warning 5: use_ipvlan (2 lines): ipvlan is not supported: the addresses are added to the interface itself, and advertisements leave from it',
  ]);
});

test('every word that is read has a handler: an empty value never ends in an exception', () => {
  for (const [context, table] of Object.entries(KEYWORDS)) {
    for (const word of table.keys()) {
      const wrap: Record<string, string> = {
        top: `${word}\n`,
        global_defs: `global_defs {\n${word}\n}\n`,
        vrrp_script: `vrrp_script s {\n${word}\n}\n`,
        vrrp_instance: `vrrp_instance A {\n${word}\n}\n`,
        track_file: `track_file s {\n${word}\n}\n`,
        vrrp_track_process: `vrrp_track_process s {\n${word}\n}\n`,
        bfd_instance: `bfd_instance s {\n${word}\n}\n`,
        vrrp_sync_group: `vrrp_sync_group s {\n${word}\n}\n`,
        garp_group: `garp_group {\n${word}\n}\n`,
        track_group: `track_group s {\n${word}\n}\n`,
        auth_hmac: `vrrp_instance A {\nauth_hmac {\n${word}\n}\n}\n`,
        'use_vmac option': `vrrp_instance A {\nuse_vmac ${word}\n}\n`,
        'route option': `static_routes {\n192.0.2.0/24 ${word}\n}\n`,
        'next hop option': `static_routes {\n192.0.2.0/24 nexthop ${word}\n}\n`,
        'rule option': `static_rules {\n${word}\n}\n`,
        authentication: `vrrp_instance A {\nauthentication {\n${word}\n}\n}\n`,
        'virtual_ipaddress option': `vrrp_instance A {\nvirtual_ipaddress {\n192.0.2.1 ${word}\n}\n}\n`,
        'unicast_peer option': `vrrp_instance A {\nunicast_peer {\n192.0.2.1 ${word}\n}\n}\n`,
      };
      const text = wrap[context];
      assert.ok(text !== undefined, context);
      assert.ok(readText(text).remarks.length > 0, `${context} ${word}`);
    }
  }
});

test('the nearest word', () => {
  assert.equal(nearestKeyword('vrrp_instance', 'virtual_router_ip'), 'virtual_router_id');
  assert.equal(nearestKeyword('vrrp_instance', 'no_preempt'), 'nopreempt');
  assert.equal(nearestKeyword('vrrp_instance', 'completely_different'), undefined);
});
