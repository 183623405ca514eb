import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Resource } from '../../proto/gen/baton/v1/resources.js';
import { messageDescriptor } from '../../proto/manifest/schema.js';
import { KIND_OF_CASE, type SpecCase } from '../../proto/rules/names.js';
import { validateResources } from '../../proto/rules/validate.js';
import { arbitraryMessage } from '../manifest/arbitrary-message.js';
import { CHECK, judge, NODES, RECEIVER, resourcesOf, router, SECRET, sample, texts } from './sample-resources.js';

const MEMBERS_UNICAST =
  '[{node: a, interface: em1, address: 192.0.2.11}, {node: b, interface: em1, address: 192.0.2.12}]';

test('a valid cluster has neither errors nor warnings', () => {
  const all = `${CHECK}${SECRET}${RECEIVER}${router({
    version: '2',
    authentication: '{type: PASS, secret: pass}',
    track: '[{check: alive, weight: -60}, {interface: em2}]',
    receivers: '[ops]',
    hooks: '{active: /bin/a x, fifo: /run/baton/fifo}',
    addresses: '[192.0.2.1/24, {address: 192.0.2.2, device: em2, label: "em2:vip", broadcast: +}]',
  })}`;
  assert.deepStrictEqual(judge(all), { errors: [], warnings: [] });
});

