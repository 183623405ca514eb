/** AgentService: translates between gRPC and enrolment and the hub. */
import { status } from '@grpc/grpc-js';
import type { AgentServiceServer } from '../../proto/gen/baton/v1/agent_service.js';
import type { Logger } from '../../proto/process/logger.js';
import type { AgentHub } from '../agents/agent-hub.js';
import type { Gate } from '../identity/gate.js';
import type { Enrolment } from './enrolment.js';
import { unary } from './unary.js';

export function agentService(gate: Gate, enrolment: Enrolment, hub: AgentHub, log: Logger): AgentServiceServer {
  return {
    enroll: unary(log, (request) => enrolment.enrol(request)),
    renewCertificate: unary(log, (request, call) => enrolment.renew(request, gate.callerOf(call))),
    session: (call) => {
      if (hub.attach(call, gate.callerOf(call))) return;
      const details = 'this identity is no node of this controller any more; join again with a new token';
      call.emit('error', { code: status.UNAUTHENTICATED, details, metadata: null });
    },
  };
}
