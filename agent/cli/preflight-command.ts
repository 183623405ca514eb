/** "preflight [FILE]": what of this host would keep virtual routers from working, before it does. */
import { hostname } from 'node:os';
import process from 'node:process';
import { PreflightFinding, PreflightSeverity } from '../../proto/gen/baton/v1/status.js';
import { ask } from '../local/control-client.js';
import type { CommandSpec, ParsedCommand } from './command-line.js';
import { LOCATION_OPTIONS, OUTPUT_OPTION, runDirOf, wantsJson } from './locations.js';
import { preflightLines } from './preflight-screen.js';
import { standardPaint } from './terminal.js';

export const PREFLIGHT: CommandSpec = {
  name: 'preflight',
  usage: '[FILE]',
  summary:
    'Judges this host by the configuration that its agent runs, or by a file that none runs yet: interfaces, settings of the\nkernel, packet filters, limits. Exit code 0: nothing that fails. 1: at least one error, or no answer.',
  operands: [],
  optionalOperands: 1,
  options: {
    node: {
      type: 'string',
      value: 'NAME',
      help: 'with FILE: this node, of the members in a YAML file (default: the host name)',
    },
    output: OUTPUT_OPTION,
    ...LOCATION_OPTIONS,
  },
};

export async function preflightCommand(command: ParsedCommand): Promise<number> {
  const json = wantsJson(command);
  const [file] = command.operands;
  const findings = file === undefined ? await ofAgent(command) : await ofFile(file, command.text('node'));
  if (findings === undefined) return 4;
  if (json) {
    const { messageToPlain } = await import('../../proto/manifest/plain.js');
    const plain = findings.map((finding) => messageToPlain('baton.v1.PreflightFinding', finding));
    process.stdout.write(`${JSON.stringify({ findings: plain }, undefined, 2)}\n`);
  } else if (findings.length === 0) process.stdout.write('nothing stands in the way\n');
  else process.stdout.write(`${preflightLines(findings, standardPaint()).join('\n')}\n`);
  return findings.some(({ severity }) => severity === PreflightSeverity.ERROR) ? 1 : 0;
}

async function ofAgent(command: ParsedCommand): Promise<readonly PreflightFinding[]> {
  const answer = await ask(await runDirOf(command), { command: 'preflight' }, 30_000);
  return (answer as { readonly findings: readonly unknown[] }).findings.map((one) => PreflightFinding.fromJSON(one));
}

/** undefined: the file has errors, which were written. */
async function ofFile(file: string, node: string | undefined): Promise<readonly PreflightFinding[] | undefined> {
  const { formatRemark, hasErrors, judgeFile } = await import('../bundle/standalone-file.js');
  const { ownHostEdges } = await import('../../proto/keepalived/index.js');
  const { preflight } = await import('../local/preflight-host.js');
  const { remarks, runnable } = await judgeFile(file, { given: node, hostName: hostname() }, ownHostEdges);
  if (runnable !== undefined && !hasErrors(remarks)) return await preflight(runnable.bundle, undefined);
  for (const remark of remarks) process.stderr.write(`${formatRemark(remark)}\n`);
  return undefined;
}
