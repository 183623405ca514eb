/**
 * Who is calling, from the certificate alone. TLS has checked the chain already; everything is checked here again, so
 * that a mistake in how TLS is set up lets nobody in.
 */
import { X509Certificate } from 'node:crypto';

export type Role = 'agent' | 'operator';

/** A caller whose certificate is good. */
export interface Caller {
  readonly role: Role;
  /** UUID of the node or operator. */
  readonly id: string;
  /** Common name; for display only. */
  readonly name: string;
  /** Lower-case hexadecimal. */
  readonly serial: string;
  /** When the certificate ends, in milliseconds of Unix time. */
  readonly expiresAt: number;
}

export type CertificateFault =
  | 'not-a-certificate'
  | 'foreign-issuer'
  | 'not-yet-valid'
  | 'expired'
  | 'is-authority'
  | 'wrong-key-usage'
  | 'no-identity'
  | 'revoked';

export type PeerVerdict =
  | { readonly ok: true; readonly caller: Caller }
  | { readonly ok: false; readonly fault: CertificateFault };

export interface PeerContext {
  readonly authority: X509Certificate;
  readonly isRevoked: (serial: string, subject: string) => boolean;
  /** Milliseconds of Unix time. */
  readonly now: number;
}

/** The URI in a client's certificate that says who it is. */
export function identityUri(role: Role, id: string): string {
  return `spiffe://baton/${role}/${id}`;
}

const CLIENT_AUTHENTICATION = '1.3.6.1.5.5.7.3.2';

/** The whole of the alternative names: exactly one, a URI as identityUri makes it. */
const IDENTITY = /^URI:spiffe:\/\/baton\/(agent|operator)\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/** @param raw DER of the certificate that the peer showed in the TLS handshake. */
export function judgePeer(raw: Uint8Array, context: PeerContext): PeerVerdict {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(raw);
  } catch {
    return { ok: false, fault: 'not-a-certificate' };
  }
  const { authority, now } = context;
  if (!certificate.checkIssued(authority) || !certificate.verify(authority.publicKey)) {
    return { ok: false, fault: 'foreign-issuer' };
  }
  if (now < Date.parse(certificate.validFrom)) return { ok: false, fault: 'not-yet-valid' };
  const expiresAt = Date.parse(certificate.validTo);
  // Written this way round so that a date that cannot be read counts as past.
  if (!(now <= expiresAt)) return { ok: false, fault: 'expired' };
  if (certificate.ca) return { ok: false, fault: 'is-authority' };
  // Node's types call the list of extended key usages keyUsage, and it is undefined without the extension.
  const usages: readonly string[] | undefined = certificate.keyUsage;
  if (usages?.length !== 1 || usages[0] !== CLIENT_AUTHENTICATION) return { ok: false, fault: 'wrong-key-usage' };
  const identity = IDENTITY.exec(certificate.subjectAltName ?? '');
  const role = identity?.[1];
  const id = identity?.[2];
  if ((role !== 'agent' && role !== 'operator') || id === undefined) return { ok: false, fault: 'no-identity' };
  const serial = certificate.serialNumber.toLowerCase();
  if (context.isRevoked(serial, id)) return { ok: false, fault: 'revoked' };
  const name = /^CN=(.*)$/m.exec(certificate.subject)?.[1] ?? '';
  return { ok: true, caller: { role, id, name, serial, expiresAt } };
}
