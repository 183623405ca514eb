import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import {
  isRequestedRoute,
  isRequestedRule,
  type RouteRequest,
  type RuleRequest,
  routeKey,
} from '../../agent/link/rtnetlink.js';
import type { Outcome } from '../../agent/net/system-error.js';
import { Lab, labUnavailable } from '../lab/lab.js';
import { ip, ip6 } from '../wire/captured.js';
import { KernelEdge } from './kernel-edge.js';

const skip = labUnavailable();

async function laboratory(t: TestContext) {
  const lab = await Lab.open();
  t.after(() => lab.close());
  const a = await lab.host('a', { addresses: ['10.9.0.1/24', '10.9.0.2/24'] });
  // A tentative address would be refused as the source of a route.
  await a.ip('address add 2001:db8::1/64 dev em1 nodad');
  const edge = await KernelEdge.start(a);
  return { a, edge, em1: await edge.acts.index('em1') };
}
const codes = (outcomes: readonly Outcome[]) => outcomes.map((outcome) => (outcome.ok ? 'ok' : outcome.code));
const prefix = (address: number | bigint, prefixLength: number) => ({ address, prefixLength });
const route: RouteRequest = {
  family: 4,
  type: 1,
  table: 254,
  protocol: 18,
  tos: 0,
  onLink: false,
  nextHops: [],
  metrics: [],
  lockedMetrics: 0,
  append: false,
};

/** Each as a request, and as ip(8) shows it, whitespace aside. */
function routesOf(em1: number): readonly (readonly [string, RouteRequest, RegExp])[] {
  const v4 = (third: number, more: Partial<RouteRequest>): RouteRequest => ({
    ...route,
    destination: prefix(ip(`10.${third}.0.0`), 16),
    ...more,
  });
  const v6 = (group: string, more: Partial<RouteRequest>): RouteRequest => ({
    ...route,
    family: 6,
    destination: prefix(ip6(`2001:db8:${group}::`), 48),
    ...more,
  });
  const gateway = ip('10.9.0.9');
  const gateway6 = ip6('fe80::9');
  return [
    [
      'a gateway',
      v4(20, { gateway, interfaceIndex: em1 }),
      /^10\.20\.0\.0\/16 via 10\.9\.0\.9 dev em1 proto keepalived/m,
    ],
    ['a gateway alone', v4(21, { gateway }), /^10\.21\.0\.0\/16 via 10\.9\.0\.9 dev em1 proto keepalived/m],
    ['on the link', v4(22, { interfaceIndex: em1 }), /^10\.22\.0\.0\/16 dev em1 proto keepalived scope link/m],
    [
      'all that a route has',
      v4(23, {
        gateway: ip('10.77.0.1'),
        interfaceIndex: em1,
        onLink: true,
        source: ip('10.9.0.2'),
        table: 1000,
        metric: 7,
        tos: 8,
        scope: 200,
        protocol: 77,
        metrics: [
          { metric: 2, value: 1400 },
          { metric: 8, value: 1360 },
          { metric: 11, value: 20 },
        ],
        lockedMetrics: 1 << 2,
        congestionControl: 'reno',
      }),
      /^10\.23\.0\.0\/16 tos 0x08 via 10\.77\.0\.1 dev em1 table 1000 proto 77 scope site src 10\.9\.0\.2 metric 7 onlink mtu lock 1400 advmss 1360 initcwnd 20 congctl reno/m,
    ],
    [
      'two ways with weights, one over IPv6',
      v4(24, {
        nextHops: [
          { gateway, interfaceIndex: em1, weight: 3, onLink: false },
          { gateway: gateway6, interfaceIndex: em1, weight: 1, onLink: false },
        ],
      }),
      /^10\.24\.0\.0\/16 proto keepalived nexthop via 10\.9\.0\.9 dev em1 weight 3 nexthop via inet6 fe80::9 dev em1 weight 1/m,
    ],
    ['over IPv6', v4(25, { gateway: gateway6, interfaceIndex: em1 }), /^10\.25\.0\.0\/16 via inet6 fe80::9 dev em1/m],
    ['a black hole', v4(26, { type: 6 }), /^blackhole 10\.26\.0\.0\/16 proto keepalived/m],
    ['unreachable', v4(27, { type: 7, metric: 3 }), /^unreachable 10\.27\.0\.0\/16 proto keepalived metric 3/m],
    ['prohibited', v4(28, { type: 8 }), /^prohibit 10\.28\.0\.0\/16/m],
    [
      'the default route',
      { ...route, gateway, metric: 50 },
      /^default via 10\.9\.0\.9 dev em1 proto keepalived metric 50/m,
    ],
    [
      'IPv6',
      v6('9', { gateway: gateway6, interfaceIndex: em1 }),
      /^2001:db8:9::\/48 via fe80::9 dev em1 proto keepalived metric 1024 pref medium/m,
    ],
    [
      'IPv6 with what it has',
      v6('a', {
        gateway: gateway6,
        interfaceIndex: em1,
        source: ip6('2001:db8::1'),
        metric: 5,
        preference: 1,
        table: 70_000,
        metrics: [{ metric: 10, value: 9 }],
      }),
      /^2001:db8:a::\/48 via fe80::9 dev em1 table 70000 proto keepalived src 2001:db8::1 metric 5 hoplimit 9 pref high/m,
    ],
    [
      'IPv6, two ways',
      v6('b', {
        nextHops: [
          { gateway: gateway6, interfaceIndex: em1, weight: 2, onLink: false },
          { gateway: ip6('fe80::8'), interfaceIndex: em1, weight: 1, onLink: false },
        ],
      }),
      /^2001:db8:b::\/48 proto keepalived metric 1024 pref medium nexthop via fe80::9 dev em1 weight 2 nexthop via fe80::8 dev em1 weight 1/m,
    ],
    ['IPv6, a black hole', v6('c', { type: 6 }), /^blackhole 2001:db8:c::\/48 dev lo proto keepalived/m],
    [
      'IPv6, the default route',
      { ...route, family: 6, gateway: gateway6, interfaceIndex: em1 },
      /^default via fe80::9 dev em1 proto keepalived/m,
    ],
  ];
}

