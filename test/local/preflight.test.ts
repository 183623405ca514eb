import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FilteredPacket } from '../../agent/local/filtered-packet.js';
import { HostJudge } from '../../agent/local/host-judge.js';
import { type HostFacts, type InterfaceFacts, judgeHost } from '../../agent/local/preflight.js';
import { capabilitiesOf, defaultInterfaces, limitsOf, preflight } from '../../agent/local/preflight-host.js';
import { Bundle } from '../../proto/gen/baton/v1/bundle.js';
import { Scheduling } from '../../proto/gen/baton/v1/config.js';
import { Transport } from '../../proto/gen/baton/v1/resources.js';
import { PreflightFinding, PreflightSeverity } from '../../proto/gen/baton/v1/status.js';
import { createLogger } from '../../proto/process/logger.js';
import { type IpPrefix, parseIpPrefix } from '../../proto/rules/ip.js';

type RouterInit = NonNullable<Parameters<typeof Bundle.fromPartial>[0]['routers']>[number];

function prefixes(...texts: string[]): IpPrefix[] {
  return texts.map((text) => {
    const prefix = parseIpPrefix(text);
    assert.ok(prefix);
    return prefix;
  });
}

function face(name: string, changes: Partial<InterfaceFacts> = {}): InterfaceFacts {
  return {
    name,
    isUp: true,
    isMulticast: true,
    isLoopback: false,
    mtu: 1500,
    prefixes: prefixes('192.0.2.11/24', 'fe80::11/64'),
    ...changes,
  };
}

interface World {
  readonly interfaces?: readonly InterfaceFacts[];
  readonly sysctls?: Readonly<Record<string, number>>;
  readonly rest?: Partial<HostFacts>;
}

function facts({ interfaces = [face('em1')], sysctls = {}, rest = {} }: World): HostFacts {
  return {
    interfaces: new Map(interfaces.map((one) => [one.name, one])),
    sysctl: (name) => sysctls[name] ?? (name.includes('ipv6') || name.includes('ipv4') ? 0 : undefined),
    drops: () => [],
    defaultInterfaces: ['em1'],
    limits: {},
    capabilities: new Set(),
    ...rest,
  };
}

function bundleOf(router: RouterInit): Bundle {
  return Bundle.fromPartial({
    node: 'base1',
    routers: [
      {
        name: 'pg',
        vrid: 10,
        version: 3,
        interface: 'em1',
        family: 4,
        transport: Transport.MULTICAST,
        accept: true,
        multicastGroup: '224.0.0.18',
        addresses: [{ address: '192.0.2.100/24', device: 'em1' }],
        ...router,
      },
    ],
  });
}

function judged(world: World, router: RouterInit = {}): string[] {
  return judgeHost(bundleOf(router), undefined, facts(world)).map(
    ({ severity, subject, message, remedy }) =>
      `${severity.replace('PREFLIGHT_SEVERITY_', '')} ${subject} ${message} => ${remedy}`,
  );
}

const V6: RouterInit = {
  family: 6,
  multicastGroup: 'ff02::12',
  addresses: [{ address: 'fe80::100/64', device: 'em1' }],
};

test('a host as it should be', () => {
  assert.deepEqual(judged({}), []);
  assert.deepEqual(judged({}, V6), []);
});

