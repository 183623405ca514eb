/** The options of a virtual router: what each may be, and what it needs beside it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CHECK, judge, router, SECRET, sample, texts } from './sample-resources.js';

type Change = Readonly<Record<string, string | undefined>>;

const WITH_ADDRESSES =
  '[{node: a, interface: em1, address: 192.0.2.11}, {node: b, interface: em1, address: 192.0.2.12}]';
const WITH_IPV6 =
  '[{node: a, interface: em1, address: "2001:db8::11"}, {node: b, interface: em1, address: "2001:db8::12"}]';
const IPV6 = '["fe80::1/64", "2001:db8::1/64"]';
const OWNER = '[{node: a, interface: em1, priority: 255}, {node: b, interface: em1}]';
const KEYS =
  sample('Secret', 'k1', 'value: "0123456789abcdef0123456789abcdef"') +
  sample('Secret', 'k2', `value: "hex:${'ab'.repeat(64)}"`) +
  sample('Secret', 'short', 'value: tooshort') +
  sample('Secret', 'nohex', `value: "hex:${'zz'.repeat(32)}"`);
const BFD = sample(
  'BfdSession',
  'uplink',
  'endpoints: [{node: a, neighbor: 192.0.2.254}, {node: b, neighbor: 192.0.2.254}]',
);

function findings(change: Change) {
  return judge(`${CHECK}${SECRET}${KEYS}${sample('Check', 'load', 'file: {path: /run/load}')}${BFD}${router(change)}`);
}

describe('accepted', () => {
  const rows: readonly Change[] = [
    { addresses: IPV6 },
    { addresses: IPV6, strictRfc: 'true' },
    { addresses: '["2001:db8::1"]', version: '2', advertisementInterval: '2s' },
    { addresses: IPV6, transport: 'unicast', members: WITH_IPV6 },
    { excludedAddresses: '["2001:db8::1/64", 198.51.100.1/24]' },
    { excludedAddresses: '[{address: 239.1.2.3, autojoin: true}]' },
    {
      addresses:
        '[{address: "2001:db8::1/64", home: true, noDad: true, manageTemporary: true, preferredLifetime: 0s, noTrack: true, noPrefixRoute: true, virtualMac: true, device: em2, peer: "2001:db8::2"}]',
    },
    { addresses: '[{address: 192.0.2.1, peer: 192.0.2.2/30, scope: link, label: "em1:0"}]' },
    { addresses: undefined, noAddresses: 'true' },
    { multicastGroup: '224.0.0.19' },
    { multicastGroup: '"ff02::1:12"', addresses: IPV6 },
    { virtualMac: '{}' },
    { virtualMac: '{name: vip0, address: "02:00:5E:10:00:01", transmitOnBase: true}' },
    { accept: 'false', downTimerAdvertisements: '100', startupDelay: '1h', duplicateProbe: 'refuse' },
    { preempt: 'false', timerExpiredBackup: '254' },
    { ownerIgnoreAdvertisements: 'true', members: OWNER },
    { peers: 'members', members: WITH_ADDRESSES },
    { peers: 'members', members: '[{node: a, interface: em1}]', externalPeers: '[192.0.2.9]' },
    {
      transport: 'unicast',
      members: WITH_ADDRESSES,
      unicast: '{ttl: 1, minTtl: 254, maxTtl: 255, peerTtl: [{address: 192.0.2.12, minTtl: 1}]}',
    },
    { transport: 'unicast', members: '[{node: a, interface: em1}]', unicast: '{faultWithoutPeers: true}' },
    {
      authentication:
        '{type: hmac, hmac: {keys: [{id: 1, secret: k1}, {id: 255, secret: k2}], activeKey: 255, replayGuard: monotonic, timeWindow: 300s}}',
    },
    { track: '[{check: load, weight: 254}, {bfd: uplink}, {route: 0.0.0.0/0, table: "100"}, {route: "::/0"}]' },
    {
      announcements:
        '{arpInterval: 100us, neighborInterval: 1ms, extraRefresh: 60s, extraRefreshAll: true, lowerPriorityRepeat: 0}',
    },
    {
      hooks:
        '{fifo: /run/f, priorityChanges: true, lowerPriorityHeard: /bin/l, deleted: {command: /bin/d, timeout: 1s}}',
    },
    { verifyInterval: '0s', track: '[{interface: em2, upDelay: 1h, downDelay: 1ms}]' },
    { promoteSecondaries: 'true', lowerPriorityNoAdvertisement: 'true', higherPrioritySendAdvertisement: 'true' },
  ];
  for (const change of rows) {
    test(JSON.stringify(change).slice(0, 120), () => assert.deepStrictEqual(texts(findings(change).errors), []));
  }
});

describe('refused', () => {
  const rows: readonly (readonly [Change, ...string[]])[] = [
    [
      { addresses: '[192.0.2.1, "2001:db8::1"]' },
      'spec.addresses[1].address: 2001:db8::1 is IPv6, but 192.0.2.1 is IPv4: a router advertises one family; declare another VirtualRouter for it, which may have the same vrid, or list it under excludedAddresses',
    ],
    [
      {
        addresses:
          '["::", "::1", "ff02::1", "::ffff:192.0.2.1", "2001:db8::g", "fe80::1%em1", "2001:db8::1/129", "2001:db8::1/0"]',
      },
      'spec.addresses[0].address: :: is the unspecified address, which no host can have',
      'spec.addresses[1].address: ::1 is the loopback address, which no other host can reach',
      'spec.addresses[2].address: ff02::1 is a multicast address, which no host can have',
      'spec.addresses[3].address: ::ffff:192.0.2.1 is an IPv4 address in IPv6 notation; write it as an IPv4 address',
      'spec.addresses[4].address: "2001:db8::g" is not an IPv6 address; write it like 2001:db8::1',
      'spec.addresses[5].address: "fe80::1%em1" names a zone; an address is written without "%", the interface has a field of its own',
      'spec.addresses[6].address: "2001:db8::1/129" is not an address with a prefix length; write it like 2001:db8::1/64',
      'spec.addresses[7].address: 2001:db8::1/0 has prefix length 0, which would be every address; give 1 to 128',
    ],
    [
      { addresses: '["2001:db8::1", "2001:DB8:0::1/64"]' },
      'spec.addresses[1].address: 2001:DB8:0::1/64 is given twice; remove one',
    ],
    [
      { excludedAddresses: '[192.0.2.1/24]' },
      'spec.excludedAddresses[0].address: 192.0.2.1/24 is given twice, also in addresses; remove one',
    ],
    [
      { excludedAddresses: '[239.1.2.3, {address: 192.0.2.7, autojoin: true}]' },
      'spec.excludedAddresses[0].autojoin: is missing: 239.1.2.3 is a multicast address, which an interface can only join',
      'spec.excludedAddresses[1].autojoin: is for multicast addresses among excludedAddresses or of a HostNetwork; remove it',
    ],
    [
      { addresses: '[{address: 192.0.2.1, scope: galaxy, peer: "2001:db8::1", preferredLifetime: 1500ms}]' },
      'spec.addresses[0].scope: "galaxy" is no scope: give global, site, link, host, nowhere or a number up to 255',
      'spec.addresses[0].peer: 2001:db8::1 must be of the family of the address',
      'spec.addresses[0].preferredLifetime: must be from 0s to 1193046h28m14s in steps of 1s, not 1.5s',
    ],
    [
      { addresses: '[{address: 192.0.2.1, peer: nobody}]' },
      'spec.addresses[0].peer: "nobody" is not an address; give that of the other end, with an optional prefix length',
    ],
    [{ noAddresses: 'true' }, 'spec.noAddresses: does not go together with addresses; remove one'],
    [
      { addresses: '["2001:db8::1"]', strictRfc: 'true', version: '2' },
      'spec.version: must be 3 for IPv6 with strictRfc; version 2 knows no IPv6',
      'spec.addresses[0].address: must be link-local with strictRfc, such as fe80::1; put one first',
    ],
    [
      { addresses: undefined, noAddresses: 'true', strictRfc: 'true' },
      'spec.strictRfc: does not go together with noAddresses: an advertisement has at least one address',
    ],
    [
      { multicastGroup: '192.0.2.3' },
      'spec.multicastGroup: 192.0.2.3 is not a multicast address; leave it out for 224.0.0.18',
    ],
    [
      { multicastGroup: '"ff05::12"', addresses: IPV6 },
      'spec.multicastGroup: ff05::12 is not of link-local scope; advertisements need a group such as ff02::12',
    ],
    [{ multicastGroup: '"ff02::12"' }, 'spec.multicastGroup: ff02::12 is an IPv6 address, but IPv4 is needed here'],
    [
      { multicastGroup: '224.0.0.18', transport: 'unicast', members: WITH_ADDRESSES },
      'spec.multicastGroup: is for multicast; remove it, or transport: unicast',
    ],
    [
      { virtualMac: '{name: "a/b", address: "01:00:5e:00:00:01"}' },
      'spec.virtualMac.name: "a/b" cannot be an interface\'s name: 1 to 15 visible characters without "/" and ":"',
      'spec.virtualMac.address: 01:00:5e:00:00:01 is the address of a group, which no interface can have',
    ],
    [
      { virtualMac: '{name: em1, address: "00:00:5e:00:01"}' },
      'spec.virtualMac.name: em1 is the interface of a member; the virtual MAC address needs one of its own',
      'spec.virtualMac.address: "00:00:5e:00:01" is not a MAC address; write it like 00:00:5e:00:01:0a',
    ],
    [{ virtualMac: '{address: "00:00:00:00:00:00"}' }, 'spec.virtualMac.address: 00:00:00:00:00:00 is no address'],
    [
      { downTimerAdvertisements: '101', timerExpiredBackup: '255', startupDelay: '3601s', preempt: 'false' },
      'spec.downTimerAdvertisements: must be from 0 to 100, not 101',
      'spec.timerExpiredBackup: must be from 0 to 254, not 255',
      'spec.startupDelay: must be from 0s to 1h, not 1h1s',
    ],
    [
      { timerExpiredBackup: '100' },
      'spec.timerExpiredBackup: is for routers that do not preempt; set preempt: false, or remove it',
    ],
    [
      { ownerIgnoreAdvertisements: 'true' },
      'spec.ownerIgnoreAdvertisements: is for the owner, the member of priority 255; there is none, so remove it',
    ],
    [
      { accept: 'true', strictRfc: 'true', version: '2' },
      'spec.accept: must not be true for version 2 with strictRfc: only the owner accepts (RFC 3768 section 6.4.3)',
    ],
    [
      { peers: 'members' },
      'spec.members[0].address: is missing; with peers: members the others believe no other address',
      'spec.members[1].address: is missing; with peers: members the others believe no other address',
    ],
    [
      { peers: 'members', members: '[{node: a, interface: em1}]' },
      'spec.peers: is members, but there are no others; add a member or externalPeers',
    ],
    [
      { peers: 'any', transport: 'unicast', members: WITH_ADDRESSES },
      'spec.peers: cannot be any with unicast, which believes the members and externalPeers alone; remove it',
    ],
    [
      { members: WITH_IPV6, externalPeers: '["2001:db8::99"]', peers: 'members' },
      'spec.members[0].address: 2001:db8::11 is an IPv6 address, but IPv4 is needed here',
      'spec.members[1].address: 2001:db8::12 is an IPv6 address, but IPv4 is needed here',
      'spec.externalPeers[0]: 2001:db8::99 is an IPv6 address, but IPv4 is needed here',
    ],
    [
      {
        addresses: IPV6,
        transport: 'unicast',
        members: '[{node: a, interface: em1}]',
        externalPeers: '["2001:db8::99"]',
      },
      'spec.members[0].address: is missing; with unicast over IPv6 no address of the interface can be guessed',
    ],
    [{ unicast: '{ttl: 5}' }, 'spec.unicast: is for unicast; set transport: unicast, or remove it'],
    [
      {
        transport: 'unicast',
        members: WITH_ADDRESSES,
        unicast:
          '{ttl: 256, minTtl: 10, maxTtl: 9, peerTtl: [{address: 192.0.2.99}, {address: x}, {address: 192.0.2.11, minTtl: 300}, {address: 192.0.2.11}]}',
      },
      'spec.unicast.ttl: must be from 0 to 255, not 256',
      'spec.unicast.maxTtl: must not be less than minTtl, which is 10',
      'spec.unicast.peerTtl[0].address: 192.0.2.99 is neither the address of a member nor among externalPeers',
      'spec.unicast.peerTtl[1].address: "x" is not an IPv4 address; write four decimal numbers, such as 192.0.2.1',
      'spec.unicast.peerTtl[2].minTtl: must be from 0 to 255, not 300',
      'spec.unicast.peerTtl[3].address: 192.0.2.11 is given twice; remove one',
    ],
    [{ authentication: '{type: hmac}' }, 'spec.authentication.hmac: is missing; give keys and activeKey'],
    [
      { version: '2', authentication: '{type: pass, secret: pass, hmac: {}}' },
      'spec.authentication.hmac: does not go together with type: pass; remove one',
    ],
    [
      { authentication: '{type: hmac, secret: pass, hmac: {timeWindow: 301s}}' },
      'spec.authentication.secret: is for type: pass; name the Secrets of the keys under hmac.keys',
      'spec.authentication.hmac.keys: is missing; give at least one key, by id and secret',
      'spec.authentication.hmac.activeKey: is missing; give the id of the key that signs',
      'spec.authentication.hmac.timeWindow: must be from 1s to 5m, not 5m1s',
    ],
    [
      {
        strictRfc: 'true',
        authentication:
          '{type: hmac, hmac: {keys: [{id: 1, secret: short}, {id: 1, secret: nohex}, {id: 0, secret: gone}, {id: 256}], activeKey: 7, mode: permissive}}',
      },
      'spec.authentication.hmac.keys[0].secret: Secret "short" must hold 32 to 64 bytes, as text or as "hex:" and twice as many hexadecimal digits',
      'spec.authentication.hmac.keys[1].id: 1 is given twice; each key has its own',
      'spec.authentication.hmac.keys[1].secret: Secret "nohex" must hold 32 to 64 bytes, as text or as "hex:" and twice as many hexadecimal digits',
      'spec.authentication.hmac.keys[2].id: must be from 1 to 255, not 0',
      'spec.authentication.hmac.keys[2].secret: there is no Secret "gone"',
      'spec.authentication.hmac.keys[3].id: must be from 1 to 255, not 256',
      'spec.authentication.hmac.keys[3].secret: is missing; give the name of the Secret that holds the key',
      'spec.authentication.hmac.activeKey: there is no key 7 among keys; add it, or choose another',
      'spec.authentication.hmac.mode: must be enforce with strictRfc; remove one',
    ],
    [
      {
        track:
          '[{check: load, weight: 255}, {check: alive, bfd: uplink}, {bfd: uplnk}, {route: 10.0.0.1/8}, {route: x}, {route: 0.0.0.0/0, table: backup}, {interface: em2, table: main}]',
      },
      'spec.track[0].weight: must be from -254 to 254, not 255',
      'spec.track[1]: must have exactly one of check, interface, bfd and route',
      'spec.track[3].route: 10.0.0.1/8 has bits beyond its prefix length; write 10.0.0.0/8',
      'spec.track[4].route: "x" is not a prefix; write it like 192.0.2.0/24 or 2001:db8::/32',
      'spec.track[5].table: "backup" is no table: give its number, 1 to 4294967295, or main, local or default (names of /etc/iproute2/rt_tables are a host\'s own)',
      'spec.track[6].table: is for a route; remove it',
      'spec.track[2].bfd: there is no BfdSession "uplnk" (did you mean "uplink"?)',
    ],
    [
      { track: '[{route: 10.0.0.0/8}, {route: 10.0.0.0/8, table: "254"}]' },
      'spec.track[1]: tracks route 10.0.0.0/8, which spec.track[0] does already; remove one',
    ],
    [
      { announcements: '{extraRefresh: 500ms, arpInterval: 25h}' },
      'spec.announcements.arpInterval: must be from 0s to 24h, not 25h',
      'spec.announcements.extraRefresh: must be from 1s to 24h, not 500ms',
    ],
    [
      { announcements: '{extraRefreshAll: true}' },
      'spec.announcements.extraRefreshAll: needs extraRefresh, which says how often',
    ],
    [
      { hooks: '{priorityChanges: true, lowerPriorityHeard: lower, deleted: {command: /d, timeout: 25h}}' },
      'spec.hooks.lowerPriorityHeard.command[0]: "lower" must be an absolute path; Baton searches no PATH',
      'spec.hooks.deleted.timeout: must be from 100ms to 24h, not 25h',
      'spec.hooks.priorityChanges: is for the FIFO; give fifo, or remove it',
    ],
    [
      { verifyInterval: '500ms', track: '[{interface: em2, upDelay: 3601s, downDelay: 2h}]' },
      'spec.track[0].upDelay: must be from 0s to 1h, not 1h1s',
      'spec.track[0].downDelay: must be from 0s to 1h, not 2h',
      'spec.verifyInterval: must be from 1s to 1h, not 500ms, or 0s for never',
    ],
  ];
  for (const [change, ...expected] of rows) {
    test(JSON.stringify(change).slice(0, 120), () => assert.deepStrictEqual(texts(findings(change).errors), expected));
  }
});

describe('accepted with a warning', () => {
  const rows: readonly (readonly [Change, ...string[]])[] = [
    [
      { addresses: '[{address: "2001:db8::1", label: x, scope: link, broadcast: +}]' },
      'spec.addresses[0].label: has no effect: no label exists for an IPv6 address',
      'spec.addresses[0].broadcast: has no effect: no broadcast exists for an IPv6 address',
      'spec.addresses[0].scope: has no effect: the kernel decides the scope of an IPv6 address',
    ],
    [
      {
        addresses:
          '[{address: 192.0.2.1/24, home: true, noDad: true, manageTemporary: true, preferredLifetime: 1s, peer: 192.0.2.2}]',
      },
      'spec.addresses[0].home: has no effect: it is for IPv6 addresses',
      'spec.addresses[0].noDad: has no effect: it is for IPv6 addresses',
      'spec.addresses[0].manageTemporary: has no effect: it is for IPv6 addresses',
      'spec.addresses[0].preferredLifetime: has no effect: it is for IPv6 addresses',
      'spec.addresses[0].address: has a prefix length without effect: with peer, that of the peer counts',
    ],
    [
      { addresses: '["2001:db8::1"]', version: '2', checksum: 'pseudo_header' },
      'spec.version: is 2, which no RFC has for IPv6: only keepalived understands it',
      'spec.checksum: has no effect: IPv6 has one form of checksum only',
    ],
    [
      { authentication: '{type: hmac, hmac: {keys: [{id: 1, secret: k1}], activeKey: 1, mode: receive_only}}' },
      'spec.authentication.hmac.mode: still believes unsigned advertisements; set enforce once every member and external peer signs',
    ],
    [
      { downTimerAdvertisements: '1' },
      'spec.downTimerAdvertisements: is 1: a single lost advertisement makes a second router active',
    ],
    [
      { strictRfc: 'true', lowerPriorityNoAdvertisement: 'true' },
      'spec.lowerPriorityNoAdvertisement: departs from RFC 9568 although strictRfc is set',
    ],
    [
      {
        timerExpiredBackup: '100',
        members: '[{node: a, interface: em1, preempt: false}, {node: b, interface: em1}]',
      },
      'spec.timerExpiredBackup: has no effect on b, which preempts',
    ],
    [
      { accept: 'false', members: OWNER },
      'spec.accept: has no effect on a, which owns the addresses and always accepts',
    ],
    [
      { virtualMac: '{}', transport: 'unicast', members: WITH_ADDRESSES },
      'spec.virtualMac.transmitOnBase: is not set: unicast advertisements would leave from the virtual MAC address, which answers do not come back to while another member is active',
    ],
    [
      { addresses: '["2001:db8::1"]', routes: '[{to: "2001:db8:1::/48", scope: link}]' },
      'spec.routes[0].scope: has no effect: IPv6 routes have no scope',
    ],
    [
      {
        members: '[{node: a, interface: em1, priority: 150}, {node: b, interface: em1}]',
        track: '[{interface: em2, weight: 20, reverse: true}]',
      },
      'spec.track[0]: can never move the addresses: a falls from 150 to 130, and b has 100; make the weight greater than 50',
    ],
    // A file may hold any number.
    [{ track: '[{check: load, weight: 1}]' }],
  ];
  for (const [change, ...expected] of rows) {
    test(JSON.stringify(change).slice(0, 120), () => {
      const { errors, warnings } = findings(change);
      assert.deepStrictEqual(texts(errors), []);
      const ours = warnings.filter(({ resource }) => resource?.kind === 'VirtualRouter');
      assert.deepStrictEqual(texts(ours), expected);
    });
  }
});
