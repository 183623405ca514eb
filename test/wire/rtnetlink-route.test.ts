import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { messagesOf, type NetlinkMessage, NetlinkWriter } from '../../agent/wire/netlink-message.js';
import {
  type Route,
  type RouteRequest,
  type RouteVerb,
  readRoute,
  routeSelector,
  writeRouteDump,
  writeRouteRequest,
} from '../../agent/wire/rtnetlink-route.js';
import { isRequestedRoute, routeDestination, routeKey } from '../../agent/wire/rtnetlink-route-key.js';
import { bytesOf, ip, ip6 } from './captured.js';

/*
 * All from Linux 6.18, as `ip route add` made them: each with its command.
 */

/** 10.20.0.0/16 via 10.9.0.9 dev em1 proto 18 table 1000 metric 7 mtu lock 1400 initcwnd 20 congctl cubic src 10.9.0.1 */
const FULL = `74000000 1800 0200 01000000 a0080000 02 10 00 00 fc 12 00 01 00000000 0800 0f00 e8030000
  0800 0100 0a140000 0800 0600 07000000 2800 0800 0800 0100 04000000 0800 0200 78050000 0800 0b00 14000000
  0a00 1000 6375626963000000 0800 0700 0a090001 0800 0500 0a090009 0800 0400 03000000`;
/** 10.21.0.0/16 proto 18 nexthop via 10.9.0.9 dev em1 weight 3 nexthop via inet6 fe80::9 dev em1 */
const MULTIPATH = `60000000 1800 0200 01000000 a0080000 02 10 00 00 fe 12 00 01 00000000 0800 0f00 fe000000
  0800 0100 0a150000 3400 0900 1000 00 02 03000000 0800 0500 0a090009
  2000 00 00 03000000 1600 1200 0a00 fe80000000000000 0000000000000009 0000`;
/** blackhole 10.22.0.0/16 proto 18 */
const BLACKHOLE = `2c000000 1800 0200 01000000 a0080000 02 10 00 00 fe 12 00 06 00000000 0800 0f00 fe000000
  0800 0100 0a160000`;
/** 2001:db8:9::/48 proto 18 nexthop via fe80::9 dev em1 weight 2 nexthop via fe80::8 dev em1 */
const MULTIPATH6 = `a8000000 1800 0200 01000000 a0080000 0a 30 00 00 fe 12 00 01 00000000 0800 0f00 fe000000
  1400 0100 20010db800090000 0000000000000000 0800 0600 00040000
  3c00 0900 1c00 00 01 03000000 1400 0500 fe80000000000000 0000000000000009
  1c00 00 00 03000000 1400 0500 fe80000000000000 0000000000000008
  2400 0c00 ${'00'.repeat(32)} 0500 1400 00000000`;
/** default via fe80::9 dev em1 proto 18 pref high */
const DEFAULT6 = `74000000 1800 0200 01000000 a0080000 0a 00 00 00 fe 12 00 01 00000000 0800 0f00 fe000000
  0800 0600 00040000 1400 0500 fe80000000000000 0000000000000009 0800 0400 03000000
  2400 0c00 ${'00'.repeat(32)} 0500 1400 01000000`;

const prefix = (address: number | bigint, prefixLength: number) => ({ address, prefixLength });
const request: RouteRequest = {
  family: 4,
  type: 1,
  destination: prefix(ip('10.20.0.0'), 16),
  table: 254,
  protocol: 18,
  tos: 0,
  onLink: false,
  nextHops: [],
  metrics: [],
  lockedMetrics: 0,
  append: false,
};
const full: RouteRequest = {
  ...request,
  gateway: ip('10.9.0.9'),
  interfaceIndex: 3,
  source: ip('10.9.0.1'),
  table: 1000,
  metric: 7,
  metrics: [
    { metric: 2, value: 1400 },
    { metric: 11, value: 20 },
  ],
  lockedMetrics: 4,
  congestionControl: 'cubic',
};
const multipath: RouteRequest = {
  ...request,
  destination: prefix(ip('10.21.0.0'), 16),
  nextHops: [
    { gateway: ip('10.9.0.9'), interfaceIndex: 3, weight: 3, onLink: false },
    { gateway: ip6('fe80::9'), interfaceIndex: 3, weight: 1, onLink: false },
  ],
};
const blackhole: RouteRequest = { ...request, type: 6, destination: prefix(ip('10.22.0.0'), 16) };
const multipath6: RouteRequest = {
  ...request,
  family: 6,
  destination: prefix(ip6('2001:db8:9::'), 48),
  nextHops: [
    { gateway: ip6('fe80::9'), interfaceIndex: 3, weight: 2, onLink: false },
    { gateway: ip6('fe80::8'), interfaceIndex: 3, weight: 1, onLink: false },
  ],
};
const { destination: _, ...withoutDestination } = request;
const default6: RouteRequest = {
  ...withoutDestination,
  family: 6,
  gateway: ip6('fe80::9'),
  interfaceIndex: 3,
  preference: 1,
};

