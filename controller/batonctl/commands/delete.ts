/** `batonctl delete`: one resource goes. */
import { Command } from 'commander';
import { messageToPlain } from '../../../proto/manifest/index.js';
import { singleLine } from '../../../proto/rules/printable-text.js';
import { findingsOf } from '../call-failure.js';
import { Failure } from '../failure.js';
import { action, addCommonOptions, type Invocation } from '../invocation.js';
import { readKind } from '../kinds.js';
import { printLines, printPlain } from '../output.js';
import type { Surroundings } from '../surroundings.js';

interface DeleteOptions {
  readonly dryRun?: true;
}

export function deleteCommand(surroundings: Surroundings): Command {
  const command = new Command('delete')
    .description('delete a resource; deleting a Node revokes its certificate')
    .argument('<kind>', 'VirtualRouter (vr), Check, Receiver, Secret or Node')
    .argument('<name>')
    .option('--dry-run', 'only say whether it could be deleted and which nodes it concerns');
  return addCommonOptions(command, { format: true }).action(action(surroundings, remove));
}

async function remove(invocation: Invocation, options: DeleteOptions, kindText: string, name: string): Promise<void> {
  const { session, format, surroundings } = invocation;
  const kind = readKind(kindText);
  const dryRun = options.dryRun === true;
  const what = singleLine(`${kind} ${name}`, 120);
  const request = { resource: { kind, name }, dryRun };
  let response: Awaited<ReturnType<typeof call>>;
  const call = () =>
    session.call(`delete ${what}`, ({ resources }) => resources.deleteResource.bind(resources), request);
  try {
    response = await call();
  } catch (error) {
    throw withFindings(error, what);
  }
  if (format !== 'table') {
    printPlain(surroundings.stdout, messageToPlain('baton.v1.DeleteResourceResponse', response), format);
    return;
  }
  const concerned = response.nodes.length === 0 ? 'no node is concerned' : `concerns ${response.nodes.join(', ')}`;
  const line = dryRun
    ? `${what} could be deleted; ${concerned}`
    : `${what} deleted; generation ${response.generation}; ${concerned}`;
  printLines(surroundings.stdout, [singleLine(line)]);
}

function withFindings(error: unknown, what: string): unknown {
  const findings = findingsOf(error);
  if (!(error instanceof Failure) || findings.length === 0) return error;
  const lines = findings.map(({ resource, path, message }) =>
    singleLine(
      [`${resource?.kind ?? ''} ${resource?.name ?? ''}`.trim(), path, message]
        .filter((part) => part !== '')
        .join(': '),
    ),
  );
  return new Failure(3, `cannot delete ${what}:\n${lines.join('\n')}`, { cause: error });
}
