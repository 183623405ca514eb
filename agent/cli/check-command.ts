/** "check FILE": everything there is to say about a configuration file, without running it. */
import { hostname } from 'node:os';
import process from 'node:process';
import type { Bundle } from '../../proto/gen/baton/v1/bundle.js';
import { ownHostEdges } from '../../proto/keepalived/index.js';
import { programsOf } from '../bundle/policy.js';
import { settingsOf } from '../bundle/settings.js';
import { type FileRemark, formatRemark, hasErrors, judgeFile } from '../bundle/standalone-file.js';
import { hostInterfaces, hostProgramProblem } from '../local/host-facts.js';
import type { CommandSpec, ParsedCommand } from './command-line.js';
import { OUTPUT_OPTION, wantsJson } from './locations.js';

export const CHECK: CommandSpec = {
  name: 'check',
  usage: 'FILE',
  summary:
    'Judges a keepalived.conf or Baton YAML file: one remark per line, as FILE:LINE: SEVERITY: MESSAGE. Exit code 0: no error.\n4: at least one error.',
  operands: ['FILE'],
  options: {
    host: { type: 'boolean', help: "also judge it against this host's interfaces and programs" },
    node: { type: 'string', value: 'NAME', help: 'this node, of the members in a YAML file (default: the host name)' },
    output: OUTPUT_OPTION,
  },
};

export async function check(command: ParsedCommand): Promise<number> {
  const json = wantsJson(command);
  const file = command.operands[0] ?? '';
  const judged = await judgeFile(file, { given: command.text('node'), hostName: hostname() }, ownHostEdges);
  const remarks = [...judged.remarks];
  if (judged.runnable !== undefined) {
    const { bundle } = judged.runnable;
    remarks.push(...untranslatable(file, bundle));
    if (command.flag('host')) remarks.push(...(await judgeOnHost(file, bundle)));
  }
  const isGood = !hasErrors(remarks);
  if (json) process.stdout.write(`${JSON.stringify({ file, ok: isGood, remarks }, undefined, 2)}\n`);
  else for (const remark of remarks) process.stdout.write(`${formatRemark(remark)}\n`);
  if (!json && remarks.length === 0) process.stdout.write(`${file}: no remarks\n`);
  return isGood ? 0 : 4;
}

function untranslatable(file: string, bundle: Bundle): FileRemark[] {
  const translated = settingsOf(bundle);
  return translated.ok ? [] : translated.refusals.map(({ path, reason }) => remark(file, `${path}: ${reason}`));
}

async function judgeOnHost(file: string, bundle: Bundle): Promise<FileRemark[]> {
  const remarks: FileRemark[] = [];
  const present = await hostInterfaces();
  for (const router of bundle.routers) {
    const devices = new Set([
      router.interface,
      ...router.addresses.map(({ device }) => device),
      ...router.track.map((track) => track.interface),
    ]);
    for (const device of devices) {
      if (device === '' || present.has(device)) continue;
      remarks.push(remark(file, `router ${router.name}: this host has no interface ${device}`));
    }
  }
  for (const program of programsOf(bundle)) {
    if (program.isFifo) continue;
    const problem = await hostProgramProblem(program.file, program.user);
    if (problem !== undefined) remarks.push(remark(file, `${program.path}: ${problem}`));
  }
  return remarks;
}

function remark(file: string, message: string): FileRemark {
  return { file, line: 0, column: 0, severity: 'error', message };
}
