/** Nodes as they report themselves, behind a controller made of functions. */
import { status } from '@grpc/grpc-js';
import { CheckResult, MemberState } from '../../proto/gen/baton/v1/status.js';
import {
  type GetNodeStatusRequest,
  GetNodeStatusResponse,
  GetStatusResponse,
} from '../../proto/gen/baton/v1/status_service.js';
import { CallRefusal, NOON } from './fake-controller.js';

export type NodeInit = Parameters<typeof GetNodeStatusResponse.fromPartial>[0];

export const check = (name: string, more: object = {}) => ({
  name,
  kind: 'exec',
  subject: `/checks/${name}`,
  state: 'up',
  lastResult: CheckResult.OK,
  since: new Date(NOON - 60_000),
  lastRun: new Date(NOON - 1_000),
  lastDuration: { seconds: 0, nanos: 5_000_000 },
  runs: 60,
  ...more,
});
export const DOWN = { state: 'down', lastResult: CheckResult.FAILED, exitCode: 2, output: 'refused' };

export function node(
  name: string,
  base: number,
  state: MemberState,
  checks: readonly object[],
  connected = true,
): NodeInit {
  return {
    connected,
    lastSeen: new Date(NOON - 300_000),
    status: {
      node: name,
      checks: [...checks],
      routers: [
        {
          name: 'pg',
          state,
          preempt: true,
          priorityTerms: [{ term: 'base', value: base }],
          effectivePriority: base,
          tracks: [{ subject: 'check alive', state: 'up', weight: -60 }],
        },
      ],
    },
  };
}

export function answersOf(nodes: Readonly<Record<string, NodeInit>>) {
  const names = ['base1', 'base2', 'base3'];
  return {
    getStatus: () =>
      GetStatusResponse.fromPartial({
        status: {
          capturedAt: new Date(NOON),
          routers: [
            {
              name: 'pg',
              members: names.map((name) => ({
                node: name,
                state: name === 'base1' ? MemberState.ACTIVE : MemberState.BACKUP,
              })),
            },
          ],
          nodes: Object.keys(nodes).map((name) => ({ name })),
        },
      }),
    getNodeStatus: ({ node: name }: GetNodeStatusRequest) => {
      const found = nodes[name];
      if (found === undefined) throw new CallRefusal(status.NOT_FOUND, `there is no node ${name}`);
      return GetNodeStatusResponse.fromPartial(found);
    },
  };
}
