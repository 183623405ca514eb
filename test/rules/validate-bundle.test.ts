import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Bundle, type BundleCheck, type BundleRouter } from '../../proto/gen/baton/v1/bundle.js';
import { Address, ChecksumForm, Hooks, Lease, Transport, UnicastOptions } from '../../proto/gen/baton/v1/resources.js';
import { compileBundle } from '../../proto/rules/compile.js';
import { validateBundle } from '../../proto/rules/validate-bundle.js';
import { arbitraryMessage } from '../manifest/arbitrary-message.js';
import { CHECK, resourcesOf, router } from './sample-resources.js';

interface Parts {
  readonly bundle: Bundle;
  readonly router: BundleRouter;
  readonly check: BundleCheck;
}

/** Makes something wrong. */
type Bend = (parts: Parts) => void;

const inBundle =
  (change: Partial<Bundle>): Bend =>
  ({ bundle }) =>
    void Object.assign(bundle, change);
const inRouter =
  (change: Partial<BundleRouter>): Bend =>
  ({ router }) =>
    void Object.assign(router, change);
const inCheck =
  (change: Partial<BundleCheck>): Bend =>
  ({ check }) =>
    void Object.assign(check, change);

function good(): Parts {
  const text = CHECK + router({ track: '[{check: alive, weight: -60}]', hooks: '{active: /bin/a}' });
  const bundle = compileBundle(resourcesOf(text), 'a');
  const [first] = bundle.routers;
  const [check] = bundle.checks;
  assert.ok(first !== undefined && check !== undefined);
  return { bundle, router: first, check };
}

test('a compiled bundle is accepted', () => assert.deepStrictEqual(validateBundle(good().bundle), []));
test('so is an empty one', () => assert.deepStrictEqual(validateBundle(Bundle.fromPartial({ node: 'a' })), []));

