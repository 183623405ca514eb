/** Packets taken through rulesets as nft -j and iptables-save write them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FilteredPacket } from '../../agent/local/filtered-packet.js';
import { iptablesDrops } from '../../agent/local/iptables-drops.js';
import { nftDrops } from '../../agent/local/nftables-drops.js';

const ADVERTISEMENT: FilteredPacket = {
  what: 'VRRP',
  family: 4,
  direction: 'input',
  interface: 'em1',
  protocol: 112,
  sources: [0xc000_020c],
  destinations: [0xe000_0012],
  isMulticast: true,
};
const SOLICITATION: FilteredPacket = {
  what: 'neighbour solicitations',
  family: 6,
  direction: 'input',
  interface: 'em1',
  protocol: 58,
  icmpType: 135,
  isMulticast: true,
};

const match = (left: object, right: unknown, op = '=='): object => ({ match: { op, left, right } });
const ACCEPT = { accept: null };
const DROP = { drop: null };
const COUNTER = { counter: { packets: 0, bytes: 0 } };
const iif = (name: unknown, op = '=='): object => match({ meta: { key: 'iifname' } }, name, op);
const proto = (value: unknown): object => match({ payload: { protocol: 'ip', field: 'protocol' } }, value);
const daddr = (value: unknown): object => match({ payload: { protocol: 'ip', field: 'daddr' } }, value);
const saddr = (value: unknown): object => match({ payload: { protocol: 'ip', field: 'saddr' } }, value);
const ctState = (value: unknown): object => match({ ct: { key: 'state' } }, value, 'in');

/** A table inet filter with an input chain of these rules. */
function ruleset(policy: string, rules: readonly (readonly object[])[], more: readonly object[] = []): string {
  return JSON.stringify({
    nftables: [
      { metainfo: { json_schema_version: 1 } },
      { table: { family: 'inet', name: 'filter' } },
      { chain: { family: 'inet', table: 'filter', name: 'input', type: 'filter', hook: 'input', prio: 0, policy } },
      ...rules.map((expr) => ({ rule: { family: 'inet', table: 'filter', chain: 'input', expr } })),
      ...more,
    ],
  });
}

const chain = (name: string, ...rules: readonly (readonly object[])[]): object[] => [
  { chain: { family: 'inet', table: 'filter', name } },
  ...rules.map((expr) => ({ rule: { family: 'inet', table: 'filter', chain: name, expr } })),
];

const POLICY = 'its policy is drop, and no rule accepts it';

for (const [what, text, why] of [
  ['an empty chain that accepts', ruleset('accept', []), undefined],
  ['an empty chain that drops', ruleset('drop', []), POLICY],
  ['protocol 112 by name', ruleset('drop', [[proto('vrrp'), COUNTER, ACCEPT]]), undefined],
  ['protocol 112 by number, in a set', ruleset('drop', [[proto({ set: [89, 112] }), ACCEPT]]), undefined],
  ['on another interface alone', ruleset('drop', [[iif('em2'), proto(112), ACCEPT]]), POLICY],
  ['on interfaces of a pattern', ruleset('drop', [[iif('em*'), proto(112), ACCEPT]]), undefined],
  ['everything but one interface', ruleset('drop', [[iif('lo', '!='), ACCEPT]]), undefined],
  [
    'the usual stateful host',
    ruleset('drop', [
      [ctState(['established', 'related']), ACCEPT],
      [iif('lo'), ACCEPT],
    ]),
    POLICY,
  ],
  ['new connections, perhaps', ruleset('drop', [[ctState('new'), ACCEPT]]), undefined],
  [
    'multicast dropped',
    ruleset('accept', [
      [iif('lo'), ACCEPT],
      [match({ meta: { key: 'pkttype' } }, 'multicast'), DROP],
    ]),
    'its rule 2 drops it',
  ],
  [
    'the group accepted first',
    ruleset('accept', [
      [daddr('224.0.0.18'), ACCEPT],
      [daddr({ prefix: { addr: '224.0.0.0', len: 4 } }), DROP],
    ]),
    undefined,
  ],
  [
    'the groups dropped',
    ruleset('accept', [[daddr({ prefix: { addr: '224.0.0.0', len: 4 } }), DROP]]),
    'its rule 1 drops it',
  ],
  ['from the peer', ruleset('drop', [[saddr('192.0.2.12'), ACCEPT]]), undefined],
  ['from somebody else', ruleset('drop', [[saddr({ prefix: { addr: '198.51.100.0', len: 24 } }), ACCEPT]]), POLICY],
  ['a drop with a limit', ruleset('accept', [[proto(112), { limit: { rate: 5, per: 'second' } }, DROP]]), undefined],
  ['a named set is not looked into', ruleset('drop', [[saddr('@friends'), ACCEPT]]), undefined],
  ['a drop by a named set is not said', ruleset('accept', [[saddr('@foes'), DROP]]), undefined],
  [
    'tcp ports',
    ruleset('drop', [
      [match({ payload: { protocol: 'tcp', field: 'dport' } }, { set: [22, { range: [80, 90] }] }), ACCEPT],
    ]),
    POLICY,
  ],
  [
    'a jump that accepts',
    ruleset('drop', [[{ jump: { target: 'vrrp' } }]], chain('vrrp', [proto(112), ACCEPT])),
    undefined,
  ],
  [
    'a jump that drops',
    ruleset('accept', [[{ jump: { target: 'rest' } }]], chain('rest', [DROP])),
    "rest's rule 1 drops it",
  ],
  [
    'a jump that returns',
    ruleset('drop', [[{ jump: { target: 'vrrp' } }]], chain('vrrp', [{ return: null }], [ACCEPT])),
    POLICY,
  ],
  ['a goto does not come back', ruleset('drop', [[{ goto: { target: 'none' } }], [ACCEPT]], chain('none')), POLICY],
  [
    'a map by interface',
    ruleset(
      'drop',
      [
        [
          {
            vmap: {
              key: { meta: { key: 'iifname' } },
              data: {
                set: [
                  ['lo', ACCEPT],
                  ['em1', { jump: { target: 'lan' } }],
                ],
              },
            },
          },
        ],
      ],
      chain('lan', [proto(112), ACCEPT]),
    ),
    undefined,
  ],
  [
    'a map by state',
    ruleset('drop', [
      [
        {
          vmap: {
            key: { ct: { key: 'state' } },
            data: {
              set: [
                ['established', ACCEPT],
                ['invalid', DROP],
              ],
            },
          },
        },
      ],
    ]),
    POLICY,
  ],
  ['an extension of iptables', ruleset('drop', [[{ xt: { type: 'match', name: 'recent' } }, ACCEPT]]), undefined],
] as const) {
  test(`nftables: ${what}`, () => {
    const wanted = why === undefined ? [] : [{ chain: 'nftables inet filter input', why }];
    assert.deepEqual(nftDrops(text, ADVERTISEMENT), wanted);
  });
}

