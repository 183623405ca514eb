/** Sync groups, BFD sessions and host networks: by themselves, and with the routers that they are about. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CHECK, judge, RECEIVER, router, sample, texts } from './sample-resources.js';

const WEB = router({ vrid: '11', addresses: '[192.0.2.2]' }, 'web');
const group = (spec: string, name = 'both'): string => sample('SyncGroup', name, spec);
const bfd = (spec: string, name = 'uplink'): string => sample('BfdSession', name, spec);
const host = (spec: string, name = 'base'): string => sample('HostNetwork', name, spec);
const ENDS = 'endpoints: [{node: a, neighbor: 192.0.2.254}, {node: b, neighbor: 192.0.2.254}]';

/** Everything about it, errors and warnings, but what is said of things that nobody uses. */
function found(text: string): string[] {
  const { errors, warnings } = judge(text);
  const lines = [...errors, ...warnings].map(({ resource, path, message }) => `${resource?.name} ${path}: ${message}`);
  return lines.filter((line) => !/no router (tracks|names) this/.test(line));
}

describe('sync groups', () => {
  const rows: readonly (readonly [string, ...string[]])[] = [
    [router() + WEB + group('routers: [pg, web], policy: any, trackingWeight: true')],
    [
      `${router()}${WEB}${CHECK}${RECEIVER}${group(
        'routers: [pg, web], track: [{check: alive, weight: -10}], hooks: {any: /bin/x, fifo: /run/f}, receivers: [ops]',
      )}`,
    ],
    [group(''), 'both spec.routers: is missing; give the names of the VirtualRouters that move together'],
    [
      router() + WEB + group('routers: [pg, web, pg, wep]'),
      'both spec.routers[2]: "pg" is given twice; remove one',
      'both spec.routers[3]: there is no VirtualRouter "wep" (did you mean "web"?)',
    ],
    [
      router() + WEB + group('routers: [pg, web]') + group('routers: [web, pg]', 'other'),
      'other spec.routers[0]: "web" is in SyncGroup "both" already; a router is in one group only',
      'other spec.routers[1]: "pg" is in SyncGroup "both" already; a router is in one group only',
    ],
    [
      router() +
        WEB +
        group('routers: [pg, web], hooks: {lowerPriorityHeard: /bin/l, fifo: /run/f, priorityChanges: true}'),
      'both spec.hooks.lowerPriorityHeard: is for routers; give it to the routers of the group',
      'both spec.hooks.priorityChanges: is for routers; give it to the routers of the group',
    ],
    [router() + group('routers: [pg]'), 'both spec.routers: has one router only, which moves alone'],
    [
      router() +
        router(
          { vrid: '11', addresses: '[192.0.2.2]', members: '[{node: a, interface: em1}, {node: c, interface: em1}]' },
          'web',
        ) +
        group('routers: [pg, web]'),
      'both spec.routers[0]: "pg" has no member on c, where others of the group run: there they move without it',
      'both spec.routers[1]: "web" has no member on b, where others of the group run: there they move without it',
    ],
    [
      router({ members: '[{node: a, interface: em1, priority: 255}, {node: b, interface: em1}]' }) +
        WEB +
        group('routers: [pg, web]'),
      'both spec.routers: on a some routers own their addresses (priority 255) and some do not: all of them start as backup',
    ],
    [
      CHECK +
        router({ track: '[{check: alive, weight: -60}, {interface: em2, weight: -60}]' }) +
        WEB +
        group('routers: [pg, web], track: [{interface: em3}]'),
      'pg spec.track[0].weight: check alive is left out: SyncGroup "both" lets no weights of its routers count; track it in the group, or set trackingWeight there',
      'pg spec.track[1].weight: interface em2 counts as weight 0, so that it puts the group in fault: SyncGroup "both" lets no weights of its routers count; track it in the group, or set trackingWeight there',
    ],
    [
      CHECK + router({ track: '[{check: alive}]' }) + WEB + group('routers: [pg, web], track: [{check: alive}]'),
      'pg spec.track[0]: check alive is tracked by SyncGroup "both" too; this one counts here',
    ],
  ];
  for (const [text, ...expected] of rows) {
    test(expected[0] ?? 'good', () => assert.deepStrictEqual(found(text), expected));
  }
});

