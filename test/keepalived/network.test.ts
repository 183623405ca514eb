/** Routes, rules, static items, groups and everything that is tracked: read from a file and as resources. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HmacMode, HmacReplayGuard, ProcessMatch, Route, Rule } from '../../proto/gen/baton/v1/resources.js';
import { type KeepalivedConfig, readKeepalived, type SourceEdges } from '../../proto/keepalived/index.js';
import { CONF, instanceText, memoryFiles, readText, shown } from './memory-files.js';

type Instance = KeepalivedConfig['instances'][number];

function only(lines: string, before = ''): { instance: Instance; remarks: string[] } {
  const { config, remarks } = readText(`${before}${instanceText(lines)}`);
  const [instance] = config.instances;
  assert.ok(instance !== undefined, shown(remarks).join('\n'));
  return { instance, remarks: shown(remarks) };
}

test('routes in the words of ip-route(8)', () => {
  for (const [line, expected] of [
    ['192.0.2.0/24 via 192.0.2.1', { to: '192.0.2.0/24', via: '192.0.2.1' }],
    ['192.0.2.7 dev em2', { to: '192.0.2.7/32', device: 'em2' }],
    ['to default via 192.0.2.1 table 100 metric 5', { to: 'default', via: '192.0.2.1', table: '100', metric: 5 }],
    ['0.0.0.0/0 via 192.0.2.1 table main', { to: 'default', via: '192.0.2.1' }],
    ['default via 2001:db8::1', { to: '::/0', via: '2001:db8::1' }],
    ['2001:DB8::/32 dev em1', { to: '2001:db8::/32', device: 'em1' }],
    ['src 192.0.2.9 198.51.100.0/24 dev em1', { to: '198.51.100.0/24', source: '192.0.2.9', device: 'em1' }],
    ['blackhole 192.0.2.0/25', { to: '192.0.2.0/25', type: 'blackhole' }],
    ['unicast 192.0.2.0/25 oif em1 scope 253 protocol 18', { to: '192.0.2.0/25', device: 'em1', scope: 'link' }],
    [
      '192.0.2.0/25 dev em1 onlink append tos CS1',
      { to: '192.0.2.0/25', device: 'em1', onLink: true, append: true, tos: 32 },
    ],
    [
      '192.0.2.0/25 dev em1 mtu lock 1400 rtt lock 400ms rttvar 2s rto_min 300 hoplimit 7 quickack 1 features ecn',
      {
        to: '192.0.2.0/25',
        device: 'em1',
        metrics: { mtu: 1_400, rtt: 400, rttvar: 2_000, rto_min: 300, hoplimit: 7, quickack: 1, features: 1 },
        lockedMetrics: ['mtu', 'rtt'],
      },
    ],
    ['192.0.2.0/25 dev em1 rtt 3200', { to: '192.0.2.0/25', device: 'em1', metrics: { rtt: 400 } }],
    [
      '2001:db8::/64 dev em1 pref high congctl lock cubic',
      {
        to: '2001:db8::/64',
        device: 'em1',
        preference: 'high',
        congestionControl: 'cubic',
        lockedMetrics: ['congctl'],
      },
    ],
    ['192.0.2.0/24 dev em1 protocol 42 no_track', { to: '192.0.2.0/24', device: 'em1', protocol: '42', noTrack: true }],
    [
      'default nexthop via 192.0.2.1 dev em1 weight 3 nexthop via 192.0.2.2 onlink',
      {
        to: 'default',
        nextHops: [
          { via: '192.0.2.1', device: 'em1', weight: 3, onLink: false },
          { via: '192.0.2.2', device: '', weight: 0, onLink: true },
        ],
      },
    ],
  ] as const) {
    const { instance, remarks } = only(`virtual_routes {\n ${line}\n}`);
    assert.deepEqual(
      instance.routes.map(({ value }) => value),
      [Route.fromPartial(expected as object)],
      line,
    );
    assert.equal(instance.routes[0]?.origin.line, 6);
    assert.deepEqual(remarks, [], line);
  }
});

test('routes that are changed or left out, at their line', () => {
  for (const [line, count, remark] of [
    ['192.0.2.0/24 gw 192.0.2.1', 1, /^warning 6: virtual_routes: gw is deprecated; write via/u],
    ['192.0.2.0/24 via 192.0.2.1 or 192.0.2.2', 1, /^warning 6: virtual_routes: or is deprecated/u],
    ['192.0.2.0/24 dev em1 protocol 42', 1, /^warning 6: virtual_routes: protocol is left out, as in keepalived/u],
    ['192.0.2.0/24 dev em1 add', 1, /^note 6: virtual_routes: add:/u],
    ['192.0.2.0/24 dev em1 realms 1/2', 1, /^warning 6: virtual_routes: realms: not supported/u],
    ['192.0.2.0/24 dev em1 rtt 1', 1, /^warning 6: virtual_routes: rtt 1 is taken as 1ms/u],
    ['inet 192.0.2.0/24 dev em1', 1, /^warning 6: .*keepalived itself skips the word after it/u],
    ['192.0.2.0/24 dev em1 encap ip id 7', 0, /^error 6: virtual_routes: encap: not supported/u],
    ['192.0.2.0/24 from 192.0.2.1 dev em1', 1, /^error 6: virtual_routes: from: not supported/u],
    [
      '192.0.2.0/24 dev em1 table uplink',
      0,
      /^error 6: .*'uplink' is a name that is not known here; write the table's number/u,
    ],
    ['192.0.2.0/24 dev em1 metric x', 0, /^error 6: virtual_routes: metric 'x' is not a whole number/u],
    ['192.0.2.0/24 dev em1 metrik 3', 0, /^error 6: virtual_routes: unknown option 'metrik', did you mean 'metric'/u],
    ['192.0.2.0/33 dev em1', 0, /^error 6: .*is not a prefix/u],
    ['192.0.2.0/24 via 2001:db8::1', 0, /^error 6: virtual_routes: IPv4 and IPv6 are mixed/u],
    ['192.0.2.0/24 via', 0, /^error 6: virtual_routes: via needs a value/u],
    ['dev em1', 0, /^error 6: virtual_routes: a route needs a destination/u],
    ['192.0.2.0/24 dev em/1', 0, /^error 6: virtual_routes: dev 'em\/1' cannot exist/u],
    ['192.0.2.0/24 dev em1 track_group g', 0, /^error 6: .*unknown option 'track_group'|is not a prefix/u],
    ['192.0.2.0/24 nexthop via 192.0.2.1 weight 0', 0, /^error 6: virtual_routes: weight '0'/u],
  ] as const) {
    const { instance, remarks } = only(`virtual_routes {\n ${line}\n}`);
    assert.equal(instance.routes.length, count, line);
    assert.match(remarks[0] ?? '', remark, line);
  }
});

test('rules in the words of ip-rule(8)', () => {
  for (const [line, expected] of [
    ['from 192.0.2.0/24 table 100 preference 7', { from: '192.0.2.0/24', table: '100', priority: 7 }],
    ['to 2001:db8::/32 lookup main priority 7', { to: '2001:db8::/32', table: 'main', priority: 7 }],
    [
      'from all iif em1 oif em2 table 9 order 7',
      { family: 'inet', inputInterface: 'em1', outputInterface: 'em2', table: '9', priority: 7 },
    ],
    [
      'not fwmark 0x10/0xff table 9 priority 7',
      { family: 'inet', not: true, mark: 16, mask: 255, table: '9', priority: 7 },
    ],
    ['from 192.0.2.1 type blackhole priority 7', { from: '192.0.2.1/32', action: 'blackhole', priority: 7 }],
    ['from 192.0.2.1 goto 9 priority 7', { from: '192.0.2.1/32', action: 'goto 9', priority: 7 }],
    [
      'ipproto tcp sport 80-90 dport 443 uidrange 1000-1999 tos 0x10 table 9 priority 7 sup_pl 0 sup_group 3',
      {
        family: 'inet',
        ipProtocol: 'tcp',
        sourcePorts: '80-90',
        destinationPorts: '443',
        users: '1000-1999',
        tos: 16,
        table: '9',
        priority: 7,
        suppressPrefixLength: 0,
        suppressGroup: 3,
      },
    ],
    ['l3mdev priority 7 no_track', { family: 'inet', l3mdev: true, priority: 7, noTrack: true }],
  ] as const) {
    const { instance, remarks } = only(`virtual_rules {\n ${line}\n}`);
    assert.deepEqual(
      instance.rules.map(({ value }) => value),
      [Rule.fromPartial(expected)],
      line,
    );
    assert.deepEqual(remarks, [], line);
  }
  for (const [line, count, remark] of [
    ['from 192.0.2.0/24 table 1', 1, /^warning 6: virtual_rules: without preference/u],
    ['from 192.0.2.0/24 priority 7', 0, /^error 6: virtual_rules: a rule needs table/u],
    ['from 192.0.2.0/24 table 1 blackhole', 0, /^error 6: virtual_rules: a rule has one of table/u],
    ['from 192.0.2.0/24 goto 5 priority 7', 0, /^error 6: virtual_rules: goto needs a preference/u],
    ['from 192.0.2.0/24 blackhole sup_pl 0 priority 7', 0, /^error 6: virtual_rules: sup_pl cannot stand beside/u],
    ['from 192.0.2.0/24 tunnel-id 7 table 1 priority 7', 1, /^error 6: virtual_rules: tunnel-id: not supported/u],
    ['from 192.0.2. table 1', 0, /^error 6: virtual_rules: from '192.0.2.' is not a prefix/u],
    ['from 192.0.2.1 to 2001:db8::1 table 1', 0, /^error 6: virtual_rules: IPv4 and IPv6 are mixed/u],
    ['dport 90-80 table 1', 0, /^error 6: virtual_rules: dport '90-80' is not a range/u],
  ] as const) {
    const { instance, remarks } = only(`virtual_rules {\n ${line}\n}`);
    assert.equal(instance.rules.length, count, line);
    assert.match(remarks[0] ?? '', remark, line);
  }
});

test('names of tables are those of the own host', () => {
  const files = memoryFiles({ [CONF]: `static_routes {\n192.0.2.0/24 dev em1 table uplink\n}\n${instanceText()}` });
  const edges: SourceEdges = {
    ...files,
    host: {
      environment: () => undefined,
      readFile: (path) =>
        path === '/etc/iproute2/rt_tables'
          ? { ok: true, bytes: new TextEncoder().encode('# reserved\n255\tlocal\n 0x64 uplink # the second line\n') }
          : { ok: false, reason: 'missing', detail: 'no such file' },
    },
  };
  assert.equal(readKeepalived(CONF, edges).config.network.routes[0]?.value.table, '100');
});

const NETWORK = `global_defs {
  default_interface em7
}
track_group TG {
  group { VI_1
    nobody }
}
static_ipaddress {
  198.51.100.1/24 dev em1 track_group TG
  2001:db8::1
  198.51.100.2/24 brd + track_group later
}
static_routes {
  203.0.113.0/24 dev em1 track_group TG
  203.0.114.0/24 via 198.51.100.9 track_group TG
}
static_rules {
  from 198.51.100.0/24 table 7 priority 9
}
track_group later { group { VI_1 } }
garp_group {
  garp_interval 0.01
  interfaces { em1 em2 }
}
garp_group {
  gna_interval 0.5
  interface em2
  interface em3
}
garp_group { interface em4
}
interface_up_down_delays {
  em1 2 3.5
  em2 1
  em3 0 256
}
${instanceText()}`;

test('what concerns the host: static items, groups of them, spacing and delays', () => {
  const { config, remarks } = readText(NETWORK);
  const { addresses, routes, rules, trackGroups, limits, delays } = config.network;
  assert.deepEqual(
    addresses.map(({ address, prefixLength, device, trackGroup, preferredLifetime }) =>
      [address, prefixLength, device, trackGroup, preferredLifetime].join(' '),
    ),
    ['198.51.100.1 24 em1 TG ', '2001:db8::1 128 em7  0', '198.51.100.2 24 em7 later '],
  );
  assert.deepEqual(
    routes.map(({ value, trackGroup }) => `${value.to} ${trackGroup}`),
    ['203.0.113.0/24 TG', '203.0.114.0/24 undefined'],
  );
  assert.equal(rules.length, 1);
  assert.deepEqual(
    trackGroups.map(({ name, members }) => [name, ...members.map(({ value }) => value)].join(' ')),
    ['TG VI_1', 'later VI_1'],
  );
  assert.deepEqual(
    limits.map(({ interfaces, arpInterval, neighborInterval }) =>
      [...interfaces, arpInterval, neighborInterval].join(' '),
    ),
    ['em1 em2 10000 0', 'em3 0 500000'],
  );
  assert.deepEqual(
    delays.map(({ interface: name, down, up }) => [name, down, up].join(' ')),
    ['em1 2000000 3500000', 'em2 1000000 1000000'],
  );
  assert.deepEqual(
    remarks.map(({ severity, line, message }) => `${severity} ${line} ${message.slice(0, 34)}`),
    [
      'warning 15 static_routes: track_group needs de',
      'error 27 garp_group: em2 is in a garp_group ',
      'error 30 garp_group has neither garp_interv',
      'warning 34 interface_up_down_delays: without ',
      "error 35 interface_up_down_delays: '256' is",
      "error 6 track_group 'TG': there is no vrrp",
      'note 10 2001:db8::1 has no dev, so it is o',
      "warning 11 track_group 'later' stands further",
      'note 11 198.51.100.2 has no dev, so it is ',
    ].map((line) => line.replace(/^(\S+ \d+ .{34}).*$/u, '$1')),
  );
});

test('track_file, vrrp_track_process and bfd_instance with everything and with nothing', () => {
  const { config, remarks } = readText(`track_file f {
 file /run/f
 weight -3 reverse
 init_file 7 overwrite
}
vrrp_track_file g {
 file /run/g
}
vrrp_track_process p {
 process "/usr/bin/some thing" -D x
 param_match partial
 quorum 2
 quorum_max 4
 fork_delay 1.5
 terminate_delay 2
 weight 9 reverse
}
vrrp_track_process q {
 process nginx
}
bfd_instance b {
 neighbor_ip 192.0.2.9
 source_ip 192.0.2.1
 min_rx 100
 min_tx 50.5
 idle_tx 2000
 multiplier 3
 passive
 multihop
 max_hops 4
 weight -20
}
bfd_instance c {
 neighbour_ip fe80::9%em1
}
${instanceText('track_file {\nf\ng weight 0\n}\ntrack_process {\np weight 5 noreverse\nq\n}\ntrack_bfd {\nb\nc weight 3 reverse\n}')}`);
  assert.deepEqual(
    shown(remarks).map((line) => line.slice(0, 42)),
    ['note 6: vrrp_track_file is deprecated in k'],
  );
  const [f, g] = config.trackFiles;
  assert.deepEqual([f?.path, f?.initialValue, f?.overwrite], ['/run/f', 7, true]);
  assert.deepEqual([g?.weight, g?.initialValue, g?.overwrite], [1, undefined, false]);
  const [p, q] = config.trackProcesses;
  assert.deepEqual([p?.process, p?.arguments, p?.match], ['/usr/bin/some thing', ['-D', 'x'], ProcessMatch.PARTIAL]);
  assert.deepEqual(
    [p?.quorum, p?.quorumMax, p?.upDelay, p?.downDelay, p?.fullCommand],
    [2, 4, 1_500_000, 2_000_000, true],
  );
  assert.deepEqual([q?.quorum, q?.quorumMax, q?.upDelay, q?.fullCommand, q?.weight], [1, undefined, 0, false, 0]);
  const [b, c] = config.bfdInstances;
  assert.deepEqual(
    [b?.neighbor, b?.source, b?.minRx, b?.minTx, b?.idleTx, b?.multiplier, b?.passive, b?.multihop, b?.maxHops],
    ['192.0.2.9', '192.0.2.1', 100_000, 50_500, 2_000_000, 3, true, true, 4],
  );
  assert.deepEqual(
    [c?.neighbor, c?.interface, c?.minRx, c?.idleTx, c?.multiplier],
    ['fe80::9', 'em1', 10_000, 1_000_000, 5],
  );
  const [instance] = config.instances;
  const tracks = (list: Instance['trackFiles'] | undefined): string[] =>
    (list ?? []).map(({ name, weight, reverse }) => `${name} ${weight} ${reverse}`);
  assert.deepEqual(tracks(instance?.trackFiles), ['f -3 true', 'g 0 false']);
  assert.deepEqual(tracks(instance?.trackProcesses), ['p 5 false', 'q 0 false']);
  assert.deepEqual(tracks(instance?.trackBfds), ['b -20 false', 'c 3 true']);
});

test('what is tracked with mistakes', () => {
  for (const [text, remark] of [
    ['track_file f {\n}', /^error 1: track_file 'f': has no file/u],
    ['track_file f {\nfile run/f\n}', /^error 1: track_file 'f': 'run\/f' is not an absolute path/u],
    ['track_file f {\nfile /f\nfile /g\n}', /^warning 3: file is there already/u],
    ['track_file f {\nfile /f\nweight 255\n}', /^error 3: weight '255' is not a whole number from -254 to 254/u],
    ['track_file f {\nfile /f\ninit_file x\n}', /^error 3: init_file: 'x' is neither/u],
    ['track_file f {\nfile /f\ninit_file 999\n}', /^warning 3: init_file 999: beyond 254/u],
    ['vrrp_track_process p {\n}', /^error 1: vrrp_track_process 'p' has no process/u],
    ['vrrp_track_process p {\nprocess x\nquorum 0\n}', /^error 3: quorum '0'/u],
    ['vrrp_track_process p {\nprocess x\nquorum 3\nquorum_max 2\n}', /^error 1: .*quorum_max is below quorum/u],
    ['vrrp_track_process p {\nprocess x\nparam_match all\n}', /^error 3: param_match 'all'/u],
    ['vrrp_track_process p {\nprocess x\ndelay 0\n}', /^error 3: delay '0'/u],
    ['bfd_instance b {\n}', /^error 1: bfd_instance 'b' has no neighbor_ip/u],
    ['bfd_instance b {\nneighbor_ip 192.0.2.1\nsource_ip fe80::1\n}', /^error 1: .*addresses of two families/u],
    ['bfd_instance b {\nneighbor_ip fe80::1\n}', /^error 1: .*the neighbour is link-local/u],
    ['bfd_instance b {\nneighbor_ip 192.0.2.1\nmin_rx 0\n}', /^error 3: min_rx '0' is not a number of milliseconds/u],
    ['bfd_instance b {\nneighbor_ip 192.0.2.1\nidle_tx 999\n}', /^error 3: idle_tx '999'/u],
    ['bfd_instance b {\nneighbor_ip 192.0.2.1\nmax_hops 3\n}', /^warning 1: .*without multihop/u],
    ['bfd_instance b {\nneighbor_ip 192.0.2.1\nttl 64\n}', /^note 3: ttl: Baton sends BFD packets with TTL/u],
  ] as const) {
    assert.match(shown(readText(`${text}\n${instanceText()}`).remarks)[0] ?? '', remark, text);
  }
});

test('order does not matter, but is told where it matters to keepalived', () => {
  const { config, remarks } = readText(
    `${instanceText('track_file { f }\ntrack_process { p }\ntrack_bfd { b }')}track_file f {\nfile /f\n}\nvrrp_track_process p {\nprocess x\n}\nbfd_instance b {\nneighbor_ip 192.0.2.1\n}`,
  );
  const [instance] = config.instances;
  assert.deepEqual(
    [instance?.trackFiles.length, instance?.trackProcesses.length, instance?.trackBfds.length],
    [1, 1, 1],
  );
  assert.deepEqual(
    shown(remarks).map((line) => line.replace(/^(\w+ \d+: \S+ \S+) .*$/u, '$1')),
    ["warning 5: track_file 'f':", "warning 6: track_process 'p':", "warning 7: track_bfd 'b':"],
  );
});

const GROUPED = (group: string, lines = ''): string =>
  `vrrp_script s {\nscript /bin/s\n}\ntrack_file f {\nfile /f\n}\n${instanceText(lines, 'A', 1)}${instanceText('', 'B', 2)}vrrp_sync_group G {\n${group}\n}\n`;

test('sync groups', () => {
  const { config, remarks } = readText(
    GROUPED(
      'group {\nA\nB\n}\ntrack_script { s weight 3 }\nnotify_master "/bin/m x"\nnotify /bin/n\nsmtp_alert\nnotify_priority_changes on',
    ),
  );
  assert.deepEqual(
    shown(remarks).filter((line) => !line.includes('is tracked by no instance')),
    [],
  );
  const [group] = config.syncGroups;
  assert.deepEqual(
    group?.members.map(({ value, origin }) => `${value} ${origin.line}`),
    ['A 21', 'B 22'],
  );
  assert.deepEqual(group?.hooks.master?.words, ['/bin/m', 'x']);
  assert.equal(group?.smtpAlert, true);
  assert.deepEqual(
    group?.trackScripts.map(({ name, weight }) => [name, weight]),
    [['s', 3]],
  );
  assert.ok(config.instances.every(({ priorityChanges }) => priorityChanges));
});

test('in a sync group weights of the instances count only when that is asked for', () => {
  const lines = 'track_script { s weight 3 }\ntrack_interface { em9 weight 4 }\ntrack_file { f }';
  const without = readText(GROUPED('group { A B }', lines));
  const [a] = without.config.instances;
  assert.deepEqual(a?.trackScripts, []);
  assert.deepEqual(
    a?.trackInterfaces.map(({ name, weight }) => [name, weight]),
    [['em9', 0]],
  );
  assert.deepEqual(
    a?.trackFiles.map(({ name, weight }) => [name, weight]),
    [['f', 0]],
  );
  assert.equal(shown(without.remarks).filter((line) => line.includes('sync_group_tracking_weight')).length, 3);
  const asked = readText(GROUPED('group { A B }\nsync_group_tracking_weight', lines)).config.instances[0];
  assert.deepEqual([asked?.trackScripts[0]?.weight, asked?.trackInterfaces[0]?.weight], [3, 4]);
});

test('sync groups with mistakes', () => {
  for (const [group, lines, remark] of [
    ['', '', /^error 19: vrrp_sync_group 'G' has no instances/u],
    ['group { A }', '', /^warning 19: vrrp_sync_group 'G' has one instance only/u],
    ['group { A B nobody }', '', /^error 20: .*there is no vrrp_instance 'nobody'/u],
    ['group { A B A }', '', /^error 20: .*'A' is in it already; it is left out/u],
    ['group { A B }\ngroup { A }', '', /^error 21: group is there already/u],
    ['group { A B }', 'priority 255', /^error 19: .*has members with priority 255 and others/u],
    ['group { A B }\nglobal_tracking', '', /^note 21: global_tracking/u],
    ['group { A B }\nnotify_deleted /bin/x', '', /^warning 21: unknown keyword: 'notify_deleted'/u],
    ['group { A B }\ntrack_script { nothing }', '', /^error 21: track_script 'nothing'/u],
  ] as const) {
    const remarks = shown(readText(GROUPED(group, lines)).remarks);
    assert.ok(
      remarks.some((line) => remark.test(line)),
      `${group}: ${remarks.join('\n')}`,
    );
  }
  const twice = readText(`${GROUPED('group { A B }')}vrrp_sync_group H {\ngroup { B }\n}`);
  assert.deepEqual(
    twice.config.syncGroups.map(({ name }) => name),
    ['G'],
  );
  assert.ok(shown(twice.remarks).some((line) => line.includes("'B' is in 'G' already")));
});

test('IPv6 instances', () => {
  const text = (lines: string): string => `vrrp_instance A {\ninterface em1\nvirtual_router_id 1\n${lines}\n}`;
  const { config, remarks } = readText(
    text(
      'virtual_ipaddress {\nFE80::1/64 dev em1\n2001:DB8::1/64 home -nodad mngtmpaddr\n2001:db8::2\n}\nvirtual_ipaddress_excluded { 192.0.2.1 }\nmcast_dst_ip ff02::12',
    ),
  );
  assert.deepEqual(shown(remarks), []);
  const [instance] = config.instances;
  assert.deepEqual([instance?.family, instance?.version, instance?.multicastGroup], [6, 3, undefined]);
  assert.deepEqual(
    instance?.addresses.map(({ address, prefixLength, preferredLifetime, flags }) =>
      [address, prefixLength, preferredLifetime, ...flags].join(' '),
    ),
    ['fe80::1 64 ', '2001:db8::1 64  home -nodad mngtmpaddr', '2001:db8::2 128 0'],
  );
  assert.equal(instance?.excludedAddresses.length, 1);
  for (const [lines, remark] of [
    ['virtual_ipaddress { 2001:db8::1/64 }', /^note 4: the first address of an IPv6 instance should be link-local/u],
    ['strict_mode\nvirtual_ipaddress { 2001:db8::1/64 }', /^error 5: the first address of an IPv6 instance/u],
    ['virtual_ipaddress { fe80::1 label em1:x }', /^error 4: fe80::1: an IPv6 address has no label/u],
    ['virtual_ipaddress { fe80::1 scope link }', /^error 4: fe80::1: an IPv6 address has no scope/u],
    ['virtual_ipaddress {\nfe80::1\nfe80::2 brd + }', /^error 6: fe80::2: an IPv6 address has no broadcast/u],
    ['virtual_ipaddress {\nfe80::1\n192.0.2.1 }', /^error 6: IPv4 address in 'A', which is an IPv6 instance/u],
    [
      'mcast_src_ip 192.0.2.1\nvirtual_ipaddress { fe80::1 }',
      /^error 5: IPv6 address in 'A', which is an IPv4 instance/u,
    ],
  ] as const) {
    const told = shown(readText(text(lines)).remarks);
    assert.ok(
      told.some((line) => remark.test(line)),
      `${lines}: ${told.join('\n')}`,
    );
  }
  const many = Array.from({ length: 100 }, (_, i) => `fe80::${i + 1}`).join('\n');
  const [full] = readText(text(`virtual_ipaddress {\n${many}\n}`)).config.instances;
  assert.deepEqual([full?.addresses.length, full?.excludedAddresses.length], [89, 11]);
});

test('virtual MAC addresses', () => {
  for (const [line, expected] of [
    ['use_vmac', { name: undefined, address: undefined }],
    ['use_vmac vx', { name: 'vx', address: undefined }],
    ['use_vmac name name', { name: 'name', address: undefined }],
    ['use_vmac 02:AB:00:00:0:1', { name: undefined, address: '02:ab:00:00:00:01' }],
    ['use_vmac vx 02:ab:00:00:00', { name: 'vx', address: '02:ab:00:00:00:0a' }],
  ] as const) {
    const { instance, remarks } = only(line);
    assert.deepEqual(instance.virtualMac, { ...expected, transmitOnBase: false }, line);
    assert.deepEqual(remarks, [], line);
  }
  assert.equal(only('use_vmac\nvmac_xmit_base').instance.virtualMac?.transmitOnBase, true);
  assert.equal(only('use_vmac', 'global_defs {\nvmac_prefix vv\n}\n').instance.virtualMac?.name, 'vv.10');
  for (const [line, remark] of [
    ['use_vmac sixteencharacters', /^error 5: use_vmac 'sixteencharacters' cannot exist/u],
    ['use_vmac 03:00:00:00:00:01', /^error 5: .*is a multicast address/u],
    ['use_vmac 00:00:5e:00:01:07', /^error 5: .*of those that RFC 9568 gives/u],
    ['use_vmac 02:00:00', /^error 5: .*has not five or six octets/u],
    ['use_vmac netlink_notify_msg', /^note 5: use_vmac netlink_notify_msg/u],
    ['use_vmac group 7', /^warning 5: use_vmac group: not supported/u],
    ['strict_mode\nuse_vmac 02:00:00:00:00:01', /^warning 6: use_vmac: in strict mode/u],
    ['vmac_xmit_base', /^note 5: vmac_xmit_base means nothing without use_vmac/u],
    ['use_vmac\nunicast_peer { 192.0.2.9 }', /^warning 5: use_vmac with unicast: vmac_xmit_base is set/u],
  ] as const) {
    assert.ok(
      only(line).remarks.some((told) => remark.test(told)),
      `${line}: ${only(line).remarks.join('\n')}`,
    );
  }
});

const KEY = '0123456789abcdef0123456789abcdef';

test('auth_hmac', () => {
  const block = (lines: string): string => `auth_hmac {\n${lines}\n}`;
  const { instance, remarks } = only(
    block(
      `key 1 ${KEY}\nkey 2 hex:${'0a'.repeat(32)}\nactive_key 2\nanti_replay monotonic\ntime_window 30\nmode receive-only`,
    ),
  );
  assert.deepEqual(remarks, []);
  assert.deepEqual(
    instance.hmac?.keys.map(({ id, key, origin }) => [id, key, origin.line]),
    [
      [1, KEY, 6],
      [2, `hex:${'0a'.repeat(32)}`, 7],
    ],
  );
  assert.deepEqual(
    [instance.hmac?.activeKey, instance.hmac?.replayGuard, instance.hmac?.timeWindow, instance.hmac?.mode],
    [2, HmacReplayGuard.MONOTONIC, 30_000_000, HmacMode.RECEIVE_ONLY],
  );
  const usual = only(block(`key 7 ${KEY}\nactive_key 7`)).instance.hmac;
  assert.deepEqual(
    [usual?.replayGuard, usual?.timeWindow, usual?.mode],
    [HmacReplayGuard.TIME, undefined, HmacMode.ENFORCE],
  );
  for (const [lines, remark] of [
    [`key 1 ${KEY}`, /^error 5: auth_hmac: active_key is missing; keepalived would run without authentication/u],
    [`key 1 ${KEY}\nactive_key 2`, /^error 5: auth_hmac: key 2, the active one, is missing/u],
    [`key 0 ${KEY}\nactive_key 1`, /^error 6: key needs a number from 1 to 255/u],
    ['key 1 short\nactive_key 1', /^error 6: key 1 has 5 bytes; it must have 32 to 64/u],
    ['key 1 hex:0a0\nactive_key 1', /^error 6: key 1 is not whole hexadecimal bytes/u],
    [`key 1 ${KEY}\nkey 1 ${KEY}\nactive_key 1`, /^error 7: key 1 is there already/u],
    [
      `key 1 ${KEY}\nactive_key 1\nmode strict`,
      /^error 8: mode 'strict' is none of enforce, permissive, receive-only/u,
    ],
    [`key 1 ${KEY}\nactive_key 1\ntime_window 301`, /^error 8: time_window '301'/u],
    ['key 1 file:/etc/key\nactive_key 1', /^error 6: key file '\/etc\/key' is on the host, and is not read here/u],
  ] as const) {
    const told = only(block(lines)).remarks;
    assert.ok(
      told.some((line) => remark.test(line)),
      `${lines}: ${told.join('\n')}`,
    );
    assert.doesNotMatch(told.join('\n'), /0123456789/u);
  }
  const both = only(`authentication {\nauth_type PASS\nauth_pass abc\n}\n${block(`key 1 ${KEY}\nactive_key 1`)}`);
  assert.equal(both.instance.password, undefined);
  assert.ok(both.remarks.some((line) => line.includes('authentication is ignored beside auth_hmac')));
});

test('key files are read on the own host', () => {
  const text = instanceText(
    'auth_hmac {\nkey 1 file:/etc/key\nkey 2 file:/etc/raw\nkey 3 file:/etc/none\nactive_key 1\n}',
  );
  const { config, remarks } = readKeepalived(CONF, {
    ...memoryFiles({ [CONF]: text }),
    host: {
      environment: () => undefined,
      readFile: (path) =>
        path === '/etc/key'
          ? { ok: true, bytes: new TextEncoder().encode(`${KEY}\r\n`) }
          : path === '/etc/raw'
            ? { ok: true, bytes: new Uint8Array(32).fill(0xff) }
            : { ok: false, reason: 'missing', detail: 'no such file' },
    },
  });
  assert.deepEqual(
    config.instances[0]?.hmac?.keys.map(({ key }) => key),
    [KEY, `hex:${'ff'.repeat(32)}`],
  );
  assert.deepEqual(shown(remarks), ["error 8: cannot read key file '/etc/none': no such file"]);
});

test('strict mode: what keepalived drops, sets and refuses', () => {
  const { instance, remarks } = only(
    'strict_mode\npriority 90\nadvert_int 1\ndown_timer_adverts 5\nhigher_prio_send_advert\nlower_prio_no_advert off\naccept',
  );
  assert.deepEqual(
    [
      instance.accept,
      instance.downTimerAdverts,
      instance.higherPrioritySendAdvert,
      instance.lowerPriorityNoAdvert,
      instance.garp.lowerPriorityRepeat,
    ],
    [false, 3, false, true, 0],
  );
  assert.deepEqual(
    remarks.map((line) => line.split(' ').slice(0, 3).join(' ')),
    [
      'note 5: strict_mode:',
      'warning 11: accept',
      'warning 8: down_timer_adverts',
      'warning 10: lower_prio_no_advert',
      'warning 9: higher_prio_send_advert',
    ],
  );
  assert.equal(only('strict_mode').instance.accept, false);
  assert.equal(only('strict_mode\nversion 3\naccept').instance.accept, true);
  const owner = only('strict_mode\npriority 255').instance;
  assert.deepEqual([owner.accept, owner.ownerIgnoresAdverts], [true, true]);
  assert.equal(
    readText('vrrp_instance A {\ninterface em1\nvirtual_router_id 1\nstrict_mode\nno_virtual_ipaddress\n}').config
      .instances.length,
    0,
  );
});

test('instances without addresses, and unicast without peers', () => {
  const bare = (lines: string): ReturnType<typeof readText> =>
    readText(`vrrp_instance A {\ninterface em1\nvirtual_router_id 1\n${lines}\n}`);
  assert.equal(bare('version 3\nno_virtual_ipaddress').config.instances[0]?.addresses.length, 0);
  assert.deepEqual(shown(bare('version 3\nno_virtual_ipaddress').remarks), []);
  assert.match(shown(bare('').remarks)[0] ?? '', /^warning 1: 'A' has no virtual_ipaddress: it elects a master/u);
  const fault = only('unicast_src_ip 192.0.2.1\nunicast_fault_no_peer');
  assert.deepEqual([fault.instance.unicastPeers, fault.instance.faultWithoutPeers], [[], true]);
  assert.match(fault.remarks[0] ?? '', /^warning 5: .*so it is in fault/u);
  assert.equal(only('unicast_peer { 192.0.2.2 }\nunicast_ttl 64').instance.unicastTtl, 64);
  assert.equal(only('unicast_ttl 64').instance.unicastTtl, undefined);
});
