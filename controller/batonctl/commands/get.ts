/** `batonctl get`: what is declared now. */
import { Command } from 'commander';
import type { Resource } from '../../../proto/gen/baton/v1/resources.js';
import { renderManifest, toPlain, toPlainList } from '../../../proto/manifest/index.js';
import { singleLine } from '../../../proto/rules/printable-text.js';
import { Failure } from '../failure.js';
import { action, addCommonOptions, type Invocation } from '../invocation.js';
import { readKind } from '../kinds.js';
import { printLines, printPlain } from '../output.js';
import { renderResources } from '../resource-table.js';
import type { Surroundings } from '../surroundings.js';

export function getCommand(surroundings: Surroundings): Command {
  const command = new Command('get')
    .description('show declared resources; secrets without their values')
    .argument(
      '<kind>',
      'VirtualRouter (vr), Check, SyncGroup, BfdSession, HostNetwork, Receiver, Secret, Node, or "all"',
    )
    .argument('[name]', 'only the one of this name');
  return addCommonOptions(command, { format: true }).action(action(surroundings, get));
}

async function get(invocation: Invocation, _options: object, kindText: string, name?: string): Promise<void> {
  const { format, surroundings, paint } = invocation;
  const isAll = kindText.toLowerCase() === 'all';
  if (isAll && name !== undefined) throw new Failure(2, '"get all" takes no name');
  const kind = isAll ? '' : readKind(kindText);
  const found = name === undefined ? await list(invocation, kind) : [await one(invocation, kind, name)];
  const { stdout, stderr } = surroundings;
  if (format === 'yaml') {
    stdout.write(renderManifest(found));
  } else if (format === 'json') {
    const [only] = found;
    printPlain(stdout, name !== undefined && only !== undefined ? toPlain(only) : toPlainList(found), 'json');
  } else if (found.length === 0) {
    stderr.write(isAll ? 'no resources\n' : `no ${kind} resources\n`);
  } else {
    printLines(stdout, renderResources(found, surroundings.now(), { paint }));
  }
}

async function list({ session }: Invocation, kind: string): Promise<readonly Resource[]> {
  const doing = kind === '' ? 'list the resources' : `list the ${kind} resources`;
  const request = { kind, labels: {} };
  return (await session.call(doing, ({ resources }) => resources.listResources.bind(resources), request)).resources;
}

async function one({ session }: Invocation, kind: string, name: string): Promise<Resource> {
  const doing = singleLine(`get ${kind} ${name}`, 120);
  const request = { resource: { kind, name } };
  const { resource } = await session.call(doing, ({ resources }) => resources.getResource.bind(resources), request);
  if (resource === undefined) throw new Failure(1, `cannot ${doing}: the controller sent none`);
  return resource;
}
