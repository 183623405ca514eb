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
  virtual_server virtual_server_group`);

const SCRIPT = words('script interval timeout weight rise fall user init_fail');

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
  const { remarks } = readText(
    instanceText('virtual_routes {\n 198.51.100.0/24 via 192.0.2.1\n default via 192.0.2.1\n}'),
  );
  assert.deepEqual(shown(remarks), [
    'error 5: virtual_routes (2 lines): not supported yet: these routes will not be moved',
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
