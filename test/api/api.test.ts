import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { type ServiceError, status } from '@grpc/grpc-js';
import { AgentHello } from '../../proto/gen/baton/v1/agent_service.js';
import { Event, EventSeverity } from '../../proto/gen/baton/v1/events.js';
import { type ApplyResponse, ChangeKind, type Finding, Findings } from '../../proto/gen/baton/v1/resource_service.js';
import type { Resource } from '../../proto/gen/baton/v1/resources.js';
import { parseManifest } from '../../proto/manifest/index.js';
import { createKeyAndRequest } from '../../proto/process/certificate-request.js';
import { ask, type Clients, TestController } from './running-controller.js';

const CANARY = 'canary-91c7';
const EVERYTHING = { node: '', router: '', severity: EventSeverity.UNSPECIFIED };

let controller: TestController;
let operator: Clients;

before(async () => {
  controller = await TestController.start();
  operator = controller.operatorClients();
});

after(async () => {
  operator.close();
  await controller.remove();
});

function read(manifest: string): Resource[] {
  const { resources, problems } = parseManifest(manifest, 'test.yaml');
  assert.deepEqual(problems, []);
  return [...resources];
}

function apply(manifest: string, dryRun = false): Promise<ApplyResponse> {
  return ask(operator.resources, operator.resources.apply, { resources: read(manifest), dryRun });
}

function generation(): Promise<number> {
  return ask(operator.resources, operator.resources.listResources, { kind: '', labels: {} }).then(
    (response) => response.generation,
  );
}

function findingsOf(error: unknown): readonly Finding[] {
  const [bytes] = (error as ServiceError).metadata.get('baton-findings-bin');
  assert.ok(Buffer.isBuffer(bytes));
  return Findings.decode(bytes).findings;
}

function codeOf(error: unknown): status {
  return (error as ServiceError).code;
}

async function newToken(node = ''): Promise<string> {
  return (await ask(operator.tokens, operator.tokens.createToken, { ttl: undefined, node })).token;
}

/** Joins by hand; answers the clients that the new node would have. */
async function enroll(node: string, token?: string): Promise<Clients> {
  const { privateKeyPem, requestPem } = await createKeyAndRequest('ignored');
  const stranger = controller.clients();
  try {
    const request = { token: token ?? (await newToken()), node, certificateRequest: requestPem, hostName: '' };
    const { certificate } = await ask(stranger.agents, stranger.agents.enroll, request);
    return controller.clients({ certificate, privateKey: privateKeyPem });
  } finally {
    stranger.close();
  }
}

const CHECK = `
apiVersion: baton/v1
kind: Check
metadata: {name: pg-alive, labels: {tier: db}}
spec: {exec: {command: [/usr/local/bin/pg.sh]}}
`;

test('apply accepts all or nothing, and a refusal names every fault', async () => {
  const before = await generation();
  const bad = `${CHECK}---
apiVersion: baton/v1
kind: VirtualRouter
metadata: {name: broken}
spec: {vrid: 300, addresses: [192.0.2.1], members: [{node: base1, interface: em1}], track: [{check: nothing}]}
`;
  await assert.rejects(apply(bad), (error) => {
    assert.equal(codeOf(error), status.INVALID_ARGUMENT);
    assert.match((error as ServiceError).details, /VirtualRouter broken: spec\.vrid: .*300.*\(and \d+ more\)/);
    const paths = findingsOf(error).map((finding) => finding.path);
    assert.ok(paths.includes('spec.vrid'), paths.join());
    assert.ok(
      paths.some((found) => found.startsWith('spec.track[0]')),
      paths.join(),
    );
    return true;
  });
  assert.equal(await generation(), before);
});

test('apply counts generations only when something changed, and a dry run changes nothing', async () => {
  const before = await generation();
  const dry = await apply(CHECK, true);
  assert.equal(dry.changes[0]?.change, ChangeKind.CREATED);
  assert.equal(await generation(), before);
  const first = await apply(CHECK);
  assert.equal(first.generation, before + 1);
  const again = await apply(CHECK);
  assert.equal(again.generation, before + 1);
  assert.equal(again.changes[0]?.change, ChangeKind.UNCHANGED);
  const { resource } = await ask(operator.resources, operator.resources.getResource, {
    resource: { kind: 'check', name: 'pg-alive' },
  });
  assert.equal(resource?.metadata?.generation, before + 1);
});

test('lists go by kind and labels; unknown kinds and names are told apart', async () => {
  const list = (kind: string, labels: Record<string, string>) =>
    ask(operator.resources, operator.resources.listResources, { kind, labels });
  assert.equal((await list('checks', { tier: 'db' })).resources.length, 1);
  assert.equal((await list('Check', { tier: 'web' })).resources.length, 0);
  await assert.rejects(list('Chek', {}), (error) => codeOf(error) === status.INVALID_ARGUMENT);
  const get = (kind: string, name: string) =>
    ask(operator.resources, operator.resources.getResource, { resource: { kind, name } });
  await assert.rejects(get('Check', 'nothing'), (error) => codeOf(error) === status.NOT_FOUND);
  await assert.rejects(get('', 'x'), (error) => codeOf(error) === status.INVALID_ARGUMENT);
});

