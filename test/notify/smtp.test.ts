/** The outbox against a real mail server in a process of its own, over loopback. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Attempt } from '../../controller/notify/delivery.js';
import { readSmtpSettings } from '../../controller/notify/smtp-settings.js';
import { type OutgoingMail, sendBySmtp } from '../../controller/notify/smtp-transport.js';
import { type EmailReceiver, MailSecurity } from '../../proto/gen/baton/v1/resources.js';
import type { ReceivedMail } from '../lab/smtp-server.js';
import { ACTIVE, BACKUP, NOON, Office, openTables, receiver, transition } from './alert-fixture.js';

const { STARTTLS, TLS, OPPORTUNISTIC, NONE } = MailSecurity;
const NEVER = new AbortController().signal;

class Server {
  readonly mails: ReceivedMail[] = [];
  readonly lines: Record<string, unknown>[] = [];

  private constructor(
    readonly port: number,
    readonly ca: string,
    private readonly child: ChildProcess,
  ) {}

  static async start(context: TestContext, ...options: string[]): Promise<Server> {
    const program = fileURLToPath(new URL('../lab/smtp-server.js', import.meta.url));
    const child = spawn(process.execPath, [program, ...options], { stdio: ['ignore', 'pipe', 'inherit'] });
    let server: Server | undefined;
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code) => reject(new Error(`the mail server ended with ${code}`)));
      createInterface({ input: child.stdout }).on('line', (line) => {
        const said = JSON.parse(line) as Record<string, unknown>;
        if (said['event'] === 'listening') {
          server = new Server(Number(said['port']), String(said['ca'] ?? ''), child);
          const started = server;
          context.after(() => started.stop());
          resolve(server);
        }
        server?.lines.push(said);
        if (said['event'] === 'mail') server?.mails.push(said as unknown as ReceivedMail);
      });
    });
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    await ended;
  }

  /** What was printed before an answer may arrive after it. */
  async untilMails(count: number): Promise<readonly ReceivedMail[]> {
    while (this.mails.length < count) await new Promise((resolve) => setImmediate(resolve));
    return this.mails;
  }

  receiver(wanted: Partial<EmailReceiver>): EmailReceiver {
    return receiver({ host: '127.0.0.1', port: this.port, ca: this.ca, to: ['ops@example.net'], ...wanted });
  }
}

const mail: OutgoingMail = {
  to: [{ name: '', address: 'ops@example.net' }],
  messageId: '<one@example.net>',
  date: new Date(NOON),
  subject: 'a subject',
  text: 'a text\n.\n..\nthe end\n',
  html: '<p>a text</p>',
  headers: { 'Auto-Submitted': 'auto-generated', 'X-Baton-Router': 'pg' },
};

function send(wanted: EmailReceiver, more: Partial<OutgoingMail> = {}, password?: string): Promise<Attempt> {
  const read = readSmtpSettings(wanted, password, 'controller.example.net');
  assert.ok(read.ok, read.ok ? '' : read.reason);
  return sendBySmtp(read.settings, { ...mail, ...more }, NEVER);
}

function reasonOf(attempt: Attempt): string {
  assert.equal(attempt.kind, 'unreachable');
  return attempt.kind === 'unreachable' ? attempt.reason : '';
}

test('STARTTLS with login: the whole message arrives', async (context) => {
  const server = await Server.start(context, '--auth', 'baton:hunter2');
  const authentication = { username: 'baton', secret: 'smtp' };
  const attempt = await send(server.receiver({ security: STARTTLS, authentication }), {}, 'hunter2');
  assert.equal(attempt.kind, 'delivered');
  assert.ok(attempt.kind === 'delivered');
  assert.equal(attempt.security, 'TLSv1.3');
  assert.deepEqual(attempt.accepted, ['ops@example.net']);
  assert.match(attempt.response, /^250 /u);
  const [arrived] = await server.untilMails(1);
  assert.equal(arrived?.security, 'TLSv1.3');
  assert.equal(arrived?.user, 'baton');
  assert.equal(arrived?.helo, 'controller.example.net');
  assert.deepEqual(arrived?.envelope, { from: 'baton@example.net', to: ['ops@example.net'] });
  assert.equal(arrived?.messageId, '<one@example.net>');
  assert.equal(arrived?.date, '2026-11-22T12:00:00.000Z');
  assert.equal(arrived?.subject, 'a subject');
  assert.equal(arrived?.text, 'a text\n.\n..\nthe end\n');
  assert.match(arrived?.html ?? '', /<p>a text<\/p>/u);
  assert.equal(arrived?.headers['auto-submitted'], 'auto-generated');
  assert.equal(arrived?.headers['x-baton-router'], 'pg');
  assert.match(arrived?.headers['content-type'] ?? '', /^multipart\/alternative/u);
});