for (const [what, world, router, wanted] of [
  ['no interface', { interfaces: [] }, {}, /^ERROR interface em1 does not exist/],
  ['down', { interfaces: [face('em1', { isUp: false })] }, {}, /^ERROR interface em1 is down/],
  [
    'no multicast',
    { interfaces: [face('em1', { isMulticast: false })] },
    {},
    /^ERROR .*no MULTICAST flag.*multicast on/,
  ],
  [
    'another device missing',
    {},
    { addresses: [{ address: '192.0.2.100/24', device: 'em9' }] },
    /^ERROR interface em9 does not exist: 192\.0\.2\.100\/24 cannot be added/,
  ],
  [
    'strict with a virtual MAC',
    { sysctls: { 'net.ipv4.conf.all.rp_filter': 1 } },
    { virtualMac: { name: 'vrrp.10' } },
    /^ERROR net\.ipv4\.conf\.all\.rp_filter is strict.*vrrp\.10/,
  ],
  [
    'strict with a far peer',
    { sysctls: { 'net.ipv4.conf.em1.rp_filter': 1 } },
    { transport: Transport.UNICAST, peers: ['198.51.100.7'] },
    /^WARNING net\.ipv4\.conf\.em1\.rp_filter is strict, and 198\.51\.100\.7 is in no network of em1/,
  ],
  [
    'strict off the default route',
    { sysctls: { 'net.ipv4.conf.em1.rp_filter': 1 }, rest: { defaultInterfaces: ['em2'] } },
    {},
    /^WARNING .*the default route is by em2/,
  ],
  [
    'arp_ignore 8',
    { sysctls: { 'net.ipv4.conf.all.arp_ignore': 8 } },
    {},
    /^ERROR net\.ipv4\.conf\.all\.arp_ignore is 8/,
  ],
  [
    'arp_ignore 2 and /32',
    { sysctls: { 'net.ipv4.conf.em1.arp_ignore': 2 } },
    { addresses: [{ address: '192.0.2.100/32', device: 'em1' }] },
    /^ERROR .*arp_ignore is 2: who asks for 192\.0\.2\.100\/32/,
  ],
  [
    'arp_ignore 1 and an address elsewhere',
    { interfaces: [face('em1'), face('dummy0', { prefixes: [] })], sysctls: { 'net.ipv4.conf.em1.arp_ignore': 1 } },
    { addresses: [{ address: '192.0.2.100/32', device: 'dummy0' }] },
    /^WARNING .*it is on another interface/,
  ],
  [
    'another interface of the network',
    { interfaces: [face('em1'), face('em2', { prefixes: prefixes('192.0.2.12/24') })] },
    {},
    /^WARNING net\.ipv4\.conf\.em2\.arp_ignore is 0.*its own MAC address => sysctl -w net\.ipv4\.conf\.em2\.arp_ignore=1 net\.ipv4\.conf\.em2\.arp_announce=2/,
  ],
  [
    'proxy_arp',
    { sysctls: { 'net.ipv4.conf.em1.proxy_arp': 1 } },
    {},
    /^WARNING net\.ipv4\.conf\.em1\.proxy_arp is on/,
  ],
  [
    'an MTU too small',
    { interfaces: [face('em1', { mtu: 68 })] },
    { addresses: Array.from({ length: 11 }, (_, at) => ({ address: `192.0.2.${100 + at}/32`, device: 'em1' })) },
    /^ERROR interface em1 has an MTU of 68, and an advertisement has 72 bytes/,
  ],
  [
    'several of a network',
    { interfaces: [face('em1', { prefixes: prefixes('198.51.100.1/24') })] },
    {
      addresses: [
        { address: '192.0.2.100/24', device: 'em1' },
        { address: '192.0.2.101/24', device: 'em1' },
      ],
    },
    /^HINT net\.ipv4\.conf\.em1\.promote_secondaries/,
  ],
  [
    'no IPv6 there',
    { sysctls: { 'net.ipv6.conf.em1.disable_ipv6': 1 } },
    V6,
    /^ERROR net\.ipv6\.conf\.em1\.disable_ipv6 is 1/,
  ],
  [
    'accept_dad 2',
    { sysctls: { 'net.ipv6.conf.em1.accept_dad': 2 } },
    V6,
    /^WARNING net\.ipv6\.conf\.em1\.accept_dad is 2/,
  ],
  ['no forwarding for a gateway', {}, { accept: false }, /^HINT net\.ipv4\.ip_forward is 0/],
  [
    'no forwarding for a router with routes',
    {},
    { routes: [{ to: 'default', via: '192.0.2.1' }] },
    /^HINT net\.ipv4\.ip_forward is 0, and the router has routes/,
  ],
] as const satisfies readonly (readonly [string, World, RouterInit, RegExp])[]) {
  test(`found: ${what}`, () => {
    const found = judged(world, router);
    assert.equal(found.length, 1, found.join('\n'));
    assert.match(found[0] ?? '', wanted);
  });
}

test('what is as it should be is not mentioned', () => {
  const inNetwork = { interfaces: [face('em1'), face('em2', { prefixes: prefixes('192.0.2.12/24') })] };
  assert.deepEqual(judged({ ...inNetwork, sysctls: { 'net.ipv4.conf.em2.arp_ignore': 1 } }), []);
  assert.deepEqual(judged({ sysctls: { 'net.ipv4.conf.em1.rp_filter': 1 } }), [], 'strict is fine on one network');
  assert.deepEqual(
    judged({
      sysctls: { 'net.ipv4.conf.em1.rp_filter': 2, 'net.ipv4.conf.all.rp_filter': 1 },
      rest: { defaultInterfaces: ['em2'] },
    }),
    [],
    'the higher value is the loose one',
  );
  const two = [
    { address: '192.0.2.100/24', device: 'em1' },
    { address: '192.0.2.101/24', device: 'em1' },
  ];
  assert.deepEqual(judged({}, { addresses: two }), [], 'the host has the first address of the network');
  assert.deepEqual(
    judged(
      { interfaces: [face('em1', { isMulticast: false })] },
      { transport: Transport.UNICAST, peers: ['192.0.2.12'] },
    ),
    [],
  );
});

test('worst first, and what concerns two routers is said once', () => {
  const bundle = bundleOf({ accept: false });
  const [pg] = bundle.routers;
  assert.ok(pg);
  bundle.routers.push({ ...pg, name: 'web', vrid: 11 });
  const found = judgeHost(
    bundle,
    undefined,
    facts({ sysctls: { 'net.ipv4.conf.em1.proxy_arp': 1, 'net.ipv4.conf.em1.arp_ignore': 8 } }),
  );
  assert.deepEqual(
    found.map(({ severity, routers }) => [severity, routers]),
    [PreflightSeverity.ERROR, PreflightSeverity.WARNING, PreflightSeverity.HINT].map((severity) => [
      severity,
      ['pg', 'web'],
    ]),
  );
});