test('routes are added as ip(8) shows them, known again, refused twice, and deleted', { skip }, async (t) => {
  const { a, edge, em1 } = await laboratory(t);
  const routes = routesOf(em1);
  const requests = routes.map(([, request]) => request);
  const before = await edge.rtnetlink.routes();
  assert.deepEqual(
    codes(await edge.rtnetlink.changeRoutes('add', requests)),
    requests.map(() => 'ok'),
  );
  const text =
    `${await a.run('ip', '-4', 'route', 'show', 'table', 'all')}\n${await a.run('ip', '-6', 'route', 'show', 'table', 'all')}`
      // The ways of a route are on lines of their own.
      .replaceAll(/\s*\n\s+nexthop/g, ' nexthop')
      .replaceAll(/ +/g, ' ');
  for (const [name, , shown] of routes) assert.match(text, shown, `${name}\n${text}`);

  const there = await edge.rtnetlink.routes();
  for (const [name, request] of routes) {
    const same = there.filter((each) => routeKey(each) === routeKey(request));
    assert.equal(same.length, 1, name);
    assert.ok(
      same.every((each) => isRequestedRoute(request, each)),
      `${name}: ${JSON.stringify(same, text6)}`,
    );
  }
  assert.deepEqual(
    codes(await edge.rtnetlink.changeRoutes('add', requests)),
    requests.map(() => 'EEXIST'),
  );
  assert.deepEqual(
    codes(await edge.rtnetlink.changeRoutes('replace', requests)),
    requests.map(() => 'ok'),
  );
  assert.deepEqual(
    codes(await edge.rtnetlink.changeRoutes('delete', requests)),
    requests.map(() => 'ok'),
  );
  assert.deepEqual(
    codes(await edge.rtnetlink.changeRoutes('delete', requests)),
    requests.map(() => 'ESRCH'),
  );
  assert.deepEqual(new Set((await edge.rtnetlink.routes()).map(routeKey)), new Set(before.map(routeKey)));
});