describe('a virtual router that is refused', () => {
  const rows: readonly (readonly [Readonly<Record<string, string | undefined>>, ...string[]])[] = [
    [
      { vrid: undefined },
      'spec.vrid: is missing; give the virtual router identifier, 1 to 255, that all members share',
    ],
    [{ vrid: '256' }, 'spec.vrid: must be from 1 to 255, not 256'],
    [{ version: '4' }, 'spec.version: must be 2 or 3, not 4'],
    [
      { version: '2', advertisementInterval: '1500ms' },
      'spec.advertisementInterval: must be from 1s to 4m15s in steps of 1s, not 1.5s (version 2 sends whole seconds; version 3 goes down to 10ms)',
    ],
    [
      { version: '2', advertisementInterval: '256s' },
      'spec.advertisementInterval: must be from 1s to 4m15s in steps of 1s, not 4m16s (version 2 sends whole seconds; version 3 goes down to 10ms)',
    ],
    [
      { advertisementInterval: '15ms' },
      'spec.advertisementInterval: must be from 10ms to 40.95s in steps of 10ms, not 15ms',
    ],
    [
      { advertisementInterval: '0s' },
      'spec.advertisementInterval: must be from 10ms to 40.95s in steps of 10ms, not 0s',
    ],
    [
      { advertisementInterval: '41s' },
      'spec.advertisementInterval: must be from 10ms to 40.95s in steps of 10ms, not 41s',
    ],
    [{ preemptDelay: '1001s' }, 'spec.preemptDelay: must be from 0s to 16m40s, not 16m41s'],
    [
      { authentication: '{type: PASS, secret: pass}' },
      'spec.authentication: pass exists in version 2 only; remove it, or set version: 2 to keep it, or sign with type: hmac',
    ],
    [{ version: '2', authentication: '{secret: pas}' }, 'spec.authentication.type: is missing; give pass or hmac'],
    [
      { version: '2', authentication: '{type: pass, secret: pas}' },
      'spec.authentication.secret: there is no Secret "pas" (did you mean "pass"?)',
    ],
    [
      { version: '2', authentication: '{type: pass}' },
      'spec.authentication.secret: is missing; give the name of the Secret that holds the password',
    ],
    [
      { addresses: undefined },
      'spec.addresses: is missing; give at least one virtual address, or noAddresses: true for an election alone',
    ],
    [
      {
        addresses: `[${Array.from({ length: 10_000 }, (_, index) => `10.0.${index >> 8}.${index & 255}`).join(', ')}]`,
      },
      'spec.addresses: has 10000 addresses; an advertisement holds 255 at most',
    ],
    [
      { addresses: '[192.0.2.01, 192.0.2.1/33, 192.0.2.1/0, 192.0.2.0/24, 192.0.2.255/24, {device: em1}]' },
      'spec.addresses[0].address: "192.0.2.01" is not an IPv4 address; write four decimal numbers, such as 192.0.2.1',
      'spec.addresses[1].address: "192.0.2.1/33" is not an address with a prefix length; write it like 192.0.2.1/24',
      'spec.addresses[2].address: 192.0.2.1/0 has prefix length 0, which would be every address; give 1 to 32',
      'spec.addresses[3].address: 192.0.2.0/24 is the address of the network itself, which no host can have',
      'spec.addresses[4].address: 192.0.2.255/24 is the broadcast address of its network, which no host can have',
      'spec.addresses[5].address: is missing; give an address, with an optional prefix length',
    ],
    [
      { addresses: '[224.0.0.18, 127.0.0.1, 0.0.0.0, 255.255.255.255]' },
      'spec.addresses[0].address: 224.0.0.18 is a multicast address, which no host can have',
      'spec.addresses[1].address: 127.0.0.1 is a loopback address, which no other host can reach',
      'spec.addresses[2].address: 0.0.0.0 is in 0.0.0.0/8, which no host can have',
      'spec.addresses[3].address: 255.255.255.255 is in 240.0.0.0/4, which is reserved',
    ],
    [{ addresses: '[192.0.2.1, 192.0.2.1/24]' }, 'spec.addresses[1].address: 192.0.2.1/24 is given twice; remove one'],
    [
      { addresses: '[{address: 192.0.2.1, device: "a b", label: "a label that is long", broadcast: all}]' },
      'spec.addresses[0].device: "a b" cannot be an interface\'s name: 1 to 15 visible characters without "/" and ":"',
      'spec.addresses[0].label: "a label that is long" cannot be a label: up to 15 visible characters without "/"',
      'spec.addresses[0].broadcast: "all" is neither an IPv4 address nor "+" or "-"',
    ],
    [{ members: undefined }, 'spec.members: is missing; give at least one node that runs this router'],
    [
      { members: '[{node: a, interface: em1}, {node: a, interface: em2}, {}]' },
      'spec.members[1].node: "a" is that of spec.members[0] already; each member has its own',
      'spec.members[2].node: is missing; give the name of the node',
      'spec.members[2].interface: is missing; give the name of the network interface',
    ],
    [
      { members: '[{node: A, interface: ../etc, priority: 256, preemptDelay: 2000s}]' },
      'spec.members[0].node: a name has 1 to 63 characters of a-z, 0-9, "-", "_" and ".", and begins and ends with a letter or digit',
      'spec.members[0].interface: "../etc" cannot be an interface\'s name: 1 to 15 visible characters without "/" and ":"',
      'spec.members[0].priority: must be from 0 to 255, not 256',
      'spec.members[0].preemptDelay: must be from 0s to 16m40s, not 33m20s',
    ],
    [
      { members: '[{node: a, interface: em1, priority: 255}, {node: b, interface: em1, priority: 255}]' },
      'spec.members[1].priority: 255 is for the one owner of the addresses, which is spec.members[0] already',
    ],
    [
      { members: '[{node: a, interface: em1, address: 192.0.2.1}, {node: b, interface: em1}]' },
      'spec.members[0].address: 192.0.2.1 is a virtual address of this router; only the owner, priority 255, can have it',
    ],
    [
      { transport: 'unicast' },
      'spec.members[0].address: is missing; with unicast the other members send to it',
      'spec.members[1].address: is missing; with unicast the other members send to it',
    ],
    [
      { transport: 'unicast', members: '[{node: a, interface: em1}]' },
      'spec.transport: is unicast, but there is nobody to send to; add a member or externalPeers, or unicast: {faultWithoutPeers: true}',
    ],
    [
      {
        transport: 'unicast',
        members: MEMBERS_UNICAST,
        externalPeers: '[192.0.2.12, 192.0.2.13, 192.0.2.13, "::1", 1.2]',
      },
      'spec.externalPeers[0]: 192.0.2.12 is the address of a member; remove it here',
      'spec.externalPeers[2]: 192.0.2.13 is given twice; remove one',
      'spec.externalPeers[3]: ::1 is an IPv6 address, but IPv4 is needed here',
      'spec.externalPeers[4]: "1.2" is not an IPv4 address; write four decimal numbers, such as 192.0.2.1',
    ],
    [
      { externalPeers: '[192.0.2.13]' },
      'spec.externalPeers: is for unicast or peers: members only; set one of them, or remove it',
    ],
    [
      { track: '[{}, {check: alive, interface: em1}, {check: alve}, {check: alive, weight: 254}, {check: alive}]' },
      'spec.track[0]: must have exactly one of check, interface, bfd and route',
      'spec.track[1]: must have exactly one of check, interface, bfd and route',
      'spec.track[3].weight: must be from -253 to 253, not 254',
      'spec.track[4]: tracks check alive, which spec.track[3] does already; remove one',
      'spec.track[2].check: there is no Check "alve" (did you mean "alive"?)',
    ],
    [
      {
        track: '[{interface: em1}]',
        members: '[{node: a, interface: em1, track: [{interface: em1}]}, {node: b, interface: em1}]',
      },
      'spec.members[0].track[0]: tracks interface em1, which spec.track[0] does already; remove one',
    ],
    [
      { receivers: '[op, ops, ops]' },
      'spec.receivers[0]: there is no Receiver "op" (did you mean "ops"?)',
      'spec.receivers[2]: "ops" is given twice; remove one',
    ],
    [
      {
        hooks:
          '{active: bin/a, backup: /bin/../a, fault: /bin/a/, stop: {}, any: {command: ["/a\\nb"], user: "a b", timeout: 0s}, fifo: fifo}',
      },
      'spec.hooks.active.command[0]: "bin/a" must be an absolute path; Baton searches no PATH',
      'spec.hooks.backup.command[0]: "/bin/../a" must be written without "//", "/./", "/../" and "/" at the end',
      'spec.hooks.fault.command[0]: "/bin/a/" must be written without "//", "/./", "/../" and "/" at the end',
      'spec.hooks.stop.command: is missing; give the absolute path of a program, then its arguments',
      'spec.hooks.any.command[0]: must be a path of up to 4096 characters without control characters',
      'spec.hooks.any.user: "a b" cannot be a user\'s name',
      'spec.hooks.any.timeout: must be from 100ms to 24h, not 0s',
      'spec.hooks.fifo: "fifo" must be an absolute path; Baton searches no PATH',
    ],
    [
      { announcements: '{repeat: 0, refreshRepeat: 256, lowerPriorityRepeat: 256, delay: 25h}' },
      'spec.announcements.repeat: must be from 1 to 255, not 0',
      'spec.announcements.refreshRepeat: must be from 1 to 255, not 256',
      'spec.announcements.lowerPriorityRepeat: must be from 0 to 255, not 256',
      'spec.announcements.delay: must be from 0s to 24h, not 25h',
    ],
  ];
  for (const [change, ...expected] of rows) {
    test(JSON.stringify(change).slice(0, 100), () => {
      assert.deepStrictEqual(texts(judge(`${CHECK}${SECRET}${RECEIVER}${router(change)}`).errors), expected);
    });
  }
});

