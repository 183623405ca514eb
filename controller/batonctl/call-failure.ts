/** What a call that did not succeed means to the operator: one sentence with what failed, where, and what to do. */
import { Metadata, status } from '@grpc/grpc-js';
import { type Finding, Findings } from '../../proto/gen/baton/v1/resource_service.js';
import { singleLine } from '../../proto/rules/printable-text.js';
import { Failure, messageOf } from './failure.js';

/** Trailer with an encoded baton.v1.Findings. */
export const FINDINGS_TRAILER = 'baton-findings-bin';

export interface CallPlace {
  readonly doing: string;
  readonly controller: string;
  readonly context: string;
}

/** Nothing was asked yet: the next controller may be tried. */
export function isNotThere(error: unknown): boolean {
  return codeOf(error) === status.UNAVAILABLE && /No connection established|Name resolution/u.test(detailsOf(error));
}

/** The controller knows nothing of that name. */
export function isNotFound(error: unknown): boolean {
  return codeOf(error instanceof Failure ? error.cause : error) === status.NOT_FOUND;
}

export function explainCallError(error: unknown, { doing, controller, context }: CallPlace): Failure {
  const details = singleLine(detailsOf(error), 2_000);
  const where = `${controller} (context "${context}")`;
  const fail = (code: 1 | 2 | 3, message: string): Failure =>
    new Failure(code, singleLine(message, 3_000), { cause: error });
  switch (codeOf(error)) {
    case status.UNAVAILABLE:
      return fail(1, `cannot ${doing}: ${explainUnavailable(details, where)}`);
    case status.DEADLINE_EXCEEDED:
      return fail(1, `cannot ${doing}: no answer from ${where} in time; see --timeout`);
    case status.UNAUTHENTICATED:
      return fail(1, `cannot ${doing}: ${where} does not know who you are: ${details}`);
    case status.PERMISSION_DENIED:
      return fail(1, `cannot ${doing}: ${where} does not allow it: ${details}`);
    case status.INVALID_ARGUMENT:
      return fail(3, `cannot ${doing}: ${details}`);
    case status.UNIMPLEMENTED:
      return fail(1, `cannot ${doing}: the controller ${where} is of another version and does not know this call`);
    case undefined:
      return fail(1, `cannot ${doing}: ${details}`);
    default:
      return fail(1, `cannot ${doing}: ${details}`);
  }
}

/** What our own side of the connection says; other texts are the controller's. */
const OWN_WORDS = /^(?:No connection established|Name resolution|Connection dropped|Failed to connect|read E|write E)/u;

function explainUnavailable(details: string, where: string): string {
  if (!OWN_WORDS.test(details)) return details;
  const why = details
    .replace(/^No connection established\. Last error: (?:Error: )?/u, '')
    .replace(/\.? ?Resolution note:.*$/u, '');
  const tls: readonly [RegExp, string][] = [
    [
      /self[- ]signed certificate|certificate signature failure|unable to verify|unable to get (?:local )?issuer/iu,
      'its certificate is not from the authority of this context; is it the right controller, or was it set up anew?',
    ],
    [
      /Hostname\/IP does not match|altnames/iu,
      'its certificate is for other names; see "baton-controller init --advertise"',
    ],
    [/certificate has expired/iu, "its certificate has expired, or this host's clock is wrong"],
    [/not yet valid/iu, "its certificate is not valid yet: this host's clock is wrong"],
    [/alert certificate expired/iu, 'our own certificate has expired; make a new one with "baton-controller init"'],
    [
      /alert (?:bad certificate|unknown ca|certificate unknown|certificate revoked|certificate required)/iu,
      'it does not take our certificate',
    ],
    [
      /wrong version number|packet length too long|HTTP_1_1_REQUIRED/iu,
      'it does not speak TLS: is this the right port?',
    ],
  ];
  for (const [pattern, meaning] of tls) {
    if (pattern.test(details)) return `no trusted connection to ${where}: ${meaning} (${why})`;
  }
  if (/ECONNREFUSED/u.test(details)) {
    return `nothing listens at ${where}: is the controller running? (${why})`;
  }
  if (/ENOTFOUND|EAI_AGAIN|Name resolution/u.test(details)) {
    return `the name of the controller ${where} cannot be resolved (${why})`;
  }
  return `the controller ${where} cannot be reached (${why})`;
}

/** What the controller found in the resources; empty when the error is about something else. */
export function findingsOf(error: unknown): readonly Finding[] {
  const cause = error instanceof Failure ? error.cause : error;
  if (!(cause instanceof Error && 'metadata' in cause && cause.metadata instanceof Metadata)) return [];
  const [encoded] = cause.metadata.get(FINDINGS_TRAILER);
  if (!Buffer.isBuffer(encoded)) return [];
  try {
    return Findings.decode(encoded).findings;
  } catch {
    // The details of the status tell the first of them anyway.
    return [];
  }
}

function codeOf(error: unknown): number | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' ? error.code : undefined;
}

function detailsOf(error: unknown): string {
  return error instanceof Error && 'details' in error && typeof error.details === 'string' && error.details !== ''
    ? error.details
    : messageOf(error);
}