const written = (write: (writer: NetlinkWriter) => void): Uint8Array => {
  const writer = new NetlinkWriter();
  write(writer);
  return writer.datagram().slice();
};
const onlyMessage = (bytes: Uint8Array): NetlinkMessage => {
  const [message, ...more] = [...messagesOf(bytes)];
  assert.ok(message !== undefined && more.length === 0);
  return message;
};
const routeOf = (hex: string): Route => {
  const route = readRoute(onlyMessage(bytesOf(hex)));
  assert.ok(route !== undefined);
  return route;
};

const read: readonly (readonly [string, string, Route])[] = [
  ['a route with everything', FULL, { ...without(full), metric: 7, scope: 0, isDead: false }],
  ['two ways, one over IPv6', MULTIPATH, { ...without(multipath), metric: 0, scope: 0, isDead: false }],
  ['a black hole', BLACKHOLE, { ...without(blackhole), metric: 0, scope: 0, isDead: false }],
  ['two ways in IPv6', MULTIPATH6, { ...without(multipath6), metric: 1024, scope: 0, preference: 0, isDead: false }],
  ['the default route of IPv6', DEFAULT6, { ...without(default6), metric: 1024, scope: 0, isDead: false }],
];
for (const [name, hex, route] of read) {
  test(`${name} is read as the kernel wrote it`, () => assert.deepEqual(routeOf(hex), route));
}

function without({ append, ...route }: RouteRequest): Omit<RouteRequest, 'append'> {
  assert.equal(append, false);
  return route;
}

test('ways that are not used are told', () => {
  assert.equal(routeOf(FULL.replace('00 01 00000000', '00 01 10000000')).isDead, true);
  assert.equal(routeOf(MULTIPATH.replace('1000 00 02', '1000 01 02')).isDead, false);
  assert.equal(routeOf(MULTIPATH.replace('1000 00 02', '1000 01 02').replace('2000 00', '2000 10')).isDead, true);
});

const requests: readonly (readonly [string, RouteVerb, RouteRequest, boolean, string])[] = [
  [
    'add, with everything',
    'add',
    { ...full, destination: prefix(ip('10.20.1.2'), 16), onLink: true, tos: 8, scope: 200 },
    true,
    `74000000 1800 0506 09000000 00000000 02 10 00 08 00 12 c8 01 04000000 0800 0100 0a140000 0800 0f00 e8030000
     0800 0500 0a090009 0800 0400 03000000 0800 0700 0a090001 0800 0600 07000000
     2800 0880 0800 0100 04000000 0800 0200 78050000 0800 0b00 14000000 0a00 1000 637562696300 0000`,
  ],
  [
    'append',
    'add',
    { ...request, append: true },
    false,
    '24000000 1800 010c 09000000 00000000 02 10 00 00 fe 12 fd 01 00000000 0800 0100 0a140000',
  ],
  [
    'replace, two ways, one over IPv6',
    'replace',
    multipath,
    false,
    `58000000 1800 0105 09000000 00000000 02 10 00 00 fe 12 00 01 00000000 0800 0100 0a150000
     3400 0980 1000 00 02 03000000 0800 0500 0a090009
     2000 00 00 03000000 1600 1200 0a00 fe80000000000000 0000000000000009 0000`,
  ],
  [
    'delete, of any scope, without metrics',
    'delete',
    full,
    true,
    `4c000000 1900 0500 09000000 00000000 02 10 00 00 00 12 ff 01 00000000 0800 0100 0a140000 0800 0f00 e8030000
     0800 0500 0a090009 0800 0400 03000000 0800 0700 0a090001 0800 0600 07000000`,
  ],
  [
    'add, the default route of IPv6',
    'add',
    default6,
    false,
    `40000000 1800 0106 09000000 00000000 0a 00 00 00 fe 12 00 01 00000000
     1400 0500 fe80000000000000 0000000000000009 0800 0400 03000000 0500 1400 01000000`,
  ],
];
for (const [name, verb, route, acknowledge, hex] of requests) {
  test(`${name}: bytes of the request`, () => {
    assert.deepEqual(
      written((writer) => writeRouteRequest(writer, verb, route, 9, acknowledge)),
      bytesOf(hex),
    );
  });
}

