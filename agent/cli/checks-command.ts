/** "checks [NAME]": what the health checks of this host say, and whether they say anything. */
import process from 'node:process';
import { NodeStatus } from '../../proto/gen/baton/v1/status.js';
import { checkDetail } from '../../proto/rules/check-detail.js';
import { suggestion } from '../../proto/rules/nearest-name.js';
import { ask } from '../local/control-client.js';
import { type CommandSpec, type ParsedCommand, UsageError } from './command-line.js';
import { LOCATION_OPTIONS, OUTPUT_OPTION, runDirOf, wantsJson } from './locations.js';
import { checkLines } from './status-screen.js';
import { standardPaint } from './terminal.js';

export const CHECKS: CommandSpec = {
  name: 'checks',
  usage: '[NAME]',
  summary:
    'Shows every health check of this host with its state and last result, or all that is known of one. A check that never\nran, is stuck, or cannot be run is said to be so.',
  operands: [],
  optionalOperands: 1,
  options: {
    recent: { type: 'boolean', help: 'with NAME: the last runs with their output' },
    output: OUTPUT_OPTION,
    ...LOCATION_OPTIONS,
  },
};

export async function checks(command: ParsedCommand): Promise<number> {
  const json = wantsJson(command);
  const [name] = command.operands;
  const isRecent = command.flag('recent');
  if (isRecent && name === undefined) throw new UsageError('--recent goes with the name of a check');
  const status = NodeStatus.fromJSON(await ask(await runDirOf(command), { command: 'status' }));
  const chosen = status.checks.filter((check) => name === undefined || check.name === name);
  if (name !== undefined && chosen.length === 0) {
    const names = status.checks.map((check) => check.name);
    const present = names.length === 0 ? 'it runs none' : `it runs ${names.join(', ')}`;
    process.stderr.write(
      `baton-agent: there is no check "${name}" on this host${suggestion(name, names)}; ${present}\n`,
    );
    return 1;
  }
  if (json) {
    const { messageToPlain } = await import('../../proto/manifest/plain.js');
    const plain = chosen.map((check) => messageToPlain('baton.v1.CheckStatus', check));
    process.stdout.write(`${JSON.stringify({ node: status.node, checks: plain }, undefined, 2)}\n`);
    return 0;
  }
  const lines =
    name === undefined
      ? chosen.length === 0
        ? ['No check is configured.']
        : checkLines(chosen, status.capturedAt, standardPaint())
      : chosen.flatMap((check) =>
          checkDetail(check, { now: status.capturedAt, routers: status.routers, recent: isRecent }),
        );
  process.stdout.write(`${lines.join('\n')}\n`);
  return 0;
}
