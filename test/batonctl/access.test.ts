/** Tokens, mail, contexts, controllers that do not answer as they should, wrong command lines. */
import assert from 'node:assert/strict';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { readContextFile } from '../../controller/batonctl/context-file.js';
import { SendTestMailResponse } from '../../proto/gen/baton/v1/mail_service.js';
import {
  type CreateTokenRequest,
  CreateTokenResponse,
  ListTokensResponse,
  RevokeTokenResponse,
} from '../../proto/gen/baton/v1/token_service.js';
import { bench, getStatus } from './bench.js';
import {
  CallRefusal,
  contextFor,
  FakeController,
  makeDesk,
  makeIdentities,
  NOON,
  type Run,
  run,
} from './fake-controller.js';

test('token create prints the whole command, alone on standard output', async (context) => {
  const { fake, ctl } = await bench(context, {
    createToken: () =>
      CreateTokenResponse.fromPartial({
        token: 'btn_abc',
        caPin: 'sha256:00ff',
        expiresAt: new Date(NOON + 3_600_000),
        id: '1',
      }),
  });
  const made = await ctl('token', 'create', '--node', 'base1', '--ttl', '1h30m');
  assert.equal(
    made.stdout,
    `baton-agent join --controller 127.0.0.1:${fake.port} --token btn_abc --ca-pin sha256:00ff --name base1\n`,
  );
  assert.match(made.stderr, /Run this on the host that shall be base1, within 1h; it works once/u);
  assert.match(made.stderr, /on another host, put the controller's address there/u);
  assert.deepEqual(fake.calls[0]?.request as CreateTokenRequest, { node: 'base1', ttl: { seconds: 5400, nanos: 0 } });
  assert.match(JSON.parse((await ctl('token', 'create', '-o', 'json')).stdout).joinCommand, /^baton-agent join /u);
  assert.deepEqual(fake.calls[1]?.request as CreateTokenRequest, { node: '', ttl: undefined });
});

test('token list and revoke', async (context) => {
  const { fake, ctl } = await bench(context, {
    listTokens: () =>
      ListTokensResponse.fromPartial({
        tokens: [
          { id: 'a', createdAt: new Date(NOON), expiresAt: new Date(NOON + 60_000) },
          {
            id: 'b',
            node: 'base1',
            createdAt: new Date(NOON - 60_000),
            expiresAt: new Date(NOON),
            usedAt: new Date(NOON - 3_000),
            usedBy: 'base1',
          },
          { id: 'c', createdAt: new Date(NOON - 60_000), expiresAt: new Date(NOON - 1_000) },
        ],
      }),
    revokeToken: () => RevokeTokenResponse.create(),
  });
  assert.equal(
    (await ctl('token', 'list')).stdout,
    `ID  NODE   CREATED  EXPIRES  STATE
a   (any)  now      in 1m    usable
b   base1  1m ago   now      used by base1 3s ago
c   (any)  1m ago   1s ago   expired
`,
  );
  assert.equal((await ctl('token', 'revoke', 'a')).code, 0);
  assert.deepEqual(fake.calls.at(-1)?.request, { id: 'a' });
});

test('mail test', async (context) => {
  const { fake, ctl } = await bench(context, {
    sendTestMail: () =>
      SendTestMailResponse.fromPartial({
        accepted: ['ops@example.net'],
        response: '250 ok\r\n\u001b[2J',
        messageId: '<1@example.net>',
        security: 'TLSv1.3',
      }),
  });
  const good = await ctl('mail', 'test', 'ops');
  assert.equal(good.code, 0);
  assert.equal(
    good.stdout,
    `accepted for  ops@example.net
answer        250 ok [2J
protection    TLSv1.3
message ID    <1@example.net>
`,
  );
  fake.answers = {
    sendTestMail: () =>
      SendTestMailResponse.fromPartial({ accepted: ['a@x'], rejected: ['b@x: 550 unknown'], security: 'none' }),
  };
  const partly = await ctl('mail', 'test', 'ops');
  assert.equal(partly.code, 1);
  assert.match(partly.stdout, /rejected {6}b@x: 550 unknown\n/u);
  assert.match(partly.stdout, /in clear/u);
  fake.answers = {
    sendTestMail: () => {
      throw new CallRefusal(status.UNAVAILABLE, 'receiver "ops": 127.0.0.1:25: connect ECONNREFUSED');
    },
  };
  const down = await ctl('mail', 'test', 'ops');
  assert.equal(down.code, 1);
  assert.equal(
    down.stderr,
    'batonctl: cannot send a test mail through "ops": receiver "ops": 127.0.0.1:25: connect ECONNREFUSED\n',
  );
});

test('contexts: add from a file and from parts, list, use, show without the key, remove', async (context) => {
  const { fake, directory, file } = await bench(context);
  const fresh = path.join(directory, 'fresh', 'config.yaml');
  const ctl = (...args: string[]): Promise<Run> => run(args, { directory, env: { BATON_CONFIG: fresh } });
  const added = await ctl('context', 'add', '--from', path.join(directory, 'config.yaml'));
  assert.equal(added.code, 0, added.stderr);
  assert.equal(statSync(fresh).mode & 0o777, 0o600);
  assert.equal(statSync(path.dirname(fresh)).mode & 0o777, 0o700);
  const parts = {
    ca: file('ca.pem', fake.operator.ca),
    certificate: file('cert.pem', fake.operator.certificate),
    key: file('key.pem', fake.operator.privateKey),
  };
  const second = await ctl(
    ...['context', 'add', 'other', '--controller', 'c1.example.net:7443', '--controller', 'c2.example.net'],
    ...['--ca', parts.ca, '--certificate', parts.certificate, '--key', parts.key],
  );
  assert.equal(second.code, 0, second.stderr);
  assert.equal(
    (await ctl('context', 'list')).stdout,
    `   NAME   CONTROLLERS
*  test   127.0.0.1:${fake.port}
   other  c1.example.net:7443, c2.example.net
`,
  );
  assert.equal((await ctl('context', 'use', 'other')).code, 0);
  assert.equal(readContextFile(fresh)?.currentContext, 'other');
  for (const format of ['table', 'json', 'yaml']) {
    const shown = await ctl('context', 'show', '-o', format);
    assert.match(shown.stdout, /sha256:[0-9a-f]{64}/u);
    assert.match(shown.stdout, /CN=admin/u);
    assert.doesNotMatch(shown.stdout + shown.stderr, /PRIVATE|BEGIN/u);
  }
  assert.equal((await ctl('context', 'remove', 'other')).code, 0);
  const none = await ctl('context', 'use', 'tset');
  assert.equal(none.code, 2);
  assert.match(none.stderr, /no context "tset" .*did you mean "test"/u);
  const half = await ctl('context', 'add', 'x', '--ca', parts.ca);
  assert.equal(half.code, 2);
  const swapped = await ctl(
    ...[
      'context',
      'add',
      'x',
      '--controller',
      'c:1',
      '--ca',
      parts.ca,
      '--certificate',
      parts.key,
      '--key',
      parts.certificate,
    ],
  );
  assert.equal(swapped.code, 1);
  assert.match(swapped.stderr, /context "x" cannot be used/u);
});

test('no context file, one that is broken, one for another shape', async (context) => {
  const directory = makeDesk(context);
  const none = await run(['status'], { directory });
  assert.equal(none.code, 1);
  assert.match(none.stderr, /there is no context in .*config\.yaml: copy operator\.yaml/u);
  writeFileSync(path.join(directory, 'config.yaml'), 'contexts:\n  - {name: a, privateKey: SECRET, sever: x}\n');
  const broken = await run(['status'], { directory });
  assert.equal(broken.code, 1);
  assert.match(broken.stderr, /config\.yaml:2:\d+: .*sever/u);
  assert.doesNotMatch(broken.stderr, /SECRET/u);
});

test('a controller that is not there: the next is asked, and if there is none, it is said', async (context) => {
  const { fake, directory } = await bench(context, { getStatus });
  const gone = net.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => gone.once('listening', resolve));
  const address = gone.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  await new Promise((resolve) => gone.close(resolve));
  const dead = { ...contextFor(fake, port, 'dead') };
  const both = { ...dead, name: 'both', controllers: [`127.0.0.1:${port}`, `127.0.0.1:${fake.port}`] };
  const desk = makeDesk(context, [dead, both]);
  const refused = await run(['status'], { directory: desk });
  assert.equal(refused.code, 1);
  assert.equal(
    refused.stderr,
    `batonctl: cannot read the status: nothing listens at 127.0.0.1:${port} (context "dead"): is the controller running? (connect ECONNREFUSED 127.0.0.1:${port})\n`,
  );
  assert.equal((await run(['status', '--context', 'both'], { directory: desk })).code, 0);
  assert.equal((await run(['watch', '--context', 'dead'], { directory: desk })).code, 1);
  assert.equal(existsSync(directory), true);
});

