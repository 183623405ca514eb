/**
 * A mail server for tests and the demo, as a program: `node smtp-server.js [options]`. Prints one JSON object a line:
 * { event: "listening", port, ca? }, { event: "mail", ... } for every message taken, { event: "refused", ... } for every
 * failure played, { event: "login", ... }. Ends on SIGTERM.
 *
 *   --host A            address to listen on (127.0.0.1)
 *   --port N            0 (default): a free one, see "listening"
 *   --tls MODE          none | starttls (default) | implicit
 *   --name N            name or address in the certificate that it makes for itself; repeatable (localhost, 127.0.0.1)
 *   --auth USER:PASS    demands this login
 *   --fail S:CODE:WHAT  stage S (connect | mail | rcpt | data) answers CODE; WHAT is a count of times, or, for rcpt,
 *                       an address; repeatable
 *   --drop N            takes N messages (and prints them), then drops the connection instead of answering
 */
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import type { Socket } from 'node:net';
import { parseArgs } from 'node:util';
import * as x509 from '@peculiar/x509';
import { simpleParser } from 'mailparser';
import { SMTPServer, type SMTPServerSession } from 'smtp-server';

/** A message as it arrived. */
export interface ReceivedMail {
  readonly event: 'mail';
  readonly envelope: { readonly from: string; readonly to: readonly string[] };
  /** Name that the client said in EHLO. */
  readonly helo: string;
  /** "TLSv1.3", or "none". */
  readonly security: string;
  /** Login name; empty without. */
  readonly user: string;
  readonly messageId: string;
  readonly date: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  /** All of them, by lower-case name; the last of several. */
  readonly headers: Readonly<Record<string, string>>;
  /** The header lines as they came, and the whole message. */
  readonly headerLines: readonly string[];
  readonly raw: string;
}

interface Failure {
  readonly stage: string;
  readonly code: number;
  readonly recipient: string | undefined;
  left: number;
}

class PlayedFailure extends Error {
  readonly responseCode: number;
  constructor(code: number) {
    super(code < 500 ? '4.7.1 try again later' : '5.1.1 not here');
    this.responseCode = code;
  }
}

const { values } = parseArgs({
  options: {
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: '0' },
    tls: { type: 'string', default: 'starttls' },
    name: { type: 'string', multiple: true, default: ['localhost', '127.0.0.1'] },
    auth: { type: 'string' },
    fail: { type: 'string', multiple: true, default: [] },
    drop: { type: 'string', default: '0' },
  },
});

const failures = values.fail.map((text): Failure => {
  const [stage = '', code = '', what = '1'] = text.split(':');
  if (!['connect', 'mail', 'rcpt', 'data'].includes(stage) || !/^[45]\d\d$/u.test(code)) {
    throw new RangeError(`--fail ${text}: wanted STAGE:CODE:COUNT or rcpt:CODE:ADDRESS`);
  }
  const isAddress = what.includes('@');
  return {
    stage,
    code: Number(code),
    recipient: isAddress ? what : undefined,
    left: isAddress ? Number.POSITIVE_INFINITY : Number(what),
  };
});
let toDrop = Number(values.drop);
const credentials = values.tls === 'none' ? undefined : await makeCertificate(values.name);

const server = new SMTPServer({
  secure: values.tls === 'implicit',
  ...(credentials ?? { disabledCommands: ['STARTTLS'] }),
  hidePIPELINING: false,
  authOptional: values.auth === undefined,
  allowInsecureAuth: true,
  closeTimeout: 100,
  logger: false,
  onConnect: (session, callback) => callback(play('connect', session)),
  onMailFrom: (_address, session, callback) => callback(play('mail', session)),
  onRcptTo: (address, session, callback) => callback(play('rcpt', session, address.address)),
  onAuth(auth, session, callback) {
    const isRight = `${auth.username}:${auth.password}` === values.auth;
    print({ event: 'login', user: auth.username, accepted: isRight, security: securityOf(session) });
    if (isRight) callback(null, { user: auth.username });
    else callback(new Error('Invalid username or password'));
  },
  onData(stream, session, callback) {
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => {
      const failure = play('data', session);
      if (failure !== null) {
        callback(failure);
        return;
      }
      take(Buffer.concat(chunks), session).then(
        () => {
          if (toDrop <= 0) return callback(null);
          toDrop -= 1;
          // The types do not say what a connection is; its socket is all that is needed of it.
          for (const { _socket } of server.connections as Iterable<{ _socket?: Socket }>) _socket?.destroy();
        },
        (error: unknown) => callback(error instanceof Error ? error : new Error(String(error))),
      );
    });
  },
});
server.on('error', () => undefined);
server.listen(Number(values.port), values.host, () => {
  const address = server.server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  print({ event: 'listening', port, ...(credentials === undefined ? {} : { ca: credentials.cert }) });
});
process.on('SIGTERM', () => server.close(() => process.exit(0)));

function play(stage: string, session: SMTPServerSession, recipient?: string): Error | null {
  const failure = failures.find(
    (candidate) =>
      candidate.stage === stage &&
      candidate.left > 0 &&
      (candidate.recipient === undefined || candidate.recipient === recipient),
  );
  if (failure === undefined) return null;
  failure.left -= 1;
  print({ event: 'refused', stage, code: failure.code, recipient: recipient ?? '', security: securityOf(session) });
  return new PlayedFailure(failure.code);
}

async function take(raw: Buffer, session: SMTPServerSession): Promise<void> {
  const mail = await simpleParser(raw);
  const { mailFrom, rcptTo } = session.envelope;
  const received: ReceivedMail = {
    event: 'mail',
    envelope: { from: mailFrom === false ? '' : mailFrom.address, to: rcptTo.map(({ address }) => address) },
    helo: session.hostNameAppearsAs,
    security: securityOf(session),
    user: session.user ?? '',
    messageId: mail.messageId ?? '',
    date: mail.date?.toISOString() ?? '',
    subject: mail.subject ?? '',
    text: mail.text ?? '',
    html: typeof mail.html === 'string' ? mail.html : '',
    headers: Object.fromEntries(mail.headerLines.map(({ key, line }) => [key, line.replace(/^[^:]*:\s*/u, '')])),
    headerLines: mail.headerLines.map(({ line }) => line),
    raw: raw.toString('utf8'),
  };
  print(received);
}

function securityOf(session: SMTPServerSession): string {
  // The types call it TlsOptions; it is what the TLS socket negotiated.
  const negotiated = session.tlsOptions as unknown as { version?: string } | false | undefined;
  return session.secure && negotiated ? (negotiated.version ?? 'TLS') : 'none';
}

function print(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** A key and a certificate that is its own authority, good for one day. */
async function makeCertificate(names: readonly string[]): Promise<{ key: string; cert: string }> {
  x509.cryptoProvider.set(webcrypto);
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const alternatives = names.map((value) => ({ type: /^[\d.]+$|:/u.test(value) ? 'ip' : 'dns', value }) as const);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name: 'CN=Baton test mail server',
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 86_400_000),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.SubjectAlternativeNameExtension(alternatives),
    ],
  });
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
  const body = der.toString('base64').replace(/(.{64})/gu, '$1\n');
  return {
    key: `-----BEGIN PRIVATE KEY-----\n${body}\n-----END PRIVATE KEY-----\n`,
    cert: certificate.toString('pem'),
  };
}
