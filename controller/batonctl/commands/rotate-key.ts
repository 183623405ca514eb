/** `batonctl rotate-key`: another key for a router's signed advertisements, or the first one, without a gap. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { Resource } from '../../../proto/gen/baton/v1/resources.js';
import type { ClusterStatus } from '../../../proto/gen/baton/v1/status_service.js';
import { hmacKeyOf, LEAST_KEY_BYTES, MOST_KEY_BYTES } from '../../../proto/rules/hmac-key.js';
import { singleLine } from '../../../proto/rules/printable-text.js';
import { findingsOf } from '../call-failure.js';
import { Failure, messageOf } from '../failure.js';
import { action, addCommonOptions, type Invocation, parseTimeout } from '../invocation.js';
import { isUnderWay, nextStep, type RotationStep } from '../key-rotation.js';
import { printLines } from '../output.js';
import type { Surroundings } from '../surroundings.js';
import { waitForNodes } from './apply.js';

interface RotateOptions {
  readonly init?: true;
  readonly keyFile?: string;
  readonly dryRun?: true;
  readonly force?: true;
  /** Milliseconds. */
  readonly waitTimeout?: number;
}

const DEFAULT_WAIT_MS = 60_000;
const KEY_BYTES = 32;

export function rotateKeyCommand(surroundings: Surroundings): Command {
  const command = new Command('rotate-key')
    .description(
      "give a router's signed advertisements another key, without a moment in which members refuse each other",
    )
    .argument('<router>')
    .option('--init', 'for a router without authentication: bring signing in, member by member in three steps')
    .option('--key-file <file>', 'the new key instead of a random one: 32 to 64 bytes, as text or as "hex:..."')
    .option('--dry-run', 'only say what would be done')
    .option('--force', 'go on although a member is not connected, or is no node of this controller')
    .addOption(
      new Option('--wait-timeout <duration>', 'how long to wait for the members at each step (default: 60s)').argParser(
        parseTimeout,
      ),
    )
    .addHelpText(
      'after',
      '\nIt may be interrupted at any time: run again, it goes on where it stopped, which it sees by the resources.',
    );
  return addCommonOptions(command, { format: false }).action(action(surroundings, rotate));
}

async function rotate(invocation: Invocation, options: RotateOptions, name: string): Promise<void> {
  const { stdout } = invocation.surroundings;
  const key = options.keyFile === undefined ? undefined : readKey(options.keyFile);
  let router = await readRouter(invocation, name);
  if (key !== undefined && isUnderWay(router)) {
    const text = `a change of ${name}'s key is under way, with a key of its own: finish it without --key-file first`;
    throw new Failure(1, singleLine(text));
  }
  const waitsFor = await membersToWaitFor(invocation, router, options.force === true);
  const timeoutMs = options.waitTimeout ?? DEFAULT_WAIT_MS;
  let finished = false;
  for (;;) {
    const secrets = await secretNames(invocation);
    const next = nextStep(router, { init: options.init === true, finished, secrets });
    if (!next.ok) throw new Failure(1, singleLine(next.reason));
    const { step } = next;
    if (step.kind === 'done') {
      if (!options.dryRun) await waitForAll(invocation, waitsFor, timeoutMs);
      printLines(stdout, [singleLine(step.text)]);
      return;
    }
    if (options.dryRun) {
      await judgeOnly(invocation, step, key);
      printLines(stdout, [`would begin with: ${singleLine(step.text)}`, ...laterSteps(step)]);
      return;
    }
    // What was declared before, by this run or another one, must be in force first.
    await waitForAll(invocation, waitsFor, timeoutMs);
    await carryOut(invocation, step, key);
    finished ||= step.kind === 'clean';
    router = await readRouter(invocation, name);
  }
}

function readKey(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8').replace(/\r?\n$/u, '');
  } catch (error) {
    throw new Failure(1, singleLine(`cannot read ${file}: ${messageOf(error)}`), { cause: error });
  }
  if (hmacKeyOf(text) !== undefined) return text;
  const wanted = `${LEAST_KEY_BYTES} to ${MOST_KEY_BYTES} bytes, as text or as "hex:" and twice as many hexadecimal digits`;
  throw new Failure(3, singleLine(`${file} must hold ${wanted}`));
}

async function readRouter({ session }: Invocation, name: string): Promise<Resource> {
  const request = { resource: { kind: 'VirtualRouter', name } };
  const doing = singleLine(`get VirtualRouter ${name}`, 120);
  const { resource } = await session.call(doing, ({ resources }) => resources.getResource.bind(resources), request);
  if (resource === undefined) throw new Failure(1, `cannot ${doing}: the controller sent none`);
  return resource;
}

async function secretNames({ session }: Invocation): Promise<ReadonlySet<string>> {
  const request = { kind: 'Secret', labels: {} };
  const list = await session.call(
    'list the secrets',
    ({ resources }) => resources.listResources.bind(resources),
    request,
  );
  return new Set(list.resources.map(({ metadata }) => metadata?.name ?? ''));
}

async function clusterStatus({ session }: Invocation): Promise<ClusterStatus> {
  const { status } = await session.call('read the status', ({ status: s }) => s.getStatus.bind(s), {});
  if (status === undefined) throw new Failure(1, 'cannot read the status: the controller sent none');
  return status;
}

