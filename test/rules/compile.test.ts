import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Bundle } from '../../proto/gen/baton/v1/bundle.js';
import { Address, ChecksumForm, DuplicateProbe, Lease, Transport } from '../../proto/gen/baton/v1/resources.js';
import { compileBundle, nodesOf } from '../../proto/rules/compile.js';
import { emailWithDefaults } from '../../proto/rules/defaults.js';
import { validateBundle } from '../../proto/rules/validate-bundle.js';
import { CHECK, NODES, resourcesOf, router, SECRET, sample } from './sample-resources.js';

function compile(text: string, node: string): Bundle {
  const bundle = compileBundle(resourcesOf(NODES + text), node);
  assert.deepStrictEqual(validateBundle(bundle), []);
  // Nothing in it that the wire would lose.
  assert.deepStrictEqual(Bundle.decode(Bundle.encode(bundle).finish()), bundle);
  return bundle;
}

describe('compiling', () => {
  test('every default is filled in', () => {
    const bundle = compile(router({ track: '[{check: alive}]', hooks: '{active: /bin/a}' }) + CHECK, 'b');
    assert.deepStrictEqual(
      bundle,
      Bundle.fromPartial({
        node: 'b',
        routers: [
          {
            name: 'pg',
            displayName: 'pg',
            vrid: 10,
            version: 3,
            interface: 'em1',
            priority: 100,
            advertisementInterval: { seconds: 1, nanos: 0 },
            preempt: true,
            preemptDelay: { seconds: 0, nanos: 0 },
            password: Buffer.alloc(0),
            transport: Transport.MULTICAST,
            peers: [],
            sourceAddress: '',
            addresses: [{ address: '192.0.2.1/32', device: 'em1' }],
            track: [{ check: 'alive' }],
            hooks: { active: { command: ['/bin/a'], timeout: { seconds: 60, nanos: 0 } } },
            announcements: {
              repeat: 5,
              delay: { seconds: 5, nanos: 0 },
              refresh: { seconds: 0, nanos: 0 },
              refreshRepeat: 1,
              lowerPriorityRepeat: 5,
              lowerPriorityDelay: { seconds: 5, nanos: 0 },
              arpInterval: { seconds: 0, nanos: 0 },
              neighborInterval: { seconds: 0, nanos: 0 },
              extraRefresh: { seconds: 0, nanos: 0 },
            },
            checksum: ChecksumForm.MESSAGE_ONLY,
            lease: Lease.AUTO,
            strictRfc: false,
            family: 4,
            multicastGroup: '224.0.0.18',
            accept: true,
            downTimerAdvertisements: 3,
            startupDelay: { seconds: 0, nanos: 0 },
            bootDelay: { seconds: 0, nanos: 0 },
            untrackedInterface: false,
            verifyInterval: { seconds: 10, nanos: 0 },
            duplicateProbe: DuplicateProbe.WARN,
          },
        ],
        checks: [
          {
            name: 'alive',
            spec: {
              kind: { $case: 'exec', value: { command: ['/bin/check'] } },
              interval: { seconds: 1, nanos: 0 },
              timeout: { seconds: 1, nanos: 0 },
              rise: 1,
              fall: 1,
              startJitter: { seconds: 0, nanos: 100_000_000 },
            },
          },
        ],
      }),
    );
  });

  test("a member's own settings win over the router's", () => {
    const text = router({
      preempt: 'false',
      preemptDelay: '5s',
      hooks: '{active: /bin/a, stop: /bin/s}',
      track: '[{interface: em2}]',
      members:
        '[{node: a, interface: em1, preempt: true, preemptDelay: 0s, hooks: {backup: /bin/b}, track: [{interface: em3, weight: -5}]}, {node: b, interface: em9}]',
    });
    const [own] = compile(text, 'a').routers;
    assert.equal(own?.preempt, true);
    assert.deepStrictEqual(own?.preemptDelay, { seconds: 0, nanos: 0 });
    assert.equal(own?.hooks?.active, undefined);
    assert.deepStrictEqual(own?.hooks?.backup?.command, ['/bin/b']);
    assert.deepStrictEqual(
      own?.track.map(({ interface: name, weight }) => [name, weight]),
      [
        ['em2', 0],
        ['em3', -5],
      ],
    );
    const [other] = compile(text, 'b').routers;
    assert.equal(other?.preempt, false);
    assert.deepStrictEqual(other?.preemptDelay, { seconds: 5, nanos: 0 });
    assert.deepStrictEqual(other?.hooks?.active?.command, ['/bin/a']);
    assert.equal(other?.addresses[0]?.device, 'em9');
  });

  test('unicast peers are the other members and the external ones', () => {
    const text = router({
      transport: 'unicast',
      members:
        '[{node: a, interface: em1, address: 192.0.2.11}, {node: b, interface: em1, address: 192.0.2.12}, {node: c, interface: em1, address: 192.0.2.13}]',
      externalPeers: '[192.0.2.99]',
    });
    const [own] = compile(text, 'b').routers;
    assert.deepStrictEqual(own?.peers, ['192.0.2.11', '192.0.2.13', '192.0.2.99']);
    assert.equal(own?.sourceAddress, '192.0.2.12');
  });

  test('passwords: 8 bytes, zero padded, cut in the middle of a character if need be', () => {
    for (const [value, hex] of [
      ['t9rveMP0Z9S1', '74397276654d5030'],
      ['abc', '6162630000000000'],
      ['全全全', 'e585a8e585a8e585'],
    ]) {
      const text =
        sample('Secret', 'p', `value: ${value}`) + router({ version: '2', authentication: '{type: PASS, secret: p}' });
      assert.equal(compile(text, 'a').routers[0]?.password.toString('hex'), hex);
    }
  });

  test('addresses: prefix length and device filled in, broadcast worked out', () => {
    const text = router({
      addresses:
        '[{address: 192.0.2.77/24, broadcast: +}, {address: 192.0.2.78/24, broadcast: "-", device: em2, label: "em2:x"}, {address: 192.0.2.79, broadcast: +}, {address: 192.0.2.80/24, broadcast: 192.0.2.127}]',
    });
    assert.deepStrictEqual(
      compile(text, 'a').routers[0]?.addresses,
      [
        { address: '192.0.2.77/24', device: 'em1', broadcast: '192.0.2.255' },
        { address: '192.0.2.78/24', device: 'em2', label: 'em2:x', broadcast: '192.0.2.0' },
        { address: '192.0.2.79/32', device: 'em1' },
        { address: '192.0.2.80/24', device: 'em1', broadcast: '192.0.2.127' },
      ].map((address) => Address.fromPartial(address)),
    );
  });

  test("keepalived's name reaches the node", () => {
    const text = router().replace('metadata: {name: pg}', 'metadata: {name: pg, labels: {keepalived-name: VI_1}}');
    assert.equal(compile(text, 'a').routers[0]?.displayName, 'VI_1');
  });

  test("only this node's things", () => {
    const other = router(
      { vrid: '11', addresses: '[192.0.2.2]', members: '[{node: c, interface: em1}]', track: '[{check: alive}]' },
      'other',
    );
    const text = router() + other + CHECK;
    assert.deepStrictEqual(
      compile(text, 'a').routers.map(({ name }) => name),
      ['pg'],
    );
    assert.deepStrictEqual(compile(text, 'a').checks, []);
    assert.equal(compile(text, 'c').checks.length, 1);
    assert.deepStrictEqual(compile(text, 'z'), Bundle.fromPartial({ node: 'z' }));
  });

  test('the order of the resources changes no byte', () => {
    const resources = resourcesOf(
      NODES +
        router({ track: '[{check: alive}, {check: zeal}]' }) +
        router({ vrid: '11', addresses: '[192.0.2.2]' }, 'web') +
        CHECK +
        sample('Check', 'zeal', 'exec: {command: /bin/z}') +
        SECRET,
    );
    const encode = (bundle: Bundle): string => Buffer.from(Bundle.encode(bundle).finish()).toString('hex');
    const expected = encode(compileBundle(resources, 'a'));
    const shuffled = fc.shuffledSubarray(resources, { minLength: resources.length });
    fc.assert(
      fc.property(shuffled, (order) => assert.equal(encode(compileBundle(order, 'a')), expected)),
      { seed: 20_261_122, numRuns: 30 },
    );
  });

  test('nodes: declared or members', () => {
    const text = router({ members: '[{node: z, interface: em1}, {node: a, interface: em1}]' });
    assert.deepStrictEqual(nodesOf(resourcesOf(NODES + text)), ['a', 'b', 'c', 'z']);
  });

  test('resources with errors are a mistake of the caller', () => {
    assert.throws(() => compileBundle(resourcesOf(router({ addresses: '[x]' })), 'a'), RangeError);
  });
});

describe('defaults of mail', () => {
  for (const [fields, port, security] of [
    ['', 25, 'MAIL_SECURITY_STARTTLS'],
    ['authentication: {username: u, secret: pass},', 587, 'MAIL_SECURITY_STARTTLS'],
    ['security: tls,', 465, 'MAIL_SECURITY_TLS'],
    ['security: none,', 25, 'MAIL_SECURITY_NONE'],
    ['port: 2525,', 2525, 'MAIL_SECURITY_STARTTLS'],
  ] as const) {
    test(fields, () => {
      const [resource] = resourcesOf(sample('Receiver', 'r', `email: {${fields} host: h, from: a@b, to: [c@d]}`));
      assert.ok(resource?.spec?.$case === 'receiver' && resource.spec.value.kind !== undefined);
      const email = emailWithDefaults(resource.spec.value.kind.value);
      assert.equal(email.port, port);
      assert.equal(email.security, security);
      assert.deepStrictEqual(email.timeout, { seconds: 30, nanos: 0 });
    });
  }
});
