/**
 * Makes certificates: the one place that uses a certificate library. All keys are P-256, all signatures
 * ecdsa-with-SHA256.
 */
import 'reflect-metadata';
import { createPublicKey, type KeyObject, randomBytes, webcrypto } from 'node:crypto';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  type JsonGeneralNames,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/** Who signs. */
export interface Issuer {
  /** PEM. */
  readonly certificate: string;
  readonly privateKey: KeyObject;
  /** Distinguished name of the issuer's subject, such as "CN=Baton CA 1f2e". */
  readonly name: string;
}

export interface LeafRequest {
  /** DER, SubjectPublicKeyInfo. */
  readonly publicKey: Uint8Array;
  readonly commonName: string;
  readonly alternativeNames: JsonGeneralNames;
  readonly usage: 'client' | 'server';
  readonly notBefore: Date;
  readonly notAfter: Date;
}

export interface MadeCertificate {
  readonly pem: string;
  /** Lower-case hexadecimal. */
  readonly serial: string;
}

/** A self-signed authority that may sign end certificates only. */
export async function makeAuthorityCertificate(
  privateKey: KeyObject,
  publicKey: Uint8Array,
  commonName: string,
  notBefore: Date,
  notAfter: Date,
): Promise<MadeCertificate> {
  const publicCryptoKey = await importPublicKey(publicKey);
  const serial = newSerial();
  const certificate = await X509CertificateGenerator.create(
    {
      serialNumber: serial,
      subject: `CN=${commonName}`,
      issuer: `CN=${commonName}`,
      notBefore,
      notAfter,
      signingAlgorithm: ALGORITHM,
      publicKey: publicCryptoKey,
      signingKey: await importPrivateKey(privateKey),
      extensions: [
        new BasicConstraintsExtension(true, 0, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
        await SubjectKeyIdentifierExtension.create(publicCryptoKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return { pem: `${certificate.toString('pem')}\n`, serial };
}

/** A certificate for a server or a client, never for an authority. */
export async function makeLeafCertificate(issuer: Issuer, request: LeafRequest): Promise<MadeCertificate> {
  const publicCryptoKey = await importPublicKey(request.publicKey);
  const issuerPublicKey = await importPublicKey(publicKeyOf(issuer.privateKey));
  const serial = newSerial();
  const extensions: Extension[] = [
    new BasicConstraintsExtension(false, undefined, true),
    new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
    new ExtendedKeyUsageExtension([
      request.usage === 'client' ? ExtendedKeyUsage.clientAuth : ExtendedKeyUsage.serverAuth,
    ]),
    new SubjectAlternativeNameExtension(request.alternativeNames),
    await SubjectKeyIdentifierExtension.create(publicCryptoKey, false, webcrypto),
    await AuthorityKeyIdentifierExtension.create(issuerPublicKey, false, webcrypto),
  ];
  const certificate = await X509CertificateGenerator.create(
    {
      serialNumber: serial,
      // As a structure: nothing in a name separates attributes.
      subject: [{ CN: [request.commonName] }],
      issuer: issuer.name,
      notBefore: request.notBefore,
      notAfter: request.notAfter,
      signingAlgorithm: ALGORITHM,
      publicKey: publicCryptoKey,
      signingKey: await importPrivateKey(issuer.privateKey),
      extensions,
    },
    webcrypto,
  );
  return { pem: `${certificate.toString('pem')}\n`, serial };
}

/** RFC 5280 section 4.1.2.2: positive, at most 20 octets, unique. */
function newSerial(): string {
  const bytes = randomBytes(16);
  // First bit clear: positive. Second set: never begins with a zero octet, so every library prints the same digits.
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString('hex');
}

function importPrivateKey(privateKey: KeyObject): Promise<webcrypto.CryptoKey> {
  const der = privateKey.export({ type: 'pkcs8', format: 'der' });
  return webcrypto.subtle.importKey('pkcs8', der, ALGORITHM, false, ['sign']);
}

function importPublicKey(spki: Uint8Array): Promise<webcrypto.CryptoKey> {
  return webcrypto.subtle.importKey('spki', spki, ALGORITHM, true, ['verify']);
}

/** DER, SubjectPublicKeyInfo, of a private key. */
export function publicKeyOf(privateKey: KeyObject): Uint8Array {
  return createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
}
