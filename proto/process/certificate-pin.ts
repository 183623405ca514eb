/** Pins: naming a key so that one certificate authority cannot be taken for another. */
import { createHash, type KeyObject, X509Certificate } from 'node:crypto';

/**
 * "sha256:" and the lower-case hexadecimal SHA-256 of a certificate's SubjectPublicKeyInfo (DER).
 * @param certificate PEM text or DER bytes of a certificate, or an already parsed one. Throws on anything else.
 */
export function spkiPin(certificate: string | Uint8Array | X509Certificate): string {
  const parsed = certificate instanceof X509Certificate ? certificate : new X509Certificate(certificate);
  return publicKeyPin(parsed.publicKey);
}

/** The same for a bare public key. */
export function publicKeyPin(publicKey: KeyObject): string {
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  return `sha256:${createHash('sha256').update(spki).digest('hex')}`;
}

/** Canonical form of a pin as somebody typed it (upper case and blanks around it are fine); undefined if it is none. */
export function parsePin(text: string): string | undefined {
  const pin = text.trim().toLowerCase();
  return /^sha256:[0-9a-f]{64}$/.test(pin) ? pin : undefined;
}
