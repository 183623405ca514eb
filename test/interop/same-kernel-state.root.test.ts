/**
 * Baton and keepalived run the same keepalived.conf on hosts that are alike, in LANs of their own: the kernel of the one
 * then has the addresses, routes and rules that the kernel of the other has, in each state. Lifetimes apart: an address
 * of Baton's has a lease.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { run } from '../lab/command.js';
import type { Host } from '../lab/host.js';
import { type InstanceOptions, keepalivedFile, vrrpInstance } from '../lab/keepalived.js';
import { Lab, labUnavailable } from '../lab/lab.js';
import { advertPacket } from '../lab/packet.js';
import { Tap } from '../lab/tap.js';
import { until } from '../lab/until.js';
import { Contender, type Kind } from './contender.js';
import { SLACK_MS } from './stage.js';

const skip = labUnavailable('keepalived');
const KINDS: readonly Kind[] = ['keepalived', 'baton'];

interface Case {
  readonly title: string;
  /** Instances by VRID, and other blocks. */
  readonly instances: readonly (Partial<InstanceOptions> & Pick<InstanceOptions, 'addresses'>)[];
  readonly blocks?: readonly string[];
}

const block = (name: string, ...lines: readonly string[]) =>
  [`${name} {`, ...lines.map((line) => `  ${line}`), '}'].join('\n');

const cases: readonly Case[] = [
  {
    title: 'addresses of both families with their options',
    instances: [
      {
        addresses: [
          '10.9.0.100/24',
          '10.9.0.101/32 label em1:vip',
          '10.9.8.102/24 brd 10.9.8.255 scope link',
          '10.9.7.103/24 brd + noprefixroute',
          '10.9.0.104/32 dev em2',
        ],
        more: [
          block(
            'virtual_ipaddress_excluded',
            '10.9.0.120/32 dev em2 label em2:x',
            '2001:db8:9::120/64',
            '2001:db8:9::121/64 preferred_lft 0',
          ),
        ],
      },
      {
        addresses: [
          'fe80::100/64',
          '2001:db8:9::100/64',
          '2001:db8:8::101/64 noprefixroute',
          '2001:db8:9::102/128 dev em2',
        ],
        more: [block('virtual_ipaddress_excluded', '10.9.0.130/24')],
      },
    ],
  },
  {
    title: 'virtual routes and rules',
    instances: [
      {
        addresses: ['10.9.0.100/24'],
        more: [
          block(
            'virtual_routes',
            '192.0.2.0/24 via 10.9.0.9 dev em1',
            'src 10.9.0.100 to 198.51.100.0/24 via 10.9.0.9 dev em1 metric 77',
            '203.0.113.0/24 dev em2 scope link table 70',
            'blackhole 192.0.3.0/24',
            'unreachable 192.0.4.0/24 metric 5',
            '192.0.5.0/24 nexthop via 10.9.0.8 dev em1 weight 2 nexthop via 10.9.0.9 dev em1 weight 1',
            '192.0.6.0/24 via 10.9.0.9 dev em1 mtu 1400 advmss 1300',
          ),
          block(
            'virtual_rules',
            'from 10.9.0.100 lookup 70 priority 1070',
            'to 192.0.7.0/24 table 71 preference 1071',
            'iif em1 fwmark 5 table 72 preference 1072',
          ),
        ],
      },
      {
        addresses: ['fe80::100/64', '2001:db8:9::100/64'],
        more: [
          block(
            'virtual_routes',
            '2001:db8:70::/48 via 2001:db8:9::9 dev em1 metric 55',
            'unreachable 2001:db8:71::/48',
          ),
          block('virtual_rules', 'from 2001:db8:9::100 lookup 70 priority 1080'),
        ],
      },
    ],
  },
  {
    title: 'static addresses, routes and rules beside a router',
    instances: [{ addresses: ['10.9.0.100/32'] }],
    blocks: [
      block('static_ipaddress', '10.7.0.1/24 dev em2', '10.7.0.2/24 dev em2 label em2:s scope link'),
      block(
        'static_routes',
        '192.0.2.0/24 via 10.9.0.9 dev em1',
        'blackhole 192.0.3.0/24',
        '2001:db8:70::/48 via 2001:db8:9::9 dev em1',
      ),
      block('static_rules', 'from 10.7.0.0/24 lookup 70 priority 1090', 'from 2001:db8:7::/64 lookup 70 priority 1091'),
    ],
  },
];

interface AddressRow {
  readonly valid_life_time?: number;
  readonly preferred_life_time?: number;
  readonly [field: string]: unknown;
}

