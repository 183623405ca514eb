import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { Authority } from '../../controller/identity/authority.js';
import { decideEndpoint, EndpointError } from '../../controller/identity/endpoint-names.js';
import { InitError, initialise } from '../../controller/identity/initialise.js';
import { ensureServerIdentity } from '../../controller/identity/server-identity.js';
import { lockDataDir } from '../../controller/store/data-dir-lock.js';
import { StoreError } from '../../controller/store/database.js';
import { HostPortError, parseHostPort } from '../../proto/process/host-port.js';

const NOW = new Date(Date.UTC(2030, 0, 1));
const DAY_MS = 24 * 3_600_000;

let parent: string;
let dataDir: string;

beforeEach(() => {
  parent = mkdtempSync(path.join(tmpdir(), 'baton-init-'));
  dataDir = path.join(parent, 'controller');
});

afterEach(() => rmSync(parent, { recursive: true, force: true }));

test('init makes everything, private', async () => {
  const result = await initialise({ dataDir, advertise: ['controller.example:7444', '192.0.2.7'], now: NOW });
  assert.equal(result.created, true);
  assert.deepEqual(result.addresses, ['controller.example:7444', '192.0.2.7:7443']);
  assert.equal(statSync(dataDir).mode & 0o777, 0o700);
  for (const file of readdirSync(dataDir)) {
    const isPublic = file === 'ca.pem' || file === 'endpoint.json';
    assert.equal(statSync(path.join(dataDir, file)).mode & 0o777, isPublic ? 0o644 : 0o600, file);
  }
  const server = new X509Certificate(readFileSync(path.join(dataDir, 'server.pem')));
  for (const name of ['controller.example', 'localhost']) assert.ok(server.checkHost(name), name);
  for (const address of ['192.0.2.7', '127.0.0.1', '::1']) assert.ok(server.checkIP(address), address);
});

test('init again keeps the authority and renews the rest', async () => {
  const first = await initialise({ dataDir, advertise: ['192.0.2.7'], now: NOW });
  const operator = readFileSync(first.operatorFile, 'utf8');
  const again = await initialise({ dataDir, advertise: [], now: NOW });
  assert.equal(again.created, false);
  assert.equal(again.caPin, first.caPin);
  assert.deepEqual(again.addresses, first.addresses);
  assert.notEqual(readFileSync(again.operatorFile, 'utf8'), operator);
  const moved = await initialise({ dataDir, advertise: ['192.0.2.8'], now: NOW });
  assert.deepEqual(moved.addresses, ['192.0.2.8:7443']);
});

test('an init that broke off before it was complete is completed', async () => {
  await initialise({ dataDir, advertise: ['192.0.2.7'], now: NOW });
  for (const file of readdirSync(dataDir)) {
    if (!['ca.key', 'ca.pem'].includes(file)) rmSync(path.join(dataDir, file));
  }
  await initialise({ dataDir, advertise: [], now: NOW });
  assert.ok(existsSync(path.join(dataDir, 'operator.yaml')));
});

test("a directory of somebody else's is left alone", async () => {
  writeFileSync(path.join(parent, 'precious.txt'), 'x');
  const mode = statSync(parent).mode;
  await assert.rejects(initialise({ dataDir: parent, advertise: [], now: NOW }), (error) => {
    assert.ok(error instanceof InitError);
    assert.match(error.message, /precious\.txt/);
    return true;
  });
  assert.deepEqual(readdirSync(parent), ['precious.txt']);
  assert.equal(statSync(parent).mode, mode);
});

test('a lost key for secrets is no reason to make another', async () => {
  await initialise({ dataDir, advertise: ['192.0.2.7'], now: NOW });
  rmSync(path.join(dataDir, 'secrets.key'));
  await assert.rejects(initialise({ dataDir, advertise: [], now: NOW }), /secrets\.key is missing/);
});

test('the certificate of the port is kept for two thirds of its life and then made anew', async () => {
  await initialise({ dataDir, advertise: ['192.0.2.7'], now: NOW });
  const authority = Authority.load(dataDir);
  const endpoint = decideEndpoint(['192.0.2.7']);
  const at = (days: number) =>
    ensureServerIdentity(dataDir, authority, endpoint, new Date(NOW.getTime() + days * DAY_MS));
  const first = await at(0);
  assert.deepEqual(await at(59), first);
  const second = await at(61);
  assert.notDeepEqual(second, first);
  assert.deepEqual(await at(61), second);
});

test('two controllers do not serve one data directory', async () => {
  await initialise({ dataDir, advertise: ['192.0.2.7'], now: NOW });
  const unlock = lockDataDir(dataDir);
  assert.throws(
    () => lockDataDir(dataDir),
    (error) => {
      assert.ok(error instanceof StoreError);
      assert.match(error.message, /another baton-controller is serving/);
      return true;
    },
  );
  unlock();
  lockDataDir(dataDir)();
});

test('HOST:PORT in all its forms', () => {
  assert.deepEqual(parseHostPort('a.example', 1), { host: 'a.example', port: 1 });
  assert.deepEqual(parseHostPort('a.example:99', 1), { host: 'a.example', port: 99 });
  assert.deepEqual(parseHostPort('[2001:db8::1]:99', 1), { host: '2001:db8::1', port: 99 });
  assert.deepEqual(parseHostPort('2001:db8::1', 1), { host: '2001:db8::1', port: 1 });
  assert.deepEqual(parseHostPort(':99', 1), { host: '', port: 99 });
  for (const bad of ['a:b', 'a:99999', '[a]:1', 'http://a', 'a b', '1:2:3']) {
    assert.throws(() => parseHostPort(bad, 1), HostPortError, bad);
  }
  for (const bad of ['', 'a_b', 'a:0', '-a']) assert.throws(() => decideEndpoint([bad]), HostPortError, bad);
});

test('a damaged endpoint file is named', async () => {
  await initialise({ dataDir, advertise: ['192.0.2.7'], now: NOW });
  writeFileSync(path.join(dataDir, 'endpoint.json'), '{"addresses": 5}');
  await assert.rejects(initialise({ dataDir, advertise: [], now: NOW }), EndpointError);
});

test('a directory that cannot be made is named', async () => {
  await assert.rejects(initialise({ dataDir: '/proc/baton/controller', advertise: [], now: NOW }), (error) => {
    assert.ok(error instanceof InitError);
    assert.match(error.message, /cannot make the data directory \/proc\/baton\/controller/);
    return true;
  });
});