test('a dump asks for a table and a protocol', () => {
  assert.deepEqual(
    written((writer) => writeRouteDump(writer, 6, { table: 1000, protocol: 18 }, 1)),
    bytesOf('24000000 1a00 0103 01000000 00000000 0a 00 00 00 00 12 00 00 00000000 0800 0f00 e8030000'),
  );
});

test('scopes are those of ip(8) where none is given', () => {
  const scope = (change: Partial<RouteRequest>) =>
    written((writer) => writeRouteRequest(writer, 'add', { ...request, ...change }, 9, false))[22];
  assert.equal(scope({}), 253);
  assert.equal(scope({ gateway: 1 }), 0);
  assert.equal(scope({ nextHops: [{ weight: 1, onLink: false }] }), 0);
  assert.equal(scope({ type: 2 }), 254);
  assert.equal(scope({ type: 6 }), 0);
  assert.equal(scope({ type: 3 }), 253);
  assert.equal(scope({ family: 6 }), 0);
});

test('what the kernel has is known again as what was asked for', () => {
  for (const [wanted, hex] of [
    [full, FULL],
    [multipath, MULTIPATH],
    [blackhole, BLACKHOLE],
    [multipath6, MULTIPATH6],
    [{ ...multipath6, nextHops: [...multipath6.nextHops].reverse() }, MULTIPATH6],
    [default6, DEFAULT6],
    [{ ...default6, metric: 1024 }, DEFAULT6],
  ] as const) {
    assert.equal(routeKey(wanted), routeKey(routeOf(hex)));
    assert.equal(isRequestedRoute(wanted, routeOf(hex)), true);
  }
  for (const change of [
    { metric: 8 },
    { table: 254 },
    { tos: 4 },
    { type: 6 },
    { protocol: 4 },
    { gateway: ip('10.9.0.8') },
    { interfaceIndex: 4 },
    { source: ip('10.9.0.2') },
    { scope: 253 },
    { metrics: [] },
    { lockedMetrics: 0 },
    { congestionControl: 'reno' },
    { destination: prefix(ip('10.20.0.0'), 17) },
  ]) {
    assert.equal(isRequestedRoute({ ...full, ...change }, routeOf(FULL)), false, JSON.stringify(change));
  }
  const { interfaceIndex, source, ...open } = full;
  assert.equal(isRequestedRoute(open, routeOf(FULL)), true, `${interfaceIndex} and ${source} were left open`);
  const [first] = multipath.nextHops;
  assert.ok(first !== undefined);
  assert.equal(isRequestedRoute({ ...multipath, nextHops: [first] }, routeOf(MULTIPATH)), false);
  assert.equal(
    isRequestedRoute(
      { ...multipath, nextHops: multipath.nextHops.map((hop) => ({ ...hop, weight: 9 })) },
      routeOf(MULTIPATH),
    ),
    false,
  );
});

test('selections', () => {
  const [fullMessage, default6Message] = [onlyMessage(bytesOf(FULL)), onlyMessage(bytesOf(DEFAULT6))];
  assert.equal(routeSelector({})(fullMessage), true);
  assert.equal(routeSelector({ table: 1000 })(fullMessage), true);
  assert.equal(routeSelector({ table: 1001 })(fullMessage), false);
  assert.equal(routeSelector({ table: 254 })(fullMessage), false);
  assert.equal(routeSelector({ table: 254 })(default6Message), true);
  assert.equal(routeSelector({ protocol: 18 })(fullMessage), true);
  assert.equal(routeSelector({ protocol: 4 })(fullMessage), false);
  const to = (...destinations: ReturnType<typeof prefix>[]) => routeSelector({ destinations });
  assert.equal(to()(fullMessage), false);
  assert.equal(to(prefix(ip('10.20.3.4'), 16))(fullMessage), true);
  assert.equal(to(prefix(ip('10.20.0.0'), 17))(fullMessage), false);
  assert.equal(to(prefix(ip('10.21.0.0'), 16))(fullMessage), false);
  assert.equal(to(prefix(0, 0))(default6Message), false);
  assert.equal(to(prefix(0n, 0), prefix(ip('10.20.0.0'), 16))(default6Message), true);
  assert.deepEqual(routeDestination(routeOf(DEFAULT6)), prefix(0n, 0));
  assert.deepEqual(routeDestination(full), prefix(ip('10.20.0.0'), 16));
});

