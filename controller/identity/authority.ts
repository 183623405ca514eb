/**
 * The controller's own certificate authority. Its key never leaves the data directory; everybody who talks to the
 * controller was given a certificate by it.
 */
import { createHash, createPrivateKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import path from 'node:path';
import { spkiPin } from '../../proto/process/certificate-pin.js';
import { writeFileDurably } from '../../proto/process/durable-file.js';
import { type Issuer, makeAuthorityCertificate, makeLeafCertificate, publicKeyOf } from './certificate-maker.js';
import { identityUri, type Role } from './peer-certificate.js';

const DAY_MS = 24 * 3_600_000;

/** Clocks of hosts may be this far behind ours and still take a fresh certificate, in milliseconds. */
const CLOCK_TOLERANCE_MS = 5 * 60_000;
const AUTHORITY_LIFETIME_MS = 3650 * DAY_MS;
const SERVER_LIFETIME_MS = 90 * DAY_MS;
const OPERATOR_LIFETIME_MS = 365 * DAY_MS;

/** Name of the key file in the data directory. */
export const AUTHORITY_KEY_FILE = 'ca.key';
const AUTHORITY_CERTIFICATE_FILE = 'ca.pem';

/** The authority is missing, unreadable or damaged. */
export class AuthorityError extends Error {
  override readonly name = 'AuthorityError';
  readonly code = 'authority-unusable';
}

/** A certificate as it was issued. */
export interface IssuedCertificate {
  /** PEM. */
  readonly certificate: string;
  /** Lower-case hexadecimal. */
  readonly serial: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

export interface IssuedIdentity extends IssuedCertificate {
  /** PKCS #8, PEM. */
  readonly privateKey: string;
}

export class Authority {
  /** PEM. */
  readonly certificatePem: string;
  readonly certificate: X509Certificate;
  /** "sha256:HEX" of the public key. */
  readonly pin: string;
  readonly #issuer: Issuer;

  private constructor(certificatePem: string, privateKey: KeyObject) {
    this.certificatePem = certificatePem;
    this.certificate = new X509Certificate(certificatePem);
    this.pin = spkiPin(this.certificate);
    this.#issuer = { certificate: certificatePem, privateKey, name: this.certificate.subject };
  }

  static exists(dataDir: string): boolean {
    return existsSync(path.join(dataDir, AUTHORITY_CERTIFICATE_FILE));
  }

  /** Makes the authority's key (0600) and certificate. Never replaces one. */
  static async create(dataDir: string, now: Date): Promise<Authority> {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const publicKey = publicKeyOf(privateKey);
    // Part of the key's hash in the name: two authorities of one operator can be told apart.
    const label = createHash('sha256').update(publicKey).digest('hex').slice(0, 8);
    const notBefore = new Date(now.getTime() - CLOCK_TOLERANCE_MS);
    const notAfter = new Date(now.getTime() + AUTHORITY_LIFETIME_MS);
    const made = await makeAuthorityCertificate(privateKey, publicKey, `Baton CA ${label}`, notBefore, notAfter);
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
    if (Authority.exists(dataDir)) throw new AuthorityError(`${dataDir} has an authority already`);
    // The certificate last: with it, the authority exists.
    writeFileDurably(path.join(dataDir, AUTHORITY_KEY_FILE), pem, { mode: 0o600 });
    writeFileDurably(path.join(dataDir, AUTHORITY_CERTIFICATE_FILE), made.pem, { mode: 0o644 });
    return new Authority(made.pem, privateKey);
  }

  /** @throws AuthorityError */
  static load(dataDir: string): Authority {
    const certificateFile = path.join(dataDir, AUTHORITY_CERTIFICATE_FILE);
    const keyFile = path.join(dataDir, AUTHORITY_KEY_FILE);
    try {
      const privateKey = createPrivateKey(readFileSync(keyFile));
      const authority = new Authority(readFileSync(certificateFile, 'utf8'), privateKey);
      if (!authority.certificate.checkPrivateKey(privateKey)) {
        throw new AuthorityError(`${keyFile} is not the key of ${certificateFile}`);
      }
      return authority;
    } catch (error) {
      if (error instanceof AuthorityError) throw error;
      const why = (error as Error).message;
      throw new AuthorityError(`cannot read the certificate authority in ${dataDir}: ${why}`, { cause: error });
    }
  }

  /** For our own port. @param names DNS names and IP addresses under which clients reach it. */
  issueServer(names: readonly string[], now: Date): Promise<IssuedIdentity> {
    return this.#issueWithKey(now, SERVER_LIFETIME_MS, (publicKey, notBefore, notAfter) => ({
      publicKey,
      commonName: 'Baton controller',
      alternativeNames: names.map((name) =>
        isIP(name) === 0 ? { type: 'dns' as const, value: name } : { type: 'ip' as const, value: name },
      ),
      usage: 'server',
      notBefore,
      notAfter,
    }));
  }

  /** For a person or program that operates. @param id UUID; @param name for display. */
  issueOperator(id: string, name: string, now: Date): Promise<IssuedIdentity> {
    return this.#issueWithKey(now, OPERATOR_LIFETIME_MS, (publicKey, notBefore, notAfter) =>
      clientRequest('operator', id, name, publicKey, notBefore, notAfter),
    );
  }

  /** For a node that made its own key. @param publicKey DER, SubjectPublicKeyInfo, P-256. */
  async issueNode(
    id: string,
    name: string,
    publicKey: Uint8Array,
    lifetimeMs: number,
    now: Date,
  ): Promise<IssuedCertificate> {
    const notBefore = new Date(now.getTime() - CLOCK_TOLERANCE_MS);
    const notAfter = new Date(now.getTime() + lifetimeMs);
    const request = clientRequest('agent', id, name, publicKey, notBefore, notAfter);
    const { pem, serial } = await makeLeafCertificate(this.#issuer, request);
    return { certificate: pem, serial, notBefore, notAfter };
  }

  async #issueWithKey(
    now: Date,
    lifetimeMs: number,
    request: (publicKey: Uint8Array, notBefore: Date, notAfter: Date) => Parameters<typeof makeLeafCertificate>[1],
  ): Promise<IssuedIdentity> {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const notBefore = new Date(now.getTime() - CLOCK_TOLERANCE_MS);
    const notAfter = new Date(now.getTime() + lifetimeMs);
    const { pem, serial } = await makeLeafCertificate(
      this.#issuer,
      request(publicKeyOf(privateKey), notBefore, notAfter),
    );
    const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    return { certificate: pem, privateKey: key, serial, notBefore, notAfter };
  }
}

function clientRequest(
  role: Role,
  id: string,
  name: string,
  publicKey: Uint8Array,
  notBefore: Date,
  notAfter: Date,
): Parameters<typeof makeLeafCertificate>[1] {
  return {
    publicKey,
    commonName: name,
    alternativeNames: [{ type: 'url', value: identityUri(role, id) }],
    usage: 'client',
    notBefore,
    notAfter,
  };
}
