/** agent.yaml, the host owner's file: read whole or not at all. */
import { readFile } from 'node:fs/promises';
import { AgentConfig } from '../../proto/gen/baton/v1/config.js';
import { mistakesIn } from '../bundle/policy.js';
import { type FileRemark, hasErrors } from '../bundle/standalone-file.js';

export type AgentConfigResult =
  | { readonly ok: true; readonly config: AgentConfig }
  | { readonly ok: false; readonly remarks: readonly FileRemark[] };

/** @param mayBeMissing a missing file is an empty one. Never rejects. */
export async function readAgentConfig(file: string, mayBeMissing: boolean): Promise<AgentConfigResult> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (mayBeMissing && code === 'ENOENT') return { ok: true, config: AgentConfig.fromPartial({}) };
    return { ok: false, remarks: [wholeFile(file, `cannot read it: ${message}`)] };
  }
  const { parseConfigFile } = await import('../../proto/manifest/index.js');
  const { config, problems } = parseConfigFile(text, file, 'baton.v1.AgentConfig');
  const remarks: FileRemark[] = problems.map((problem) => ({
    file: problem.file,
    line: problem.line,
    column: problem.column,
    severity: 'error',
    message: problem.message,
  }));
  if (config !== undefined) {
    for (const mistake of mistakesIn(config)) remarks.push(wholeFile(file, mistake));
  }
  return config === undefined || hasErrors(remarks) ? { ok: false, remarks } : { ok: true, config };
}

function wholeFile(file: string, message: string): FileRemark {
  return { file, line: 0, column: 0, severity: 'error', message };
}