describe('BFD sessions', () => {
  const rows: readonly (readonly [string, ...string[]])[] = [
    [bfd(`${ENDS}, minRx: 300ms, minTx: 1000s, idleTx: 1s, multiplier: 3, passive: true, multihop: true, maxHops: 5`)],
    [bfd('endpoints: [{node: a, neighbor: "fe80::1", interface: em1, source: "fe80::2"}]')],
    [bfd(''), 'uplink spec.endpoints: is missing; give a node and its neighbor'],
    [
      bfd(
        'endpoints: [{node: a}, {node: a, neighbor: "fe80::1"}, {neighbor: 192.0.2.1, source: "2001:db8::1"}, {node: b, neighbor: 192.0.2.1, source: 192.0.2.1, interface: "a b"}]',
      ),
      'uplink spec.endpoints[0].neighbor: is missing; give the address of the other end',
      'uplink spec.endpoints[1].node: "a" is given twice; a session has one end on a node',
      'uplink spec.endpoints[1].interface: is missing; fe80::1 is link-local, so the interface must be known',
      'uplink spec.endpoints[2].node: is missing; give the name of the node',
      'uplink spec.endpoints[2].source: 2001:db8::1 is an IPv6 address, but IPv4 is needed here',
      'uplink spec.endpoints[3].interface: "a b" cannot be an interface\'s name: 1 to 15 visible characters without "/" and ":"',
      "uplink spec.endpoints[3].source: 192.0.2.1 is the neighbor itself; give this node's own address",
    ],
    [
      bfd(`${ENDS}, minRx: 999us, minTx: 1001s, idleTx: 500ms, multiplier: 256, maxHops: 255`),
      'uplink spec.minRx: must be from 1ms to 16m40s, not 999us',
      'uplink spec.minTx: must be from 1ms to 16m40s, not 16m41s',
      'uplink spec.idleTx: must be from 1s to 16m40s, not 500ms',
      'uplink spec.multiplier: must be from 0 to 255, not 256',
      'uplink spec.maxHops: must be from 0 to 254, not 255',
      'uplink spec.maxHops: is for multihop; set it, or remove this',
    ],
    [
      bfd('multihop: true, endpoints: [{node: a, neighbor: "fe80::1", interface: em1}]'),
      'uplink spec.endpoints[0].neighbor: fe80::1 is link-local, which no router leads to; give another, or remove multihop',
    ],
    [
      bfd(ENDS) + bfd('endpoints: [{node: a, neighbor: 192.0.2.254}]', 'twin'),
      'twin spec.endpoints[0].neighbor: BfdSession "uplink" is with 192.0.2.254 on a already; track that one',
    ],
    [
      bfd('endpoints: [{node: a, neighbor: 192.0.2.254}]') + router({ track: '[{bfd: uplink}]' }),
      'pg spec.track[0].bfd: BfdSession "uplink" has no endpoint on b; add it there, or track it in members',
    ],
    [
      bfd('endpoints: [{node: a, neighbor: 192.0.2.254}]') +
        router() +
        WEB +
        group('routers: [pg, web], track: [{bfd: uplink}]'),
      'both spec.track[0].bfd: BfdSession "uplink" has no endpoint on b; add it there, or track it in members',
    ],
  ];
  for (const [text, ...expected] of rows) {
    test(expected[0] ?? 'good', () => assert.deepStrictEqual(found(text), expected));
  }

  test('one that nobody tracks is mentioned', () => {
    assert.deepStrictEqual(texts(judge(bfd(ENDS)).warnings), [': no router tracks this session, so it never runs']);
  });
});

