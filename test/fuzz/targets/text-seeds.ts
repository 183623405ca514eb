/** Files that people write, good ones: the examples, and of keepalived.conf the demo's and a few that have other parts. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { keepalivedFile } from '../../demo/keepalived-files.js';
import { sourceRoot } from '../../docs/source-root.js';
import { instanceText } from '../../keepalived/memory-files.js';

export function manifestSeeds(): readonly string[] {
  const folder = path.join(sourceRoot(), 'deploy/examples');
  const files = readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .map((name) => readFileSync(path.join(folder, name), 'utf8'));
  const documents = files.flatMap((text) => text.split(/^---\n/m)).filter((text) => text.length <= 2_048);
  return [
    ...documents,
    '',
    '# nothing\n',
    'apiVersion: baton/v1\nkind: List\nmetadata: {}\nitems: []\n',
    '{"apiVersion":"baton/v1","kind":"Node","metadata":{"name":"a"}}',
    'apiVersion: baton/v2\nkind: Nod\nmetadata: {name: a}\n',
    `${'['.repeat(40)}\n`,
    'a: &x 1\nb: *x\n',
    'a: 1\na: 2\n',
  ];
}

export function keepalivedSeeds(): readonly string[] {
  const scripts = { check: '/k/check', active: '/k/active', backup: '/k/backup', fault: '/k/fault' };
  const pair = (first: string, second: string) => `${first}\f${second}`;
  const demo = keepalivedFile('base1', scripts);
  const tracked = 'vrrp_script s { script "true"\n weight -20 }\nbfd_instance b { neighbor_ip 192.0.2.8 }\n';
  const routed =
    'static_rules { from 192.0.2.0/24 table 100 }\nvrrp_sync_group G { group { VI_1 }\n notify_fifo /k/fifo }\n';
  return [
    pair(demo, keepalivedFile('base2', { ...scripts, check: '/k/other' }).replace('priority 100', 'priority 90')),
    pair(instanceText(' unicast_peer { 192.0.2.3 }'), instanceText(' unicast_peer { 192.0.2.2 }\n priority 50')),
    pair(
      tracked + instanceText(' track_script { s }\n track_bfd { b }'),
      `${tracked}${instanceText(' priority 99')}\f${instanceText()}`,
    ),
    pair(routed + instanceText(), routed.replace('100', '200') + instanceText(' preempt_delay 5')),
    pair(
      instanceText(' virtual_routes { 10.1.0.0/16 via 192.0.2.1 }'),
      instanceText(' virtual_ipaddress_excluded { 192.0.2.77 }'),
    ),
    demo,
    instanceText(),
    instanceText(' authentication { auth_type PASS\n auth_pass secret }\n unicast_peer { 192.0.2.2 }\n', 'A', 9),
    `${instanceText()}vrrp_sync_group G { group { VI_1 } }\ninclude b.conf\n`,
    '$X=1\n@h vrrp_instance $X { }\n~SEQ(i, 1, 3) $i\n',
    '',
    '{{{}}}}\n"',
  ];
}