test('a controller of another authority, of another name, or without TLS is not talked to', async (context) => {
  const { fake } = await bench(context, { getStatus });
  const stranger = await makeIdentities(['127.0.0.1']);
  const other = makeDesk(context, [{ ...contextFor(fake, fake.port), ca: stranger.operator.ca }]);
  const untrusted = await run(['status'], { directory: other });
  assert.equal(untrusted.code, 1);
  assert.match(untrusted.stderr, /no trusted connection to 127\.0\.0\.1:\d+ .*not from the authority of this context/u);

  const elsewhere = await FakeController.start(context, ['controller.example.net']);
  elsewhere.answers = { getStatus };
  const misnamed = await run(['status'], { directory: makeDesk(context, [contextFor(elsewhere, elsewhere.port)]) });
  assert.equal(misnamed.code, 1);
  assert.match(misnamed.stderr, /its certificate is for other names/u);

  const plain = net.createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')).listen(0, '127.0.0.1');
  await new Promise((resolve) => plain.once('listening', resolve));
  context.after(() => plain.close());
  const address = plain.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const clear = await run(['status'], { directory: makeDesk(context, [contextFor(fake, port)]) });
  assert.equal(clear.code, 1);
  assert.match(clear.stderr, /does not speak TLS/u);
});

test('who we are is not taken, not allowed, not understood, not answered', async (context) => {
  const { fake, ctl } = await bench(context);
  const refuse = (code: status, message: string): void => {
    fake.answers = {
      getStatus: () => {
        throw new CallRefusal(code, message);
      },
    };
  };
  refuse(status.UNAUTHENTICATED, 'the certificate was revoked');
  assert.match((await ctl('status')).stderr, /does not know who you are: the certificate was revoked/u);
  refuse(status.PERMISSION_DENIED, 'nodes may not');
  assert.match((await ctl('status')).stderr, /does not allow it: nodes may not/u);
  refuse(status.UNIMPLEMENTED, 'x');
  assert.match((await ctl('status')).stderr, /of another version/u);
  refuse(status.INTERNAL, 'bad\u001b[2J\r\nthing');
  assert.equal((await ctl('status')).stderr, 'batonctl: cannot read the status: bad [2J thing\n');
  const mute = net.createServer(() => undefined).listen(0, '127.0.0.1');
  const sockets: net.Socket[] = [];
  mute.on('connection', (socket) => sockets.push(socket));
  await new Promise((resolve) => mute.once('listening', resolve));
  context.after(() => {
    for (const socket of sockets) socket.destroy();
    mute.close();
  });
  const address = mute.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const silent = await run(['status', '--timeout', '50ms'], { directory: makeDesk(context, [contextFor(fake, port)]) });
  assert.equal(silent.code, 1);
  assert.match(silent.stderr, /no answer from 127\.0\.0\.1:\d+ \(context "test"\) in time; see --timeout/u);
});

