/** `batonctl apply`: resources from files become the wanted configuration, all of them or none. */
import { Command, Option } from 'commander';
import type { ApplyResponse, ChangeKind } from '../../../proto/gen/baton/v1/resource_service.js';
import { messageToPlain } from '../../../proto/manifest/index.js';
import { singleLine } from '../../../proto/rules/printable-text.js';
import { findingsOf } from '../call-failure.js';
import { Failure } from '../failure.js';
import { action, addCommonOptions, type Invocation, parseTimeout } from '../invocation.js';
import { type Manifests, readManifests } from '../manifest-files.js';
import { printLines, printPlain } from '../output.js';
import { judgeRollout, type RolloutNode } from '../rollout.js';
import type { Surroundings } from '../surroundings.js';

interface ApplyOptions {
  readonly filename: readonly string[];
  readonly dryRun?: true;
  readonly wait?: true;
  /** Milliseconds. */
  readonly waitTimeout?: number;
}

const DEFAULT_WAIT_MS = 60_000;

export function applyCommand(surroundings: Surroundings): Command {
  const command = new Command('apply')
    .description('declare the resources in files, all of them or none')
    .addOption(
      new Option('-f, --filename <file>', 'file, directory, or "-" for standard input; may be given again')
        .argParser((value: string, before: readonly string[] | undefined) => [...(before ?? []), value])
        .makeOptionMandatory(),
    )
    .option('--dry-run', 'only say what would change')
    .option('--wait', 'wait until every node concerned has put it in force or refused it')
    .addOption(
      new Option('--wait-timeout <duration>', 'how long to wait (default: 60s)')
        .argParser(parseTimeout)
        .implies({ wait: true }),
    );
  return addCommonOptions(command, { format: true }).action(action(surroundings, apply));
}

async function apply(invocation: Invocation, options: ApplyOptions): Promise<void> {
  const { session, format, surroundings } = invocation;
  const { stdout, stderr } = surroundings;
  const dryRun = options.dryRun === true;
  const manifests = await readManifests(options.filename, surroundings.readStdin);
  const request = { resources: [...manifests.resources], dryRun };
  let response: ApplyResponse;
  try {
    response = await session.call('apply', ({ resources }) => resources.apply.bind(resources), request);
  } catch (error) {
    throw withFindings(error, manifests);
  }
  for (const warning of response.warnings) stderr.write(`warning: ${manifests.describe(warning)}\n`);
  if (format === 'table') printLines(stdout, summarise(response, dryRun));
  else printPlain(stdout, messageToPlain('baton.v1.ApplyResponse', response), format);
  if (options.wait && !dryRun) await waitForNodes(invocation, response, options.waitTimeout ?? DEFAULT_WAIT_MS);
}

function withFindings(error: unknown, manifests: Manifests): unknown {
  const findings = findingsOf(error);
  if (!(error instanceof Failure) || findings.length === 0) return error;
  const lines = findings.map((finding) => manifests.describe(finding));
  return new Failure(3, `${lines.join('\n')}\nnothing was applied`, { cause: error });
}

function summarise({ changes, generation, nodes }: ApplyResponse, dryRun: boolean): string[] {
  const lines = changes.map(({ resource, change }) =>
    singleLine(`${resource?.kind ?? ''} ${resource?.name ?? ''}  ${changeWord(change)}${dryRun ? ' (dry run)' : ''}`),
  );
  const concerned = nodes.length === 0 ? 'no node is concerned' : `concerns ${nodes.join(', ')}`;
  return [
    ...lines,
    singleLine(`${dryRun ? 'nothing is applied (dry run)' : `generation ${generation}`}; ${concerned}`),
  ];
}

function changeWord(change: ChangeKind): string {
  return change.replace(/^CHANGE_KIND_/u, '').toLowerCase();
}

/**
 * Says of each node when it has put a generation in force; and of others that refuse what is wanted of them, unless
 * `isOneOf` leaves them out.
 * @throws Failure: 3 when one refuses it, 1 when time is up
 */
export async function waitForNodes(
  { session, surroundings }: Invocation,
  { generation, nodes }: Pick<ApplyResponse, 'generation' | 'nodes'>,
  timeoutMs: number,
  isOneOf: (node: string) => boolean = () => true,
): Promise<void> {
  const { stderr, interrupted } = surroundings;
  const enough = new AbortController();
  const sleeping = surroundings
    .sleep(timeoutMs, AbortSignal.any([enough.signal, interrupted]))
    .then(() => enough.abort());
  const told = new Set<string>();
  let seen: readonly RolloutNode[] | undefined;
  try {
    await session.read(
      'wait for the nodes',
      ({ status }) => status.watchStatus({}),
      ({ status }) => {
        const judged = status && judgeRollout(status, generation, nodes)?.filter(({ node }) => isOneOf(node));
        if (judged === undefined) return true;
        seen = judged;
        for (const { node, state, text } of judged) {
          if (state === 'waiting' || told.has(node)) continue;
          told.add(node);
          stderr.write(`${text}\n`);
        }
        return judged.some(({ state }) => state === 'waiting');
      },
      AbortSignal.any([enough.signal, interrupted]),
    );
  } finally {
    enough.abort();
    await sleeping;
  }
  const latest = seen ?? [];
  const waiting = latest.filter(({ state }) => state === 'waiting');
  for (const { text } of waiting) stderr.write(`${text}\n`);
  const refused = latest.filter(({ state }) => state === 'refused').map(({ node }) => node);
  if (refused.length > 0) {
    throw new Failure(
      3,
      singleLine(`generation ${generation} was refused by ${refused.join(', ')}; there the one before goes on`),
    );
  }
  if (seen === undefined || waiting.length > 0) {
    const missing = seen === undefined ? nodes : waiting.map(({ node }) => node);
    throw new Failure(
      1,
      singleLine(`generation ${generation} is not in force yet on ${missing.join(', ')}; it stays wanted and follows`),
    );
  }
}
