import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createHttp, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { createServer, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import type { HttpProbe, ProbeTls } from '../../agent/health/check-settings.js';
import { NameLookup } from '../../agent/health/host-lookup.js';
import { httpAttempt, parseStatusRange } from '../../agent/health/http-check.js';
import { CheckResult } from '../../proto/gen/baton/v1/status.js';
import { closedPort, listen, outcomeOf, testNames } from './attempts.js';
import { TestAuthority } from './test-certificates.js';

interface Received {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

const received: Received[] = [];
let port = 0;
const connections = new Set<Socket>();
const web = createHttp((request, response) => {
  let body = '';
  request.on('data', (chunk: Buffer) => {
    body += chunk.toString();
  });
  request.on('end', () => {
    received.push({ method: request.method, url: request.url, headers: request.headers, body });
    answer(request.url ?? '', response);
  });
});
web.on('connection', (socket: Socket) => {
  connections.add(socket);
  socket.on('close', () => connections.delete(socket));
});

function answer(url: string, response: ServerResponse): void {
  const status = /^\/status\/(\d+)/.exec(url);
  if (status !== null) response.writeHead(Number(status[1]), { location: '/ok' }).end('status page');
  else if (url === '/endless') endless(response);
  else if (url === '/late') {
    response.write('x'.repeat(65_533));
    response.end('  here');
  } else if (url === '/split') {
    response.write('sta');
    setImmediate(() => response.end('tus: ok'));
  } else if (url === '/headers') response.writeHead(200, { 'x-big': 'x'.repeat(20_000) }).end();
  else if (url === '/cut') {
    response.writeHead(200, { 'content-length': '100' });
    response.write('half', () => response.destroy());
  } else if (url === '/silent') return;
  else response.end('all is well');
}

function endless(response: ServerResponse): void {
  response.writeHead(200);
  const more = () => {
    while (!response.destroyed && response.write('y'.repeat(10_000)));
    if (!response.destroyed) response.once('drain', more);
  };
  more();
}

before(async () => {
  port = await listen(web);
});
after(() => {
  web.closeAllConnections();
  web.close();
});

function probe(path: string, overrides: Partial<HttpProbe> = {}): HttpProbe {
  return {
    kind: 'http',
    url: `http://web.test:${port}${path}`,
    method: 'GET',
    headers: {},
    body: '',
    status: ['2xx'],
    bodyContains: '',
    bodyMatches: '',
    ...overrides,
  };
}

async function run(path: string, overrides: Partial<HttpProbe> = {}, timeout?: number) {
  const { result, reason, output } = await outcomeOf(httpAttempt(probe(path, overrides), testNames), timeout);
  return { result, reason, output };
}

test('a wanted status is good, another is not, and a redirect is not followed', async () => {
  assert.deepEqual(await run('/status/204'), { result: CheckResult.OK, reason: '', output: '204 No Content' });
  assert.deepEqual(await run('/status/503'), {
    result: CheckResult.FAILED,
    reason: 'status 503, wanted 2xx',
    output: '503 Service Unavailable\nstatus page',
  });
  received.length = 0;
  assert.equal((await run('/status/302')).reason, 'status 302, wanted 2xx');
  assert.equal(received.length, 1);
  assert.equal((await run('/status/302', { status: ['200', '301-303'] })).result, CheckResult.OK);
  assert.equal((await run('/status/304', { status: ['200', '301-303'] })).reason, 'status 304, wanted 200, 301-303');
});

test('status ranges', () => {
  assert.deepEqual(parseStatusRange('200'), { least: 200, most: 200 });
  assert.deepEqual(parseStatusRange('204-206'), { least: 204, most: 206 });
  assert.deepEqual(parseStatusRange('5xx'), { least: 500, most: 599 });
  for (const text of ['', '20', '2000', '206-204', '6xx', 'ok', '2xx-3xx']) {
    assert.equal(parseStatusRange(text), undefined, text);
  }
});

test('method, headers and body go out as configured, on a connection that is closed afterwards', async () => {
  received.length = 0;
  await run('/echo?a=b', { method: 'POST', headers: { Host: 'other.test', 'X-Token': 'secret' }, body: 'grüß' });
  const [request] = received;
  assert.equal(request?.method, 'POST');
  assert.equal(request?.url, '/echo?a=b');
  assert.equal(request?.headers.host, 'other.test');
  assert.equal(request?.headers['x-token'], 'secret');
  assert.equal(request?.headers.connection, 'close');
  assert.equal(request?.body, 'grüß');
  for (const socket of connections) if (!socket.closed) await once(socket, 'close');
  assert.equal(connections.size, 0);
});

test('text and patterns are looked for in the body', async () => {
  assert.equal((await run('/', { bodyContains: 'is well' })).result, CheckResult.OK);
  assert.deepEqual(await run('/', { bodyContains: 'is ill' }), {
    result: CheckResult.FAILED,
    reason: 'the body does not contain "is ill"',
    output: '200 OK\nall is well',
  });
  assert.equal((await run('/', { bodyMatches: '^all.*(well|fine)$' })).result, CheckResult.OK);
  assert.equal((await run('/', { bodyMatches: '^well' })).reason, 'the body does not match ^well');
  assert.equal(
    (await run('/split', { bodyContains: 'status: ok', bodyMatches: 'status: ok$' })).result,
    CheckResult.OK,
  );
  const malformed = await run('/', { bodyMatches: '(a)\\1' });
  assert.equal(malformed.result, CheckResult.CANNOT_RUN);
  assert.match(malformed.reason, /back reference/);
});

test('of a body no more than 64 KiB are looked at', async () => {
  assert.match((await run('/late', { bodyContains: 'here' })).reason, /^the first 64 KiB of the body do not contain/);
  assert.match((await run('/endless', { bodyContains: 'z' })).reason, /^the first 64 KiB of the body do not contain/);
  assert.equal((await run('/endless')).result, CheckResult.OK);
  assert.equal((await run('/endless', { status: ['404'] })).reason, 'status 200, wanted 404');
});

test('whoever does not answer is told apart from whoever is not there', async () => {
  const silent = await run('/silent', {}, 150);
  assert.equal(silent.result, CheckResult.TIMED_OUT);
  assert.equal(silent.reason, `no answer within 0.15 s: waiting for the answer of web.test:${port}`);
  const closed = await closedPort(createServer());
  const refused = await run('', { url: `http://web.test:${closed}/` });
  assert.deepEqual([refused.result, refused.reason], [CheckResult.FAILED, `connection refused by 127.0.0.1:${closed}`]);
  const nowhere = await run('', { url: 'http://nowhere.invalid/' });
  assert.deepEqual([nowhere.result, nowhere.reason], [CheckResult.FAILED, 'the name nowhere.invalid has no address']);
});

test('a name server that does not answer is told from a server that does not', async () => {
  const silent = new NameLookup(() => undefined);
  const outcome = await outcomeOf(httpAttempt(probe('/'), silent), 100);
  assert.deepEqual(
    [outcome.result, outcome.reason],
    [CheckResult.TIMED_OUT, 'no answer within 0.1 s: looking up web.test'],
  );
});

test('an address to connect to replaces the name, which is still asked for', async () => {
  received.length = 0;
  const outcome = await run('', { url: `http://nowhere.invalid:${port}/x`, connectTo: '127.0.0.1' });
  assert.equal(outcome.result, CheckResult.OK);
  assert.equal(received[0]?.headers.host, `nowhere.invalid:${port}`);
});

test('answers that are too long, cut short or not HTTP are failures with a reason', async () => {
  assert.match((await run('/headers')).reason, /headers of the answer .* longer than 16 KiB/);
  assert.match((await run('/cut', { bodyContains: 'whole' })).reason, /was cut short/);
  for (const [bytes, reason] of [
    ['\0\x01\x02 nonsense\r\n\r\n', /is not HTTP/],
    ['SSH-2.0-OpenSSH_9.2\r\n', /is not HTTP/],
    ['', /connection (closed|reset) by|socket hang up/],
  ] as const) {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.end(bytes));
    });
    const broken = await listen(server);
    const outcome = await run('', { url: `http://127.0.0.1:${broken}/` });
    server.close();
    assert.equal(outcome.result, CheckResult.FAILED);
    assert.match(outcome.reason, reason);
  }
});

