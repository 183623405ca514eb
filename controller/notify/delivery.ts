/** What one attempt to deliver a mail came to, and when the next one is due. Pure. */

/** How the attempt ended, as the transport saw it. */
export type Attempt =
  /** The server took the message for at least one recipient. */
  | {
      readonly kind: 'delivered';
      readonly accepted: readonly string[];
      readonly refused: readonly RecipientRefusal[];
      /** The server's last answer. */
      readonly response: string;
      /** "TLSv1.3", or "none" in clear. */
      readonly security: string;
    }
  /** The server refused every recipient, or the message itself for all of them. */
  | { readonly kind: 'refused'; readonly refused: readonly RecipientRefusal[]; readonly reason: string }
  /** It did not come to that: no connection, no TLS, no login, time ran out, bad settings. */
  | { readonly kind: 'unreachable'; readonly reason: string };

export interface RecipientRefusal {
  readonly recipient: string;
  /** SMTP reply code; undefined when the refusal was ours. */
  readonly code: number | undefined;
  readonly reason: string;
}

export interface Verdict {
  readonly accepted: readonly string[];
  /** Never tried again. */
  readonly lost: readonly RecipientRefusal[];
  /** To be tried again. */
  readonly left: readonly string[];
  /** One line for the operator; empty when there is nothing to tell. */
  readonly error: string;
  /** The trouble is the server's, so other mail for it need not be tried now. */
  readonly serverDown: boolean;
}

// A 5xx about who we are is cured by correcting the receiver, so the mail waits: 530 must authenticate or use TLS,
// 534 and 535 login refused, 538 encryption required (RFC 4954 section 6).
const CURABLE_CODES: ReadonlySet<number> = new Set([530, 534, 535, 538]);

/** RFC 5321 section 4.2.1: 5yz is final, everything else is worth another attempt. */
export function isFinal(code: number | undefined): boolean {
  return code === undefined || (code >= 500 && code <= 599 && !CURABLE_CODES.has(code));
}

export function judgeAttempt(attempt: Attempt, recipients: readonly string[]): Verdict {
  if (attempt.kind === 'unreachable') {
    return { accepted: [], lost: [], left: recipients, error: attempt.reason, serverDown: true };
  }
  const accepted = attempt.kind === 'delivered' ? attempt.accepted : [];
  const lost = attempt.refused.filter((refusal) => isFinal(refusal.code));
  const done = new Set([...accepted, ...lost.map((refusal) => refusal.recipient)]);
  const left = recipients.filter((recipient) => !done.has(recipient));
  const error =
    attempt.refused.length > 0
      ? attempt.refused.map((refusal) => `${refusal.recipient}: ${refusal.reason}`).join('; ')
      : attempt.kind === 'refused'
        ? attempt.reason
        : '';
  return { accepted, lost, left, error, serverDown: false };
}

const FIRST_DELAY_MS = 2_000;
const LONGEST_DELAY_MS = 300_000;
const SPREAD = 0.2;

/** No attempt is put off longer than this. */
export const LONGEST_RETRY_MS = LONGEST_DELAY_MS * (1 + SPREAD);

/**
 * Exponential back-off: 2 s doubling to 5 min, each spread by ±20 %.
 * @param attempts how many have failed, 1 or more
 * @param random 0 (included) to 1 (excluded)
 */
export function retryDelayMs(attempts: number, random: number): number {
  const base = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(attempts - 1, 30));
  return Math.round(base * (1 - SPREAD + 2 * SPREAD * random));
}
