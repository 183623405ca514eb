/**
 * gRPC's health protocol (grpc.health.v1). The library is loaded by the first such check: a host without one does not
 * pay for it.
 */
import { checkServerIdentity } from 'node:tls';
import type { ChannelCredentials, ServiceError } from '@grpc/grpc-js';
import type { GrpcProbe, ProbeTls } from './check-settings.js';
import { hostPort } from './check-subject.js';
import type { NameLookup } from './host-lookup.js';
import { type Attempt, cannotRun, failing, good, type Verdict } from './run.js';

/** Largest message that is taken; the real one has a few bytes. */
const MESSAGE_LIMIT = 64 * 1024;

type Grpc = typeof import('@grpc/grpc-js');

export function grpcAttempt(probe: GrpcProbe, names: NameLookup): Attempt {
  return async (signal, phase) => {
    const grpc = await import('@grpc/grpc-js');
    const health = await import('../../proto/gen/grpc/health/v1/health.js');
    phase(`looking up ${probe.host}`);
    const addresses = await names.addressesOf(probe.host, signal);
    const target = hostPort(probe.host, probe.port);
    phase(`waiting for the answer of ${target}`);
    let client: InstanceType<typeof health.HealthClient>;
    try {
      client = new health.HealthClient(
        addressUri(addresses, probe.port),
        probe.tls === undefined ? grpc.credentials.createInsecure() : tlsCredentials(grpc, probe.tls, probe.host),
        {
          'grpc.default_authority': target,
          'grpc.enable_http_proxy': 0,
          'grpc.enable_retries': 0,
          'grpc.max_receive_message_length': MESSAGE_LIMIT,
          'grpc.service_config_disable_resolution': 1,
          'grpc.use_local_subchannel_pool': 1,
          ...(probe.tls === undefined ? {} : { 'grpc.ssl_target_name_override': probe.tls.serverName ?? probe.host }),
        },
      );
    } catch (error) {
      return cannotRun(`${target} cannot be asked: ${error instanceof Error ? error.message : String(error)}`);
    }
    return await new Promise<Verdict>((resolve) => {
      const call = client.check({ service: probe.service }, (error, response) => {
        signal.removeEventListener('abort', abort);
        client.close();
        if (error !== null) resolve(failing(errorReason(grpc, error, probe, target)));
        else {
          const status = nameOfStatus(health.HealthCheckResponse_ServingStatus, response.status);
          resolve(
            status === 'SERVING' ? good(status) : failing(`${serviceOf(probe)} at ${target} is ${status}`, status),
          );
        }
      });
      const abort = () => call.cancel();
      signal.addEventListener('abort', abort, { once: true });
      if (signal.aborted) abort();
    });
  };
}

/** All addresses at once, of one family as the scheme wants it; the first one's. */
function addressUri(addresses: readonly { readonly address: string; readonly family: number }[], port: number): string {
  const family = addresses[0]?.family === 6 ? 6 : 4;
  const list = addresses.filter((one) => one.family === family).map(({ address }) => hostPort(address, port));
  return `ipv${family}:${list.join(',')}`;
}

function tlsCredentials(grpc: Grpc, tls: ProbeTls, host: string): ChannelCredentials {
  const identity = tls.serverName ?? host;
  return grpc.credentials.createSsl(tls.ca === undefined ? null : Buffer.from(tls.ca), null, null, {
    checkServerIdentity: (_host, certificate) => checkServerIdentity(identity, certificate),
    rejectUnauthorized: !tls.insecureSkipVerify,
  });
}

function nameOfStatus(statuses: Readonly<Record<string, string | number>>, status: string | number): string {
  for (const [name, value] of Object.entries(statuses)) if (value === status) return name;
  return `status ${status}`;
}

function serviceOf(probe: GrpcProbe): string {
  return probe.service === '' ? 'the server' : `service ${probe.service}`;
}

function errorReason(grpc: Grpc, error: ServiceError, probe: GrpcProbe, target: string): string {
  if (error.code === grpc.status.UNIMPLEMENTED) return `${target} does not speak grpc.health.v1`;
  if (error.code === grpc.status.NOT_FOUND) return `${target} does not know the service ${probe.service}`;
  if (error.code === grpc.status.UNAVAILABLE) {
    if (error.details.includes('ECONNREFUSED')) return `connection refused by ${target}`;
    return `${target} is unavailable: ${error.details}`;
  }
  const code = grpc.status[error.code] ?? `code ${error.code}`;
  return `${target} answered ${code}: ${error.details}`;
}
