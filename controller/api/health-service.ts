/** grpc.health.v1: the whole server under the empty name, and each service. All are as well as the process is. */
import type { HealthServer } from '../../proto/gen/grpc/health/v1/health.js';
import { HealthCheckResponse_ServingStatus as ServingStatus } from '../../proto/gen/grpc/health/v1/health.js';
import type { Logger } from '../../proto/process/logger.js';
import { CallError } from './call-error.js';
import { unary } from './unary.js';

/** @param services Full names. @param stopping Aborted when the controller begins to stop. */
export function healthService(services: readonly string[], stopping: AbortSignal, log: Logger): HealthServer {
  const known = new Set(['', ...services]);
  const serving = (): ServingStatus => (stopping.aborted ? ServingStatus.NOT_SERVING : ServingStatus.SERVING);
  return {
    check: unary(log, async ({ service }) => {
      if (!known.has(service)) throw new CallError('not-found', `there is no service ${service.slice(0, 200)}`);
      return { status: serving() };
    }),
    list: unary(log, async () => ({
      statuses: Object.fromEntries([...known].map((name) => [name, { status: serving() }])),
    })),
    watch: (call) => {
      if (!known.has(call.request.service)) {
        // The contract: an unknown service is answered, and the stream stays open.
        call.write({ status: ServingStatus.SERVICE_UNKNOWN });
        return;
      }
      call.write({ status: serving() });
      const stop = (): void => {
        call.write({ status: serving() });
        call.end();
      };
      stopping.addEventListener('abort', stop, { once: true });
      call.once('cancelled', () => stopping.removeEventListener('abort', stop));
    },
  };
}
