/** Several hosts' files with everything beside plain instances: groups, host networks, BFD, keys, virtual MACs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Resource } from '../../proto/gen/baton/v1/resources.js';
import { type ImportedHost, importKeepalived, readKeepalived } from '../../proto/keepalived/index.js';
import { parseManifest, renderManifest, toPlain } from '../../proto/manifest/index.js';
import { compileBundle } from '../../proto/rules/compile.js';
import { validateResources } from '../../proto/rules/validate.js';
import { memoryFiles, shown } from './memory-files.js';

function importHosts(...texts: readonly string[]): {
  readonly resources: readonly Resource[];
  readonly remarks: readonly string[];
  readonly originOf: ReturnType<typeof importKeepalived>['originOf'];
} {
  const remarks: string[] = [];
  const hosts = texts.map((text, index): ImportedHost => {
    const name = `n${index + 1}`;
    const file = `${name}.conf`;
    const read = readKeepalived(file, memoryFiles({ [file]: text }), { configId: name });
    remarks.push(...read.remarks.map((remark) => `${remark.file} ${shown([remark])[0]}`));
    return { name, config: read.config };
  });
  const { resources, remarks: more, originOf } = importKeepalived(hosts);
  remarks.push(...more.map((remark) => `${remark.file} ${shown([remark])[0]}`));
  return { resources, remarks, originOf };
}

const plain = (resources: readonly Resource[], kind: string): unknown[] =>
  resources.map(toPlain).filter((resource) => (resource as { kind: string }).kind === kind);
const specs = (resources: readonly Resource[], kind: string): unknown[] =>
  plain(resources, kind).map((resource) => (resource as { spec: unknown }).spec);
const errors = (remarks: readonly string[]): string[] => remarks.filter((line) => /^\S+ error /u.test(line));

/** One file for both hosts, as people write it. */
const PAIR = `global_defs {
  @n1 router_id n1
  @n2 router_id n2
  notification_email { a@example.org }
  notification_email_from k@example.org
  smtp_server mail.example.org
  vrrp_garp_interval 0.01
  notify_fifo /run/notify
}
track_group uplink {
  group { OUT }
}
static_routes {
  203.0.113.0/24 via 192.0.2.254 dev eth0 track_group uplink
}
static_ipaddress {
  @n1 198.51.100.251/24 dev eth1
  @n2 198.51.100.252/24 dev eth1
}
interface_up_down_delays { eth0 1 2 }
vrrp_script haproxy { script "/usr/bin/pgrep haproxy"
  interval 2
}
track_file drain {
  file /run/drain
}
vrrp_track_process postgres {
  process postgres
  quorum 2
}
bfd_instance peer {
  @n1 neighbor_ip 192.0.2.2
  @n2 neighbor_ip 192.0.2.1
  min_rx 100
  min_tx 100
}
vrrp_sync_group GW {
  group {
    OUT
    IN
  }
  track_interface { eth2 }
  track_bfd { peer }
  notify "/usr/local/bin/gw changed"
  smtp_alert
}
vrrp_instance OUT {
  interface eth0
  virtual_router_id 21
  version 3
  advert_int 0.2
  @n1 priority 150
  @n2 priority 100
  use_vmac
  no_accept
  virtual_ipaddress {
    192.0.2.100/24
  }
  virtual_ipaddress_excluded {
    2001:db8::100/64
  }
  virtual_routes {
    default via 192.0.2.254 dev eth0 table 100
  }
  virtual_rules {
    from 192.0.2.100 table 100 preference 1000
  }
  track_script { haproxy }
  track_process { postgres }
}
vrrp_instance IN {
  interface eth1
  virtual_router_id 22
  version 3
  advert_int 0.2
  @n1 priority 150
  @n2 priority 100
  virtual_ipaddress {
    198.51.100.100/24
  }
  track_file { drain weight 0 }
  auth_hmac {
    key 1 0123456789abcdef0123456789abcdef
    active_key 1
  }
}
`;