const text6 = (_: string, value: unknown) => (typeof value === 'bigint' ? value.toString(16) : value);

test('another route to the same destination is kept, and is not ours', { skip }, async (t) => {
  const { a, edge, em1 } = await laboratory(t);
  await a.ip('route add 10.20.0.0/16 via 10.9.0.8');
  const ours: RouteRequest = {
    ...route,
    destination: prefix(ip('10.20.0.0'), 16),
    gateway: ip('10.9.0.9'),
    interfaceIndex: em1,
  };
  assert.deepEqual(codes(await edge.rtnetlink.changeRoutes('add', [ours])), ['EEXIST']);
  assert.deepEqual(codes(await edge.rtnetlink.changeRoutes('delete', [ours])), ['ESRCH']);
  const [theirs] = await edge.rtnetlink.routes({ destinations: [prefix(ip('10.20.0.0'), 16)] });
  assert.ok(theirs !== undefined);
  assert.equal(routeKey(theirs), routeKey(ours));
  assert.equal(isRequestedRoute(ours, theirs), false);
  assert.deepEqual(codes(await edge.rtnetlink.changeRoutes('add', [{ ...ours, append: true }])), ['ok']);
  assert.equal((await edge.rtnetlink.routes({ destinations: [prefix(ip('10.20.0.0'), 16)] })).length, 2);
});

test('selections of routes: family, table, protocol, destinations; a table that is not there is empty', {
  skip,
}, async (t) => {
  const { a, edge } = await laboratory(t);
  await a.ip(
    'route add 10.20.0.0/16 via 10.9.0.9 proto 18',
    'route add 10.21.0.0/16 via 10.9.0.9 proto 18 table 1000',
    'route add 10.22.0.0/16 via 10.9.0.9',
    'route add 2001:db8:9::/48 via fe80::9 dev em1 proto 18',
  );
  const keys = async (of: Parameters<typeof edge.rtnetlink.routes>[0]) =>
    (await edge.rtnetlink.routes(of)).map(routeKey).sort();
  assert.deepEqual(await keys({ protocol: 18 }), [
    '4 10.20.0.0/16 table 254 tos 0 metric 0',
    '4 10.21.0.0/16 table 1000 tos 0 metric 0',
    '6 2001:db8:9::/48 table 254 metric 1024',
  ]);
  assert.deepEqual(await keys({ protocol: 18, family: 6 }), ['6 2001:db8:9::/48 table 254 metric 1024']);
  assert.deepEqual(await keys({ table: 1000 }), ['4 10.21.0.0/16 table 1000 tos 0 metric 0']);
  assert.deepEqual(await keys({ table: 4242 }), []);
  assert.deepEqual(await keys({ destinations: [prefix(ip('10.22.0.0'), 16), prefix(ip6('2001:db8:9::'), 48)] }), [
    '4 10.22.0.0/16 table 254 tos 0 metric 0',
    '6 2001:db8:9::/48 table 254 metric 1024',
  ]);
});

test('what the kernel refuses of a route comes back with its reason, and the others are made', { skip }, async (t) => {
  const { edge, em1 } = await laboratory(t);
  const to = (second: number, more: Partial<RouteRequest>): RouteRequest => ({
    ...route,
    destination: prefix(ip(`10.${second}.0.0`), 16),
    ...more,
  });
  const outcomes = await edge.rtnetlink.changeRoutes('add', [
    to(20, { gateway: ip('10.66.0.1') }),
    to(21, { interfaceIndex: 9999 }),
    to(22, { interfaceIndex: em1, source: ip('10.66.0.1') }),
    to(23, { interfaceIndex: em1, congestionControl: 'none-such' }),
    to(24, { interfaceIndex: em1 }),
  ]);
  assert.deepEqual(codes(outcomes), ['ENETUNREACH', 'ENODEV', 'EINVAL', 'EINVAL', 'ok']);
  const [first] = outcomes;
  assert.match(
    first?.ok === false ? first.message : '',
    /^cannot add route 10\.20\.0\.0\/16 in table 254: ENETUNREACH \(Nexthop has invalid gateway\)/,
  );
});

