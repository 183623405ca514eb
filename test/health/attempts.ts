/** Runs one try of a network check in a test and says what came of it. */
import { once } from 'node:events';
import type { Server } from 'node:net';
import { NameLookup } from '../../agent/health/host-lookup.js';
import { type Attempt, type Outcome, runOf } from '../../agent/health/run.js';
import { systemClock } from '../../agent/local/clock.js';

/** Long enough never to be met by what does answer. */
export const LONG_MS = 20_000;

/** Names of the tests; others do not exist. */
export const testNames = new NameLookup((host, done) => {
  if (host.endsWith('.test')) done(null, [{ address: '127.0.0.1', family: 4 }]);
  else done(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }), []);
});

/** Resolves once the try is gone, everything it opened closed. */
export async function outcomeOf(attempt: Attempt, timeout = LONG_MS): Promise<Outcome> {
  return await new Promise((resolve) => {
    let outcome: Outcome | undefined;
    runOf(attempt, systemClock)(timeout, {
      result: (result) => {
        outcome = result;
      },
      gone: () => {
        if (outcome !== undefined) resolve(outcome);
      },
    });
  });
}

/** Listens on a free port of loopback; gives the port. */
export async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** A port of loopback on which nothing listens. */
export async function closedPort(server: Server): Promise<number> {
  const port = await listen(server);
  server.close();
  await once(server, 'close');
  return port;
}
