/**
 * The gate before every method: default deny. It looks at the certificate that was shown in the TLS handshake, judges
 * it, and lets a call through only if the access table gives its role that method. Handlers learn who is calling from
 * here and from nowhere else.
 */
import type { X509Certificate } from 'node:crypto';
import {
  type Metadata,
  ServerInterceptingCall,
  type ServerInterceptor,
  ServerListenerBuilder,
  status,
} from '@grpc/grpc-js';
import type { Logger } from '../../proto/process/logger.js';
import { ACCESS, LONG_CALLS } from './access.js';
import { peerAddress } from './peer-address.js';
import { type Caller, judgePeer, type PeerVerdict } from './peer-certificate.js';
import { RefusalLog } from './refusal-log.js';

/** A client must have sent its whole request this long after it began the call, in milliseconds. */
const REQUEST_WITHIN_MS = 15_000;

/** Calls without a certificate that may be under way together; each may hold one message in memory. */
const MAX_ANONYMOUS_CALLS = 64;

export interface GateOptions {
  readonly authority: X509Certificate;
  readonly isRevoked: (serial: string, subject: string) => boolean;
  /** Milliseconds of Unix time. */
  readonly now: () => number;
  readonly log: Logger;
}

/** A handler was reached without passing the gate: a mistake of ours. */
export class GateError extends Error {
  override readonly name = 'GateError';
  readonly code = 'not-through-the-gate';
}

export class Gate {
  readonly #options: GateOptions;
  /** By the call's metadata object, which is the same for interceptor and handler and cannot be sent by anyone. */
  readonly #callers = new WeakMap<Metadata, Caller>();
  readonly #refusals: RefusalLog;
  #anonymousCalls = 0;
  /** Ends an anonymous call whose request is not complete yet; the oldest first. */
  readonly #unfinished = new Set<() => void>();

  constructor(options: GateOptions) {
    this.#options = options;
    this.#refusals = new RefusalLog(options.log, options.now);
  }

  /** Who is calling. @throws GateError when the method is one for anyone. */
  callerOf(call: { readonly metadata: Metadata }): Caller {
    const caller = this.#callers.get(call.metadata);
    if (caller === undefined) throw new GateError('the caller of this method is unknown');
    return caller;
  }

  readonly interceptor: ServerInterceptor = (method, call) => {
    let release: (() => void) | undefined;
    let deadline: NodeJS.Timeout | undefined;
    const ended = (): void => {
      clearTimeout(deadline);
      this.#unfinished.delete(giveWay);
      release?.();
      release = undefined;
    };
    const refuse = (code: status, details: string): void => {
      ended();
      call.sendStatus({ code, details, metadata: null });
    };
    const giveWay = (): void => {
      refuse(status.RESOURCE_EXHAUSTED, 'too many agents are joining at once; try again in a moment');
    };
    const listener = new ServerListenerBuilder()
      .withOnReceiveMetadata((metadata, next) => {
        const judged = this.#judge(method.path, () => call.getAuthContext().sslPeerCertificate?.raw);
        if (!judged.ok) {
          this.#refusals.tell(method.path, judged.reason, peerAddress(call.getPeer()));
          refuse(judged.code, judged.details);
          return;
        }
        if (judged.caller !== undefined) this.#callers.set(metadata, judged.caller);
        else if (this.#isFull()) {
          giveWay();
          return;
        } else {
          this.#anonymousCalls += 1;
          this.#unfinished.add(giveWay);
          release = () => {
            this.#anonymousCalls -= 1;
          };
        }
        if (!LONG_CALLS.has(method.path)) {
          deadline = setTimeout(() => {
            refuse(status.DEADLINE_EXCEEDED, 'the request was not complete in time');
          }, REQUEST_WITHIN_MS);
          deadline.unref();
        }
        next(metadata);
      })
      .withOnReceiveHalfClose((next) => {
        clearTimeout(deadline);
        this.#unfinished.delete(giveWay);
        next();
      })
      .withOnCancel(() => {
        ended();
      })
      .build();
    return new ServerInterceptingCall(call, {
      start: (next) => next(listener),
      sendStatus: (outcome, next) => {
        ended();
        next(outcome);
      },
    });
  };

  /** Makes room if it can: a stranger who begins calls and does not end them must not keep agents from joining. */
  #isFull(): boolean {
    if (this.#anonymousCalls < MAX_ANONYMOUS_CALLS) return false;
    const [oldest] = this.#unfinished;
    oldest?.();
    return oldest === undefined;
  }

  #judge(path: string, certificate: () => Uint8Array | undefined): Judgement {
    const access = ACCESS.get(path);
    if (access === undefined) {
      return {
        ok: false,
        reason: 'method-not-listed',
        code: status.PERMISSION_DENIED,
        details: 'nobody may call this method',
      };
    }
    if (access === 'anyone') return { ok: true, caller: undefined };
    const raw = certificate();
    if (raw === undefined) {
      const details = 'a valid client certificate of this controller is required';
      return { ok: false, reason: 'no-certificate', code: status.UNAUTHENTICATED, details };
    }
    const verdict: PeerVerdict = judgePeer(raw, {
      authority: this.#options.authority,
      isRevoked: this.#options.isRevoked,
      now: this.#options.now(),
    });
    if (!verdict.ok) {
      const details = `the client certificate is not accepted: ${verdict.fault}`;
      return { ok: false, reason: verdict.fault, code: status.UNAUTHENTICATED, details };
    }
    if (!access.includes(verdict.caller.role)) {
      const details = `this method is not for the role "${verdict.caller.role}"`;
      return { ok: false, reason: 'wrong-role', code: status.PERMISSION_DENIED, details };
    }
    return { ok: true, caller: verdict.caller };
  }
}

type Judgement =
  | { readonly ok: true; readonly caller: Caller | undefined }
  | { readonly ok: false; readonly reason: string; readonly code: status; readonly details: string };