describe('other resources that are refused', () => {
  const email = (fields: string): string => sample('Receiver', 'ops', `email: {${fields}}`);
  const good = 'host: m.example.org, from: a@example.org';
  const rows: readonly (readonly [string, ...string[]])[] = [
    [
      sample('Check', 'c', ''),
      'spec: does not say what to run; give exec, http, tcp, dns, grpc, ping, process or file',
    ],
    [
      sample('Check', 'c', 'exec: {command: [x], user: "a:b"}, interval: 99ms, timeout: 0s'),
      'spec.exec.command[0]: "x" must be an absolute path; Baton searches no PATH',
      'spec.exec.user: "a:b" cannot be a user\'s name',
      'spec.interval: must be from 100ms to 24h, not 99ms',
      'spec.timeout: must be from 10ms to 24h, not 0s',
    ],
    [
      sample('Secret', 's', 'value: ""'),
      'spec.value: is missing; secrets are never read back, so give the value again',
    ],
    [sample('Secret', 's', `value: ${'x'.repeat(4097)}`), 'spec.value: must have up to 4096 characters, not 4097'],
    [sample('Receiver', 'r', ''), 'spec: does not say how to tell; give email'],
    [
      email(''),
      'spec.email.host: is missing; give the name or address of the mail server',
      "spec.email.from: is missing; give the sender's address",
      'spec.email.to: is missing; give at least one recipient',
    ],
    [
      email(
        'host: "a b", port: 65536, timeout: 0s, heloName: "x\\r\\nMAIL", ca: nonsense, from: "a@b\\r\\nBcc: c@d", to: [x]',
      ),
      'spec.email.host: "a b" is neither a host name nor an address',
      'spec.email.port: must be from 0 to 65535, not 65536',
      'spec.email.timeout: must be from 1s to 10m, not 0s',
      'spec.email.heloName: "x\\r\\nMAIL" is not a host name',
      'spec.email.ca: holds no certificate in PEM form',
      'spec.email.from: "a@b\\r\\nBcc: c@d" is not a mail address; write it as name@host, without display name or quotes',
      'spec.email.to[0]: "x" is not a mail address; write it as name@host, without display name or quotes',
    ],
    [
      email('host: 1.2.3.400, from: a@b, to: [c@d]'),
      'spec.email.host: "1.2.3.400" is neither a host name nor an address',
    ],
    [email(`${good}, to: [a@b, A@b]`), 'spec.email.to[1]: "A@b" is given twice; remove one'],
    [
      email(`${good}, to: [a@b], security: opportunistic, authentication: {username: u, secret: pass}`),
      'spec.email.authentication: would send the password in clear; set security to starttls or tls',
    ],
    [
      email(`${good}, to: [a@b], security: none, authentication: {secret: nope}`),
      'spec.email.authentication: would send the password in clear; set security to starttls or tls',
      'spec.email.authentication.username: is missing',
      'spec.email.authentication.secret: there is no Secret "nope"',
    ],
    [
      email(`${good}, to: [a@b], authentication: {username: "u\\n"}`),
      'spec.email.authentication.username: must have up to 255 characters, none of them control characters',
      'spec.email.authentication.secret: is missing; give the name of a Secret',
    ],
    [
      '---\n{apiVersion: baton/v1, kind: Node, metadata: {name: d, labels: {"a b": x, c: "a\\nb", ok/key: v}}}',
      'metadata.labels.a b: "a b" cannot be a label: 1 to 63 letters, digits, "-", "_", "." and "/", beginning and ending with a letter or digit',
      'metadata.labels.c: must have up to 255 characters, all of them printable',
    ],
    [
      '---\n{apiVersion: baton/v1, kind: Node, metadata: {name: "node\\n"}}',
      'metadata.name: "node\\n" cannot be used: a name has 1 to 63 characters of a-z, 0-9, "-", "_" and ".", and begins and ends with a letter or digit',
    ],
  ];
  for (const [text, ...expected] of rows) {
    test(text.slice(44, 140), () => assert.deepStrictEqual(texts(judge(`${SECRET}${text}`).errors), expected));
  }

  test('to a loopback address a password may go in clear', () => {
    const text = email(
      'host: 127.0.0.1, security: none, from: a@b, to: [c@d], authentication: {username: u, secret: pass}',
    );
    assert.deepStrictEqual(judge(`${SECRET}${text}`).errors, []);
  });

  for (const address of [
    '"a@evil"@good',
    'a@b>,<c@d',
    '-x@y',
    'a@b@c',
    'a b@c',
    '@b',
    'a@',
    'ä@b',
    'a@bü.de',
    'A <a@b>',
    'a..b@c',
    '.a@b',
    'a@-b',
    'a@b_c',
    `${'x'.repeat(65)}@b`,
  ]) {
    test(`not a mail address: ${address.slice(0, 30)}`, () => {
      const quoted = JSON.stringify(address);
      assert.equal(judge(email(`${good}, to: [${quoted}]`)).errors.length, 1);
    });
  }
  for (const address of ['francs3@163.com', 'root@localhost', "o'brien+x=y@a.b-c.example", 'a@[192.0.2.1]']) {
    test(`a mail address: ${address}`, () => {
      assert.deepStrictEqual(judge(email(`${good}, to: ["${address}"]`)).errors, []);
    });
  }
});