test('a wrong password is EAUTH, and nothing is sent', async (context) => {
  const server = await Server.start(context, '--auth', 'baton:hunter2');
  const authentication = { username: 'baton', secret: 'smtp' };
  const reason = reasonOf(await send(server.receiver({ authentication }), {}, 'wrong'));
  assert.match(reason, /^127\.0\.0\.1:\d+: .*535 .*\(EAUTH\)$/u);
  assert.equal(server.mails.length, 0);
});

test('implicit TLS', async (context) => {
  const server = await Server.start(context, '--tls', 'implicit');
  const attempt = await send(server.receiver({ security: TLS }));
  assert.equal(attempt.kind === 'delivered' && attempt.security, 'TLSv1.3');
});

test('a required STARTTLS that is not offered sends nothing, not even a login', async (context) => {
  const server = await Server.start(context, '--tls', 'none', '--auth', 'baton:hunter2');
  const authentication = { username: 'baton', secret: 'smtp' };
  reasonOf(await send(server.receiver({ security: STARTTLS, authentication, ca: '' }), {}, 'hunter2'));
  assert.deepEqual(
    server.lines.map(({ event }) => event),
    ['listening'],
  );
});

test('a certificate that the CA does not vouch for, or that names another host, sends nothing', async (context) => {
  const server = await Server.start(context, '--name', 'mail.example.net');
  assert.match(reasonOf(await send(server.receiver({}))), /127\.0\.0\.1.*certificate/u);
  assert.match(reasonOf(await send(server.receiver({ ca: '' }))), /self-signed certificate/u);
  assert.match(reasonOf(await send(server.receiver({ security: OPPORTUNISTIC }))), /certificate/u);
  assert.equal(server.mails.length, 0);
});

test('opportunistic takes TLS from whom it gets it, and clear text', async (context) => {
  const withTls = await Server.start(context, '--name', 'mail.example.net');
  const protectedOne = await send(withTls.receiver({ security: OPPORTUNISTIC, ca: '' }));
  assert.equal(protectedOne.kind === 'delivered' && protectedOne.security, 'TLSv1.3');
  const without = await Server.start(context, '--tls', 'none');
  const clear = await send(without.receiver({ security: OPPORTUNISTIC }));
  assert.equal(clear.kind === 'delivered' && clear.security, 'none');
});

test('none stays in clear although STARTTLS is offered', async (context) => {
  const server = await Server.start(context);
  const attempt = await send(server.receiver({ security: NONE }));
  assert.equal(attempt.kind === 'delivered' && attempt.security, 'none');
});

test('a login that the server has no use for is an error, not a mail without login', async (context) => {
  const server = await Server.start(context);
  const authentication = { username: 'baton', secret: 'smtp' };
  const reason = reasonOf(await send(server.receiver({ authentication }), {}, 'hunter2'));
  assert.match(reason, /EAUTH|no authentication/u);
  assert.equal(server.mails.length, 0);
});

test('refusals by stage and by recipient', async (context) => {
  const server = await Server.start(
    context,
    ...['--fail', 'mail:451:1', '--fail', 'data:552:1', '--fail', 'rcpt:550:gone@example.net', '--tls', 'none'],
  );
  const ours = server.receiver({ security: NONE });
  const codes = (attempt: Attempt): (number | undefined)[] =>
    attempt.kind === 'unreachable' ? [] : attempt.refused.map(({ code }) => code);
  assert.deepEqual(codes(await send(ours)), [451]);
  assert.deepEqual(codes(await send(ours)), [552]);
  const three = ['ops@example.net', 'gone@example.net', 'dba@example.net'].map((address) => ({ name: '', address }));
  const partly = await send(ours, { to: three });
  assert.ok(partly.kind === 'delivered');
  assert.deepEqual(partly.accepted, ['ops@example.net', 'dba@example.net']);
  assert.deepEqual(
    partly.refused.map(({ recipient, code }) => [recipient, code]),
    [['gone@example.net', 550]],
  );
  const nobody = await send(ours, { to: three.slice(1, 2) });
  assert.equal(nobody.kind, 'refused');
  assert.deepEqual(codes(nobody), [550]);
});

test('a greeting of 554 and a server that ends before it answered are tried again later', async (context) => {
  const server = await Server.start(context, '--fail', 'connect:554:1', '--drop', '1', '--tls', 'none');
  const ours = server.receiver({ security: NONE });
  assert.match(reasonOf(await send(ours)), /554/u);
  reasonOf(await send(ours));
  assert.equal((await send(ours)).kind, 'delivered');
  const ids = (await server.untilMails(2)).map(({ messageId }) => messageId);
  assert.deepEqual(ids, ['<one@example.net>', '<one@example.net>']);
});