test('one file for two hosts becomes one set of resources, which is valid and compiles for both', () => {
  const { resources, remarks, originOf } = importHosts(PAIR, PAIR);
  assert.deepEqual(errors(remarks), []);
  assert.deepEqual(specs(resources, 'SyncGroup'), [
    {
      routers: ['out', 'in'],
      policy: 'all',
      track: [{ interface: 'eth2' }, { bfd: 'peer' }],
      hooks: { any: { command: ['/usr/local/bin/gw', 'changed'] }, fifo: '/run/notify' },
      receivers: ['mail'],
    },
  ]);
  assert.deepEqual(specs(resources, 'BfdSession'), [
    {
      endpoints: [
        { node: 'n1', neighbor: '192.0.2.2' },
        { node: 'n2', neighbor: '192.0.2.1' },
      ],
      minRx: '100ms',
      minTx: '100ms',
    },
  ]);
  assert.deepEqual(
    plain(resources, 'HostNetwork').map((resource) => {
      const { metadata, spec } = resource as { metadata: { name: string }; spec: object };
      return { name: metadata.name, ...spec };
    }),
    [
      {
        name: 'host-network-n1',
        nodes: ['n1'],
        addresses: [{ address: '198.51.100.251/24', device: 'eth1' }],
        interfaceDelays: [{ interface: 'eth0', down: '1s', up: '2s' }],
      },
      {
        name: 'uplink',
        nodes: ['n1', 'n2'],
        routes: [{ to: '203.0.113.0/24', via: '192.0.2.254', device: 'eth0' }],
        requiredBy: ['out'],
      },
      {
        name: 'host-network-n2',
        nodes: ['n2'],
        addresses: [{ address: '198.51.100.252/24', device: 'eth1' }],
        interfaceDelays: [{ interface: 'eth0', down: '1s', up: '2s' }],
      },
    ],
  );
  assert.deepEqual(specs(resources, 'Check'), [
    { exec: { command: ['/usr/bin/pgrep', 'haproxy'] }, interval: '2s' },
    { file: { path: '/run/drain' } },
    { process: { name: 'postgres', quorum: 2 } },
  ]);
  assert.deepEqual(specs(resources, 'VirtualRouter'), [
    {
      vrid: 21,
      version: 3,
      advertisementInterval: '200ms',
      transport: 'multicast',
      addresses: [{ address: '192.0.2.100/24' }],
      members: [
        { node: 'n1', interface: 'eth0', priority: 150 },
        { node: 'n2', interface: 'eth0', priority: 100 },
      ],
      track: [{ check: 'haproxy' }, { check: 'postgres' }],
      hooks: { fifo: '/run/notify' },
      announcements: { arpInterval: '10ms' },
      checksum: 'pseudo_header',
      excludedAddresses: [{ address: '2001:db8::100/64' }],
      routes: [{ to: 'default', via: '192.0.2.254', device: 'eth0', table: '100' }],
      rules: [{ from: '192.0.2.100/32', table: '100', priority: 1_000 }],
      virtualMac: {},
      accept: false,
    },
    {
      vrid: 22,
      version: 3,
      advertisementInterval: '200ms',
      authentication: { type: 'hmac', hmac: { keys: [{ id: 1, secret: 'in-hmac-1' }], activeKey: 1 } },
      transport: 'multicast',
      addresses: [{ address: '198.51.100.100/24' }],
      members: [
        { node: 'n1', interface: 'eth1', priority: 150 },
        { node: 'n2', interface: 'eth1', priority: 100 },
      ],
      track: [{ check: 'drain' }],
      hooks: { fifo: '/run/notify' },
      announcements: { arpInterval: '10ms' },
      checksum: 'pseudo_header',
    },
  ]);
  assert.deepEqual(validateResources([...resources]).errors, []);
  const back = parseManifest(renderManifest([...resources]), 'x.yaml');
  assert.deepEqual(back.problems, []);
  assert.deepEqual(back.resources, [...resources]);
  for (const node of ['n1', 'n2']) {
    const bundle = compileBundle([...resources], node);
    assert.deepEqual(
      [bundle.routers.length, bundle.groups.length, bundle.hostNetworks.length, bundle.bfdSessions.length],
      [2, 1, 2, 1],
    );
    assert.equal(bundle.groups[0]?.displayName, 'GW');
  }
  assert.deepEqual(originOf('SyncGroup', 'gw'), { file: 'n1.conf', line: 37 });
  assert.deepEqual(originOf('BfdSession', 'peer'), { file: 'n1.conf', line: 31 });
  assert.deepEqual(originOf('HostNetwork', 'uplink'), { file: 'n1.conf', line: 14 });
  assert.deepEqual(originOf('Secret', 'in-hmac-1'), { file: 'n1.conf', line: 83 });
});

const instance = (name: string, vrid: number, lines = ''): string =>
  `vrrp_instance ${name} {\ninterface eth0\nvirtual_router_id ${vrid}\nvirtual_ipaddress { 192.0.2.${vrid} }\n${lines}\n}\n`;
const group = (lines: string, name = 'G'): string => `vrrp_sync_group ${name} {\n${lines}\n}\n`;
const two = instance('A', 1) + instance('B', 2);

