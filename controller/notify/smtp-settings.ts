/**
 * What a receiver says, made into what the connection to its mail server must be: every default filled in, every
 * combination that would send a password in clear refused. Pure.
 */
import { type EmailReceiver, MailSecurity } from '../../proto/gen/baton/v1/resources.js';
import { assertNever } from '../../proto/rules/assert-never.js';
import { singleLine } from '../../proto/rules/printable-text.js';
import { type Mailbox, mailDomain, parseMailbox } from './mailbox.js';

export interface SmtpSettings {
  readonly host: string;
  readonly port: number;
  /** `opportunistic` and `none` may end up in clear; then there is no `login`, but to a loopback address. */
  readonly security: 'starttls' | 'tls' | 'opportunistic' | 'none';
  readonly login: { readonly username: string; readonly password: string } | undefined;
  /** For connecting and for each reply. */
  readonly timeoutMs: number;
  readonly heloName: string;
  /** PEM; undefined: the system's. */
  readonly ca: string | undefined;
  readonly from: Mailbox;
}

export type ReadSettings =
  | { readonly ok: true; readonly settings: SmtpSettings }
  | { readonly ok: false; readonly reason: string };

const DEFAULT_TIMEOUT_MS = 30_000;

/**
 * @param password value of the Secret that the receiver's authentication names; undefined when there is none
 * @param hostName what is said in EHLO when the receiver does not say
 */
export function readSmtpSettings(
  receiver: EmailReceiver,
  password: string | undefined,
  hostName: string,
): ReadSettings {
  const host = receiver.host.trim();
  if (host === '' || !/^[A-Za-z0-9._:%-]+$/u.test(host)) {
    return refuse(`host "${singleLine(host, 80)}" is not the name or address of a mail server`);
  }
  if (receiver.port > 65_535) return refuse(`port ${receiver.port} is above 65535`);
  const security = securityOf(receiver.security);
  const from = parseMailbox(receiver.from);
  if (!from.ok) return refuse(`from: ${from.reason}`);

  let login: SmtpSettings['login'];
  if (receiver.authentication !== undefined) {
    const { username, secret } = receiver.authentication;
    if (security === 'opportunistic' || (security === 'none' && !isLoopback(host))) {
      return refuse(
        `security ${security} with authentication would send the password in clear to ${host}: use starttls or tls`,
      );
    }
    if (password === undefined) return refuse(`authentication: there is no Secret "${singleLine(secret, 80)}"`);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
    if (username === '' || /[\u0000-\u001f\u007f]/u.test(username)) {
      return refuse('authentication: username is empty or has a control character');
    }
    if (password.includes('\0')) return refuse('authentication: the password has a NUL character');
    login = { username, password };
  }

  const said = receiver.heloName === '' ? (mailDomain(hostName) ?? '[127.0.0.1]') : mailDomain(receiver.heloName);
  if (said === undefined) return refuse(`helo_name "${singleLine(receiver.heloName, 80)}" is not a host name`);
  const timeout = receiver.timeout;
  const timeoutMs = timeout === undefined ? 0 : timeout.seconds * 1000 + Math.round(timeout.nanos / 1_000_000);
  return {
    ok: true,
    settings: {
      host,
      port: receiver.port !== 0 ? receiver.port : defaultPort(security, login !== undefined),
      security,
      login,
      timeoutMs: timeoutMs > 0 ? timeoutMs : DEFAULT_TIMEOUT_MS,
      heloName: said,
      ca: receiver.ca === '' ? undefined : receiver.ca,
      from: from.mailbox,
    },
  };
}

/** The recipients that can be written to, and why the others cannot. Duplicates are dropped. */
export function readRecipients(to: readonly string[]): {
  readonly recipients: readonly Mailbox[];
  readonly refused: readonly { readonly recipient: string; readonly reason: string }[];
} {
  const recipients = new Map<string, Mailbox>();
  const refused: { recipient: string; reason: string }[] = [];
  for (const text of to) {
    const parsed = parseMailbox(text);
    if (parsed.ok) recipients.set(parsed.mailbox.address, parsed.mailbox);
    else refused.push({ recipient: singleLine(text, 80), reason: parsed.reason });
  }
  return { recipients: [...recipients.values()], refused };
}

function securityOf(security: MailSecurity): SmtpSettings['security'] {
  switch (security) {
    case MailSecurity.STARTTLS:
    case MailSecurity.UNSPECIFIED:
    case MailSecurity.UNRECOGNIZED:
      return 'starttls';
    case MailSecurity.TLS:
      return 'tls';
    case MailSecurity.OPPORTUNISTIC:
      return 'opportunistic';
    case MailSecurity.NONE:
      return 'none';
    default:
      return assertNever(security);
  }
}

function defaultPort(security: SmtpSettings['security'], authenticated: boolean): number {
  if (security === 'tls') return 465;
  return security === 'starttls' && authenticated ? 587 : 25;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/u.test(host);
}

function refuse(reason: string): ReadSettings {
  return { ok: false, reason };
}
