/**
 * The election thread alone, as a process: no worker, no controller.
 *
 *   node election-main.js FILE     FILE: LabSettings as JSON
 *
 * Standard input: messages to the election, one JSON a line. Standard output: messages from it, one JSON a line.
 * SIGTERM: hands over and ends.
 */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { startElection } from '../../agent/runtime/election.js';
import { hostEdges, monotonicClock } from '../../agent/runtime/host-edges.js';
import type { FromElection, RouterSettings, ToElection } from '../../agent/runtime/messages.js';
import type { LabSettings } from './election.js';

const listeners: ((message: ToElection) => void)[] = [];
const election = startElection({
  port: {
    postMessage: (message: FromElection) => void process.stdout.write(`${JSON.stringify(message)}\n`),
    on: (_event, listener) => void listeners.push(listener),
  },
  clock: monotonicClock,
  edges: hostEdges,
});

function tell(message: ToElection): void {
  for (const listener of listeners) listener(message);
}

tell({ kind: 'workerReady' });
tell({ kind: 'configure', nonce: 0, routers: withBytes(JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'))) });
createInterface({ input: process.stdin }).on('line', (line) => {
  const message = JSON.parse(line) as ToElection & { routers?: LabSettings };
  tell(message.kind === 'configure' ? { ...message, routers: withBytes(message.routers) } : message);
});
process.on('SIGTERM', () => election.shutdown(true));
await election.stopped;
process.exit(0);

function withBytes(routers: LabSettings): readonly RouterSettings[] {
  return routers.map(({ password, ...settings }) =>
    password === undefined
      ? settings
      : { ...settings, password: Uint8Array.from(Buffer.from(password.padEnd(8, '\0'))) },
  );
}
