/** "restart": the running agent makes room for the next one, which goes on with its addresses and roles. */
import process from 'node:process';
import { MemberState, NodeStatus } from '../../proto/gen/baton/v1/status.js';
import { ask } from '../local/control-client.js';
import type { CommandSpec, ParsedCommand } from './command-line.js';
import { LOCATION_OPTIONS, runDirOf } from './locations.js';

export const RESTART: CommandSpec = {
  name: 'restart',
  usage: '',
  summary:
    'Ends the agent on this host so that the next one goes on where it stopped: addresses stay, and a router that was\nactive stays active if the next agent starts within its lease and its down interval. For upgrades: the service manager\nmust start the agent again (the systemd unit does). Waits until it answers. SIGUSR2 to the agent does the same.',
  operands: [],
  options: { ...LOCATION_OPTIONS },
};

const WAIT_MS = 30_000;
const ASK_AGAIN_MS = 50;

export async function restart(command: ParsedCommand): Promise<number> {
  const runDir = await runDirOf(command);
  const before = await statusOf(runDir);
  const startedAt = performance.now();
  await ask(runDir, { command: 'suspend' });
  let after: NodeStatus | undefined;
  while (after === undefined && performance.now() - startedAt < WAIT_MS) {
    await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
    // Nobody answers between the two agents; the old one may answer a last time.
    const answered = await statusOf(runDir).catch(() => undefined);
    // The new one answers before it has read its configuration.
    const isRunning = answered?.bundle !== undefined || before.bundle === undefined;
    if (answered !== undefined && answered.pid !== before.pid && isRunning) after = answered;
  }
  if (after === undefined) {
    process.stderr.write(
      `baton-agent: the agent (pid ${before.pid}) ended, and no other one answered within ${WAIT_MS / 1_000} s: start it now; its addresses go at the end of their leases\n`,
    );
    return 1;
  }
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
  process.stdout.write(`agent restarted in ${seconds} s (pid ${before.pid}, now ${after.pid})\n`);
  for (const line of rolesKept(before, after)) process.stdout.write(`  ${line}\n`);
  return 0;
}

async function statusOf(runDir: string): Promise<NodeStatus> {
  return NodeStatus.fromJSON(await ask(runDir, { command: 'status' }));
}

/** A line for each router that was active. */
export function rolesKept(before: NodeStatus, after: NodeStatus): string[] {
  const active = before.routers.filter(({ state }) => state === MemberState.ACTIVE);
  return active.map(({ name }) => {
    const now = after.routers.find((router) => router.name === name);
    if (now === undefined) return `${name}: no longer configured`;
    return now.state === MemberState.ACTIVE ? `${name}: stayed active` : `${name}: not active any more: ${now.cause}`;
  });
}