test('the packet filter is asked about each way, and about neighbour discovery for IPv6', () => {
  const asked: FilteredPacket[] = [];
  const drops: HostFacts['drops'] = (packet) => {
    asked.push(packet);
    return packet.direction === 'input' ? [{ chain: 'nftables inet filter input', why: 'its policy is drop' }] : [];
  };
  const found = judged({ rest: { drops } }, V6);
  assert.deepEqual(
    asked.map(({ family, direction, protocol }) => [family, direction, protocol]),
    [
      [6, 'input', 112],
      [6, 'output', 112],
      [6, 'input', 58],
    ],
  );
  assert.match(
    found[0] ?? '',
    /^WARNING nftables inet filter input drops VRRP \(protocol 112\) from em1: its policy is drop; the others are not heard => accept protocol 112/,
  );
  assert.match(found[1] ?? '', /neighbour solicitations.*the addresses cannot be reached/);
});

test('limits count only where the owner asks for more', () => {
  const world = facts({ rest: { limits: { realtimePriority: 0, lockedBytes: 65_536 } } });
  const scheduling = Scheduling.fromPartial({ realtimePriority: 50, lockMemory: true });
  const subjects = (capabilities: string[], wanted: Scheduling | undefined): string[] =>
    judgeHost(bundleOf({}), wanted, { ...world, capabilities: new Set(capabilities) }).map(({ subject }) => subject);
  assert.deepEqual(subjects([], scheduling), ['limit of real-time priority', 'limit of locked memory']);
  assert.deepEqual(subjects(['sys_nice', 'ipc_lock'], scheduling), []);
  assert.deepEqual(subjects([], undefined), []);
});

test('what /proc says is read', () => {
  const route =
    'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\nem2\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\nem1\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n';
  assert.deepEqual(defaultInterfaces(route), ['em2']);
  assert.deepEqual(defaultInterfaces(undefined), []);
  const limits =
    'Limit                     Soft Limit           Hard Limit           Units\nMax locked memory         8388608              unlimited            bytes\nMax realtime priority     0                    0\n';
  assert.deepEqual(limitsOf(limits), { lockedBytes: 8_388_608, realtimePriority: 0 });
  assert.deepEqual(limitsOf('Max locked memory         unlimited            unlimited            bytes\n'), {});
  assert.deepEqual(capabilitiesOf('Name:\tnode\nCapEff:\t0000000000804000\n'), new Set(['ipc_lock', 'sys_nice']));
  assert.deepEqual(capabilitiesOf(undefined), new Set());
});

test('tools that are not there, or write something else, are no fault', async () => {
  const ran: string[] = [];
  const edges = (ruleset: string | undefined) => ({
    read: () => undefined,
    run: async (command: string) => {
      ran.push(command);
      return command === 'nft' ? ruleset : undefined;
    },
    links: () => [{ index: 2, name: 'em1', isUp: true, flags: 0x1003, mtu: 1500, prefixes: [] }],
  });
  assert.deepEqual(await preflight(bundleOf({}), undefined, edges(undefined)), []);
  assert.deepEqual(ran, ['nft', 'iptables-save', 'ip6tables-save']);
  ran.length = 0;
  assert.deepEqual(await preflight(bundleOf({}), undefined, edges('table inet filter')), []);
  assert.deepEqual(ran, ['nft', 'iptables-legacy-save', 'ip6tables-legacy-save'], 'nft shows what iptables-nft made');
});

test('a finding is logged once, for as long as it is there', async () => {
  const lines: string[] = [];
  const log = createLogger({
    name: 'test',
    level: 'info',
    destination: { write: (line: string) => void lines.push(line) },
  });
  let found = [
    PreflightFinding.fromPartial({ severity: PreflightSeverity.ERROR, subject: 'interface em1', message: 'is down' }),
  ];
  let changes = 0;
  const told: string[] = [];
  const judge = new HostJudge({
    log,
    changed: () => (changes += 1),
    found: ({ message }) => told.push(message),
    judge: async () => found,
  });
  await judge.judge(bundleOf({}), undefined);
  await judge.judge(bundleOf({}), undefined);
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? '', /"detail":"is down"/);
  found = [];
  await judge.judge(bundleOf({}), undefined);
  assert.deepEqual(judge.findings, []);
  assert.deepEqual([lines.length, changes], [1, 3]);
  assert.deepEqual(told, ['is down']);
  found = [PreflightFinding.fromPartial({ severity: PreflightSeverity.HINT, subject: 'x', message: 'worth knowing' })];
  await judge.judge(bundleOf({}), undefined);
  assert.deepEqual([lines.length, told.length], [2, 1], 'a hint is logged and is no event');
});
