/** A node's status as an agent reports it, for tests. */
import { CheckResult, MemberState, NodeStatus } from '../../proto/gen/baton/v1/status.js';

export const NOW = new Date('2026-11-22T12:00:00Z');

export function secondsAgo(seconds: number): Date {
  return new Date(NOW.getTime() - seconds * 1_000);
}

type Partial = Parameters<typeof NodeStatus.fromPartial>[0];
type PartialRouter = NonNullable<Partial['routers']>[number];

export function sampleStatus(router: PartialRouter = {}, rest: Partial = {}): NodeStatus {
  return NodeStatus.fromPartial({
    node: 'base1',
    agentVersion: '0.1.0',
    pid: 42,
    startedAt: secondsAgo(3_725),
    capturedAt: NOW,
    bundle: { generation: 7, hash: 'abcdef0123456789' },
    schedulingLag: { last: { seconds: 0, nanos: 260_000 }, max: { seconds: 0, nanos: 4_211_000 }, timers: 9 },
    controller: { state: 'connected', address: 'ctl:7443', since: secondsAgo(60), error: '' },
    routers: [
      {
        name: 'pg',
        vrid: 10,
        version: 2,
        interface: 'em1',
        state: MemberState.BACKUP,
        since: secondsAgo(12),
        cause: '192.168.1.12 advertises the higher priority 100',
        effectivePriority: 80,
        priorityTerms: [
          { term: 'base', value: 100, reason: 'configured priority' },
          { term: 'check alive', value: -20, reason: 'down, weight -20' },
        ],
        addresses: ['192.168.1.26/24', '192.168.1.27/24'],
        heldAddresses: ['192.168.1.27/24'],
        advertisementInterval: { seconds: 1, nanos: 0 },
        activeAdvertisementInterval: { seconds: 1, nanos: 0 },
        skewTime: { seconds: 0, nanos: 687_500_000 },
        activeDownInterval: { seconds: 3, nanos: 687_500_000 },
        nextDeadline: { seconds: 3, nanos: 0 },
        lease: { seconds: 3, nanos: 0 },
        activeAddress: '192.168.1.12',
        activePriority: 100,
        preempt: true,
        family: 4,
        transport: 'multicast',
        accept: true,
        peers: [
          {
            address: '192.168.1.12',
            priority: 100,
            lastHeard: secondsAgo(0),
            advertisementInterval: { seconds: 1, nanos: 0 },
            advertisements: 12,
          },
        ],
        counters: { 'advertisements-received': 12 },
        ...router,
      },
    ],
    checks: [
      {
        name: 'alive',
        kind: 'exec',
        state: 'down',
        since: secondsAgo(15),
        lastResult: CheckResult.FAILED,
        exitCode: 1,
        lastRun: secondsAgo(1),
        lastDuration: { seconds: 0, nanos: 12_345_000 },
        output: 'connection refused\nsecond line',
        runs: 30,
        skipped: 2,
        consecutive: 4,
      },
    ],
    ...rest,
  });
}
