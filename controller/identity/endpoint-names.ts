/** Under which names and addresses clients reach this controller: what its certificate must say. */
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import path from 'node:path';
import { writeFileDurably } from '../../proto/process/durable-file.js';

export const DEFAULT_PORT = 7443;

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

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/**
 * "HOST", "HOST:PORT", "[V6]", "[V6]:PORT" or a bare IPv6 address.
 * @throws EndpointError
 */
export function parseHostPort(text: string, defaultPort: number): HostPort {
  const bracketed = /^\[([^\]]*)\](?::(\d{1,5}))?$/.exec(text);
  const plain = /^([^:[\]]*)(?::(\d{1,5}))?$/.exec(text);
  const [host, port] = isIP(text) === 6 ? [text, undefined] : [(bracketed ?? plain)?.[1], (bracketed ?? plain)?.[2]];
  if (host === undefined || (bracketed !== null && isIP(host) !== 6)) {
    throw new EndpointError(`"${text}" is not HOST:PORT (an IPv6 address goes in brackets: [2001:db8::1]:7443)`);
  }
  const number = port === undefined ? defaultPort : Number(port);
  if (number > 65_535) throw new EndpointError(`"${text}": a port is at most 65535`);
  return { host, port: number };
}

/** With brackets around an IPv6 address. */
export function formatHostPort({ host, port }: HostPort): string {
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * @param advertise What the operator gave; without anything, the host's name and its own addresses.
 * @throws EndpointError
 */
export function decideEndpoint(advertise: readonly string[]): Endpoint {
  const given = advertise.map((text) => parseHostPort(text, DEFAULT_PORT));
  for (const { host, port } of given) {
    if (port === 0 || (isIP(host) === 0 && !isDnsName(host))) {
      throw new EndpointError(`"${formatHostPort({ host, port })}" is no address that a client could connect to`);
    }
  }
  const own = hostname().toLowerCase();
  const found = given.length > 0 ? given : hostAddresses(own).map((host) => ({ host, port: DEFAULT_PORT }));
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

/** RFC 1123 section 2.1. */
function isDnsName(text: string): boolean {
  const label = '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?';
  return text.length <= 253 && new RegExp(`^${label}(\\.${label})*$`, 'i').test(text);
}

export function writeEndpoint(dataDir: string, endpoint: Endpoint): void {
  writeFileDurably(path.join(dataDir, FILE), `${JSON.stringify(endpoint, undefined, 2)}\n`, { mode: 0o644 });
}

/** @throws EndpointError */
export function readEndpoint(dataDir: string): Endpoint {
  const file = path.join(dataDir, FILE);
  try {
    const { addresses, names }: Partial<Endpoint> = JSON.parse(readFileSync(file, 'utf8'));
    if (isTextList(addresses) && isTextList(names)) return { addresses, names };
  } catch (error) {
    throw new EndpointError(`cannot read ${file}: ${(error as Error).message}`, { cause: error });
  }
  throw new EndpointError(`${file} is damaged; "baton-controller init" writes it again`);
}

function isTextList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