test('nftables: other families, hooks and our own table do not concern the packet', () => {
  const text = ruleset('drop', []);
  assert.deepEqual(nftDrops(text.replaceAll('"inet"', '"ip6"'), ADVERTISEMENT), []);
  assert.deepEqual(nftDrops(text.replaceAll('"hook":"input"', '"hook":"forward"'), ADVERTISEMENT), []);
  assert.deepEqual(nftDrops(text.replaceAll('"filter"', '"baton"'), ADVERTISEMENT), []);
  assert.equal(nftDrops(text.replaceAll('"inet"', '"ip6"'), SOLICITATION).length, 1);
  assert.throws(() => nftDrops('not JSON', ADVERTISEMENT), SyntaxError);
});

test('nftables: neighbour discovery', () => {
  const type = match(
    { payload: { protocol: 'icmpv6', field: 'type' } },
    { set: ['echo-request', 'nd-neighbor-solicit'] },
  );
  assert.deepEqual(nftDrops(ruleset('drop', [[type, ACCEPT]]), SOLICITATION), []);
  const echo = match({ payload: { protocol: 'icmpv6', field: 'type' } }, 'echo-request');
  assert.equal(nftDrops(ruleset('drop', [[echo, ACCEPT]]), SOLICITATION).length, 1);
});

function save(policy: string, ...rules: readonly string[]): string {
  return [
    '# made by iptables-save',
    '*filter',
    `:INPUT ${policy} [0:0]`,
    ':FORWARD DROP [0:0]',
    ':vrrp - [0:0]',
    ...rules,
    'COMMIT',
    '',
  ].join('\n');
}

for (const [what, text, why] of [
  ['accepting', save('ACCEPT'), undefined],
  ['dropping', save('DROP'), POLICY],
  ['protocol 112', save('DROP', '-A INPUT -p 112 -j ACCEPT'), undefined],
  [
    'vrrp by name, with a comment',
    save('DROP', '-A INPUT -i em1 -p vrrp -m comment --comment "the -j DROP of it" -j ACCEPT'),
    undefined,
  ],
  ['another interface', save('DROP', '-A INPUT -i em2 -p vrrp -j ACCEPT'), POLICY],
  ['a pattern of interfaces', save('DROP', '-A INPUT -i em+ -j ACCEPT'), undefined],
  [
    'stateful',
    save('DROP', '-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT', '-A INPUT -i lo -j ACCEPT'),
    POLICY,
  ],
  [
    'rejected at the end',
    save('ACCEPT', '-A INPUT -i lo -j ACCEPT', '-A INPUT -j REJECT --reject-with icmp-host-prohibited'),
    'its rule 2 drops it',
  ],
  ['everything but one network', save('ACCEPT', '-A INPUT ! -s 192.0.2.0/24 -j DROP'), undefined],
  ['the groups', save('ACCEPT', '-A INPUT -d 224.0.0.0/4 -j DROP'), 'its rule 1 drops it'],
  ['a chain of its own', save('DROP', '-A INPUT -j vrrp', '-A vrrp -p vrrp -j ACCEPT'), undefined],
  [
    'a log before the drop',
    save('ACCEPT', '-A INPUT -j LOG --log-prefix "x"', '-A INPUT -j DROP'),
    'its rule 2 drops it',
  ],
  ['an extension', save('DROP', '-A INPUT -m set --match-set friends src -j ACCEPT'), undefined],
  ['a drop by an extension', save('ACCEPT', '-A INPUT -m limit --limit 5/sec -j DROP'), undefined],
] as const) {
  test(`iptables: ${what}`, () => {
    const wanted = why === undefined ? [] : [{ chain: 'iptables filter INPUT', why }];
    assert.deepEqual(iptablesDrops(text, 'iptables', ADVERTISEMENT), wanted);
  });
}
