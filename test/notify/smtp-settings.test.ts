import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMailbox } from '../../controller/notify/mailbox.js';
import { readRecipients, readSmtpSettings } from '../../controller/notify/smtp-settings.js';
import { type EmailReceiver, MailSecurity } from '../../proto/gen/baton/v1/resources.js';
import { receiver } from './alert-fixture.js';

const authentication = { username: 'baton', secret: 'smtp' };
const { STARTTLS, TLS, OPPORTUNISTIC, NONE, UNSPECIFIED } = MailSecurity;

const defaults: [Partial<EmailReceiver>, string, number][] = [
  [{ security: UNSPECIFIED }, 'starttls', 25],
  [{ security: STARTTLS }, 'starttls', 25],
  [{ security: STARTTLS, authentication }, 'starttls', 587],
  [{ security: TLS }, 'tls', 465],
  [{ security: TLS, authentication }, 'tls', 465],
  [{ security: OPPORTUNISTIC }, 'opportunistic', 25],
  [{ security: NONE }, 'none', 25],
  [{ security: NONE, authentication, host: '127.0.0.1' }, 'none', 25],
  [{ security: TLS, port: 2465 }, 'tls', 2465],
];
for (const [wanted, security, port] of defaults) {
  test(`${JSON.stringify(wanted)} means ${security} on port ${port}`, () => {
    const read = readSmtpSettings(receiver(wanted), 'pass', 'controller');
    assert.ok(read.ok);
    assert.equal(read.settings.security, security);
    assert.equal(read.settings.port, port);
    assert.equal(read.settings.timeoutMs, 30_000);
    assert.equal(read.settings.heloName, 'controller');
  });
}

const refused: [string, Partial<EmailReceiver>, string | undefined, RegExp][] = [
  [
    'opportunistic with login',
    { security: OPPORTUNISTIC, authentication },
    'x',
    /in clear to mail\.example\.net: use starttls/u,
  ],
  ['none with login', { security: NONE, authentication }, 'x', /in clear/u],
  [
    'none with login to something like loopback',
    { security: NONE, authentication, host: '127.evil.example' },
    'x',
    /in clear/u,
  ],
  ['no secret', { authentication }, undefined, /no Secret "smtp"/u],
  ['line end in the user name', { authentication: { username: 'a\r\nb', secret: 's' } }, 'x', /control character/u],
  ['line end in the EHLO name', { heloName: 'a\r\nMAIL FROM:<x@y>' }, undefined, /helo_name "a MAIL FROM/u],
  ['no host', { host: '' }, undefined, /not the name or address/u],
  ['host with a space', { host: 'a b' }, undefined, /not the name or address/u],
  ['from that is not an address', { from: 'root' }, undefined, /from: "root" is not a usable mail address/u],
  ['port', { port: 70_000 }, undefined, /port 70000/u],
];
for (const [what, wanted, password, reason] of refused) {
  test(`refused: ${what}`, () => {
    const read = readSmtpSettings(receiver(wanted), password, 'controller');
    assert.ok(!read.ok);
    assert.match(read.reason, reason);
  });
}

test('a host name that cannot be said in EHLO is replaced', () => {
  const read = readSmtpSettings(receiver({}), undefined, 'my host\r\n');
  assert.ok(read.ok);
  assert.equal(read.settings.heloName, '[127.0.0.1]');
});

const mailboxes: [string, string, string?][] = [
  ['ops@example.net', 'ops@example.net'],
  ['root@localhost', 'root@localhost'],
  ['  ops@example.net ', 'ops@example.net'],
  ['On Call <ops+vrrp@example.net>', 'ops+vrrp@example.net', 'On Call'],
  ['"On Call" <ops@example.net>', 'ops@example.net', 'On Call'],
  ['ops@[192.0.2.1]', 'ops@[192.0.2.1]'],
  ['ops@bücher.example', 'ops@xn--bcher-kva.example'],
];
for (const [text, address, name = ''] of mailboxes) {
  test(`address ${JSON.stringify(text)}`, () => {
    assert.deepEqual(parseMailbox(text), { ok: true, mailbox: { name, address } });
  });
}

const notMailboxes = [
  '',
  'ops',
  '@example.net',
  'ops@',
  '-f@example.net',
  '"a@evil"@good.example',
  '"ops"@example.net',
  'a@b>,<c@d',
  'a@example.net, b@example.net',
  'a@evil.example,@b.example:c@example.net',
  'ops@example.net\r\nRCPT TO:<x@evil.example>',
  'ops@exa mple.net',
  'ops@-x-.example',
  'o..ps@example.net',
  'Bad, Name <ops@example.net>',
  'öps@example.net',
  `${'a'.repeat(65)}@example.net`,
  `a@${'b.'.repeat(130)}net`,
  'ops@example.net\u0000',
  'a'.repeat(10_000),
];
for (const text of notMailboxes) {
  test(`no address: ${JSON.stringify(text).slice(0, 60)}`, () => {
    const parsed = parseMailbox(text);
    assert.ok(!parsed.ok);
    assert.match(parsed.reason, /is not a usable mail address: /u);
    assert.doesNotMatch(parsed.reason, /[\r\n]/u);
  });
}

test('recipients: duplicates once, bad ones named', () => {
  const { recipients, refused: bad } = readRecipients(['a@example.net', 'A <a@example.net>', 'nobody']);
  assert.deepEqual(
    recipients.map(({ address }) => address),
    ['a@example.net'],
  );
  assert.deepEqual(
    bad.map(({ recipient }) => recipient),
    ['nobody'],
  );
});
