/** The certificate of our own port: kept in the data directory, made anew before it ends or when our names change. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { writeFileDurably } from '../../proto/process/durable-file.js';
import type { Authority } from './authority.js';
import type { Endpoint } from './endpoint-names.js';
import type { ServerIdentity } from './server-credentials.js';

/** Key and certificate in one file, so that they always fit each other. */
const FILE = 'server.pem';

/** The one in the data directory if it is good for at least another third of its life, else a new one. */
export async function ensureServerIdentity(
  dataDir: string,
  authority: Authority,
  endpoint: Endpoint,
  now: Date,
): Promise<ServerIdentity> {
  return (
    readUsable(dataDir, authority, endpoint, now) ?? (await renewServerIdentity(dataDir, authority, endpoint, now))
  );
}

export async function renewServerIdentity(
  dataDir: string,
  authority: Authority,
  endpoint: Endpoint,
  now: Date,
): Promise<ServerIdentity> {
  const { certificate, privateKey } = await authority.issueServer(endpoint.names, now);
  writeFileDurably(path.join(dataDir, FILE), privateKey + certificate, { mode: 0o600 });
  return { certificate, privateKey };
}

function readUsable(dataDir: string, authority: Authority, endpoint: Endpoint, now: Date): ServerIdentity | undefined {
  let text: string;
  try {
    text = readFileSync(path.join(dataDir, FILE), 'utf8');
  } catch {
    // Missing is the ordinary case of a first start; an unreadable one is replaced or the write says why not.
    return undefined;
  }
  const privateKey = /-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----\n/.exec(text)?.[0];
  const certificate = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n/.exec(text)?.[0];
  if (privateKey === undefined || certificate === undefined) return undefined;
  try {
    const parsed = new X509Certificate(certificate);
    const from = Date.parse(parsed.validFrom);
    const renewAt = from + ((Date.parse(parsed.validTo) - from) * 2) / 3;
    const names = endpoint.names.every(
      (name) => parsed.checkHost(name) !== undefined || parsed.checkIP(name) !== undefined,
    );
    const good = parsed.checkIssued(authority.certificate) && parsed.verify(authority.certificate.publicKey);
    return good && names && now.getTime() < renewAt ? { certificate, privateKey } : undefined;
  } catch {
    return undefined;
  }
}
