/** ResourceService: translates between gRPC and the declarations. */
import type { ResourceServiceServer } from '../../proto/gen/baton/v1/resource_service.js';
import type { Logger } from '../../proto/process/logger.js';
import type { Gate } from '../identity/gate.js';
import type { Caller } from '../identity/peer-certificate.js';
import { listResources, withoutSecrets } from '../inventory/inventory.js';
import { keyOf } from '../inventory/resource-key.js';
import { CallError } from './call-error.js';
import type { Declarations } from './declarations.js';
import { unary } from './unary.js';

export function resourceService(gate: Gate, declarations: Declarations, log: Logger): ResourceServiceServer {
  return {
    apply: unary(log, (request, call) => declarations.apply(request, actorOf(gate.callerOf(call)))),
    deleteResource: unary(log, (request, call) => declarations.remove(request, actorOf(gate.callerOf(call)))),
    getResource: unary(log, async (request) => {
      const { kind, name } = declarations.reference(request.resource);
      const resource = declarations.current.inventory.get(keyOf(kind, name));
      if (resource === undefined) throw new CallError('not-found', `there is no ${kind} ${name}`);
      return { resource: withoutSecrets(resource) };
    }),
    listResources: unary(log, async (request) => {
      const { generation, inventory } = declarations.current;
      const kind = request.kind === '' ? '' : declarations.kind(request.kind);
      return { generation, resources: listResources(inventory, kind, request.labels) };
    }),
  };
}

/** For the history: "operator NAME (UUID)". */
function actorOf(caller: Caller): string {
  return `${caller.role} ${caller.name} (${caller.id})`;
}
