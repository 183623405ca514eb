/**
 * Two keepalived.conf files with nearly everything that its VRRP half has, imported by batonctl, applied and run: what the
 * kernels have is what the files say, and the instances of a group move together when a script fails.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { AgentHost } from '../lab/agent-host.js';
import { labUnavailable } from '../lab/lab.js';
import { until } from '../lab/until.js';
import { Cluster } from './cluster.js';
import { writeOwnerRules } from './owner-rules.js';

/** @param rank 0 for the preferred host, 1 for the other */
function keepalivedConf({ host, scripts, directory }: AgentHost, rank: number, numbers: string): string {
  const [own, other] = rank === 0 ? ['10.9.0.11', '10.9.0.12'] : ['10.9.0.12', '10.9.0.11'];
  const instance = (name: string, vrid: number, ...lines: readonly string[]): string =>
    [
      `vrrp_instance ${name} {`,
      '    interface em1',
      `    virtual_router_id ${vrid}`,
      '    advert_int 0.1',
      ...lines,
      '}',
    ].join('\n');
  const priority = `    priority ${rank === 0 ? 150 : 100}`;
  return `! everything that a router can have
global_defs {
    router_id ${host.name}
    notification_email { oncall@example.com }
    notification_email_from keepalived@example.com
    smtp_server 127.0.0.1
    script_user root
    enable_script_security
    vrrp_version 3
    vrrp_garp_master_repeat 2
    dynamic_interfaces
}
$FRONT=10.9.0.100/24
static_ipaddress {
    10.77.0.${rank + 1}/24 dev em1
    fd77::${rank + 1}/64 dev em1
}
static_routes {
    10.88.0.0/16 via 10.77.0.9 dev em1
    fd88::/32 via fd77::9 dev em1
}
static_rules {
    from 10.88.0.0/16 table 100 priority 1000
}
vrrp_script alive {
    script "${scripts.check}"
    interval 1
    fall 1
    rise 1
}
track_file load {
    file "${numbers}"
    weight 1
    init_file 0
}
vrrp_track_process agent {
    process node
    quorum 1
    weight 5
}
bfd_instance link {
    neighbor_ip ${other}
    source_ip ${own}
    min_rx 50
    min_tx 50
    idle_tx 1000
}
vrrp_sync_group FRONT {
    group { WEB4 WEB6 }
    track_script { alive }
    track_file { load }
    track_bfd { link weight 3 }
    sync_group_tracking_weight
    notify ${directory}/../scripts/group.sh
    smtp_alert
}
vrrp_sync_group BACK {
    group {
        DB
        DB6
    }
    sync_group_tracking_weight
    notify_master ${scripts.active}
    notify_backup ${scripts.backup}
}
${instance(
  'WEB4',
  4,
  priority,
  '    state MASTER',
  '    use_vmac',
  '    virtual_ipaddress {\n $FRONT\n }',
  '    virtual_routes { 10.99.0.0/16 via 10.9.0.5 dev em1 metric 50 }',
  '    virtual_rules { from 10.9.0.100 table 100 priority 1001 }',
)}
${instance(
  'WEB6',
  6,
  priority,
  '    use_vmac vr6',
  '    vmac_xmit_base',
  '    virtual_ipaddress {\n fe80::6\n fd09::100/64\n }',
  '    virtual_ipaddress_excluded { 10.9.0.106 }',
)}
${instance(
  'DB',
  8,
  priority,
  '    state BACKUP',
  `    unicast_src_ip ${own}`,
  `    unicast_peer { ${other} }`,
  '    track_interface { em1 }',
  '    track_process { agent }',
  '    virtual_ipaddress { 10.9.0.108/32 label em1:db }',
)}
${instance(
  'DB6',
  9,
  priority,
  '    state BACKUP',
  '    no_accept',
  '    virtual_ipaddress {\n fe80::8\n fd09::108\n }',
)}
`;
}

