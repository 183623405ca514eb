/**
 * The election thread alone, as a process: no worker, no controller.
 *
 *   node election-main.js FILE     FILE: LabConfiguration as JSON
 *
 * Standard input: messages to the election, one JSON a line. Standard output: messages from it, one JSON a line.
 * SIGTERM: hands over and ends. SIGUSR2: ends and keeps the addresses for the next one.
 */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { startElection } from '../../agent/runtime/election.js';
import { openBootClock, openHostEdges } from '../../agent/runtime/host-edges.js';
import type { ElectionSettings, FromElection, RouterSettings, ToElection } from '../../agent/runtime/messages.js';
import { ip } from '../runtime/router-settings.js';
import type { LabConfiguration, LabConfigure, LabSettings } from './election.js';

const clock = openBootClock();
const listeners: ((message: ToElection) => void)[] = [];
const election = startElection({
  port: {
    postMessage: (message: FromElection) => void process.stdout.write(`${JSON.stringify(message)}\n`),
    on: (_event, listener) => void listeners.push(listener),
  },
  clock,
  edges: openHostEdges(clock),
});

function tell(message: ToElection): void {
  for (const listener of listeners) listener(message);
}

tell({ kind: 'workerReady' });
configure(0, JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as LabConfiguration);
createInterface({ input: process.stdin }).on('line', (line) => {
  const message = JSON.parse(line) as ToElection | LabConfigure;
  if (message.kind === 'labConfigure') configure(message.nonce, message.configuration);
  else tell(message);
});
process.on('SIGTERM', () => election.shutdown(true));
process.on('SIGUSR2', () => election.suspend());
await election.stopped;
process.exit(0);

function configure(nonce: number, { routers, groups, hostNetworks, resumed }: LabConfiguration): void {
  const settings: ElectionSettings = {
    routers: withBytes(routers),
    groups: groups ?? [],
    hostNetworks: hostNetworks ?? [],
  };
  tell({ kind: 'configure', nonce, settings, ...(resumed === undefined ? {} : { resumed }) });
}

function withBytes(routers: LabSettings): readonly RouterSettings[] {
  return routers.map(({ password, hmac, ...settings }) => ({
    ...settings,
    router: { ...settings.router, addresses: settings.addresses.map(({ address }) => ip(address)) },
    ...(password === undefined ? {} : { password: Uint8Array.from(Buffer.from(password.padEnd(8, '\0'))) }),
    ...(hmac === undefined
      ? {}
      : { hmac: { ...hmac, keys: hmac.keys.map(({ id, key }) => ({ id, key: Uint8Array.from(Buffer.from(key)) })) } }),
  }));
}
