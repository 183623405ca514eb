/**
 * TLS of the one port. A client certificate is asked for and not required, because an agent that joins has none yet;
 * the gate requires it for everything else. TLS verifies the chain of those that are shown.
 */
import { ServerCredentials } from '@grpc/grpc-js';

/** A handshake that takes longer is cut, in milliseconds. */
const HANDSHAKE_TIMEOUT_MS = 10_000;
/** Header lines of one request. */
const MAX_HEADER_PAIRS = 64;
/** Bytes of one request's headers, as HTTP/2 counts them. */
const MAX_HEADER_LIST_BYTES = 16_384;
/** Concurrent calls on one connection. */
export const MAX_STREAMS_PER_CONNECTION = 100;

export interface ServerIdentity {
  /** PEM. */
  readonly certificate: string;
  /** PEM. */
  readonly privateKey: string;
}

export class OnePortCredentials extends ServerCredentials {
  readonly #authority: string;

  /** @param authority PEM. It is sent along with our certificate: agents that join look for their pin in it. */
  constructor(authority: string, identity: ServerIdentity) {
    super(
      {
        requestCert: true,
        rejectUnauthorized: false,
        minVersion: 'TLSv1.3',
        handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
        maxHeaderListPairs: MAX_HEADER_PAIRS,
        settings: { maxConcurrentStreams: MAX_STREAMS_PER_CONNECTION, maxHeaderListSize: MAX_HEADER_LIST_BYTES },
      },
      contextOf(authority, identity),
    );
    this.#authority = authority;
  }

  /** From the next handshake on. */
  replace(identity: ServerIdentity): void {
    this.updateSecureContextOptions(contextOf(this.#authority, identity));
  }

  override _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}

function contextOf(authority: string, identity: ServerIdentity) {
  return {
    ca: authority,
    cert: identity.certificate + authority,
    key: identity.privateKey,
    minVersion: 'TLSv1.3' as const,
  };
}