describe('host networks', () => {
  const rows: readonly (readonly [string, ...string[]])[] = [
    [
      router() +
        host(
          'nodes: [a, b], addresses: [{address: 198.51.100.1/24, device: lo}, {address: "2001:db8::9/128", device: lo}], routes: [{to: default, via: 192.0.2.254}], rules: [{from: 198.51.100.0/24, table: "100", priority: 1000}], requiredBy: [pg], announcementLimits: [{interfaces: [em1, em2], arpInterval: 10ms}], interfaceDelays: [{interface: em1, down: 1s, up: 255s}]',
        ),
    ],
    [
      host(''),
      'base spec.nodes: is missing; give the names of the nodes that have it',
      'base spec: holds nothing; give addresses, routes, rules, announcementLimits or interfaceDelays',
    ],
    [
      host(
        'nodes: [a, a], addresses: [198.51.100.1/24, {address: 192.0.2.99, device: lo, virtualMac: true}], routes: [{to: 10.0.0.0/8}], rules: [{}], requiredBy: [gone]',
      ),
      'base spec.nodes[1]: "a" is given twice; remove one',
      'base spec.requiredBy[0]: there is no VirtualRouter "gone"',
      'base spec.addresses[0].device: is missing; give the name of the network interface',
      'base spec.addresses[1].virtualMac: is for the addresses of a VirtualRouter; remove it',
      'base spec.routes[0].device: is missing; give the interface, or a next hop with via',
      'base spec.rules[0].table: is missing; give the table that is looked up, or an action, or l3mdev',
    ],
    [
      host(
        'nodes: [a], announcementLimits: [{interfaces: [em1, em1], arpInterval: 25h}, {arpInterval: 1s}, {interfaces: [em2]}], interfaceDelays: [{interface: em1, down: 256s}, {interface: em1}, {}]',
      ),
      'base spec.announcementLimits[0].interfaces[1]: "em1" is in announcementLimits[0] already; an interface stands in one only',
      'base spec.announcementLimits[0].arpInterval: must be from 0s to 24h, not 25h',
      'base spec.announcementLimits[1].interfaces: is missing; give the interfaces over which announcements are spaced',
      'base spec.announcementLimits[2].arpInterval: is missing; give it or neighborInterval',
      'base spec.interfaceDelays[0].down: must be from 0s to 4m15s, not 4m16s',
      'base spec.interfaceDelays[1].interface: "em1" is in interfaceDelays[0] already; an interface stands in one only',
      'base spec.interfaceDelays[2].interface: is missing; give the name of the network interface',
    ],
    [
      host('nodes: [a], interfaceDelays: [{interface: em1, down: 1s}]') +
        host('nodes: [b, a], interfaceDelays: [{interface: em1, up: 1s}]', 'more'),
      'more spec.interfaceDelays[0].interface: HostNetwork "base" says this of em1 on a already; remove one',
    ],
    [
      router() + host('nodes: [a], addresses: [{address: 192.0.2.1/24, device: em1}]'),
      'base spec.addresses[0]: 192.0.2.1 is an address of VirtualRouter "pg" already, and node a runs both',
    ],
    [
      router() + host('nodes: [c], addresses: [{address: 192.0.2.9/24, device: em1}], requiredBy: [pg]'),
      'base spec.requiredBy[0]: VirtualRouter "pg" runs on none of the nodes, so this has no effect',
    ],
    [
      router() + host('nodes: [a], interfaceDelays: [{interface: em1, down: 2s}]'),
      'base spec.interfaceDelays[0].down: is longer than the 1.996094s after which the others of VirtualRouter "pg" may take over; two could be active for that long',
    ],
  ];
  for (const [text, ...expected] of rows) {
    test(expected[0] ?? 'good', () => assert.deepStrictEqual(found(text), expected));
  }
});

describe('across routers', () => {
  test('one vrid for both families on one interface is right; the same family twice is not', () => {
    const six = router({ addresses: '["2001:db8::1"]' }, 'six');
    assert.deepStrictEqual(found(router() + six), []);
    const again = router({ addresses: '["2001:db8::2"]' }, 'six-again');
    assert.deepStrictEqual(found(six + again), [
      'six-again spec.members[0]: VirtualRouter "six" uses vrid 10 on em1 of a already, for IPv6 too; give another vrid',
      'six-again spec.members[1]: VirtualRouter "six" uses vrid 10 on em1 of b already, for IPv6 too; give another vrid',
    ]);
  });

  test('an excluded address of one is no address of another', () => {
    const other = router({ vrid: '11', addresses: '[192.0.2.2]', excludedAddresses: '[192.0.2.1]' }, 'web');
    assert.deepStrictEqual(found(router() + other), [
      'web spec.excludedAddresses[0]: 192.0.2.1 is an address of VirtualRouter "pg" already, and node a runs both',
    ]);
  });

  test('an interface has one name on a node', () => {
    const mac = { virtualMac: '{name: vip0}' };
    const other = router({ vrid: '11', addresses: '[192.0.2.2]', ...mac }, 'web');
    assert.deepStrictEqual(found(router(mac) + other), [
      'web spec.virtualMac.name: VirtualRouter "pg" uses the interface vip0 on a already; choose another name',
    ]);
    const onIt = router(
      { vrid: '11', addresses: '[192.0.2.2]', members: '[{node: a, interface: vip0}, {node: b, interface: vip0}]' },
      'web',
    );
    assert.deepStrictEqual(found(router(mac) + onIt), [
      'pg spec.virtualMac.name: VirtualRouter "web" uses the interface vip0 on a already; choose another name',
    ]);
  });
});
