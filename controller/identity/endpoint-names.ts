/** Under which names and addresses clients reach this controller: what its certificate must say. */
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import path from 'node:path';
import { writeFileDurably } from '../../proto/process/durable-file.js';
import {
  DEFAULT_CONTROLLER_PORT,
  formatHostPort,
  isDnsName,
  parseControllerAddress,
} from '../../proto/process/host-port.js';

const FILE = 'endpoint.json';

/** Where the controller can be reached. */
export interface Endpoint {
  /** HOST:PORT, as given to clients; the first is the preferred one. */
  readonly addresses: readonly string[];
  /** DNS names and IP addresses for the certificate. */
  readonly names: readonly string[];
}

/** An address that cannot be understood. */
export class EndpointError extends Error {
  override readonly name = 'EndpointError';
  readonly code = 'bad-endpoint';
}

/**
 * @param advertise What the operator gave; without anything, the host's name and its own addresses.
 * @throws HostPortError
 */
export function decideEndpoint(advertise: readonly string[]): Endpoint {
  const given = advertise.map(parseControllerAddress);
  const own = hostname().toLowerCase();
  const found = given.length > 0 ? given : hostAddresses(own).map((host) => ({ host, port: DEFAULT_CONTROLLER_PORT }));
  const names = [...found.map(({ host }) => host), own, 'localhost', '127.0.0.1', '::1'];
  return {
    addresses: [...new Set(found.map(formatHostPort))],
    names: [...new Set(names)].filter((name) => isIP(name) !== 0 || isDnsName(name)),
  };
}

/** The host's name, then its addresses that others can reach. */
function hostAddresses(name: string): string[] {
  const addresses = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter((entry) => !entry.internal && !entry.address.toLowerCase().startsWith('fe80:'))
    .map((entry) => entry.address);
  return [...(isDnsName(name) ? [name] : []), ...addresses];
}

export function writeEndpoint(dataDir: string, endpoint: Endpoint): void {
  writeFileDurably(path.join(dataDir, FILE), `${JSON.stringify(endpoint, undefined, 2)}\n`, { mode: 0o644 });
}

/** undefined: nothing was written yet. @throws EndpointError */
export function readEndpoint(dataDir: string): Endpoint | undefined {
  const file = path.join(dataDir, FILE);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new EndpointError(`cannot read ${file}: ${(error as Error).message}`, { cause: error });
  }
  try {
    const { addresses, names }: Partial<Endpoint> = JSON.parse(text);
    if (isTextList(addresses) && isTextList(names)) return { addresses, names };
  } catch {
    // Not even JSON: as below.
  }
  throw new EndpointError(`${file} is damaged; "baton-controller init --advertise HOST" writes it again`);
}

function isTextList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