test('remembered routes, other families and other messages are not read', () => {
  for (const [from, to] of [
    ['00 01 00000000', '00 01 00020000'],
    ['02 10 00', '1c 10 00'],
    ['1800 0200', '1600 0200'],
    ['02 10 00', '02 21 00'],
    ['0800 0100 0a14', '0800 0300 0a14'],
  ] as const) {
    assert.equal(readRoute(onlyMessage(bytesOf(FULL.replace(from, to)))), undefined, to);
  }
});

const anyIpv4 = fc.integer({ min: 0, max: 0xffffffff });
const anyIpv6 = fc.bigInt({ min: 0n, max: (1n << 128n) - 1n });
const optional = <T>(name: string, value: fc.Arbitrary<T>) =>
  fc.option(value).map((v) => (v === null ? {} : { [name]: v }));
const anyRequest: fc.Arbitrary<RouteRequest> = fc.constantFrom<4 | 6>(4, 6).chain((family) => {
  const address: fc.Arbitrary<number | bigint> = family === 4 ? anyIpv4 : anyIpv6;
  const hop = fc.record({
    gateway: address,
    interfaceIndex: fc.integer({ min: 1, max: 0x7fffffff }),
    weight: fc.integer({ min: 1, max: 256 }),
    onLink: fc.boolean(),
  });
  return fc
    .tuple(
      fc.record({
        type: fc.integer({ min: 1, max: 11 }),
        table: fc.integer({ min: 1, max: 0xffffffff }),
        protocol: fc.nat(255),
        tos: family === 4 ? fc.nat(255) : fc.constant(0),
        onLink: fc.boolean(),
        nextHops: fc.uniqueArray(hop, { maxLength: 4, selector: ({ gateway }) => gateway }),
        metrics: fc.uniqueArray(
          fc.record({ metric: fc.integer({ min: 2, max: 15 }), value: fc.integer({ min: 0, max: 0xffffffff }) }),
          { selector: ({ metric }) => metric },
        ),
        lockedMetrics: fc.integer({ min: 0, max: 0xffff }),
        append: fc.boolean(),
      }),
      optional(
        'destination',
        fc.record({ address, prefixLength: fc.integer({ min: 1, max: family === 4 ? 32 : 128 }) }),
      ),
      optional('metric', fc.integer({ min: 0, max: 0xffffffff })),
      optional('source', address),
      optional('congestionControl', fc.constantFrom('cubic', 'bbr')),
      optional('preference', fc.constantFrom(0, 1, 3)),
    )
    .map((parts) => Object.assign({ family }, ...parts) as RouteRequest);
});

test('what is written is read back, whatever it is', () => {
  fc.assert(
    fc.property(anyRequest, (route) => {
      const message = onlyMessage(written((writer) => writeRouteRequest(writer, 'add', route, 1, true)));
      const back = readRoute(message);
      assert.ok(back !== undefined);
      assert.equal(isRequestedRoute(route, back), true);
    }),
    { seed: 30, numRuns: 500 },
  );
});

test('cut at every offset, and any mutation: an answer', () => {
  for (const hex of [FULL, MULTIPATH, MULTIPATH6]) {
    const whole = onlyMessage(bytesOf(hex));
    const select = routeSelector({ table: 1000, destinations: [prefix(ip('10.20.0.0'), 16)] });
    for (let length = 0; length <= whole.payload.length; length++) {
      const cut = { ...whole, payload: whole.payload.slice(0, length) };
      select(cut);
      const route = readRoute(cut);
      if (length < 12) assert.equal(route, undefined);
    }
    const mutation = fc.record({ at: fc.nat(whole.payload.length - 1), value: fc.nat(255) });
    fc.assert(
      fc.property(fc.array(mutation, { maxLength: 8 }), (mutations) => {
        const payload = whole.payload.slice();
        for (const { at, value } of mutations) payload[at] = value;
        select({ ...whole, payload });
        const route = readRoute({ ...whole, payload });
        if (route !== undefined) assert.ok(route.nextHops.length <= payload.length / 8);
      }),
      { seed: 31, numRuns: 1000 },
    );
  }
});
