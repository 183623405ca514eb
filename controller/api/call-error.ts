/**
 * What a call may fail with, and the one place where errors become gRPC status codes. A CallError's message is for the
 * caller; of anything else the caller learns nothing but that we failed.
 */
import { Metadata, status } from '@grpc/grpc-js';
import { type Finding, Findings } from '../../proto/gen/baton/v1/resource_service.js';
import type { Logger } from '../../proto/process/logger.js';
import { SendTestError } from '../notify/index.js';

export type CallErrorCode =
  /** The request makes no sense, or its content is not accepted (then with findings). */
  | 'invalid'
  | 'not-found'
  | 'already-exists'
  /** Right in itself, but not as things are. */
  | 'failed-precondition'
  | 'permission-denied'
  | 'unauthenticated'
  /** Too much at once. */
  | 'exhausted'
  | 'unavailable';

export class CallError extends Error {
  override readonly name = 'CallError';
  readonly code: CallErrorCode;
  readonly findings: readonly Finding[];

  constructor(code: CallErrorCode, message: string, findings: readonly Finding[] = []) {
    super(message);
    this.code = code;
    this.findings = findings;
  }
}

/** Trailer with an encoded baton.v1.Findings. */
export const FINDINGS_TRAILER = 'baton-findings-bin';

/** More findings than these are counted, so that a trailer stays below what HTTP/2 peers take. */
const MAX_FINDINGS_SENT = 20;
const MAX_MESSAGE_LENGTH = 2_000;

const CODES: Readonly<Record<CallErrorCode, status>> = {
  invalid: status.INVALID_ARGUMENT,
  'not-found': status.NOT_FOUND,
  'already-exists': status.ALREADY_EXISTS,
  'failed-precondition': status.FAILED_PRECONDITION,
  'permission-denied': status.PERMISSION_DENIED,
  unauthenticated: status.UNAUTHENTICATED,
  exhausted: status.RESOURCE_EXHAUSTED,
  unavailable: status.UNAVAILABLE,
};

export interface CallStatus {
  readonly code: status;
  readonly details: string;
  readonly metadata: Metadata;
}

/** Refuses a set of resources. */
export function refused(findings: readonly Finding[]): CallError {
  const [first] = findings;
  const more = findings.length - 1;
  const told = first === undefined ? 'refused' : describeFinding(first);
  return new CallError('invalid', more > 0 ? `${told} (and ${more} more)` : told, findings);
}

function describeFinding({ resource, path, message }: Finding): string {
  const subject = resource === undefined ? '' : `${resource.kind} ${resource.name}`.trim();
  return [subject, path, message].filter((part) => part !== '').join(': ');
}

/** @param log Told of errors that are our own. */
export function toCallStatus(error: unknown, log: Logger): CallStatus {
  if (error instanceof CallError) {
    return { code: CODES[error.code], details: cut(error.message), metadata: findingsMetadata(error.findings) };
  }
  if (error instanceof SendTestError)
    return { code: sendTestCode(error.code), details: cut(error.message), metadata: new Metadata() };
  log.error({ err: error }, 'call failed');
  return { code: status.INTERNAL, details: 'the controller failed; its log says why', metadata: new Metadata() };
}

function sendTestCode(code: SendTestError['code']): status {
  switch (code) {
    case 'not-found':
      return status.NOT_FOUND;
    case 'invalid':
      return status.FAILED_PRECONDITION;
    case 'failed':
      return status.UNAVAILABLE;
  }
}

function findingsMetadata(findings: readonly Finding[]): Metadata {
  const metadata = new Metadata();
  if (findings.length === 0) return metadata;
  const sent = findings.slice(0, MAX_FINDINGS_SENT).map((finding) => ({ ...finding, message: cut(finding.message) }));
  metadata.set(FINDINGS_TRAILER, Buffer.from(Findings.encode({ findings: sent }).finish()));
  return metadata;
}

function cut(text: string): string {
  return text.length > MAX_MESSAGE_LENGTH ? `${text.slice(0, MAX_MESSAGE_LENGTH - 3)}...` : text;
}
