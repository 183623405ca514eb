/** What becomes of the newer parts of resources on a node: families, groups, sessions, host networks, keys, names. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Bundle } from '../../proto/gen/baton/v1/bundle.js';
import {
  DuplicateProbe,
  HmacMode,
  HmacReplayGuard,
  ProcessMatch,
  SyncPolicy,
} from '../../proto/gen/baton/v1/resources.js';
import { compileBundle, nodesOf } from '../../proto/rules/compile.js';
import { validateResources } from '../../proto/rules/validate.js';
import { validateBundle } from '../../proto/rules/validate-bundle.js';
import { CHECK, NODES, resourcesOf, router, sample } from './sample-resources.js';

function compile(text: string, node = 'a'): Bundle {
  const resources = resourcesOf(NODES + text);
  assert.deepStrictEqual(validateResources(resources).errors, []);
  const bundle = compileBundle(resources, node);
  assert.deepStrictEqual(validateBundle(bundle), []);
  assert.deepStrictEqual(Bundle.decode(Bundle.encode(bundle).finish()), bundle);
  return bundle;
}

function only(text: string, node = 'a') {
  const [first] = compile(text, node).routers;
  assert.ok(first !== undefined);
  return first;
}

const SECONDS_0 = { seconds: 0, nanos: 0 };
const WITH_ADDRESSES =
  '[{node: a, interface: em1, address: "2001:DB8:0::11"}, {node: b, interface: em1, address: "2001:db8::12"}]';

describe('families', () => {
  test('IPv6: its group, prefix lengths and canonical text', () => {
    const six = only(router({ addresses: '["FE80:0::1", "2001:db8::1/64"]', excludedAddresses: '[198.51.100.1/24]' }));
    assert.equal(six.family, 6);
    assert.equal(six.version, 3);
    assert.equal(six.multicastGroup, 'ff02::12');
    assert.deepStrictEqual(
      [...six.addresses, ...six.excludedAddresses].map(({ address, device }) => `${address} ${device}`),
      ['fe80::1/128 em1', '2001:db8::1/64 em1', '198.51.100.1/24 em1'],
    );
  });

  test('without addresses the members say it', () => {
    assert.equal(only(router({ addresses: undefined, noAddresses: 'true' })).family, 4);
    const six = only(router({ addresses: undefined, noAddresses: 'true', members: WITH_ADDRESSES }));
    assert.equal(six.family, 6);
    assert.equal(six.sourceAddress, '2001:db8::11');
  });

  test('options that a family has not are left out', () => {
    const four = only(router({ addresses: '[{address: 192.0.2.1, home: true, noDad: true, preferredLifetime: 5s}]' }));
    assert.deepStrictEqual(four.addresses[0]?.preferredLifetime, undefined);
    assert.equal(four.addresses[0]?.home, false);
    const six = only(router({ addresses: '[{address: "2001:db8::1", label: x, scope: link, broadcast: +}]' }));
    assert.deepStrictEqual(
      [six.addresses[0]?.label, six.addresses[0]?.scope, six.addresses[0]?.broadcast],
      ['', '', ''],
    );
  });
});

describe('who is believed and sent to', () => {
  test('peers: members in multicast', () => {
    const text = router({
      addresses: '["2001:db8::1"]',
      peers: 'members',
      members: WITH_ADDRESSES,
      externalPeers: '["2001:DB8::99"]',
    });
    assert.deepStrictEqual(only(text).believedSources, ['2001:db8::12', '2001:db8::99']);
    assert.deepStrictEqual(only(text).peers, []);
    assert.equal(only(text).unicast, undefined);
  });

  test('unicast: limits filled in, none for oneself', () => {
    const text = router({
      addresses: '["2001:db8::1"]',
      transport: 'unicast',
      members: WITH_ADDRESSES,
      unicast: '{minTtl: 254, peerTtl: [{address: "2001:db8::12", minTtl: 3}, {address: "2001:db8::11", maxTtl: 9}]}',
    });
    assert.deepStrictEqual(only(text).unicast, {
      ttl: 255,
      minTtl: 254,
      maxTtl: 255,
      peerTtl: [{ address: '2001:db8::12', minTtl: 3, maxTtl: 255 }],
      faultWithoutPeers: false,
    });
    assert.deepStrictEqual(only(text).peers, ['2001:db8::12']);
    assert.deepStrictEqual(only(text, 'b').unicast?.peerTtl, [{ address: '2001:db8::11', minTtl: 0, maxTtl: 9 }]);
  });
});

test('known sources: everybody, where everybody says so', () => {
  const members = '[{node: a, interface: em1, address: 192.0.2.12}, {node: b, interface: em1, address: 192.0.2.11}]';
  assert.deepStrictEqual(only(router({ members })).knownSources, ['192.0.2.11', '192.0.2.12']);
  assert.deepStrictEqual(only(router({ members, peers: 'members', externalPeers: '[192.0.2.9]' })).knownSources, [
    '192.0.2.11',
    '192.0.2.12',
    '192.0.2.9',
  ]);
  const one = '[{node: a, interface: em1, address: 192.0.2.11}, {node: b, interface: em1}]';
  assert.deepStrictEqual(only(router({ members: one })).knownSources, []);
});

describe('defaults that depend on other fields', () => {
  const OWNER = '[{node: a, interface: em1, priority: 255}, {node: b, interface: em1, preempt: false}]';
  test('accept: true; with strictRfc the owner alone; the owner always', () => {
    const accepts = (change: Readonly<Record<string, string>>): boolean[] =>
      ['a', 'b'].map((node) => only(router({ members: OWNER, ...change }), node).accept);
    assert.deepStrictEqual(accepts({}), [true, true]);
    assert.deepStrictEqual(accepts({ strictRfc: 'true' }), [true, false]);
    assert.deepStrictEqual(accepts({ strictRfc: 'true', accept: 'true' }), [true, true]);
    assert.deepStrictEqual(accepts({ accept: 'false' }), [true, false]);
  });

  test('what is for owners or for members without preempt reaches no others', () => {
    const change = { members: OWNER, ownerIgnoreAdvertisements: 'true', timerExpiredBackup: '200' };
    const [owner, other] = ['a', 'b'].map((node) => only(router(change), node));
    assert.deepStrictEqual([owner?.ownerIgnoreAdvertisements, other?.ownerIgnoreAdvertisements], [true, false]);
    assert.deepStrictEqual([owner?.timerExpiredBackup, other?.timerExpiredBackup], [0, 200]);
  });

  test('the rest', () => {
    const one = only(router());
    assert.equal(one.downTimerAdvertisements, 3);
    assert.equal(one.duplicateProbe, DuplicateProbe.WARN);
    assert.deepStrictEqual(one.startupDelay, SECONDS_0);
    assert.equal(one.virtualMac, undefined);
    assert.equal(one.hmac, undefined);
  });
});

describe('virtual MAC addresses', () => {
  const mac = (change: Readonly<Record<string, string>>, name: string): string =>
    router({ virtualMac: '{}', ...change }, name);

  test("keepalived's names and RFC 9568's addresses", () => {
    assert.deepStrictEqual(only(mac({}, 'pg')).virtualMac, {
      name: 'vrrp.10',
      address: '00:00:5e:00:01:0a',
      transmitOnBase: false,
    });
    assert.deepStrictEqual(only(mac({ vrid: '255', addresses: '["2001:db8::1"]' }, 'pg')).virtualMac, {
      name: 'vrrp6.255',
      address: '00:00:5e:00:02:ff',
      transmitOnBase: false,
    });
    const given = only(mac({ virtualMac: '{name: vip0, address: "02:AA:00:00:00:01", transmitOnBase: true}' }, 'pg'));
    assert.deepStrictEqual(given.virtualMac, { name: 'vip0', address: '02:aa:00:00:00:01', transmitOnBase: true });
  });

  test('one vrid on several interfaces of a node: the first keeps the name, the others differ within 15 characters', () => {
    const on = (device: string, address: string, name: string, given = '{}'): string =>
      router(
        { vrid: '255', addresses: `[${address}]`, members: `[{node: a, interface: ${device}}]`, virtualMac: given },
        name,
      );
    const text =
      on('em1', '192.0.2.1', 'r1') +
      on('em2', '192.0.2.2', 'r2') +
      on('enp0s31f6v1', '192.0.2.3', 'r3') +
      on('enp0s31f6v2', '192.0.2.4', 'r4') +
      on('em5', '192.0.2.5', 'r5', '{name: vrrp.255.em6}') +
      on('em6', '192.0.2.6', 'r6');
    const names = compile(text).routers.map(({ virtualMac }) => virtualMac?.name);
    assert.deepStrictEqual(names, [
      'vrrp.255',
      'vrrp.255.em2',
      'vrrp.255.2',
      'vrrp.255.3',
      'vrrp.255.em6',
      'vrrp.255.4',
    ]);
    assert.equal(new Set(names).size, names.length);
  });
});

describe('HMAC', () => {
  const KEYS =
    sample('Secret', 'k1', `value: ${'a'.repeat(32)}`) + sample('Secret', 'k2', `value: "hex:${'0F'.repeat(40)}"`);
  const signed = (more: string, interval = '1s'): string =>
    KEYS +
    router({
      advertisementInterval: interval,
      authentication: `{type: hmac, hmac: {keys: [{id: 9, secret: k2}, {id: 1, secret: k1}], activeKey: 9${more}}}`,
    });

  test('keys in bytes, sorted by id; defaults', () => {
    const hmac = only(signed('')).hmac;
    assert.deepStrictEqual(
      hmac?.keys.map(({ id, key }) => [id, key.toString('hex')]),
      [
        [1, '61'.repeat(32)],
        [9, '0f'.repeat(40)],
      ],
    );
    assert.equal(hmac?.activeKey, 9);
    assert.equal(hmac?.mode, HmacMode.ENFORCE);
    assert.equal(hmac?.replayGuard, HmacReplayGuard.TIME);
    assert.equal(only(signed('')).password.length, 0);
  });

  test('the window is three intervals, 5 s at least', () => {
    assert.deepStrictEqual(only(signed('')).hmac?.timeWindow, { seconds: 5, nanos: 0 });
    assert.deepStrictEqual(only(signed('', '10s')).hmac?.timeWindow, { seconds: 30, nanos: 0 });
    assert.deepStrictEqual(only(signed(', timeWindow: 1s', '10s')).hmac?.timeWindow, { seconds: 1, nanos: 0 });
  });
});

describe('sync groups', () => {
  const CHECKS =
    CHECK + sample('Check', 'load', 'file: {path: /run/load}') + sample('Check', 'zeal', 'tcp: {host: a, port: 1}');
  const pg = router({
    track: '[{check: alive, weight: -60}, {check: load, weight: 2}, {interface: em2, weight: -60}, {check: zeal}]',
  });
  const web = router({ vrid: '11', addresses: '[192.0.2.2]', members: '[{node: a, interface: em1}]' }, 'web');
  const group = (more = ''): string =>
    sample('SyncGroup', 'both', `routers: [web, pg], track: [{check: zeal, weight: -9}]${more}`);
  const tracks = (text: string, name: string): string[] =>
    (compile(text).routers.find((one) => one.name === name)?.track ?? []).map(
      (track) => `${track.check}${track.interface} ${track.weight}`,
    );

  test("weights of a member's own tracks do not count: interfaces and files become causes of a fault, others go", () => {
    const text = CHECKS + pg + web + group();
    assert.deepStrictEqual(tracks(text, 'pg'), ['load 0', 'em2 0', 'zeal 0']);
    assert.deepStrictEqual(tracks(text, 'web'), ['zeal -9']);
  });

  test('hold times come along, those of the group as well', () => {
    const held = `${CHECKS}${router({ track: '[{interface: em2, upDelay: 30s}]' })}${web}${sample(
      'SyncGroup',
      'both',
      'routers: [web, pg], track: [{check: zeal, downDelay: 2s}]',
    )}`;
    const delays = (compile(held).routers.find(({ name }) => name === 'pg')?.track ?? []).map(
      ({ interface: device, check, upDelay, downDelay }) => [`${device}${check}`, upDelay?.seconds, downDelay?.seconds],
    );
    assert.deepStrictEqual(delays, [
      ['em2', 30, undefined],
      ['zeal', undefined, 2],
    ]);
  });

  test('with trackingWeight they do', () => {
    const text = CHECKS + pg + web + group(', trackingWeight: true');
    assert.deepStrictEqual(tracks(text, 'pg'), ['alive -60', 'load 2', 'em2 -60', 'zeal 0']);
  });

  test('a node has of a group what runs there; hooks get their timeouts', () => {
    const text = CHECKS + pg + web + group(', policy: any, hooks: {any: /bin/x}');
    const [here] = compile(text, 'a').groups;
    assert.deepStrictEqual(here?.routers, ['pg', 'web']);
    assert.equal(here?.policy, SyncPolicy.ANY);
    assert.deepStrictEqual(here?.hooks?.any?.timeout, { seconds: 60, nanos: 0 });
    assert.deepStrictEqual(compile(text, 'b').groups[0]?.routers, ['pg']);
    assert.deepStrictEqual(compile(text, 'c').groups, []);
    assert.deepStrictEqual(
      compile(text, 'a').checks.map(({ name }) => name),
      ['load', 'zeal'],
    );
  });

  test("keepalived's name of the group", () => {
    const text = CHECKS + pg + web + group().replace('{name: both}', '{name: both, labels: {keepalived-name: G1}}');
    assert.equal(compile(text).groups[0]?.displayName, 'G1');
  });
});

test('BFD sessions: those that a router of the node tracks, with every default', () => {
  const text =
    sample(
      'BfdSession',
      'uplink',
      'endpoints: [{node: a, neighbor: "FE80::1", interface: em1}, {node: b, neighbor: 192.0.2.254}]',
    ) +
    sample('BfdSession', 'idle', 'endpoints: [{node: a, neighbor: 192.0.2.253}]') +
    router({ track: '[{bfd: uplink, weight: -60}]' });
  assert.deepStrictEqual(compile(text, 'a').bfdSessions, [
    {
      name: 'uplink',
      neighbor: 'fe80::1',
      source: '',
      interface: 'em1',
      minRx: { seconds: 0, nanos: 10_000_000 },
      minTx: { seconds: 0, nanos: 10_000_000 },
      idleTx: { seconds: 1, nanos: 0 },
      multiplier: 5,
      passive: false,
      multihop: false,
      maxHops: 0,
    },
  ]);
  const multihop = text.replace(
    'endpoints: [{node: a, neighbor: "FE80::1", interface: em1}',
    'multihop: true, endpoints: [{node: a, neighbor: 10.0.0.1}',
  );
  assert.equal(compile(multihop, 'b').bfdSessions[0]?.maxHops, 254);
});

test('host networks: those of the node, requiring what runs there', () => {
  const text =
    router({ members: '[{node: a, interface: em1}]' }) +
    sample(
      'HostNetwork',
      'base',
      'nodes: [b, a], requiredBy: [pg], addresses: [{address: "2001:DB8::9/64", device: lo}], routes: [{to: default, via: "fe80::1", device: em1}, {to: 10.0.0.0/8, type: local, device: lo}], rules: [{from: 10.0.0.0/8, table: "254"}, {family: inet6, action: nop}], interfaceDelays: [{interface: em2, up: 1s}, {interface: em1}], announcementLimits: [{interfaces: [em2, em1], arpInterval: 1s}]',
    );
  const [here] = compile(text, 'a').hostNetworks;
  assert.deepStrictEqual(here?.spec?.nodes, ['a']);
  assert.deepStrictEqual(here?.spec?.requiredBy, ['pg']);
  assert.equal(here?.spec?.addresses[0]?.address, '2001:db8::9/64');
  assert.deepStrictEqual(
    here?.spec?.routes.map(({ to, table, type }) => [to, table, type]),
    [
      ['::/0', 'main', 'unicast'],
      ['10.0.0.0/8', 'local', 'local'],
    ],
  );
  assert.deepStrictEqual(
    here?.spec?.rules.map(({ family, table, action }) => [family, table, action]),
    [
      ['inet', 'main', ''],
      ['inet6', '', 'nop'],
    ],
  );
  assert.deepStrictEqual(here?.spec?.announcementLimits, [
    { interfaces: ['em1', 'em2'], arpInterval: { seconds: 1, nanos: 0 }, neighborInterval: SECONDS_0 },
  ]);
  assert.deepStrictEqual(
    here?.spec?.interfaceDelays.map(({ interface: name }) => name),
    ['em1', 'em2'],
  );
  assert.deepStrictEqual(compile(text, 'b').hostNetworks[0]?.spec?.requiredBy, []);
  assert.deepStrictEqual(compile(text, 'c').hostNetworks, []);
  assert.deepStrictEqual(nodesOf(resourcesOf(sample('HostNetwork', 'h', 'nodes: [z]'))), ['z']);
});

test('routes of a router: the way that is not said is the interface of the member', () => {
  const routes =
    '[{to: 10.0.0.0/8}, {to: 10.1.0.0/16, via: 192.0.2.254}, {to: 10.2.0.0/16, type: blackhole}, {to: default, nextHops: [{via: 192.0.2.3}]}]';
  const compiled = only(router({ routes })).routes;
  assert.deepStrictEqual(
    compiled.map(({ to, device, nextHops }) => [to, device, nextHops.map(({ weight }) => weight)]),
    [
      ['10.0.0.0/8', 'em1', []],
      ['10.1.0.0/16', '', []],
      ['10.2.0.0/16', '', []],
      ['0.0.0.0/0', '', [1]],
    ],
  );
});

test('route tracks are canonical', () => {
  const track = '[{route: "2001:DB8::/32", table: "253"}, {route: 0.0.0.0/0, table: "254"}]';
  assert.deepStrictEqual(
    only(router({ track })).track.map(({ route, table }) => [route, table]),
    [
      ['2001:db8::/32', 'default'],
      ['0.0.0.0/0', 'main'],
    ],
  );
});

describe('checks', () => {
  const kindOf = (spec: string) => {
    const text = sample('Check', 'alive', spec) + router({ track: '[{check: alive}]' });
    return compile(text).checks[0]?.spec;
  };
  test('defaults of each kind', () => {
    const http = kindOf('http: {url: "http://x/"}')?.kind;
    assert.ok(http?.$case === 'http');
    assert.deepStrictEqual([http.value.method, http.value.status], ['GET', ['2xx']]);
    const dns = kindOf('dns: {server: 192.0.2.53}')?.kind;
    assert.ok(dns?.$case === 'dns');
    assert.deepStrictEqual([dns.value.port, dns.value.name, dns.value.type], [53, '.', 'SOA']);
    const ping = kindOf('ping: {host: x}')?.kind;
    assert.ok(ping?.$case === 'ping');
    assert.equal(ping.value.size, 56);
    for (const [more, quorum] of [
      ['', 1],
      [', quorumMax: 0', 0],
      [', quorum: 3', 3],
    ] as const) {
      const process = kindOf(`process: {name: x${more}}`)?.kind;
      assert.ok(process?.$case === 'process');
      assert.deepStrictEqual([process.value.quorum, process.value.match], [quorum, ProcessMatch.EXACT]);
      assert.deepStrictEqual([process.value.upDelay, process.value.downDelay], [SECONDS_0, SECONDS_0]);
    }
  });

  test('the start is spread over a tenth of the interval, a second at most', () => {
    assert.deepStrictEqual(kindOf('ping: {host: x}, interval: 5s')?.startJitter, { seconds: 0, nanos: 500_000_000 });
    assert.deepStrictEqual(kindOf('ping: {host: x}, interval: 1h')?.startJitter, { seconds: 1, nanos: 0 });
    assert.deepStrictEqual(kindOf('ping: {host: x}, startJitter: 0s')?.startJitter, SECONDS_0);
  });
});