test('what cannot be sent is no fault of the server', async () => {
  assert.equal((await run('/', { method: 'BAD METHOD' })).result, CheckResult.CANNOT_RUN);
  assert.equal((await run('/', { headers: { 'X-A': 'a\r\nb' } })).result, CheckResult.CANNOT_RUN);
  assert.equal((await run('/', { url: 'nonsense' })).result, CheckResult.CANNOT_RUN);
  assert.equal((await run('/', { status: ['2yy'] })).result, CheckResult.CANNOT_RUN);
});

test('the certificate of a server is judged unless it is said not to be', async () => {
  const authority = await TestAuthority.make();
  const stranger = await TestAuthority.make();
  const secret: ProbeTls = { ca: authority.pem, insecureSkipVerify: false };
  const names: string[] = [];
  const handler = (_request: IncomingMessage, response: ServerResponse) => response.end('secret');
  const certificate = await authority.issue(['web.test']);
  const server = createHttps(
    {
      ...certificate,
      SNICallback: (name, done) => {
        names.push(name);
        done(null);
      },
    },
    handler,
  );
  const securePort = await listen(server);
  const old = createHttps(await authority.issue(['web.test'], 0.5), handler);
  const oldPort = await listen(old);
  try {
    const at = (overrides: Partial<HttpProbe>, host = 'web.test', on = securePort) =>
      run('', { url: `https://${host}:${on}/`, ...overrides });
    assert.equal((await at({ tls: secret, bodyContains: 'secret' })).result, CheckResult.OK);
    assert.deepEqual(names, ['web.test']);
    assert.equal((await at({})).reason, 'certificate is from an authority that is not trusted');
    assert.match((await at({ tls: { ...secret, ca: stranger.pem } })).reason, /^certificate /);
    assert.match((await at({ tls: secret }, 'other.test')).reason, /^certificate is for another name: DNS:web\.test/);
    assert.match((await at({ tls: secret }, '127.0.0.1')).reason, /^certificate is for another name/);
    assert.equal((await at({ tls: secret, connectTo: '127.0.0.1' })).result, CheckResult.OK);
    assert.equal((await at({ tls: { ...secret, serverName: 'web.test' } }, '127.0.0.1')).result, CheckResult.OK);
    assert.equal((await at({ tls: { insecureSkipVerify: true } }, 'other.test')).result, CheckResult.OK);
    assert.equal((await at({ tls: secret }, 'web.test', oldPort)).reason, 'certificate has expired');
    assert.match((await at({ tls: secret }, 'web.test', port)).reason, /^TLS with .* failed: /);
  } finally {
    server.close();
    old.close();
  }
});
