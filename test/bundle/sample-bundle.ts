/** A bundle as the compiler makes it, for tests. */
import { Bundle } from '../../proto/gen/baton/v1/bundle.js';
import { ChecksumForm, DuplicateProbe, Lease, Transport } from '../../proto/gen/baton/v1/resources.js';

type Partial = Parameters<typeof Bundle.fromPartial>[0];
type PartialRouter = NonNullable<Partial['routers']>[number];

export function sampleRouter(overrides: PartialRouter = {}): PartialRouter {
  return {
    name: 'pg',
    displayName: 'VI_1',
    vrid: 10,
    version: 2,
    interface: 'em1',
    priority: 100,
    advertisementInterval: { seconds: 1, nanos: 0 },
    preempt: true,
    preemptDelay: { seconds: 0, nanos: 0 },
    password: Buffer.from('pg\0\0\0\0\0\0'),
    transport: Transport.MULTICAST,
    addresses: [{ address: '192.168.1.26/24', device: 'em1' }],
    track: [{ check: 'alive', weight: -20 }],
    hooks: { active: { command: ['/opt/hooks/master'], timeout: { seconds: 60, nanos: 0 } } },
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
    checksum: ChecksumForm.PSEUDO_HEADER,
    lease: Lease.AUTO,
    family: 4,
    multicastGroup: '224.0.0.18',
    accept: true,
    downTimerAdvertisements: 3,
    startupDelay: { seconds: 0, nanos: 0 },
    bootDelay: { seconds: 0, nanos: 0 },
    verifyInterval: { seconds: 10, nanos: 0 },
    duplicateProbe: DuplicateProbe.WARN,
    ...overrides,
  };
}

export function sampleBundle(router: PartialRouter = {}, rest: Partial = {}): Bundle {
  return Bundle.fromPartial({
    node: 'base1',
    routers: [sampleRouter(router)],
    checks: [
      {
        name: 'alive',
        spec: {
          kind: { $case: 'exec', value: { command: ['/opt/checks/alive', '-q'], user: 'nobody' } },
          interval: { seconds: 2, nanos: 500_000_000 },
          timeout: { seconds: 1, nanos: 0 },
          startJitter: { seconds: 0, nanos: 0 },
          rise: 2,
          fall: 3,
        },
      },
    ],
    ...rest,
  });
}
