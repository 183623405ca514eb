import assert from 'node:assert/strict';
import { createPrivateKey, generateKeyPairSync, randomUUID, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect } from 'node:http2';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { Client, type ServiceError, status } from '@grpc/grpc-js';
import { ACCESS } from '../../controller/identity/access.js';
import {
  makeAuthorityCertificate,
  makeLeafCertificate,
  publicKeyOf,
} from '../../controller/identity/certificate-maker.js';
import { identityUri, type Role } from '../../controller/identity/peer-certificate.js';
import { SERVICES } from '../../controller/serve.js';
import {
  ServerReflectionClient,
  type ServerReflectionRequest,
  type ServerReflectionResponse,
} from '../../proto/gen/grpc/reflection/v1/reflection.js';
import { secureChannel } from '../../proto/process/secure-channel.js';
import { ask, TestController } from '../api/running-controller.js';

const DAY_MS = 24 * 3_600_000;

interface Credential {
  readonly certificate: string;
  readonly privateKey: string;
}

let controller: TestController;
/** Every method that the port serves, as reflection tells it. */
let methods: string[];

before(async () => {
  controller = await TestController.start();
  methods = await methodsByReflection();
});

after(() => controller.remove());

async function methodsByReflection(): Promise<string[]> {
  const { target, credentials, options } = secureChannel(controller.address, controller.operator);
  const client = new ServerReflectionClient(target, credentials, options);
  const call = client.serverReflectionInfo();
  const answers = call[Symbol.asyncIterator]();
  const request = async (messageRequest: ServerReflectionRequest['messageRequest']) => {
    call.write({ host: '', messageRequest });
    const { value } = await answers.next();
    return (value as ServerReflectionResponse).messageResponse;
  };
  const listed = await request({ $case: 'listServices', value: '' });
  assert.equal(listed?.$case, 'listServicesResponse');
  const found: string[] = [];
  for (const { name } of listed.value.service) {
    const answer = await request({ $case: 'fileContainingSymbol', value: name });
    assert.equal(answer?.$case, 'fileDescriptorResponse', name);
    for (const bytes of answer.value.fileDescriptorProto) {
      const file = fromBinary(FileDescriptorProtoSchema, bytes);
      for (const service of file.service) {
        if (`${file.package}.${service.name}` !== name) continue;
        found.push(...service.method.map((method) => `/${name}/${method.name}`));
      }
    }
  }
  call.end();
  client.close();
  return found;
}

