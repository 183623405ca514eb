/** Two hosts for routers and a client that watches, on one LAN, with addresses of both families. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { Host } from '../lab/host.js';
import { Lab } from '../lab/lab.js';
import type { Probe } from '../lab/probe.js';
import { until } from '../lab/until.js';

/** A busy machine starts processes and prints late; the protocol's own times are asserted by shorter means elsewhere. */
export const SLACK_MS = 4000;
/** Of the advertisements in these tests. */
export const INTERVAL_MS = 200;
/** Nobody of priority 1 or more waits longer. */
export const DOWN_MS = 4 * INTERVAL_MS;

export interface Stage {
  readonly lab: Lab;
  readonly one: Host;
  readonly two: Host;
  readonly client: Host;
}

/** one: 10.9.0.1, 2001:db8:9::1, fe80::1; two: the same with 2; client: with 3. */
export async function openStage(t: TestContext): Promise<Stage> {
  const lab = await Lab.open();
  t.after(() => lab.close());
  const host = (name: string, number: number) =>
    lab.host(name, {
      addresses: [`10.9.0.${number}/24`, `2001:db8:9::${number}/64 nodad`],
      linkLocal: `fe80::${number}`,
    });
  return { lab, one: await host('one', 1), two: await host('two', 2), client: await host('client', 3) };
}

/** Waits until the client gets answers of the address from this MAC address: the kernel's neighbour entry, and echoes. */
export async function untilServedBy(client: Host, probe: Probe, mac: string, withinMs = SLACK_MS): Promise<void> {
  await until(
    `${client.name} to take ${probe.address} to ${mac}`,
    withinMs,
    async () => (await client.neighbor(probe.address)) === mac,
    async () => ({ has: await client.neighbor(probe.address) }),
  );
  await probe.untilAnswered(withinMs);
  assert.equal(await client.neighbor(probe.address), mac);
}