/** Kernel truth, each a line, sorted. */
async function kernelState(host: Host): Promise<readonly string[]> {
  const ask = async (...words: readonly string[]) =>
    JSON.parse((await run('ip', ['-n', host.namespace, '-j', ...words])) || '[]') as readonly Record<string, unknown>[];
  const lines: string[] = [];
  const held = new Set<unknown>();
  for (const link of await ask('-d', 'address')) {
    for (const { valid_life_time: _valid, preferred_life_time: preferred, dynamic: _leased, ...rest } of (link[
      'addr_info'
    ] ?? []) as readonly AddressRow[]) {
      held.add(rest['local']);
      // Deprecated or not is what a preferred lifetime is for.
      lines.push(`address ${String(link['ifname'])} ${JSON.stringify({ ...rest, deprecated: preferred === 0 })}`);
    }
  }
  for (const family of ['-4', '-6']) {
    for (const { expires, ...route } of await ask(family, '-d', 'route', 'show', 'table', 'all')) {
      // The kernel's route to the prefix of a leased IPv6 address has the lease too, and ends with that, not with the address.
      if (expires !== undefined && !held.has(route['dst'])) continue;
      lines.push(`route ${family} ${JSON.stringify(route)}`);
    }
    for (const rule of await ask(family, '-d', 'rule')) lines.push(`rule ${family} ${JSON.stringify(rule)}`);
  }
  return lines.sort();
}

async function hostFor(t: TestContext) {
  const lab = await Lab.open();
  t.after(() => lab.close());
  const host = await lab.host('a', { addresses: ['10.9.0.1/24', '2001:db8:9::1/64 nodad'], linkLocal: 'fe80::1' });
  await lab.attach(host, 'em2');
  const other = await lab.host('other', { addresses: ['10.9.0.9/24', '2001:db8:9::9/64 nodad'], linkLocal: 'fe80::9' });
  return { lab, host, tap: await Tap.open(other) };
}

for (const { title, instances, blocks = [] } of cases) {
  test(title, { skip }, async (t) => {
    const conf = (priority: number) =>
      keepalivedFile(
        ...blocks,
        ...instances.map((options, index) =>
          vrrpInstance(`VI_${index + 1}`, { vrid: index + 1, priority, interval: 0.1, interface: 'em1', ...options }),
        ),
      );
    const vips = instances.map(({ addresses }) => (addresses.at(-1) ?? '').split('/')[0] ?? '');
    const seats = await Promise.all(KINDS.map(() => hostFor(t)));
    const before = await Promise.all(seats.map(({ host }) => kernelState(host)));
    assert.deepEqual(before[1], before[0], 'the hosts are alike');
    const contenders = await Promise.all(
      seats.map(({ host }, index) => Contender.start(KINDS[index] ?? 'baton', host, conf(100))),
    );
    const states = () => Promise.all(seats.map(({ host }) => kernelState(host)));
    const compare = async (what: string, isReady: () => Promise<boolean>) => {
      await until(what, SLACK_MS, isReady, () => seats.map(({ host }) => host.tails()));
      // One of them may still be at it; the last comparison tells the difference.
      await until('the same state', 1500, async () => {
        const [theirs, ours] = await states();
        return JSON.stringify(theirs) === JSON.stringify(ours);
      }).catch(() => undefined);
      const [theirs, ours] = await states();
      assert.deepEqual(ours, theirs, seats[1]?.host.tails()['node on a']);
      return theirs ?? [];
    };
    const hold = async (wanted: boolean) => {
      const held = await Promise.all(seats.flatMap(({ host }) => vips.map((vip) => host.holds(vip))));
      return held.every((holds) => holds === wanted);
    };

    await t.test('active', async () => {
      const state = await compare('both to be active', () => hold(true));
      assert.notDeepEqual(state, before[0]);
    });

    await t.test('backup', async () => {
      const loud = setInterval(() => {
        for (const { tap } of seats) {
          for (const [index, { addresses }] of instances.entries()) {
            if (addresses[0]?.includes(':') === true) continue;
            const list = addresses.map((address) => address.split('/')[0] ?? '');
            tap.send(
              advertPacket({ source: '10.9.0.9', vrid: index + 1, priority: 200, addresses: list, interval: 10 }),
            );
          }
        }
      }, 40);
      t.after(() => clearInterval(loud));
      await compare('both to be backup', async () => {
        const held = await Promise.all(seats.map(({ host }) => host.holds(vips[0] ?? '')));
        return held.every((holds) => !holds);
      });
      clearInterval(loud);
      await compare('both to be active again', () => hold(true));
    });

    await t.test('stopped: as before', async () => {
      await Promise.all(contenders.map((contender) => contender.stop()));
      const state = await compare('both to be gone', () => hold(false));
      assert.deepEqual(state, before[0]);
    });
  });
}
