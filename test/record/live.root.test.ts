/** A live pair is recorded through a failover and back, and the recordings are replayed. */
import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { outputOf } from '../lab/command.js';
import { PROGRAMS } from '../lab/controller-host.js';
import type { Host } from '../lab/host.js';
import { Lab, labUnavailable } from '../lab/lab.js';
import { StandaloneAgent } from '../lab/standalone-agent.js';

const skip = labUnavailable();

function config(priority: number): string {
  const instance = (name: string, vrid: number, addresses: string) => `vrrp_instance ${name} {
  interface em1
  virtual_router_id ${vrid}
  priority ${priority}
  advert_int 0.1
  virtual_ipaddress {\n    ${addresses}\n  }
}
`;
  return [
    'global_defs {\n vrrp_version 3\n}\n',
    'vrrp_sync_group G {\n group {\n  VI_1\n  VI_6\n }\n}\n',
    instance('VI_1', 10, '10.9.0.100/24'),
    instance('VI_6', 11, 'fe80::100/64\n    2001:db8:9::100/64'),
  ].join('');
}

interface Replayed {
  readonly same: boolean;
  readonly segments: number;
  readonly routers: readonly string[];
  readonly remarks: readonly string[];
  readonly transitions: readonly { readonly router: string; readonly to: string; readonly reason: { code: string } }[];
}

async function replay(host: Host, file: string): Promise<Replayed> {
  return JSON.parse(outputOf(await host.attempt(`${PROGRAMS}baton-agent`, 'replay', '-o', 'json', file))) as Replayed;
}

test('a live pair: what was recorded of a failover and a return is decided again', { skip }, async (t) => {
  const lab = await Lab.open();
  t.after(() => lab.close());
  const host = (name: string, number: number) =>
    lab.host(name, {
      addresses: [`10.9.0.${number}/24`, `2001:db8:9::${number}/64 nodad`],
      linkLocal: `fe80::${number}`,
    });
  const [one, two] = [await host('one', 1), await host('two', 2)];
  const file = (name: string) => path.join(lab.directory, `${name}.recording`);
  const start = (on: Host, priority: number) =>
    StandaloneAgent.start(on, config(priority), ['--record', file(on.name), '--record-limit', '1M']);
  const [a, b] = [await start(one, 150), await start(two, 100)];
  await a.untilState('ACTIVE', 10_000);
  await b.untilState('BACKUP', 10_000);
  await lab.cut(one);
  await b.untilState('ACTIVE', 10_000);
  await a.untilState('FAULT', 10_000);
  await lab.mend(one);
  await a.untilState('ACTIVE', 10_000);
  await b.untilState('BACKUP', 10_000);
  // The next process goes on with the addresses, and with the recording.
  const next = await a.restart();
  await next.untilState('ACTIVE', 10_000);
  await next.stop();
  await b.untilState('ACTIVE', 10_000);
  // Only what was not handed over yet is missing.
  await b.kill();
  assert.equal(statSync(file('one')).mode & 0o777, 0o600);
  const ofOne = await replay(one, file('one'));
  assert.deepEqual([ofOne.same, ofOne.segments, ofOne.remarks], [true, 2, []]);
  assert.equal(ofOne.routers.length, 2);
  const reasons = ofOne.transitions.map(({ reason }) => reason.code);
  for (const code of ['startup', 'active-down', 'track-failed', 'suspended']) assert.ok(reasons.includes(code), code);
  const ofTwo = await replay(two, file('two'));
  assert.equal(ofTwo.same, true);
  assert.ok(ofTwo.transitions.filter(({ to }) => to === 'active').length >= 4, 'two took over twice, with both');
});