/** Connected members. Who cannot be told of a key refuses the others, and is refused by them, once it signs. */
async function membersToWaitFor(invocation: Invocation, router: Resource, force: boolean): Promise<readonly string[]> {
  if (router.spec?.$case !== 'virtualRouter') return [];
  const { members, externalPeers } = router.spec.value;
  const { nodes } = await clusterStatus(invocation);
  const found = members.map(({ node }) => ({ name: node, node: nodes.find(({ name }) => name === node) }));
  const away = found.filter(({ node }) => node !== undefined && !node.connected).map(({ name }) => name);
  const problems = [
    ...(away.length === 0
      ? []
      : [
          `${away.join(', ')} not connected: without the new key it would refuse the others and be refused by them, and two members be active at once`,
        ]),
    ...(externalPeers.length === 0
      ? []
      : [`${externalPeers.join(', ')} no node of this controller: the key must be put there by hand, in time`]),
  ];
  if (problems.length > 0 && !force) {
    throw new Failure(
      1,
      `${problems.map((text) => singleLine(text)).join('\n')}\nnothing was changed; --force goes on nevertheless`,
    );
  }
  for (const text of problems) invocation.surroundings.stderr.write(`warning: ${singleLine(text)}\n`);
  return found.filter(({ node }) => node?.connected).map(({ name }) => name);
}

async function waitForAll(invocation: Invocation, nodes: readonly string[], timeoutMs: number): Promise<void> {
  const { generation } = await clusterStatus(invocation);
  try {
    await waitForNodes(invocation, { generation, nodes: [...nodes] }, timeoutMs, (node) => nodes.includes(node));
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw new Failure(error.exitCode, `${error.message}\nrun the same command again to go on`, { cause: error });
  }
}

async function carryOut(invocation: Invocation, step: RotationStep, key: string | undefined): Promise<void> {
  const { stdout } = invocation.surroundings;
  if (step.oldSecret !== undefined) await deleteSecret(invocation, step.oldSecret);
  const generation = await apply(invocation, step, key ?? newKey(), false);
  printLines(stdout, [singleLine(`now: ${step.text} (generation ${generation})`)]);
}

/** Only the controller knows whether it would be accepted. */
async function judgeOnly(invocation: Invocation, step: RotationStep, key: string | undefined): Promise<void> {
  await apply(invocation, step, key ?? newKey(), true);
}

function newKey(): string {
  return `hex:${randomBytes(KEY_BYTES).toString('hex')}`;
}

/** The Secret and the router that uses it in one generation: neither is ever there without the other. */
async function apply({ session }: Invocation, step: RotationStep, key: string, dryRun: boolean): Promise<number> {
  const resources = step.router === undefined ? [] : [step.router];
  if (step.newSecret !== undefined) {
    const spec = { $case: 'secret' as const, value: { value: key } };
    resources.unshift(Resource.fromPartial({ metadata: { name: step.newSecret }, spec }));
  }
  try {
    const request = { resources, dryRun };
    return (await session.call('apply', ({ resources: service }) => service.apply.bind(service), request)).generation;
  } catch (error) {
    const lines = findingsOf(error).map(({ resource, path, message }) =>
      singleLine(`${resource?.kind ?? ''} ${resource?.name ?? ''}: ${path}: ${message}`.trim()),
    );
    if (!(error instanceof Failure) || lines.length === 0) throw error;
    throw new Failure(3, `${lines.join('\n')}\nthis step was not done`, { cause: error });
  }
}

/** One that something else uses stays, and one that is gone already is no matter. */
async function deleteSecret(invocation: Invocation, name: string): Promise<void> {
  const { session, surroundings } = invocation;
  if (!(await secretNames(invocation)).has(name)) return;
  const request = { resource: { kind: 'Secret', name }, dryRun: false };
  try {
    const doing = singleLine(`delete Secret ${name}`, 120);
    await session.call(doing, ({ resources }) => resources.deleteResource.bind(resources), request);
  } catch (error) {
    if (!(error instanceof Failure) || findingsOf(error).length === 0) throw error;
    surroundings.stderr.write(`warning: the Secret ${singleLine(name)} stays: something else uses it\n`);
  }
}

const LATER: Readonly<Record<RotationStep['kind'], readonly string[]>> = {
  begin: [
    'then, each when it is in force on every member: the new key signs; the old one is removed; its Secret is deleted',
  ],
  activate: ['then, each when it is in force on every member: the old key is removed; its Secret is deleted'],
  retire: ['then, when it is in force on every member: its Secret is deleted'],
  clean: [],
  permissive: ['then, when it is in force on every member: unsigned advertisements are refused'],
  enforce: [],
  done: [],
};

function laterSteps({ kind, newSecret, router }: RotationStep): readonly string[] {
  const hmac = router?.spec?.$case === 'virtualRouter' ? router.spec.value.authentication?.hmac : undefined;
  if (kind === 'begin' && newSecret !== undefined && hmac?.keys.length === 1) {
    return ['then, each when it is in force on every member: all sign; unsigned advertisements are refused'];
  }
  return LATER[kind];
}
