/** Errors of sockets and TLS in words that say who refused what. */
import { hostPort } from './check-subject.js';
import { LookupError } from './host-lookup.js';

interface NetworkError extends Error {
  readonly code?: string;
  readonly address?: string;
  readonly port?: number;
  /** Of several addresses tried in turn. */
  readonly errors?: readonly unknown[];
}

const SOCKET: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused by',
  ECONNRESET: 'connection reset by',
  EPIPE: 'connection closed by',
  ETIMEDOUT: 'no answer from',
  EHOSTUNREACH: 'no way to reach the host:',
  ENETUNREACH: 'no route to',
  EACCES: 'not allowed to connect to',
  EADDRNOTAVAIL: 'no source address for',
  EINVAL: 'not an address that can be connected to:',
};

const TLS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'certificate has expired',
  CERT_NOT_YET_VALID: 'certificate is not valid yet',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'certificate is self-signed and not trusted',
  SELF_SIGNED_CERT_IN_CHAIN: 'certificate is from an authority that is not trusted',
  UNABLE_TO_GET_ISSUER_CERT: 'certificate is from an authority that is not trusted',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'certificate is from an authority that is not trusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'certificate is from an authority that is not trusted',
  CERT_SIGNATURE_FAILURE: 'certificate has a wrong signature',
  CERT_REVOKED: 'certificate is revoked',
  CERT_UNTRUSTED: 'certificate is not trusted',
  INVALID_PURPOSE: 'certificate is not for a server',
  CERT_CHAIN_TOO_LONG: 'certificate chain is too long',
  HOSTNAME_MISMATCH: 'certificate is for another name',
};

/** `target` is HOST:PORT, for errors that do not say whom they are about. */
export function networkReason(thrown: unknown, target: string): string {
  if (!(thrown instanceof Error)) return `${target}: ${String(thrown)}`;
  if (thrown instanceof LookupError) return thrown.message;
  const error: NetworkError = thrown;
  if (error.errors !== undefined && error.errors.length > 0) {
    return [...new Set(error.errors.map((one) => networkReason(one, target)))].slice(0, 4).join('; ');
  }
  const code = error.code ?? '';
  const whom = error.address !== undefined && error.port !== undefined ? hostPort(error.address, error.port) : target;
  const words = SOCKET[code];
  if (words !== undefined) return `${words} ${whom}`;
  const certificate = TLS[code];
  if (certificate !== undefined) return certificate;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return `certificate is for another name: ${alternatives(error.message)}`;
  if (code === 'HPE_HEADER_OVERFLOW') return `headers of the answer from ${whom} are longer than 16 KiB`;
  if (code.startsWith('HPE_')) return `the answer from ${whom} is not HTTP (${code})`;
  if (/^(ERR_SSL_|EPROTO)/.test(code)) return `TLS with ${whom} failed: ${openSslWords(error.message)}`;
  return `${whom}: ${code === '' ? error.message : `${code} (${error.message})`}`;
}

function alternatives(message: string): string {
  return message.replace(/^.*(?:altnames|list): ?/, '') || 'no name at all';
}

/** "…:SSL routines:function:wrong version number:file:line:" says most in its middle. */
function openSslWords(message: string): string {
  const fields = message.trim().split(':');
  const at = fields.findIndex((field) => field.startsWith('SSL routines'));
  return at === -1 ? message.trim() : fields[at + 2] || message.trim();
}
