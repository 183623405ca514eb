/** Routes and rules, in the words of ip(8). */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { judge, router, texts } from './sample-resources.js';

describe('routes', () => {
  const rows: readonly (readonly [string, ...string[]])[] = [
    ['{to: default, via: 192.0.2.254}'],
    ['{to: 10.0.0.0/8, device: em2, scope: link, source: 192.0.2.1, metric: 5, protocol: static, tos: 16}'],
    ['{to: 10.0.0.0/8, via: "2001:db8::1"}'],
    [
      '{to: default, via: "fe80::1", device: em1, preference: high, metrics: {mtu: 1400, hoplimit: 64}, lockedMetrics: [mtu]}',
    ],
    ['{to: 10.1.0.0/16, type: blackhole}, {to: 10.2.0.0/16, type: prohibit, table: "100"}'],
    ['{to: 10.0.0.0/8, nextHops: [{via: 192.0.2.3, weight: 256}, {device: em2}]}'],
    ['{to: 10.0.0.0/8, via: 198.51.100.1, device: em1, onLink: true, congestionControl: bbr}'],
    ['{to: 10.0.0.0/8}, {to: 10.0.0.0/8, metric: 5}, {to: 10.0.0.0/8, append: true}'],
    ['{via: 192.0.2.254}', 'to: is missing; give a prefix, or "default"'],
    ['{to: 10.0.0.1/8}', 'to: 10.0.0.1/8 has bits beyond its prefix length; write 10.0.0.0/8'],
    ['{to: everywhere}', 'to: "everywhere" is not a prefix; write it like 192.0.2.0/24 or 2001:db8::/32'],
    [
      '{to: 10.0.0.0/8, type: teleport}',
      'type: "teleport" is no type of routes: give unicast, local, broadcast, anycast, multicast, blackhole, unreachable, prohibit, throw, nat',
    ],
    ['{to: 10.0.0.0/8, type: nat}', 'type: nat routes are not known to any kernel of today; use nftables'],
    [
      '{to: 10.0.0.0/8, type: throw, via: 192.0.2.2}',
      'type: throw leads nowhere; remove via, device, nextHops and onLink',
    ],
    [
      '{to: 10.0.0.0/8, device: em1, nextHops: [{via: 192.0.2.3, weight: 257}, {}]}',
      'nextHops: stands instead of via, device and onLink; remove those',
      'nextHops[0].weight: must be from 0 to 256, not 257',
      'nextHops[1].via: is missing; give the address of the next hop, or a device',
    ],
    [
      '{to: "2001:db8::/32", via: 192.0.2.3, source: 192.0.2.1, tos: 4}',
      'via: 192.0.2.3 is an IPv4 address; an IPv6 route needs a next hop of IPv6',
      'source: 192.0.2.1 is an IPv4 address, but IPv6 is needed here',
      'tos: exists for IPv4 routes only; remove it',
    ],
    [
      '{to: 10.0.0.0/8, via: gateway, onLink: true, table: backup, metric: 4294967295, scope: "256", protocol: mine, tos: 256, preference: low}',
      'via: "gateway" is not an IPv4 address; write four decimal numbers, such as 192.0.2.1',
      'device: is missing; a next hop that is taken to be on the link needs its interface',
      'table: "backup" is no table: give its number, 1 to 4294967295, or main, local or default (names of /etc/iproute2/rt_tables are a host\'s own)',
      'scope: "256" is no scope: give global, site, link, host, nowhere or a number up to 255',
      'protocol: "mine" is no routing protocol of every host; give its number, 0 to 255',
      'tos: must be from 0 to 255, not 256',
      'preference: exists for IPv6 routes only; remove it',
    ],
    ['{to: 10.0.0.0/8, onLink: true}', 'onLink: is for a next hop; give via, or remove it'],
    [
      '{to: 10.0.0.0/8, metrics: {mtu: 1, speed: 2, hoplimit: 256, rtt: 4294967295}, lockedMetrics: [window], congestionControl: "a b"}',
      'metrics.speed: "speed" is no metric: give mtu, window, rtt, rttvar, ssthresh, cwnd, advmss, reordering, hoplimit, initcwnd, features, rto_min, initrwnd, quickack, fastopen_no_cookie',
      'metrics.hoplimit: must be from 0 to 255, not 256',
      'metrics.rtt: must be from 0 to 536870911, not 4294967295',
      'lockedMetrics[0]: "window" is not among metrics; give it a value there',
      'congestionControl: "a b" cannot be the name of an algorithm',
    ],
  ];
  for (const [routes, ...expected] of rows) {
    test(routes.slice(0, 100), () => {
      const found = texts(judge(router({ routes: `[${routes}]` })).errors);
      assert.deepStrictEqual(
        found,
        expected.map((line) => `spec.routes[0].${line}`),
      );
    });
  }

  test('the same route again', () => {
    assert.deepStrictEqual(
      texts(judge(router({ routes: '[{to: 10.0.0.0/8}, {to: 10.0.0.0/8, via: 192.0.2.3}]' })).errors),
      ['spec.routes[1].to: "10.0.0.0/8" is the route of routes[0] again; give another metric, table or tos, or append'],
    );
  });
});