test('two full keepalived.conf files, imported, applied and run', { skip: labUnavailable() }, async (t) => {
  const cluster = await Cluster.prepare(t, ['k1', 'k2']);
  const [k1, k2] = [cluster.node('k1'), cluster.node('k2')];
  const numbers = path.join(cluster.lab.directory, 'numbers');
  const hook = '#!/bin/sh\necho "$@" >> "$(dirname "$0")/group-$(/usr/sbin/ip netns identify).log"\n';
  writeFileSync(path.join(k1.scripts.directory, 'group.sh'), hook, { mode: 0o755 });
  const files = cluster.nodes.map((node, rank) => {
    const file = path.join(node.directory, 'keepalived.conf');
    writeFileSync(
      file,
      keepalivedConf(node, rank, numbers).replaceAll(`${node.directory}/../`, `${cluster.lab.directory}/`),
    );
    return file;
  });
  for (const node of cluster.nodes) {
    await node.host.untilIpv6Ready();
    writeOwnerRules(node, `policy: {routes: true, files: [${numbers}]}`);
  }
  await cluster.controller.startMailServer('--tls', 'none');
  await cluster.serve();

  await t.test('the import has no error, and what it wrote is accepted', async () => {
    const resources = path.join(cluster.lab.directory, 'imported.yaml');
    const imported = await cluster.controller.attempt('import', ...files, '--output', resources);
    for (const line of imported.stderr.trim().split('\n'))
      t.diagnostic(line.replaceAll(`${cluster.lab.directory}/`, ''));
    assert.equal(imported.exit, 0, imported.stderr);
    assert.match(imported.stderr, /2 files: .*4 VirtualRouter.*0 errors/);
    const applied = await cluster.controller.attempt('apply', '-f', resources, '--wait');
    assert.equal(applied.exit, 0, applied.stderr);
    for (const router of ['web4', 'web6', 'db', 'db6']) {
      await cluster.untilStates(router, { k1: 'active', k2: 'backup' }, 15_000);
    }
  });

  await t.test('the kernels have what the files say', async () => {
    const held = [...(await k1.host.kernelAddresses()), ...(await k1.host.kernelAddresses(6))];
    const of = (address: string): readonly unknown[] => {
      const found = held.find((each) => each.address === address);
      return [found?.device, found?.prefixLength, found?.label];
    };
    assert.deepEqual(of('10.9.0.100'), ['vrrp.4', 24, 'vrrp.4']);
    assert.deepEqual(of('fd09::100').slice(0, 2), ['vr6', 64]);
    assert.deepEqual(of('fe80::6').slice(0, 1), ['vr6']);
    assert.deepEqual(of('10.9.0.106').slice(1, 2), [32]);
    assert.deepEqual(of('10.9.0.108'), ['em1', 32, 'em1:db']);
    assert.deepEqual(of('fd09::108').slice(0, 2), ['em1', 128]);
    assert.equal(await k1.host.mac('vrrp.4'), '00:00:5e:00:01:04');
    assert.equal(await k1.host.mac('vr6'), '00:00:5e:00:02:06');
    for (const [index, { host }] of cluster.nodes.entries()) {
      await host.untilHolds(`10.77.0.${index + 1}`, 3000);
      await host.untilHolds(`fd77::${index + 1}`, 3000);
      assert.match(await host.run('ip', 'route', 'show', '10.88.0.0/16'), /via 10\.77\.0\.9 dev em1/);
      assert.match(await host.run('ip', '-6', 'route', 'show', 'fd88::/32'), /via fd77::9 dev em1/);
      assert.match(await host.run('ip', 'rule'), /1000:\s+from 10\.88\.0\.0\/16 lookup 100/);
      assert.equal(/10\.99\.0\.0\/16 via 10\.9\.0\.5 dev em1/.test(await host.run('ip', 'route')), host === k1.host);
      assert.equal(/1001:\s+from 10\.9\.0\.100 lookup 100/.test(await host.run('ip', 'rule')), host === k1.host);
    }
    assert.match(await k1.host.run('nft', 'list', 'table', 'inet', 'baton'), /fd09::108/);
    const [web4] = (await k1.status()).routers.filter(({ name }) => name === 'web4');
    assert.ok(web4?.effectivePriority === 153, `${web4?.effectivePriority}: 150 and the BFD session's 3`);
  });

  await t.test('a script that fails moves its group and no other', async () => {
    k1.breakHealth();
    for (const router of ['web4', 'web6']) await cluster.untilStates(router, { k1: 'fault', k2: 'active' });
    for (const router of ['db', 'db6']) await cluster.untilStates(router, { k1: 'active', k2: 'backup' });
    for (const address of ['10.9.0.100', 'fd09::100', '10.9.0.106']) {
      await k2.host.untilHolds(address, 1000);
      assert.equal(await k1.host.holds(address), false, address);
    }
    assert.doesNotMatch(await k1.host.run('ip', 'route'), /10\.99\.0\.0/);
    assert.match(await k2.host.run('ip', 'route'), /10\.99\.0\.0\/16/);
    k1.mendHealth();
    for (const router of ['web4', 'web6']) await cluster.untilStates(router, { k1: 'active', k2: 'backup' });
    assert.deepEqual([k1.hooksRun().at(-1), k2.hooksRun().at(-1)], ['MASTER', 'BACKUP']);
    await until('the mails', 15_000, () => cluster.controller.mails.some(({ subject }) => /front/.test(subject)));
  });

  await t.test('after the agents have stopped nothing of it is left', async () => {
    assert.deepEqual(await Promise.all([k2, k1].map(({ agent }) => agent.stop())), ['exit 0', 'exit 0']);
    for (const { host } of cluster.nodes) {
      assert.doesNotMatch(await host.run('ip', 'link'), /vrrp\.4|vr6/);
      assert.doesNotMatch(await host.run('ip', 'rule'), /lookup 100/);
      assert.doesNotMatch(await host.run('nft', 'list', 'tables'), /baton/);
      const left = [...(await host.kernelAddresses()), ...(await host.kernelAddresses(6))].map(
        ({ address }) => address,
      );
      assert.deepEqual(
        left.filter((address) => /\.100|\.10[68]|::10[08]|fe80::[68]$/.test(address)),
        [],
      );
    }
  });
});
