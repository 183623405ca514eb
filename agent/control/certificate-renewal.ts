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
 * @throws ServiceError, IdentityError
 */
export async function renewIdentity(client: AgentServiceClient, identity: NodeIdentity): Promise<NodeIdentity> {
  const { privateKeyPem, requestPem } = await createKeyAndRequest(identity.node.slice(0, 64));
  const { certificate } = await callRenew(client, requestPem);
  const issued = new X509Certificate(certificate);
  const own = createPublicKey(privateKeyPem).export({ type: 'spki', format: 'der' });
  if (!issued.publicKey.export({ type: 'spki', format: 'der' }).equals(own)) {
    throw new IdentityError('the controller certified another key than the one it was sent');
  }
  return { ...identity, certificate, privateKey: privateKeyPem };
}

function callRenew(client: AgentServiceClient, certificateRequest: string): Promise<RenewCertificateResponse> {
  return new Promise((resolve, reject) => {
    const deadline = Date.now() + RENEW_WITHIN_MS;
    client.renewCertificate(
      { certificateRequest },
      new Metadata(),
      { deadline },
      (error: ServiceError | null, answer) => {
        if (error === null) resolve(answer);
        else reject(error);
      },
    );
  });
}
