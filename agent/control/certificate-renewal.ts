/** A fresh key and certificate over the present one, well before it ends. */
import { createPublicKey, X509Certificate } from 'node:crypto';
import { Metadata, type ServiceError } from '@grpc/grpc-js';
import type { AgentServiceClient, RenewCertificateResponse } from '../../proto/gen/baton/v1/agent_service.js';
import { createKeyAndRequest } from '../../proto/process/certificate-request.js';
import { IdentityError, type NodeIdentity, type Validity } from './node-identity.js';

const RENEW_WITHIN_MS = 20_000;

/**
 * When to renew: after two thirds of the life, spread over another twentieth, so that nodes that joined together do
 * not renew together.
 * @param random Uniform in [0, 1).
 * @returns milliseconds of Unix time
 */
export function renewalDue({ from, to }: Validity, random: number): number {
  return from + (to - from) * (2 / 3 + random / 20);
}

/**
 * The identity with a new key and certificate; nothing is stored.
 *
 * @param abandoned aborted when the answer is of no use any more; rejects with CANCELLED then
 * @throws ServiceError, IdentityError
 */
export async function renewIdentity(
  client: AgentServiceClient,
  identity: NodeIdentity,
  abandoned: AbortSignal,
): Promise<NodeIdentity> {
  const { privateKeyPem, requestPem } = await createKeyAndRequest(identity.node.slice(0, 64));
  const { certificate } = await callRenew(client, requestPem, abandoned);
  const issued = new X509Certificate(certificate);
  const own = createPublicKey(privateKeyPem).export({ type: 'spki', format: 'der' });
  if (!issued.publicKey.export({ type: 'spki', format: 'der' }).equals(own)) {
    throw new IdentityError('the controller certified another key than the one it was sent');
  }
  return { ...identity, certificate, privateKey: privateKeyPem };
}

function callRenew(
  client: AgentServiceClient,
  certificateRequest: string,
  abandoned: AbortSignal,
): Promise<RenewCertificateResponse> {
  return new Promise((resolve, reject) => {
    const deadline = Date.now() + RENEW_WITHIN_MS;
    const cancel = (): void => call.cancel();
    const call = client.renewCertificate(
      { certificateRequest },
      new Metadata(),
      { deadline },
      (error: ServiceError | null, answer) => {
        abandoned.removeEventListener('abort', cancel);
        if (error === null) resolve(answer);
        else reject(error);
      },
    );
    abandoned.addEventListener('abort', cancel);
    // It may have been while the key was made.
    if (abandoned.aborted) cancel();
  });
}
