import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { MemberState } from '../../proto/gen/baton/v1/status.js';
import { ClusterStatus, GetStatusResponse } from '../../proto/gen/baton/v1/status_service.js';
import {
  type Answers,
  contextFor,
  FakeController,
  makeDesk,
  NOON,
  type Run,
  type RunOptions,
  run,
} from './fake-controller.js';

export interface Bench {
  readonly fake: FakeController & { port: number };
  readonly directory: string;
  readonly ctl: (...args: string[]) => Promise<Run>;
  readonly with: (options: Partial<RunOptions>, ...args: string[]) => Promise<Run>;
  readonly file: (name: string, text: string) => string;
}

export async function bench(context: TestContext, answers: Answers = {}): Promise<Bench> {
  const fake = await FakeController.start(context);
  fake.answers = answers;
  const directory = makeDesk(context, [contextFor(fake, fake.port)]);
  return {
    fake,
    directory,
    ctl: (...args) => run(args, { directory }),
    with: (options, ...args) => run(args, { directory, ...options }),
    file(name, text) {
      const file = path.join(directory, name);
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, text);
      return file;
    },
  };
}

export const CHECK = `apiVersion: baton/v1
kind: Check
metadata: {name: pg-alive}
spec:
  exec: {command: [/usr/local/bin/check.sh]}
  interval: 10s
`;

export function cluster(more: Partial<ClusterStatus> = {}): ClusterStatus {
  return ClusterStatus.fromPartial({
    capturedAt: new Date(NOON),
    generation: 7,
    routers: [
      {
        name: 'pg',
        vrid: 10,
        addresses: ['192.0.2.1'],
        members: [
          {
            node: 'base1',
            state: MemberState.ACTIVE,
            reported: true,
            connected: true,
            holdsAddresses: true,
            cause: 'alone',
          },
        ],
      },
    ],
    nodes: [
      {
        name: 'base1',
        connected: true,
        lastSeen: new Date(NOON),
        agentVersion: '0.1.0',
        remoteAddress: '192.0.2.9:1234',
        bundleInForce: { generation: 7, hash: 'aa' },
        bundleWanted: { generation: 7, hash: 'aa' },
        certificateExpiresAt: new Date(NOON + 86_400_000),
      },
    ],
    ...more,
  });
}

export const getStatus = () => GetStatusResponse.fromPartial({ status: cluster() });
