/**
 * "baton-controller init": makes the authority, the key for secrets, the database and the first operator's
 * credential. Run again it keeps the authority and everything stored, and renews what can be renewed: the names in the
 * server's certificate and the operator's credential.
 */
import { randomUUID } from 'node:crypto';
import { chmodSync, existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { ClientConfig } from '../../proto/gen/baton/v1/config.js';
import { messageToPlain, renderYaml } from '../../proto/manifest/index.js';
import { writeFileDurably } from '../../proto/process/durable-file.js';
import { makePrivateDirectory } from '../../proto/process/private-directory.js';
import { DATABASE_FILE, openStore } from '../store/database.js';
import { insertCertificate } from '../store/node-store.js';
import { createSealKey, KEY_FILE } from '../store/sealed-box.js';
import { AUTHORITY_KEY_FILE, Authority } from './authority.js';
import { decideEndpoint, readEndpoint, writeEndpoint } from './endpoint-names.js';
import { renewServerIdentity } from './server-identity.js';

/** Name of the operator's context file in the data directory. */
const OPERATOR_FILE = 'operator.yaml';

export interface InitOptions {
  readonly dataDir: string;
  /** HOST or HOST:PORT under which clients reach the controller. Empty: as before, or what the host has. */
  readonly advertise: readonly string[];
  readonly now: Date;
}

export interface InitResult {
  /** False: the authority was there already and was kept. */
  readonly created: boolean;
  readonly caPin: string;
  readonly addresses: readonly string[];
  readonly names: readonly string[];
  /** The file to hand to batonctl. */
  readonly operatorFile: string;
  readonly operatorExpiresAt: Date;
}

/** The data directory cannot be made or written. */
export class InitError extends Error {
  override readonly name = 'InitError';
  readonly code = 'init-failed';
}

/** @throws InitError, AuthorityError, EndpointError, StoreError */
export async function initialise({ dataDir, advertise, now }: InitOptions): Promise<InitResult> {
  const created = !Authority.exists(dataDir);
  if (created) refuseForeignDirectory(dataDir);
  else refuseLostKey(dataDir);
  const endpoint = (created || advertise.length > 0 ? undefined : readEndpoint(dataDir)) ?? decideEndpoint(advertise);
  try {
    makePrivateDirectory(dataDir);
    chmodSync(dataDir, 0o700);
  } catch (error) {
    throw new InitError(`cannot make the data directory ${dataDir}: ${(error as Error).message}`, { cause: error });
  }
  const authority = created ? await Authority.create(dataDir, now) : Authority.load(dataDir);
  createSealKey(dataDir);
  writeEndpoint(dataDir, endpoint);
  await renewServerIdentity(dataDir, authority, endpoint, now);
  const id = randomUUID();
  const operator = await authority.issueOperator(id, 'admin', now);
  const store = await openStore(dataDir);
  try {
    await insertCertificate(store, {
      serial: operator.serial,
      role: 'operator',
      subject: id,
      name: 'admin',
      not_before: operator.notBefore.getTime(),
      not_after: operator.notAfter.getTime(),
      revoked_at: 0,
    });
  } finally {
    await store.destroy();
  }
  const context = ClientConfig.fromPartial({
    currentContext: 'default',
    contexts: [
      {
        name: 'default',
        controllers: [...endpoint.addresses],
        ca: authority.certificatePem,
        certificate: operator.certificate,
        privateKey: operator.privateKey,
      },
    ],
  });
  const operatorFile = path.join(dataDir, OPERATOR_FILE);
  writeFileDurably(operatorFile, renderYaml(messageToPlain('baton.v1.ClientConfig', context)), { mode: 0o600 });
  return {
    created,
    caPin: authority.pin,
    addresses: endpoint.addresses,
    names: endpoint.names,
    operatorFile,
    operatorExpiresAt: operator.notAfter,
  };
}

/** A new key would open none of the stored secrets. */
function refuseLostKey(dataDir: string): void {
  if (!existsSync(path.join(dataDir, DATABASE_FILE)) || existsSync(path.join(dataDir, KEY_FILE))) return;
  throw new InitError(
    `${path.join(dataDir, KEY_FILE)} is missing, and the stored secrets need it; bring it back from a backup`,
  );
}

/** The directory becomes private to us, so it must not be somebody else's. What an init that broke off left is ours. */
function refuseForeignDirectory(dataDir: string): void {
  let entries: string[];
  try {
    entries = readdirSync(dataDir);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw new InitError(`cannot read the data directory ${dataDir}: ${(error as Error).message}`, { cause: error });
  }
  const ours = new Set([AUTHORITY_KEY_FILE, KEY_FILE]);
  const foreign = entries.find((entry) => !ours.has(entry));
  if (foreign !== undefined) {
    throw new InitError(
      `${dataDir} holds no controller but other files, such as ${foreign}; choose a directory that is empty or not there yet`,
    );
  }
}
