/** The keepalived.conf of one member: the same text for whoever plays it. */
import { MEMBERS, type MemberName, type RouterPlan, type Scenario } from './scenario.js';

/** Of `vrrp_script healthy`. keepalived 2.2 takes whole seconds only. */
export const CHECK = { intervalMs: 1000, rise: 2, fall: 2 } as const;

/** Absolute paths of one member's files. */
export interface MemberFiles {
  readonly fifo: string;
  /** Exits 0 while the member is healthy. */
  readonly script: string;
  /** With the number that `track_file number` reads. */
  readonly number: string;
}

/** The member's own address of a LAN: 10.9.0.1 for A on LAN 1. */
export function hostAddress(member: MemberName, lan: 1 | 2, family: 4 | 6): string {
  const number = MEMBERS.indexOf(member) + 1;
  return family === 4 ? `10.9.${lan - 1}.${number}` : `2001:db8:${8 + lan}::${number}`;
}

/** The address of a router that is watched. Those of IPv6 have a link-local one before it, as RFC 9568 section 5.2.9 demands. */
export function virtualAddress({ vrid, lan }: RouterPlan, family: 4 | 6): string {
  return family === 4 ? `10.9.${lan - 1}.${100 + vrid}` : `2001:db8:${8 + lan}::${100 + vrid}`;
}

export function memberConf(
  scenario: Scenario,
  member: MemberName,
  files: MemberFiles,
  priority: (router: RouterPlan) => number,
): string {
  const { form, routers, group, groupLines, globalLines } = scenario;
  return [
    block(
      'global_defs',
      `router_id ${member.toLowerCase()}`,
      `vrrp_version ${form.version}`,
      'vrrp_garp_master_delay 1',
      'script_user root',
      `vrrp_notify_fifo ${files.fifo}`,
      'vrrp_notify_priority_changes on',
      ...globalLines,
    ),
    ...(tracks(scenario, 'healthy')
      ? [
          block(
            'vrrp_script healthy',
            `script ${files.script}`,
            `interval ${CHECK.intervalMs / 1000}`,
            `rise ${CHECK.rise}`,
            `fall ${CHECK.fall}`,
            'timeout 5',
          ),
        ]
      : []),
    ...(tracks(scenario, 'number') ? [block('track_file number', `file ${files.number}`, 'weight 1')] : []),
    ...(group.length === 0 ? [] : [block('vrrp_sync_group G', 'group {', ...group, '}', ...groupLines)]),
    ...routers
      .filter(({ priorities }) => priorities[member] !== undefined)
      .map((router) => instance(scenario, member, router, priority(router))),
    '',
  ].join('\n');
}

/** Whether some router or the group names this script or file. */
function tracks({ routers, groupLines }: Scenario, name: string): boolean {
  const lines = [
    ...groupLines,
    ...routers.flatMap((router) => [...router.lines, ...Object.values(router.linesOf).flat()]),
  ];
  return lines.some((line) => line.includes(` ${name} `));
}

function instance({ form, members }: Scenario, member: MemberName, router: RouterPlan, priority: number): string {
  const { version, family, unicast, virtualMac, intervalMs } = form;
  const address = virtualAddress(router, family);
  const peers = members.filter((other) => other !== member).map((other) => hostAddress(other, router.lan, family));
  return block(
    `vrrp_instance ${router.name}`,
    // Owners have none: without it 255 means MASTER.
    ...(priority === 255 || router.lines.some((line) => line.startsWith('state ')) ? [] : ['state BACKUP']),
    `interface em${router.lan}`,
    `virtual_router_id ${router.vrid}`,
    `priority ${priority}`,
    `advert_int ${intervalMs / 1000}`,
    ...(version === 2 ? ['authentication {', 'auth_type PASS', 'auth_pass pg-vrrp', '}'] : []),
    ...(unicast ? [`unicast_src_ip ${hostAddress(member, router.lan, family)}`, 'unicast_peer {', ...peers, '}'] : []),
    ...(virtualMac ? [`use_vmac vrrp.${router.vrid}`] : []),
    'virtual_ipaddress {',
    ...(family === 6 ? [`fe80::${router.vrid}/64`] : []),
    `${address}/${family === 4 ? 32 : 128}`,
    '}',
    ...router.lines,
    ...(router.linesOf[member] ?? []),
  );
}

function block(head: string, ...lines: readonly string[]): string {
  return [`${head} {`, ...lines.map((line) => `  ${line}`), '}'].join('\n');
}