describe('a bundle that breaks one rule is refused for it', () => {
  const DEFAULT = 'is missing; a bundle has every default filled in';
  const rows: readonly (readonly [string, Bend, ...string[]])[] = [
    ['node', inBundle({ node: '../a' }), 'node: "../a" is not a name'],
    ['name', inRouter({ name: 'a\nb' }), 'routers["a\\nb"].name: "a\\nb" is not a name'],
    [
      'display name',
      inRouter({ displayName: 'a\n' }),
      'routers[pg].displayName: has characters that cannot be printed',
    ],
    ['vrid', inRouter({ vrid: 300 }), 'routers[pg].vrid: must be from 1 to 255, not 300'],
    ['version', inRouter({ version: 0 }), 'routers[pg].version: must be 2 or 3, not 0'],
    ['priority', inRouter({ priority: 0 }), 'routers[pg].priority: must be from 1 to 255, not 0'],
    ['no verify interval', inRouter({ verifyInterval: undefined }), `routers[pg].verifyInterval: ${DEFAULT}`],
    [
      'verify interval',
      inRouter({ verifyInterval: { seconds: 0, nanos: 999_000_000 } }),
      'routers[pg].verifyInterval: must be from 1s to 1h, not 999ms, or 0s for never',
    ],
    [
      'known source of the other family',
      inRouter({ knownSources: ['fe80::1'] }),
      'routers[pg].knownSources[0]: fe80::1 is an IPv6 address, but IPv4 is needed here',
    ],
    [
      'hold time',
      ({ router: { track } }) => void Object.assign(track[0] ?? {}, { upDelay: { seconds: 3601, nanos: 0 } }),
      'routers[pg].track[0].upDelay: must be from 0s to 1h, not 1h1s',
    ],
    ['no interval', inRouter({ advertisementInterval: undefined }), `routers[pg].advertisementInterval: ${DEFAULT}`],
    [
      'absurd interval',
      inRouter({ advertisementInterval: { seconds: Number.MAX_VALUE, nanos: -1 } }),
      'routers[pg].advertisementInterval: must be from 10ms to 40.95s in steps of 10ms; this is negative, finer than a microsecond or out of all bounds',
    ],
    ['no delay', inRouter({ preemptDelay: undefined }), `routers[pg].preemptDelay: ${DEFAULT}`],
    [
      'password with version 3',
      inRouter({ password: Buffer.alloc(8) }),
      'routers[pg].password: must be 8 bytes with version 2, and empty otherwise',
    ],
    [
      'password of 7 bytes',
      ({ router }) => {
        router.version = 2;
        router.password = Buffer.alloc(7);
      },
      'routers[pg].password: must be 8 bytes with version 2, and empty otherwise',
    ],
    ['transport', inRouter({ transport: Transport.UNSPECIFIED }), `routers[pg].transport: ${DEFAULT}`],
    [
      'unknown transport',
      inRouter({ transport: Transport.UNRECOGNIZED }),
      'routers[pg].transport: has a value that this version of Baton does not know',
    ],
    [
      'unicast alone',
      inRouter({ transport: Transport.UNICAST, unicast: UnicastOptions.fromPartial({ ttl: 255, maxTtl: 255 }) }),
      'routers[pg].peers: is missing; unicast needs somebody to send to',
    ],
    ['peers with multicast', inRouter({ peers: ['192.0.2.9'] }), 'routers[pg].peers: is for unicast only'],
    [
      'source',
      inRouter({ sourceAddress: '0.0.0.0' }),
      'routers[pg].sourceAddress: 0.0.0.0 is in 0.0.0.0/8, which no host can have',
    ],
    [
      'address without prefix length',
      inRouter({ addresses: [Address.fromPartial({ address: '192.0.2.1', device: 'em1' })] }),
      'routers[pg].addresses[0]: must have its device and prefix length filled in',
    ],
    [
      'check that is not there',
      inBundle({ checks: [] }),
      'routers[pg].track[0].check: there is no check alive in the bundle',
    ],
    [
      'hook without timeout',
      inRouter({ hooks: Hooks.fromPartial({ any: { command: ['/a'] } }) }),
      `routers[pg].hooks.any.timeout: ${DEFAULT}`,
    ],
    ['no announcements', inRouter({ announcements: undefined }), 'routers[pg].announcements: is missing'],
    ['checksum', inRouter({ checksum: ChecksumForm.UNSPECIFIED }), `routers[pg].checksum: ${DEFAULT}`],
    ['lease', inRouter({ lease: Lease.UNSPECIFIED }), `routers[pg].lease: ${DEFAULT}`],
    [
      'two of a name',
      ({ bundle, router }) => void bundle.routers.push(router),
      'routers[pg].name: is there twice',
      'routers[pg].vrid: 10 on em1 is used by pg already',
    ],
    ['check without spec', inCheck({ spec: undefined }), 'checks[alive].spec: is missing'],
    [
      'check with a relative program',
      ({ check }) => {
        if (check.spec !== undefined) {
          check.spec.kind = { $case: 'exec', value: { command: ['../x'], user: '' } };
          check.spec.rise = 0;
        }
      },
      'checks[alive].spec.exec.command[0]: "../x" must be an absolute path; Baton searches no PATH',
      'checks[alive].spec.rise: must be from 1 to 4294967295, not 0',
    ],
  ];
  for (const [what, bend, ...expected] of rows) {
    test(what, () => {
      const parts = good();
      bend(parts);
      const refusals = validateBundle(parts.bundle).map(({ path, reason }) => `${path}: ${reason}`);
      assert.deepStrictEqual(refusals, expected);
    });
  }
});

test('any bundle that can be decoded gets an answer', () => {
  fc.assert(
    fc.property(arbitraryMessage('baton.v1.Bundle', true), (fields) => {
      const bundle = Bundle.decode(Bundle.encode(Bundle.fromPartial(fields)).finish());
      for (const { path, reason } of validateBundle(bundle)) {
        assert.ok(path.length > 0 && reason.length > 0);
      }
    }),
    { seed: 20_261_122, numRuns: 300 },
  );
});
