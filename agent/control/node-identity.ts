/**
 * Who this host is to its controllers: key and certificate, their authority, where they are. Kept in the state
 * directory, readable by its owner only; key and certificate in one file, so that they fit each other whatever dies when.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { writeFileDurably } from '../../proto/process/durable-file.js';
import { makePrivateDirectory, unsafeDirectory } from '../../proto/process/private-directory.js';

export interface NodeIdentity {
  /** Name of the node. */
  readonly node: string;
  /** PEM. */
  readonly certificate: string;
  /** PKCS #8, PEM. */
  readonly privateKey: string;
  /** PEM, the controllers' authority. */
  readonly ca: string;
  /** HOST:PORT. */
  readonly controllers: readonly string[];
}

/** When a certificate is good, in milliseconds of Unix time. */
export interface Validity {
  readonly from: number;
  readonly to: number;
}

/** What is stored cannot be read, is damaged, or cannot be written. */
export class IdentityError extends Error {
  override readonly name = 'IdentityError';
  readonly code = 'identity-unusable';
}

const DIRECTORY = 'identity';
const NODE_FILE = 'node.pem';
const AUTHORITY_FILE = 'ca.pem';
const PLACE_FILE = 'controllers.json';

/** Another text whenever another identity was written; empty: this host has not joined. Reads nothing. */
export function identityStamp(stateDir: string): string {
  const stat = statSync(path.join(stateDir, DIRECTORY, NODE_FILE), { throwIfNoEntry: false });
  return stat === undefined ? '' : `${stat.ino} ${stat.mtimeMs}`;
}

/** undefined: this host has not joined. @throws IdentityError */
export function readIdentity(stateDir: string): NodeIdentity | undefined {
  const directory = path.join(stateDir, DIRECTORY);
  try {
    const pem = readFileSync(path.join(directory, NODE_FILE), 'utf8');
    const ca = readFileSync(path.join(directory, AUTHORITY_FILE), 'utf8');
    const place: unknown = JSON.parse(readFileSync(path.join(directory, PLACE_FILE), 'utf8'));
    const identity = { ...parsePlace(place), ...parseNodeFile(pem), ca };
    assertFits(identity);
    return identity;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    const why = (error as Error).message;
    throw new IdentityError(
      `cannot read this host's identity in ${directory}: ${why}; "baton-agent join" makes a new one`,
      {
        cause: error,
      },
    );
  }
}

/** Fails early when nothing could be stored, before a token is spent. @throws IdentityError */
export function prepareIdentity(stateDir: string): void {
  const directory = path.join(stateDir, DIRECTORY);
  try {
    makePrivateDirectory(directory);
    const unsafe = unsafeDirectory(stateDir) ?? unsafeDirectory(directory);
    if (unsafe !== undefined) throw new IdentityError(unsafe);
    const trial = path.join(directory, '.trial');
    writeFileDurably(trial, '', { mode: 0o600 });
    rmSync(trial);
  } catch (error) {
    throw new IdentityError(`cannot write to ${directory}: ${(error as Error).message}`, { cause: error });
  }
}

/** Key and certificate last: with them the identity is complete. @throws IdentityError */
export function writeIdentity(stateDir: string, identity: NodeIdentity): void {
  const directory = path.join(stateDir, DIRECTORY);
  const { node, controllers } = identity;
  try {
    assertFits(identity);
    makePrivateDirectory(directory);
    writeFileDurably(path.join(directory, AUTHORITY_FILE), identity.ca, { mode: 0o600 });
    writeFileDurably(path.join(directory, PLACE_FILE), `${JSON.stringify({ node, controllers })}\n`, { mode: 0o600 });
    writeFileDurably(path.join(directory, NODE_FILE), identity.privateKey + identity.certificate, { mode: 0o600 });
  } catch (error) {
    throw new IdentityError(`cannot store this host's identity in ${directory}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

export function validityOf(certificate: string): Validity {
  const parsed = new X509Certificate(certificate);
  return { from: Date.parse(parsed.validFrom), to: Date.parse(parsed.validTo) };
}

/** Certificate of the key, and issued by the authority? */
function assertFits({ certificate, privateKey, ca }: NodeIdentity): void {
  const parsed = new X509Certificate(certificate);
  const authority = new X509Certificate(ca);
  if (!parsed.checkPrivateKey(createPrivateKey(privateKey)))
    throw new IdentityError('the certificate is for another key');
  if (!parsed.checkIssued(authority) || !parsed.verify(authority.publicKey)) {
    throw new IdentityError('the certificate is not from the stored authority');
  }
}

function parseNodeFile(pem: string): Pick<NodeIdentity, 'certificate' | 'privateKey'> {
  const privateKey = /-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----\n/.exec(pem)?.[0];
  const certificate = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n/.exec(pem)?.[0];
  if (privateKey === undefined || certificate === undefined) throw new IdentityError(`${NODE_FILE} is damaged`);
  return { certificate, privateKey };
}

function parsePlace(place: unknown): Pick<NodeIdentity, 'node' | 'controllers'> {
  if (typeof place === 'object' && place !== null && 'node' in place && 'controllers' in place) {
    const { node, controllers } = place;
    if (typeof node === 'string' && Array.isArray(controllers)) return { node, controllers: controllers.map(String) };
  }
  throw new IdentityError(`${PLACE_FILE} is damaged`);
}
