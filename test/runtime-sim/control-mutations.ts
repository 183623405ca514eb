/** Faults of the agent's control side: what is pushed, reported and stored. The simulation must notice every one. */
import type { BundlePush } from '../../proto/gen/baton/v1/agent_service.js';
import { MemberState } from '../../proto/gen/baton/v1/status.js';
import type { AgentSpoils } from './controlled-agent.js';

/** Made anew for each host of each run, since some of them remember. */
export const CONTROL_MUTATIONS: Readonly<Record<string, () => AgentSpoils>> = {
  'an older configuration is put in force after the newer one': () => {
    let before: BundlePush | undefined;
    return {
      pushes: (push) => {
        const older = before;
        before = push;
        return older ?? push;
      },
    };
  },
  'a configuration is accepted and not put in force': () => ({
    pushes: (push, present) => (present === undefined ? push : 'accept'),
  }),
  'a configuration is refused for ever': () => ({
    pushes: (push, present) => (present === undefined ? push : undefined),
  }),
  'changes of state are never reported': () => ({ status: (status, full) => (full ? status : undefined) }),
  'backups are not reported': () => ({
    status: (status) => ({ ...status, routers: status.routers.filter(({ state }) => state !== MemberState.BACKUP) }),
  }),
  'every router is reported as active': () => ({
    status: (status) => ({
      ...status,
      routers: status.routers.map((router) => ({ ...router, state: MemberState.ACTIVE })),
    }),
  }),
  'what is in force is not on disk': () => ({ disk: 'forgets' }),
};
