/** agent.yaml as a host's owner writes it, with more than the scripts that AgentHost.allowScripts allows. */
import { writeFileSync } from 'node:fs';
import type { AgentHost } from '../lab/agent-host.js';

/** Allows the scripts of the host, and adds these lines: further keys of AgentConfig, as YAML. */
export function writeOwnerRules(node: AgentHost, ...lines: readonly string[]): void {
  const text = [
    `stateDir: ${node.stateDirectory}`,
    `runDir: ${node.runDirectory}`,
    `scripts: {allow: ["${node.scripts.directory}/*"], user: root}`,
    ...lines,
    '',
  ].join('\n');
  writeFileSync(node.configFile, text);
}