describe('what resources say of each other', () => {
  test('one vrid on one interface of one node is one router', () => {
    const other = router({ addresses: '[192.0.2.2]' }, 'web');
    assert.deepStrictEqual(texts(judge(router() + other).errors), [
      'spec.members[0]: VirtualRouter "pg" uses vrid 10 on em1 of a already; give another vrid',
      'spec.members[1]: VirtualRouter "pg" uses vrid 10 on em1 of b already; give another vrid',
    ]);
    const elsewhere = router(
      { addresses: '[192.0.2.2]', members: '[{node: a, interface: em2}, {node: b, interface: em2}]' },
      'web',
    );
    assert.deepStrictEqual(judge(router() + elsewhere).errors, []);
  });

  test('one address has one router, at least on one node', () => {
    const same = router({ vrid: '11', addresses: '[192.0.2.1/24]' }, 'web');
    assert.deepStrictEqual(texts(judge(router() + same).errors), [
      'spec.addresses[0]: 192.0.2.1 is an address of VirtualRouter "pg" already, and node a runs both',
    ]);
    const members = '[{node: c, interface: em1}, {node: d, interface: em1}]';
    const apart = judge(router() + router({ vrid: '11', members }, 'web'));
    assert.deepStrictEqual(apart.errors, []);
    assert.deepStrictEqual(texts(apart.warnings), [
      'spec.members[1].node: no node "d" has joined yet',
      'spec.addresses[0]: 192.0.2.1 is an address of VirtualRouter "pg" too; right only if their networks are apart',
    ]);
  });

  test('two resources of one name, and a resource without spec', () => {
    const twice = resourcesOf(`${NODES}${router()}`).flatMap((resource) => [resource, resource]);
    assert.equal(validateResources(twice).errors.filter(({ path }) => path === 'metadata.name').length, 4);
    assert.deepStrictEqual(
      validateResources([Resource.fromPartial({})]).errors.map(({ path }) => path),
      ['metadata.name', 'spec'],
    );
  });

  test('findings name their resource', () => {
    const [finding] = judge(router({ vrid: '0' })).errors;
    assert.deepStrictEqual(finding?.resource, { kind: 'VirtualRouter', name: 'pg' });
  });
});