describe('rules', () => {
  const rows: readonly (readonly [string, ...string[]])[] = [
    ['{from: 192.0.2.0/24, table: "100"}'],
    ['{from: all, to: "2001:db8::/32", table: main, priority: 1000, not: true}'],
    [
      '{family: inet6, inputInterface: em1, outputInterface: em2, mark: 1, mask: 255, tos: 16, ipProtocol: tcp, sourcePorts: "80", destinationPorts: 80-90, users: 1000-1999, table: "5", suppressPrefixLength: 128, suppressGroup: 3}',
    ],
    ['{l3mdev: true}'],
    ['{from: 192.0.2.0/24, action: goto 2000, priority: 1000}'],
    ['{from: 192.0.2.0/24, action: prohibit}'],
    ['{from: 192.0.2.0/24}', 'table: is missing; give the table that is looked up, or an action, or l3mdev'],
    [
      '{table: main, action: nop, l3mdev: true}',
      'table: cannot stand beside the others: give one of table and action and l3mdev',
    ],
    ['{family: ipx, table: main}', 'family: "ipx" is no family: give inet or inet6'],
    [
      '{family: inet, from: "2001:db8::/32", to: 192.0.2.1/24, table: main}',
      'from: 2001:db8::/32 is of IPv6, but IPv4 is needed here',
      'to: 192.0.2.1/24 has bits beyond its prefix length; write 192.0.2.0/24',
    ],
    [
      '{priority: 0, inputInterface: "a b", mask: 1, tos: 256, ipProtocol: carrier-pigeon, sourcePorts: 0, destinationPorts: 90-80, users: x, table: "0", suppressPrefixLength: 33}',
      'inputInterface: "a b" cannot be an interface\'s name: 1 to 15 visible characters without "/" and ":"',
      'priority: must be from 1 to 4294967295, not 0',
      'mark: is missing; a mask needs the mark that it is applied to',
      'tos: must be from 0 to 255, not 256',
      'ipProtocol: "carrier-pigeon" is not known; give its number, 1 to 255, or a name such as tcp',
      'sourcePorts: "0" must be a number from 1 to 65535, or two of them as "80-90"',
      'destinationPorts: "90-80" must be a number from 1 to 65535, or two of them as "80-90"',
      'users: "x" must be a number from 0 to 4294967294, or two of them as "80-90"',
      'table: "0" is no table: give its number, 1 to 4294967295, or main, local or default (names of /etc/iproute2/rt_tables are a host\'s own)',
      'suppressPrefixLength: must be from 0 to 32, not 33',
    ],
    [
      '{action: goto 1000, priority: 1000, suppressGroup: 1}',
      'priority: must be given and be less than 1000: the kernel goes forward only',
      'action: looks no table up, so there is nothing to suppress; remove suppressPrefixLength and suppressGroup',
    ],
    ['{action: jump}', 'action: "jump" is no action: give nop, blackhole, unreachable, prohibit or "goto PRIORITY"'],
    ['{action: goto x}', 'action: "goto x" must name the priority of a rule, such as "goto 1000"'],
  ];
  for (const [rules, ...expected] of rows) {
    test(rules.slice(0, 100), () => {
      const found = texts(judge(router({ rules: `[${rules}]` })).errors);
      assert.deepStrictEqual(
        found,
        expected.map((line) => `spec.rules[0].${line}`),
      );
    });
  }

  test('the same rule again', () => {
    const twice = '[{from: 192.0.2.0/24, table: main}, {from: 192.0.2.0/24, table: main, noTrack: true}]';
    assert.deepStrictEqual(texts(judge(router({ rules: twice })).errors), [
      'spec.rules[1]: is rules[0] again; remove one',
    ]);
  });
});