test('what something else needs cannot be deleted', async () => {
  await apply(`
apiVersion: baton/v1
kind: VirtualRouter
metadata: {name: needs-check}
spec:
  vrid: 44
  addresses: [192.0.2.44]
  members: [{node: nobody, interface: em1}]
  track: [{check: pg-alive, weight: -10}]
`);
  const remove = (kind: string, name: string) =>
    ask(operator.resources, operator.resources.deleteResource, { resource: { kind, name }, dryRun: false });
  await assert.rejects(remove('Check', 'pg-alive'), (error) => {
    assert.equal(findingsOf(error)[0]?.resource?.name, 'needs-check');
    return codeOf(error) === status.INVALID_ARGUMENT;
  });
  await remove('VirtualRouter', 'needs-check');
  await remove('Check', 'pg-alive');
  await assert.rejects(remove('Check', 'pg-alive'), (error) => codeOf(error) === status.NOT_FOUND);
});

test('a secret is written and never read back, by any call, and stands in no file in clear', async () => {
  const manifest = `
apiVersion: baton/v1
kind: Secret
metadata: {name: smtp}
spec: {value: ${CANARY}}
`;
  const applied = await apply(manifest);
  const answers: unknown[] = [applied];
  answers.push(await ask(operator.resources, operator.resources.listResources, { kind: '', labels: {} }));
  const resource = { kind: 'Secret', name: 'smtp' };
  const read = await ask(operator.resources, operator.resources.getResource, { resource });
  answers.push(read, await ask(operator.status, operator.status.getStatus, {}));
  assert.ok(!JSON.stringify(answers).includes(CANARY));
  for (const file of readdirSync(controller.dataDir)) {
    assert.ok(!readFileSync(path.join(controller.dataDir, file)).includes(CANARY), file);
  }
  // As it was read, it can be applied again: the value stays.
  assert.ok(read.resource);
  const again = await ask(operator.resources, operator.resources.apply, { resources: [read.resource], dryRun: false });
  assert.equal(again.changes[0]?.change, ChangeKind.UNCHANGED);
});

test('one token, raced for by many: one node', async () => {
  const token = await newToken();
  const attempts = Array.from({ length: 8 }, (_, index) => enroll(`racer${index}`, token));
  const outcomes = await Promise.allSettled(attempts);
  assert.equal(outcomes.filter(({ status: outcome }) => outcome === 'fulfilled').length, 1);
  for (const outcome of outcomes) {
    if (outcome.status === 'fulfilled') outcome.value.close();
    else assert.equal(codeOf(outcome.reason), status.UNAUTHENTICATED);
  }
  const nodes = await ask(operator.resources, operator.resources.listResources, { kind: 'Node', labels: {} });
  assert.equal(nodes.resources.filter(({ metadata }) => metadata?.name.startsWith('racer')).length, 1);
});

test('tokens: short or long lives are refused, expired and revoked ones do not enrol, lists show neither token nor hash', async () => {
  const create = (seconds: number) =>
    ask(operator.tokens, operator.tokens.createToken, { ttl: { seconds, nanos: 0 }, node: '' });
  for (const seconds of [59, 86_401, -60]) {
    await assert.rejects(create(seconds), (error) => codeOf(error) === status.INVALID_ARGUMENT, String(seconds));
  }
  const short = await create(60);
  controller.clockOffset = 60_000;
  try {
    await assert.rejects(enroll('late', short.token), (error) => codeOf(error) === status.UNAUTHENTICATED);
  } finally {
    controller.clockOffset = 0;
  }
  const revoked = await create(600);
  await ask(operator.tokens, operator.tokens.revokeToken, { id: revoked.id });
  await assert.rejects(enroll('revoked', revoked.token), (error) => codeOf(error) === status.UNAUTHENTICATED);
  const { tokens } = await ask(operator.tokens, operator.tokens.listTokens, {});
  assert.ok(tokens.find(({ id }) => id === revoked.id)?.revokedAt !== undefined);
  assert.ok(!JSON.stringify(tokens).includes(revoked.token.slice(4)));
});

test('a token for a name gives that name and no other', async () => {
  const token = await newToken('named');
  await assert.rejects(enroll('other', token), (error) => codeOf(error) === status.PERMISSION_DENIED);
  (await enroll('', token)).close();
  const { resource } = await ask(operator.resources, operator.resources.getResource, {
    resource: { kind: 'Node', name: 'named' },
  });
  assert.equal(resource?.spec?.$case, 'node');
});