test('a server that says nothing is given up after the timeout; one that is not there at once', async (context) => {
  const mute = net.createServer(() => undefined);
  await new Promise<void>((resolve) => {
    mute.listen(0, '127.0.0.1', resolve);
  });
  const address = mute.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const sockets: net.Socket[] = [];
  mute.on('connection', (socket) => sockets.push(socket.on('error', () => undefined)));
  context.after(() => {
    for (const socket of sockets) socket.destroy();
    mute.close();
  });
  const timeout = { seconds: 0, nanos: 50_000_000 };
  const wanted = receiver({ host: '127.0.0.1', port, timeout });
  assert.match(reasonOf(await send(wanted)), /greeting|timeout/iu);
  const gone = net.createServer().listen(0, '127.0.0.1');
  await once(gone, 'listening');
  const free = gone.address();
  await new Promise((resolve) => gone.close(resolve));
  const freePort = typeof free === 'object' && free !== null ? free.port : 0;
  assert.match(reasonOf(await send(receiver({ host: '127.0.0.1', port: freePort }))), /ECONNREFUSED/u);
});

test('stopping ends a session that hangs', async (context) => {
  const mute = net.createServer((socket) => socket.on('error', () => undefined));
  mute.listen(0, '127.0.0.1');
  await once(mute, 'listening');
  context.after(() => mute.close());
  const address = mute.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const read = readSmtpSettings(receiver({ host: '127.0.0.1', port }), undefined, 'controller');
  assert.ok(read.ok);
  const stopping = new AbortController();
  const attempt = sendBySmtp(read.settings, mail, stopping.signal);
  await once(mute, 'connection');
  stopping.abort();
  assert.match(reasonOf(await attempt), /ended by us/u);
});

test('headers and envelope take no line end from anywhere', async (context) => {
  const server = await Server.start(context, '--tls', 'none');
  const nasty = 'x\r\nBcc: evil@example.org\r\n\r\nbody\u2028\u0000';
  const attempt = await send(server.receiver({ security: NONE }), {
    subject: nasty,
    messageId: `<a${nasty}@example.net>`,
    headers: { 'X-Baton-Router': nasty },
    to: [{ name: nasty, address: 'ops@example.net' }],
    text: `first\r\n.\r\nRCPT TO:<evil@example.org>\r\n${'long '.repeat(4_000)}`,
  });
  assert.equal(attempt.kind, 'delivered');
  const [arrived] = await server.untilMails(1);
  assert.deepEqual(arrived?.envelope.to, ['ops@example.net']);
  assert.equal(arrived?.headers['bcc'], undefined);
  assert.equal(arrived?.subject, 'x Bcc: evil@example.org body');
  assert.equal(arrived?.headers['x-baton-router'], 'x Bcc: evil@example.org body');
  assert.match(arrived?.text ?? '', /^first\n\.\nRCPT TO:<evil@example\.org>\n/u);
  const longest = Math.max(...(arrived?.raw ?? '').split('\r\n').map((line) => line.length));
  assert.ok(longest <= 998, `a line of ${longest} characters`);
});

test('the server is down, the controller is restarted, the server comes up: one mail, one Message-ID', async (context) => {
  const first = await Server.start(context, '--tls', 'none');
  await first.stop();
  const office = new Office(await openTables(), { send: sendBySmtp });
  office.receivers.set(
    'ops',
    receiver({ host: '127.0.0.1', port: first.port, security: NONE, to: ['ops@example.net'] }),
  );
  office.notifier.start();
  await office.hear(transition({ node: 'base2', from: BACKUP, to: ACTIVE, cause: 'active-down' }));
  await office.clock.advance(2_000);
  while ((await office.notifier.overview()).lastError === '') await new Promise((resolve) => setImmediate(resolve));
  assert.match((await office.notifier.overview()).lastError, /ECONNREFUSED/u);
  const [waiting] = await office.db.selectFrom('outbox').selectAll().execute();
  await office.notifier.stop();

  const second = await Server.start(context, '--tls', 'none', '--port', String(first.port), '--fail', 'data:451:1');
  office.hire().start();
  for (let tries = 0; (await office.notifier.overview()).sent === 0; tries += 1) {
    assert.ok(tries < 100_000, 'the mail was not sent');
    await office.clock.advance(1_000);
  }
  await office.notifier.stop();
  const mails = await second.untilMails(1);
  assert.deepEqual(
    mails.map(({ messageId, subject }) => [messageId, subject]),
    [[waiting?.message_id, '[Baton] pg: base2 active (base2 heard no active router)']],
  );
  assert.equal(second.lines.filter(({ event }) => event === 'refused').length, 1);
});