test('settings in which groups of the hosts must agree', () => {
  for (const [one, other, expected] of [
    [
      group('group { A B }'),
      group('group { A }'),
      /^n2.conf error 14: .*has not the routers b, which other hosts' group has/u,
    ],
    [
      group('group { A B }'),
      group('group { A B }\nnotify /bin/x'),
      /^n2.conf error 13: notify scripts or FIFO of 'G' differ from those in n1.conf:13/u,
    ],
    [
      group('group { A B }\nsync_group_tracking_weight'),
      group('group { A B }'),
      /^n2.conf error 13: sync_group_tracking_weight of 'G' differs/u,
    ],
    [
      group('group { A B }'),
      group('group { A B }', 'H'),
      /^n2.conf warning 13: .*'H' is the same group as 'G' in n1.conf:13/u,
    ],
    [
      group('group { A B }\ntrack_interface { eth9 weight 3 }'),
      group('group { A B }'),
      /^n1.conf error 13: .*what only n1 tracks is tracked by its members/u,
    ],
  ] as const) {
    const { remarks } = importHosts(two + one, two + other);
    assert.ok(
      remarks.some((line) => expected.test(line)),
      remarks.join('\n'),
    );
  }
});

test('what only one host tracks in its group belongs to its members', () => {
  const { resources, remarks } = importHosts(
    two + group('group { A B }\ntrack_interface { eth8\neth9 }'),
    two + group('group { A B }\ntrack_interface { eth8 }'),
  );
  assert.deepEqual(errors(remarks), []);
  assert.deepEqual((specs(resources, 'SyncGroup')[0] as { track: unknown }).track, [{ interface: 'eth8' }]);
  for (const spec of specs(resources, 'VirtualRouter')) {
    const { members } = spec as { members: { node: string; track?: unknown }[] };
    assert.deepEqual(
      members.map(({ node, track }) => [node, track]),
      [
        ['n1', [{ interface: 'eth9' }]],
        ['n2', undefined],
      ],
    );
  }
});

test('settings of routers that hosts must agree on, each with its place', () => {
  for (const [one, other, expected] of [
    ['no_accept', '', /^n2.conf error 1: accept of 'A' differs from that in n1.conf:5: true here, false there/u],
    ['down_timer_adverts 5', '', /^n2.conf error 1: down_timer_adverts of 'A'/u],
    ['mcast_dst_ip 224.0.0.99', '', /^n2.conf error 1: mcast_dst_ip of 'A'/u],
    ['use_vmac', '', /^n2.conf error 1: use_vmac of 'A'/u],
    [
      'use_vmac x1',
      'use_vmac x2',
      /^n2.conf warning 5: use_vmac of 'A' .*x2 here, x1 there; the latter is taken for all/u,
    ],
    ['promote_secondaries', '', /^n2.conf warning 1: promote_secondaries of 'A'/u],
    ['virtual_ipaddress_excluded { 192.0.2.77 }', '', /^n2.conf error 1: 192.0.2.77 of n1.conf:1 is missing here/u],
    [
      '',
      'virtual_ipaddress_excluded { 192.0.2.77 }',
      /^n2.conf error 5: 192.0.2.77 is not among the excluded addresses/u,
    ],
    [
      'virtual_routes { 198.51.100.0/24 via 192.0.2.9 }',
      '',
      /^n2.conf error 1: virtual_routes: 1 of n1.conf:1 is missing/u,
    ],
    [
      '',
      'virtual_rules { from 192.0.2.1 table 7 priority 9 }',
      /^n2.conf error 5: virtual_rules: this is not among those/u,
    ],
    [
      'auth_hmac {\nkey 1 0123456789abcdef0123456789abcdef\nactive_key 1\n}',
      'auth_hmac {\nkey 1 x123456789abcdef0123456789abcdef\nactive_key 1\n}',
      /^n2.conf error 5: auth_hmac of 'A' differs from that in n1.conf:5; routers that differ/u,
    ],
  ] as const) {
    const { remarks } = importHosts(instance('A', 1, one), instance('A', 1, other));
    assert.ok(
      remarks.some((line) => expected.test(line)),
      `${one}: ${remarks.join('\n')}`,
    );
    assert.doesNotMatch(remarks.join('\n'), /123456789abcdef/u);
  }
});

test('routes by the own interface need no device; hosts may call it differently', () => {
  const text = (device: string): string =>
    instance('A', 1, `virtual_routes { 198.51.100.0/24 dev ${device} }`).replace(
      'interface eth0',
      `interface ${device}`,
    );
  const { resources, remarks } = importHosts(text('eth0'), text('eth7'));
  assert.deepEqual(errors(remarks), []);
  assert.deepEqual((specs(resources, 'VirtualRouter')[0] as { routes: unknown }).routes, [{ to: '198.51.100.0/24' }]);
});