/** A certificate of the controller's own authority, made behind its back. */
async function issue(
  role: Role,
  change: {
    readonly usage?: 'client' | 'server';
    readonly from?: number;
    readonly to?: number;
    readonly uri?: string;
  } = {},
): Promise<Credential> {
  const caKey = createPrivateKey(readFileSync(path.join(controller.dataDir, 'ca.key')));
  const ca = readFileSync(path.join(controller.dataDir, 'ca.pem'), 'utf8');
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const name = /CN=(Baton CA \w+)/.exec(controllerSubject(ca))?.[0] ?? '';
  const { pem } = await makeLeafCertificate(
    { certificate: ca, privateKey: caKey, name },
    {
      publicKey: publicKeyOf(privateKey),
      commonName: 'somebody',
      alternativeNames: [{ type: 'url', value: change.uri ?? identityUri(role, randomUUID()) }],
      usage: change.usage ?? 'client',
      notBefore: new Date(Date.now() + (change.from ?? -DAY_MS)),
      notAfter: new Date(Date.now() + (change.to ?? DAY_MS)),
    },
  );
  return { certificate: pem, privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
}

function controllerSubject(pem: string): string {
  return new X509Certificate(pem).subject;
}

/** A certificate that names us as its authority and was signed by somebody else. */
async function forged(): Promise<Credential> {
  const { privateKey: caKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const real = controllerSubject(readFileSync(path.join(controller.dataDir, 'ca.pem'), 'utf8')).replace('CN=', '');
  const notBefore = new Date(Date.now() - DAY_MS);
  const notAfter = new Date(Date.now() + DAY_MS);
  const { pem: ca } = await makeAuthorityCertificate(caKey, publicKeyOf(caKey), real, notBefore, notAfter);
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { pem } = await makeLeafCertificate(
    { certificate: ca, privateKey: caKey, name: `CN=${real}` },
    {
      publicKey: publicKeyOf(privateKey),
      commonName: 'admin',
      alternativeNames: [{ type: 'url', value: identityUri('operator', randomUUID()) }],
      usage: 'client',
      notBefore,
      notAfter,
    },
  );
  return { certificate: pem, privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
}

/** Status code of a call with an empty message. */
async function codeOf(method: string, credential: Credential | undefined): Promise<status> {
  const { target, credentials, options } = secureChannel(controller.address, {
    ca: controller.operator.ca,
    ...credential,
  });
  const client = new Client(target, credentials, options);
  try {
    return await new Promise<status>((resolve) => {
      const call = client.makeBidiStreamRequest(
        method,
        (bytes: Buffer) => bytes,
        (bytes) => bytes,
      );
      call.on('error', () => undefined);
      call.on('data', () => undefined);
      call.on('status', ({ code }) => resolve(code));
      call.write(Buffer.alloc(0));
      call.end();
    });
  } finally {
    client.close();
  }
}

test('the access table names exactly the methods that are served', () => {
  assert.ok(methods.length >= 20);
  assert.deepEqual([...ACCESS.keys()].sort(), [...methods].sort());
  assert.deepEqual([...new Set(methods.map((method) => method.split('/')[1]))].sort(), [...SERVICES].sort());
});

test('Enroll is the only method for anyone', () => {
  const open = [...ACCESS].filter(([, access]) => access === 'anyone').map(([method]) => method);
  assert.deepEqual(open, ['/baton.v1.AgentService/Enroll']);
});

const strangers: readonly (readonly [string, () => Promise<Credential | undefined>])[] = [
  ['no certificate', async () => undefined],
  ['a certificate of a forged authority of the same name', forged],
  ['an expired certificate', () => issue('operator', { from: -2 * DAY_MS, to: -DAY_MS })],
  ['a certificate of tomorrow', () => issue('operator', { from: DAY_MS, to: 2 * DAY_MS })],
  ['a server certificate', () => issue('operator', { usage: 'server' })],
  ['a certificate without an identity of ours', () => issue('operator', { uri: 'spiffe://baton/root/1' })],
];

for (const [what, credential] of strangers) {
  test(`every method but Enroll refuses ${what}`, async () => {
    const shown = await credential();
    for (const method of methods.filter((name) => name !== '/baton.v1.AgentService/Enroll')) {
      assert.equal(await codeOf(method, shown), status.UNAUTHENTICATED, method);
    }
  });
}

test('every method refuses the roles that it is not for, and lets the others through', async () => {
  for (const role of ['agent', 'operator'] as const) {
    const credential = await issue(role);
    for (const method of methods) {
      const access = ACCESS.get(method);
      if (access === 'anyone') continue;
      if (access?.includes(role) === true) continue;
      assert.equal(await codeOf(method, credential), status.PERMISSION_DENIED, `${role} ${method}`);
    }
  }
  const operator = await issue('operator');
  assert.equal(await codeOf('/baton.v1.StatusService/GetStatus', operator), status.OK);
  assert.equal(await codeOf('/grpc.health.v1.Health/Check', await issue('agent')), status.OK);
});

test('a certificate of ours for a node that does not exist opens no session', async () => {
  assert.equal(await codeOf('/baton.v1.AgentService/Session', await issue('agent')), status.UNAUTHENTICATED);
});

test('a refused Enroll without a certificate says that the token is no good', async () => {
  assert.equal(await codeOf('/baton.v1.AgentService/Enroll', undefined), status.UNAUTHENTICATED);
});

test('strangers who begin to join and never end their request keep nobody from joining', async () => {
  const { host, port } = controller.address;
  const stranger = connect(`https://${host}:${port}`, { rejectUnauthorized: false });
  try {
    // The port takes 64 of them; 16 refusals show that all 80 have come.
    await new Promise<void>((resolve) => {
      let refused = 0;
      for (let index = 0; index < 80; index++) {
        const call = stranger.request({
          ':method': 'POST',
          ':path': '/baton.v1.AgentService/Enroll',
          'content-type': 'application/grpc',
          te: 'trailers',
        });
        call.on('error', () => undefined);
        call.on('response', () => {
          refused += 1;
          if (refused === 16) resolve();
        });
      }
    });
    const { agents, close } = controller.clients();
    const request = { token: 'btn_wrong', node: '', certificateRequest: '', hostName: '' };
    await assert.rejects(ask(agents, agents.enroll, request), (error: ServiceError) => {
      assert.equal(error.code, status.UNAUTHENTICATED);
      return true;
    });
    close();
  } finally {
    stranger.destroy();
  }
});