test('the name of a deleted node is given again only for a token that names it; the old certificate is dead at once', async () => {
  const old = await enroll('phoenix');
  await ask(operator.resources, operator.resources.deleteResource, {
    resource: { kind: 'Node', name: 'phoenix' },
    dryRun: false,
  });
  const { requestPem } = await createKeyAndRequest('phoenix');
  await assert.rejects(
    ask(old.agents, old.agents.renewCertificate, { certificateRequest: requestPem }),
    (error) => codeOf(error) === status.UNAUTHENTICATED && /revoked/.test((error as ServiceError).details),
  );
  await assert.rejects(enroll('phoenix'), (error) => codeOf(error) === status.FAILED_PRECONDITION);
  const fresh = await enroll('phoenix', await newToken('phoenix'));
  await ask(fresh.agents, fresh.agents.renewCertificate, { certificateRequest: requestPem });
  fresh.close();
  // Also after a restart, which reads the revocations from the store.
  await controller.restart();
  await assert.rejects(
    ask(old.agents, old.agents.renewCertificate, { certificateRequest: requestPem }),
    (error) => codeOf(error) === status.UNAUTHENTICATED,
  );
  old.close();
});

test('bad certificate requests and names are refused without using the token up', async () => {
  const token = await newToken();
  const stranger = controller.clients();
  const { requestPem } = await createKeyAndRequest('x');
  const attempt = (node: string, certificateRequest: string) =>
    ask(stranger.agents, stranger.agents.enroll, { token, node, certificateRequest, hostName: '' });
  for (const name of ['node\n', 'NODE', 'a'.repeat(64), '../x', 'nöde', '\u202eedon', '']) {
    await assert.rejects(attempt(name, requestPem), (error) => codeOf(error) === status.INVALID_ARGUMENT, name);
  }
  await assert.rejects(attempt('fine', 'nonsense'), (error) => codeOf(error) === status.INVALID_ARGUMENT);
  await attempt('fine', requestPem);
  stranger.close();
});

test('a session that never says hello, says it twice or sends nonsense ends alone', async () => {
  const node = await enroll('rude');
  const end = (send: (call: ReturnType<Clients['agents']['session']>) => void) =>
    new Promise<status>((resolve) => {
      const call = node.agents.session();
      call.on('data', () => undefined);
      call.on('error', () => undefined);
      call.on('status', ({ code }) => resolve(code));
      send(call);
    });
  const events = [Event.fromPartial({ sequence: 1 })];
  assert.equal(
    await end((call) => call.write({ message: { $case: 'events', value: { events } } })),
    status.INVALID_ARGUMENT,
  );
  assert.equal(await end((call) => call.write({ message: undefined })), status.INVALID_ARGUMENT);
  assert.equal(await end((call) => call.end()), status.OK);
  node.close();
  await ask(operator.status, operator.status.getStatus, {});
});

test('a message over the limit is refused and harms nobody else', async () => {
  const value = 'x'.repeat(5 * 1024 * 1024);
  await assert.rejects(
    ask(operator.status, operator.status.getNodeStatus, { node: value }),
    (error) => codeOf(error) === status.RESOURCE_EXHAUSTED,
  );
  await ask(operator.status, operator.status.getStatus, {});
});

test('events: too many are refused, none are none, followers begin with the newest so many', async () => {
  await assert.rejects(
    ask(operator.status, operator.status.listEvents, { filter: EVERYTHING, limit: 10_001 }),
    (error) => codeOf(error) === status.INVALID_ARGUMENT,
  );
  const node = await enroll('teller');
  const call = node.agents.session();
  call.on('error', () => undefined);
  const answers = call[Symbol.asyncIterator]();
  const send = async (...sequences: number[]) => {
    const events = sequences.map((sequence) => Event.fromPartial({ sequence, message: `event ${sequence}` }));
    call.write({ message: { $case: 'events', value: { events } } });
    for (;;) {
      const { value } = await answers.next();
      if (value.message.$case === 'eventsAccepted') return value.message.value.throughSequence;
    }
  };
  const hello = AgentHello.fromPartial({ status: {}, journalId: 'j' });
  call.write({ message: { $case: 'hello', value: hello } });
  assert.equal(await send(1, 2, 3), 3);
  // Sent again, as after an answer that got lost: accepted, and stored once.
  assert.equal(await send(2, 3), 3);
  const follower = operator.status.followEvents({ filter: { ...EVERYTHING, node: 'teller' }, limit: 2 });
  const seen: string[] = [];
  for await (const { event } of follower) {
    seen.push(event?.event?.message ?? '');
    if (seen.length === 2) await send(4, 5);
    if (seen.length === 4) break;
  }
  assert.deepEqual(seen, ['event 2', 'event 3', 'event 4', 'event 5']);
  follower.cancel();
  call.cancel();
  node.close();
});

test('the port answers as one that stops when it is stopped, and everything is there again afterwards', async () => {
  const before = await generation();
  const watch = operator.status.watchStatus({});
  const watched = new Promise<status>((resolve) => {
    watch.on('error', (error) => resolve(codeOf(error)));
    watch.once('data', () => void controller.restart());
    watch.on('data', () => undefined);
  });
  assert.equal(await watched, status.UNAVAILABLE);
  await new Promise<void>((resolve, reject) => {
    operator.resources.waitForReady(Date.now() + 10_000, (error) => (error ? reject(error) : resolve()));
  });
  assert.equal(await generation(), before);
});