test('a VRID in both families is two routers; virtual MAC interfaces of one host have different names', () => {
  const six =
    'vrrp_instance A6 {\ninterface eth0\nvirtual_router_id 1\nvirtual_ipaddress { fe80::1/64 }\nuse_vmac\n}\n';
  const both = importHosts(instance('A', 1, 'use_vmac') + six);
  assert.deepEqual(errors(both.remarks), []);
  assert.equal(specs(both.resources, 'VirtualRouter').length, 2);
  const other = instance('B', 1, 'use_vmac').replace('eth0', 'eth1').replace('192.0.2.1 ', '198.51.100.1 ');
  const { resources, remarks } = importHosts(instance('A', 1, 'use_vmac') + other);
  assert.deepEqual(
    specs(resources, 'VirtualRouter').map((spec) => (spec as { virtualMac: unknown }).virtualMac),
    [{}, { name: 'vrrp.1.2' }],
  );
  assert.ok(remarks.some((line) => line.includes("has the interface vrrp.1 already; this one's is called vrrp.1.2")));
  const same = importHosts(instance('A', 1, 'use_vmac vx') + instance('B', 2, 'use_vmac vx'));
  assert.match(
    errors(same.remarks)[0] ?? '',
    /^n1.conf error 11: use_vmac: another instance of the host has the interface vx/u,
  );
});

test('IPv6 unicast peers with TTL limits', () => {
  const text = (own: string, peer: string): string =>
    `vrrp_instance A {\ninterface eth0\nvirtual_router_id 1\nunicast_src_ip 2001:DB8::${own}\nunicast_ttl 64\nunicast_peer { 2001:db8:0::${peer} min_ttl 63 }\nvirtual_ipaddress { 2001:db8::99 }\n}\n`;
  const { resources, remarks } = importHosts(text('1', '2'), text('2', '1'));
  assert.deepEqual(errors(remarks), []);
  const [spec] = specs(resources, 'VirtualRouter') as { members: { address: string }[]; unicast: unknown }[];
  assert.deepEqual(
    spec?.members.map(({ address }) => address),
    ['2001:db8::1', '2001:db8::2'],
  );
  assert.deepEqual(spec?.unicast, {
    ttl: 64,
    peerTtl: [
      { address: '2001:db8::2', minTtl: 63, maxTtl: 255 },
      { address: '2001:db8::1', minTtl: 63, maxTtl: 255 },
    ],
  });
});

test('a script, a file and a process of one name are three checks', () => {
  const text = `vrrp_script x {\nscript /bin/x\n}\ntrack_file x {\nfile /x\n}\nvrrp_track_process x {\nprocess x\n}\n${instance('A', 1, 'track_script { x }\ntrack_file { x weight 0 }\ntrack_process { x }')}`;
  const { resources, remarks } = importHosts(text);
  assert.deepEqual((specs(resources, 'VirtualRouter')[0] as { track: unknown }).track, [
    { check: 'x' },
    { check: 'x-2' },
    { check: 'x-3' },
  ]);
  assert.ok(remarks.some((line) => /^n1.conf note 4: track_file 'x' is imported as check x-2/u.test(line)));
});

test('BFD instances whose timers differ between the hosts are two sessions', () => {
  const text = (minRx: number): string =>
    `bfd_instance b {\nneighbor_ip 192.0.2.9\nmin_rx ${minRx}\n}\n${instance('A', 1, 'track_bfd { b }')}`;
  const { resources } = importHosts(text(10), text(20));
  const [router] = specs(resources, 'VirtualRouter') as { members: { track: unknown }[] }[];
  assert.deepEqual(
    router?.members.map(({ track }) => track),
    [[{ bfd: 'b-n1' }], [{ bfd: 'b-n2' }]],
  );
});

test('static IPv6 addresses have no duplicate address detection unless "-nodad" takes that away; a router’s never have it', () => {
  const { resources } = importHosts(`static_ipaddress {
  2001:db8:7::1/64 dev em1
  2001:db8:7::2/64 dev em1 -nodad
  192.0.2.7/24 dev em1
}
vrrp_instance V6 {
  interface em1
  virtual_router_id 6
  virtual_ipaddress { fe80::6/64 }
}
`);
  const noDad = (addresses: readonly { readonly noDad: boolean }[] = []): boolean[] =>
    addresses.map((address) => address.noDad);
  const found = resources.flatMap(({ spec }) => {
    if (spec?.$case === 'hostNetwork') return [noDad(spec.value.addresses)];
    return spec?.$case === 'virtualRouter' ? [noDad(spec.value.addresses)] : [];
  });
  assert.deepEqual(
    found.sort((a, b) => a.length - b.length),
    [[false], [true, false, false]],
  );
});
