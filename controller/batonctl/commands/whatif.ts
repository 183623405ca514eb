/** `batonctl whatif`: what would become of a virtual router if something changed on one of its nodes. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { MemberState } from '../../../proto/gen/baton/v1/status.js';
import { printableLines, singleLine } from '../../../proto/rules/printable-text.js';
import { parseSupposition, type Supposition, whatIf } from '../../../proto/rules/what-if.js';
import { describeForecast } from '../../../proto/rules/what-if-text.js';
import { Failure } from '../failure.js';
import { action, addCommonOptions, type Invocation } from '../invocation.js';
import { reportsOf } from '../node-reports.js';
import { printLines, printPlain } from '../output.js';
import type { Surroundings } from '../surroundings.js';

interface WhatIfOptions {
  readonly node?: string;
  readonly set?: readonly Supposition[];
}

export function whatIfCommand(surroundings: Surroundings): Command {
  const command = new Command('whatif')
    .description('say what would become of a virtual router if something changed on one node; nothing is changed')
    .argument('<router>')
    .addOption(new Option('--node <name>', 'the node where it changes (default: the active one)'))
    .addOption(
      new Option(
        '--set <what=state>',
        'suppose it: "check alive=down", "interface em2=up", "check load=17", "priority=150"; may be given again',
      ).argParser((text: string, before: readonly Supposition[] | undefined) => [
        ...(before ?? []),
        readSupposition(text),
      ]),
    );
  return addCommonOptions(command, { format: true }).action(action(surroundings, tell));
}

/** For commander. */
function readSupposition(text: string): Supposition {
  const parsed = parseSupposition(text);
  if (!parsed.ok) throw new InvalidArgumentError(`${parsed.reason}.`);
  return parsed.supposition;
}

async function tell(invocation: Invocation, { node, set = [] }: WhatIfOptions, router: string): Promise<void> {
  const { session, format, paint, surroundings } = invocation;
  const { status } = await session.call('read the status', ({ status: s }) => s.getStatus.bind(s), {});
  const overview = status?.routers.find(({ name }) => name === router || name === router.toLowerCase());
  if (overview === undefined) {
    const names = status?.routers.map(({ name }) => name) ?? [];
    const present = names.length === 0 ? 'there are none' : `there are ${names.join(', ')}`;
    throw new Failure(1, singleLine(`there is no virtual router ${router}; ${present}`));
  }
  const members = overview.members.map((member) => member.node);
  const where = node ?? overview.members.find(({ state }) => state === MemberState.ACTIVE)?.node;
  if (where === undefined) throw new Failure(2, `say where with --node: ${members.join(', ')}; no member is active`);
  if (!members.includes(where)) {
    throw new Failure(
      2,
      singleLine(`${where} is no member of ${overview.name}; its members are ${members.join(', ')}`),
    );
  }
  const reports = await reportsOf(session, members);
  const found = whatIf({ router: overview.name, node: where, suppositions: set, reports, scope: 'fleet' });
  if (!found.ok) throw new Failure(1, singleLine(found.reason));
  const sections = describeForecast(found.forecast, 'fleet');
  if (format !== 'table') {
    printPlain(surroundings.stdout, JSON.parse(JSON.stringify({ ...found.forecast, sections })), format);
    return;
  }
  const blocks = sections.map(({ title, sentences }) =>
    [paint('bold', title), ...sentences.map((sentence) => `  ${printableLines(sentence)}`)].join('\n'),
  );
  printLines(surroundings.stdout, [blocks.join('\n\n')]);
}
