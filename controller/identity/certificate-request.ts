/** Certificate requests of nodes. Only the key counts: subject and extensions are read by nobody. */
import 'reflect-metadata';
import { createPublicKey, webcrypto } from 'node:crypto';
import { Pkcs10CertificateRequest } from '@peculiar/x509';

/** Longest request that is looked at, in characters of PEM. One for P-256 has about 450. */
const MAX_LENGTH = 8_192;

export type RequestVerdict =
  | { readonly ok: true /** DER, SubjectPublicKeyInfo. */; readonly publicKey: Uint8Array }
  | { readonly ok: false /** A phrase that completes "the certificate request ...". */; readonly reason: string };

/** Takes the key from a request whose signature proves that the sender has its private half. P-256 only. */
export async function judgeCertificateRequest(pem: string): Promise<RequestVerdict> {
  if (pem.length > MAX_LENGTH) return { ok: false, reason: `is longer than ${MAX_LENGTH} characters` };
  let request: Pkcs10CertificateRequest;
  let publicKey: Uint8Array;
  try {
    request = new Pkcs10CertificateRequest(pem);
    publicKey = new Uint8Array(request.publicKey.rawData);
    const key = createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' });
    if (key.asymmetricKeyType !== 'ec' || key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
      return { ok: false, reason: 'is not for a P-256 key' };
    }
    // The canonical form: no other encoding of the key gets into a certificate.
    publicKey = key.export({ type: 'spki', format: 'der' });
  } catch {
    return { ok: false, reason: 'is not a PKCS #10 request in PEM' };
  }
  try {
    if (!(await request.verify(webcrypto))) return { ok: false, reason: 'has a wrong signature' };
  } catch {
    return { ok: false, reason: 'has a signature that cannot be checked' };
  }
  return { ok: true, publicKey };
}
