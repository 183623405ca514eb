/**
 * One SMTP session: connect, protect, log in, hand over one message. Uses nodemailer's connection and composer. All
 * that goes into a header or the envelope was made safe before; it is stripped of control characters once more here,
 * where it leaves.
 */
import { TLSSocket } from 'node:tls';
import MailComposer from 'nodemailer/lib/mail-composer';
import SMTPConnection from 'nodemailer/lib/smtp-connection';
import { singleLine } from '../../proto/rules/printable-text.js';
import type { Attempt, RecipientRefusal } from './delivery.js';
import type { Mailbox } from './mailbox.js';
import type { SmtpSettings } from './smtp-settings.js';

export interface OutgoingMail {
  readonly to: readonly Mailbox[];
  /** With angle brackets. */
  readonly messageId: string;
  readonly date: Date;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  /** Further headers; names are ours, values are cleaned. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Never rejects: whatever goes wrong is the attempt's outcome. An aborted signal ends the session at once. */
export type SendMail = (settings: SmtpSettings, mail: OutgoingMail, signal: AbortSignal) => Promise<Attempt>;

/** A whole session may take this many times the timeout of one reply. */
const SESSION_TIMEOUTS = 10;

export const sendBySmtp: SendMail = async (settings, mail, signal) => {
  const session = AbortSignal.any([signal, AbortSignal.timeout(settings.timeoutMs * SESSION_TIMEOUTS)]);
  let connection: SMTPConnection | undefined;
  try {
    const message = await compose(settings.from, mail);
    connection = open(settings);
    return await untilAborted(converse(connection, settings, mail, message), session);
  } catch (error) {
    return explain(error, settings, mail);
  } finally {
    connection?.close();
  }
};

async function compose(from: Mailbox, mail: OutgoingMail): Promise<Buffer> {
  const node = new MailComposer({
    from: header(from),
    to: mail.to.map(header),
    subject: singleLine(mail.subject),
    messageId: singleLine(mail.messageId),
    date: mail.date,
    text: mail.text,
    html: mail.html,
    headers: Object.entries(mail.headers).map(([key, value]) => ({ key, value: singleLine(value) })),
    newline: 'win',
    disableFileAccess: true,
    disableUrlAccess: true,
  }).compile();
  return node.build();
}

function header(mailbox: Mailbox): { name: string; address: string } {
  return { name: singleLine(mailbox.name), address: mailbox.address };
}

function open(settings: SmtpSettings): SMTPConnection {
  const { security, timeoutMs } = settings;
  return new SMTPConnection({
    host: settings.host,
    port: settings.port,
    name: settings.heloName,
    secure: security === 'tls',
    requireTLS: security === 'starttls',
    opportunisticTLS: security === 'opportunistic',
    ignoreTLS: security === 'none',
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    dnsTimeout: timeoutMs,
    // A controller and its mail server may share a host that has nothing but loopback.
    allowInternalNetworkInterfaces: true,
    tls: {
      minVersion: 'TLSv1.2',
      // Where clear text would do, a certificate that nobody vouches for is no worse; a CA that was named is asked.
      rejectUnauthorized: security !== 'opportunistic' || settings.ca !== undefined,
      ...(settings.ca === undefined ? {} : { ca: settings.ca }),
    },
  });
}

async function converse(
  connection: SMTPConnection,
  settings: SmtpSettings,
  mail: OutgoingMail,
  message: Buffer,
): Promise<Attempt> {
  await new Promise<void>((resolve, reject) => {
    // Stays for the whole session: an "error" nobody listens to would end the process.
    connection.on('error', reject);
    connection.connect((error) => (error ? reject(error) : resolve()));
  });
  const mustBeProtected = settings.security === 'starttls' || settings.security === 'tls';
  if (mustBeProtected && !connection.secure) throw new SessionError('the connection was not protected by TLS');
  const { login } = settings;
  if (login !== undefined) {
    if (!connection.allowsAuth) throw new SessionError('the server offers no authentication, but the receiver has one');
    await answered(connection, (done) =>
      connection.login({ user: login.username, pass: login.password }, (error) => done(error ?? undefined, undefined)),
    );
  }
  const protection = connection._socket instanceof TLSSocket ? (connection._socket.getProtocol() ?? 'none') : 'none';
  const envelope = { from: settings.from.address, to: mail.to.map(({ address }) => address) };
  const info = await answered<SMTPConnection.SentMessageInfo | undefined>(connection, (done) =>
    connection.send(envelope, message, (error, sent) => done(error ?? undefined, sent ?? undefined)),
  );
  if (info === undefined) throw new SessionError('the server ended the session without an answer to the message');
  connection.quit();
  return {
    kind: 'delivered',
    accepted: info.accepted,
    refused: (info.rejectedErrors ?? []).map(refusalOf),
    response: singleLine(info.response, 500),
    security: protection,
  };
}

/** Runs one step, which also fails when the connection does. */
function answered<Answer>(
  connection: SMTPConnection,
  step: (done: (error: Error | undefined, answer: Answer | undefined) => void) => void,
): Promise<Answer | undefined> {
  return new Promise((resolve, reject) => {
    const closed = (): void => reject(new SessionError('the server closed the connection'));
    connection.once('error', reject);
    connection.once('end', closed);
    step((error, answer) => {
      connection.off('error', reject);
      connection.off('end', closed);
      if (error) reject(error);
      else resolve(answer);
    });
  });
}

function untilAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      const timedOut = signal.reason instanceof Error && signal.reason.name === 'TimeoutError';
      reject(new SessionError(timedOut ? 'the whole session took too long' : 'the session was ended by us'));
    };
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

class SessionError extends Error {
  override readonly name = 'SessionError';
  readonly code = 'ESESSION';
}

/** The parts of nodemailer's errors that are read; `command` says in answer to what. */
interface SmtpError extends Error {
  readonly code?: string | undefined;
  readonly command?: string | undefined;
  readonly response?: string | undefined;
  readonly responseCode?: number | undefined;
  readonly recipient?: string | undefined;
  readonly rejectedErrors?: readonly SmtpError[] | undefined;
}

function explain(error: unknown, settings: SmtpSettings, mail: OutgoingMail): Attempt {
  const smtp: SmtpError = error instanceof Error ? error : new SessionError(String(error));
  const where = `${settings.host}:${settings.port}`;
  const said = singleLine(smtp.message, 400);
  const about = smtp.code === undefined ? '' : ` (${smtp.code})`;
  if (smtp.rejectedErrors !== undefined && smtp.rejectedErrors.length > 0) {
    const refused = smtp.rejectedErrors.map(refusalOf);
    return { kind: 'refused', refused, reason: `${where} refused all recipients: ${said}` };
  }
  const aboutMessage = smtp.code === 'EENVELOPE' || smtp.code === 'EMESSAGE';
  if (aboutMessage && smtp.responseCode !== 421) {
    const refused = mail.to.map(({ address }) => ({ recipient: address, code: smtp.responseCode, reason: said }));
    return { kind: 'refused', refused, reason: `${where} refused the message: ${said}` };
  }
  return { kind: 'unreachable', reason: `${where}: ${said}${about}` };
}

function refusalOf(error: SmtpError): RecipientRefusal {
  return {
    recipient: error.recipient ?? '',
    code: error.responseCode,
    reason: singleLine(error.response ?? error.message, 400),
  };
}