const rule: RuleRequest = { family: 4, not: false, tos: 0, l3mdev: false, action: 1, protocol: 18 };
const RULES: readonly (readonly [RuleRequest, RegExp])[] = [
  [
    { ...rule, from: prefix(ip('10.9.0.26'), 32), table: 50, priority: 100 },
    /^100: from 10\.9\.0\.26 lookup 50 proto keepalived/m,
  ],
  [
    {
      ...rule,
      from: prefix(ip('10.9.0.0'), 24),
      to: prefix(ip('10.30.0.0'), 16),
      not: true,
      inputInterface: 'em1',
      outputInterface: 'absent0',
      mark: 0x10,
      mask: 0xf0,
      tos: 0x10,
      ipProtocol: 6,
      sourcePorts: { first: 1000, last: 2000 },
      destinationPorts: { first: 80, last: 80 },
      users: { first: 5, last: 6 },
      table: 70_000,
      suppressPrefixLength: 8,
      suppressGroup: 3,
      priority: 101,
    },
    /^101: not from 10\.9\.0\.0\/24 to 10\.30\.0\.0\/16 tos 0x10 fwmark 0x10\/0xf0 iif em1 oif absent0 \[detached\] uidrange 5-6 ipproto tcp sport 1000-2000 dport 80 lookup 70000 suppress_prefixlength 8 suppress_ifgroup 3 proto keepalived/m,
  ],
  [{ ...rule, l3mdev: true, priority: 102 }, /^102: from all lookup \[l3mdev-table\] proto keepalived/m],
  [{ ...rule, action: 2, target: 32766, priority: 103 }, /^103: from all goto 32766 proto keepalived/m],
  [{ ...rule, action: 6, mark: 7, priority: 104 }, /^104: from all fwmark 0x7 blackhole proto keepalived/m],
  [
    { ...rule, action: 8, to: prefix(ip('10.31.0.0'), 16), priority: 105 },
    /^105: from all to 10\.31\.0\.0\/16 prohibit/m,
  ],
  [{ ...rule, action: 3, tos: 8, priority: 106 }, /^106: from all tos (0x08|throughput) nop/m],
  [
    { ...rule, family: 6, from: prefix(ip6('2001:db8::'), 32), table: 60, priority: 107 },
    /^107: from 2001:db8::\/32 lookup 60 proto keepalived/m,
  ],
];

test('rules are added as ip(8) shows them, known again, refused twice, and deleted', { skip }, async (t) => {
  const { a, edge } = await laboratory(t);
  const requests = RULES.map(([request]) => request);
  const before = await edge.rtnetlink.rules();
  assert.deepEqual(
    codes(await edge.rtnetlink.changeRules('add', requests)),
    requests.map(() => 'ok'),
  );
  const text = `${await a.run('ip', 'rule')}\n${await a.run('ip', '-6', 'rule')}`.replaceAll(/[ \t]+/g, ' ');
  for (const [, shown] of RULES) assert.match(text, shown);
  const there = await edge.rtnetlink.rules();
  for (const request of requests) {
    assert.equal(there.filter((each) => isRequestedRule(request, each)).length, 1, JSON.stringify(there, text6));
  }
  assert.deepEqual(
    codes(await edge.rtnetlink.changeRules('add', requests)),
    requests.map(() => 'EEXIST'),
  );
  assert.deepEqual(
    codes(await edge.rtnetlink.changeRules('delete', requests)),
    requests.map(() => 'ok'),
  );
  assert.deepEqual(
    codes(await edge.rtnetlink.changeRules('delete', requests)),
    requests.map(() => 'ENOENT'),
  );
  assert.deepEqual(await edge.rtnetlink.rules(), before);
});