test('no finding ever quotes a secret', () => {
  const resources = resourcesOf(
    `${NODES}${sample('Secret', 'pass', `value: hunter2${'x'.repeat(5000)}`)}${router({ version: '2', authentication: '{type: PASS, secret: pass}' })}`,
  );
  const { errors, warnings } = validateResources(resources);
  assert.equal(errors.length, 1);
  assert.ok(!JSON.stringify([...errors, ...warnings]).includes('hunter2'));
});

test('any resource that can be decoded gets an answer', () => {
  const cases = Object.keys(KIND_OF_CASE) as SpecCase[];
  const arbitrary = fc.constantFrom(...cases).chain((specCase) => {
    const typeName = messageDescriptor('baton.v1.Resource').field[specCase]?.message?.typeName ?? '';
    return fc.tuple(arbitraryMessage('baton.v1.Metadata', true), arbitraryMessage(typeName, true)).map(
      // The fields come from the descriptors of these very messages.
      ([metadata, value]) =>
        Resource.fromPartial({ metadata, spec: { $case: specCase, value } } as unknown as Resource),
    );
  });
  fc.assert(
    fc.property(fc.array(arbitrary, { maxLength: 4 }), fc.boolean(), (resources, standalone) => {
      const { errors } = validateResources(resources, { standalone });
      // Random names are never right.
      assert.equal(errors.length > 0, resources.length > 0);
    }),
    { seed: 20_261_122, numRuns: 200 },
  );
});
