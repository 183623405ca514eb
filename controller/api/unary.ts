/** Promises to gRPC's callbacks, for calls with one request and one answer. */
import type { handleUnaryCall, ServerUnaryCall } from '@grpc/grpc-js';
import type { Logger } from '../../proto/process/logger.js';
import { toCallStatus } from './call-error.js';

export function unary<Request, Response>(
  log: Logger,
  work: (request: Request, call: ServerUnaryCall<Request, Response>) => Promise<Response>,
): handleUnaryCall<Request, Response> {
  return (call, callback) => {
    // Begun inside a promise, so that what is thrown at once is handled like what is thrown later.
    Promise.resolve()
      .then(() => work(call.request, call))
      .then(
        (response) => callback(null, response),
        (error: unknown) => callback(toCallStatus(error, log)),
      );
  };
}
