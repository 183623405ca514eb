/** A packet filter of the host's own that keeps advertisements away from it. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { MemberState } from '../../proto/gen/baton/v1/status.js';
import { AgentHost } from '../lab/agent-host.js';
import { keepalivedConf } from '../lab/keepalived.js';
import { Lab, labUnavailable } from '../lab/lab.js';
import { until } from '../lab/until.js';

const VIP = '10.9.0.100';

test('F66 a packet filter drops protocol 112 on a backup: it takes over, and names table and chain', {
  skip: labUnavailable(),
}, async (t) => {
  const lab = await Lab.open();
  t.after(() => lab.close());
  const [a, b] = [
    new AgentHost(await lab.host('a', { addresses: ['10.9.0.1/24'] })),
    new AgentHost(await lab.host('b', { addresses: ['10.9.0.2/24'] })),
  ];
  for (const [agent, priority] of [
    [a, 150],
    [b, 100],
  ] as const) {
    const file = path.join(agent.directory, 'keepalived.conf');
    writeFileSync(file, keepalivedConf({ vrid: 9, priority, interval: 0.1, interface: 'em1', addresses: [VIP] }));
    agent.startAlone(file);
    await agent.agent.untilSays(priority === 150 ? '"to":"active"' : '"to":"backup"', 10_000);
  }
  assert.deepEqual((await b.status()).preflight, []);

  await b.host.run(
    'nft',
    'add table inet strict; add chain inet strict in { type filter hook input priority 0; policy accept; }; add rule inet strict in ip protocol 112 drop',
  );
  await b.agent.untilSays('"to":"active"', 5_000);
  const found = await until(
    'the host to be judged',
    10_000,
    async () => {
      const { preflight } = await b.status();
      return preflight.length > 0 ? preflight : undefined;
    },
    async () => await b.status(),
  );
  assert.match(found[0]?.subject ?? '', /nftables inet strict in/);
  assert.deepEqual(found[0]?.routers, ['vi_1']);
  const [router] = (await b.status()).routers;
  assert.equal(router?.state, MemberState.ACTIVE);

  await b.host.run('nft', 'delete table inet strict');
  await until('one of them to yield', 5_000, async () => !(await b.host.holds(VIP)));
  assert.ok(await a.host.holds(VIP));
});
