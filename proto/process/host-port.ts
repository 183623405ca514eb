/** HOST:PORT as people write it. */
import { isIP } from 'node:net';

/** Where a controller listens when nothing else is said. */
export const DEFAULT_CONTROLLER_PORT = 7443;

export interface HostPort {
  /** DNS name or IP address, without brackets. Empty where that makes sense: every address. */
  readonly host: string;
  readonly port: number;
}

/** What was written is no HOST:PORT. */
export class HostPortError extends Error {
  override readonly name = 'HostPortError';
  readonly code = 'bad-host-port';
}

/**
 * "HOST", "HOST:PORT", "[V6]", "[V6]:PORT" or a bare IPv6 address. Says nothing about whether HOST is a good name.
 * @throws HostPortError
 */
export function parseHostPort(text: string, defaultPort: number): HostPort {
  if (isIP(text) === 6) return { host: text, port: defaultPort };
  const bracketed = /^\[([^\]]*)\](?::(\d{1,5}))?$/.exec(text);
  const [, host, port] = bracketed ?? /^([^:[\]/\s]*)(?::(\d{1,5}))?$/.exec(text) ?? [];
  if (host === undefined || (bracketed !== null && isIP(host) !== 6)) {
    throw new HostPortError(`"${text}" is not HOST:PORT (an IPv6 address goes in brackets: [2001:db8::1]:7443)`);
  }
  const number = port === undefined ? defaultPort : Number(port);
  if (number > 65_535) throw new HostPortError(`"${text}": a port is at most 65535`);
  return { host, port: number };
}

/** The same for an address to connect to. @throws HostPortError */
export function parseControllerAddress(text: string): HostPort {
  const parsed = parseHostPort(text, DEFAULT_CONTROLLER_PORT);
  if (parsed.port === 0 || (isIP(parsed.host) === 0 && !isDnsName(parsed.host))) {
    throw new HostPortError(`"${text}" is not the HOST:PORT of a controller`);
  }
  return parsed;
}

/** With brackets around an IPv6 address. */
export function formatHostPort({ host, port }: HostPort): string {
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
}

/** RFC 1123 section 2.1. */
export function isDnsName(text: string): boolean {
  const label = '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?';
  return text.length <= 253 && new RegExp(`^${label}(\\.${label})*$`, 'i').test(text);
}
