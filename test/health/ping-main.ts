/** Pings from a worker thread and prints the outcomes: of itself, of a dead neighbour, of two that no route leads to. */
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { pingAttempt } from '../../agent/health/ping-check.js';
import { libc } from '../../agent/net/libc.js';
import { outcomeOf, testNames } from './attempts.js';

if (isMainThread) {
  new Worker(new URL(import.meta.url)).once('message', (outcomes) => process.stdout.write(JSON.stringify(outcomes)));
} else {
  const outcomes = [];
  for (const host of ['192.0.2.1', '192.0.2.9', '198.51.100.1', '203.0.113.1']) {
    outcomes.push(await outcomeOf(pingAttempt({ kind: 'ping', host, size: 56 }, testNames, libc), 300));
  }
  parentPort?.postMessage(outcomes);
}