const wrong: [string[], RegExp][] = [
  [['frobnicate'], /unknown command 'frobnicate'/u],
  [['stauts'], /Did you mean status/u],
  [['status', '--nope'], /unknown option '--nope'/u],
  [['status', 'extra'], /too many arguments/u],
  [['status', '-o', 'xml'], /wanted one of table, json, yaml/u],
  [['status', '--timeout', '5'], /the unit is missing/u],
  [['status', '--timeout', '0s'], /longer than nothing/u],
  [['apply'], /required option '-f, --filename <file>' not specified/u],
  [['get'], /missing required argument 'kind'/u],
  [['get', 'pods'], /"pods" is not a kind of resource/u],
  [['get', 'all', 'x'], /takes no name/u],
  [['delete', 'vr'], /missing required argument 'name'/u],
  [['events', '--limit', '0'], /whole number from 1 to 10000/u],
  [['events', '--limit', '1e3'], /whole number/u],
  [['events', '--severity', 'loud'], /wanted info, warning or error/u],
  [['import'], /missing required argument 'file'/u],
  [['import', 'base1='], /neither a file nor NAME=FILE/u],
  [['completion', 'tcsh'], /Allowed choices are bash, zsh, fish/u],
  [['status', '--context', 'nope'], /there is no context "nope"/u],
  [[], /Usage: batonctl/u],
  [['token'], /Usage: batonctl token/u],
];
for (const [args, said] of wrong) {
  test(`called wrongly: ${args.join(' ')}`, async (context) => {
    const identities = await makeIdentities(['127.0.0.1']);
    const directory = makeDesk(context, [{ name: 'test', controllers: ['127.0.0.1:1'], ...identities.operator }]);
    const answer = await run(args, { directory });
    assert.equal(answer.code, 2);
    assert.match(answer.stderr, said);
    assert.equal(answer.stdout, '');
  });
}

test('help and version are no failure', async (context) => {
  const directory = makeDesk(context);
  for (const args of [['--help'], ['apply', '--help'], ['--version'], ['version']]) {
    const answer = await run(args, { directory });
    assert.equal(answer.code, 0);
    assert.notEqual(answer.stdout, '');
  }
  assert.equal((await run(['-V'], { directory })).stdout, 'batonctl 1.2.3\n');
  assert.equal(JSON.parse((await run(['version', '-o', 'json'], { directory })).stdout).version, '1.2.3');
});
