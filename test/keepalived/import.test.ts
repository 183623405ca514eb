import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  Address,
  ChecksumForm,
  Hooks,
  Member,
  type Resource,
  Track,
  type VirtualRouterSpec,
} from '../../proto/gen/baton/v1/resources.js';
import { type ImportedHost, importKeepalived, readKeepalived } from '../../proto/keepalived/index.js';
import { toPlain } from '../../proto/manifest/index.js';
import { compileBundle } from '../../proto/rules/compile.js';
import { validateResources } from '../../proto/rules/validate.js';
import { instanceText, memoryFiles, shown } from './memory-files.js';

/**
 * A file as people write it, with comments in Chinese after most lines: the grammar of a widely read blog post. The
 * second host's differs in router_id and interface only.
 */
const POSTGRES = `! Configuration File for keepalived

global_defs { # 全局定义
   notification_email {
     francs3@163.com # 定义通知邮件，可以设置多个，每行一个。需要开启sendmail服务
   }
   notification_email_from mail@163.com # 设置邮件的发送地址
   smtp_server 127.0.0.1 # 邮件服务器
   smtp_connect_timeout 30 # 设置SMTP Server的超时时间
   router_id base1 # 标识每个节点，每个节点不同
}

 vrrp_script check_pg_alived {
    script "/usr/local/bin/pg_moniter.sh"  # 健康检查脚本
    interval 10 # 健康检查周期
    fall 5 # 健康检查失败次数
    weight -1
    # 如果 < 0，执行健康检查正常返回(exit 0)，则 priority 不变，异常返回(exit 1)，则 priority = priority + weigtht
    # priority只有在健康检查的返回状态发生改变时才会改变，例如：(weight -1，priority 100) 正常 -> 异常，priority = 100 - 1
}

vrrp_instance VI_1 { # VRRP实例配置，一个keepalived可以配置多个VRRP实例，每个实例的virtual_router_id一定要不同
    state BACKUP # 实例初始状态（MASTER主，BACKUP备）
    nopreempt # 如果该实例从slave->Master就不能从Master->slave了，一般不设置
    interface em1 # 指定HA检测网络的接口
    virtual_router_id 10  # 虚拟路由标识，这个标识是一个数字(0-255)
    priority 100 # MASTER权重要高于BACKUP，数字(0-255)越大优选级越高
    advert_int 1 # 组播信息发送间隔，两个节点设置必须一样
    authentication { # 主从服务器验证方式，设置验证类型和密码，MASTER和BACKUP必须使用相同的密码才能正常通信
        auth_type PASS
        auth_pass t9rveMP0Z9S1
    }
      track_script { 
        check_pg_alived # 执行定义的vrrp_script
     }
    virtual_ipaddress {
        192.168.1.26 # 虚拟IP 可以设置多个虚拟IP地址，每行一个（一般使用虚拟ip来访问）
    }
    smtp_alert # 如果vrrp_script异常退出(exit 1)则发送邮件
    notify_master /usr/local/bin/master.sh # 当当前vrrp实例从slave->Master时触发
    notify_backup /usr/local/bin/backup.sh # 当当前vrrp实例从master->slave时触发
    notify_fault /usr/local/bin/fault.sh # 当当前vrrp实例故障时触发
}
`;

/** Reads the texts as files a.conf, b.conf … and imports them; remarks of both steps by file. */
function importTexts(...texts: readonly string[]): {
  resources: readonly Resource[];
  remarks: readonly string[];
  originOf: ReturnType<typeof importKeepalived>['originOf'];
} {
  const remarks: string[] = [];
  const hosts: ImportedHost[] = texts.map((text, index) => {
    const file = `${String.fromCharCode(97 + index)}.conf`;
    const read = readKeepalived(file, memoryFiles({ [file]: text }));
    remarks.push(...read.remarks.map((remark) => `${remark.file} ${shown([remark])[0]}`));
    return { config: read.config };
  });
  const imported = importKeepalived(hosts);
  remarks.push(...imported.remarks.map((remark) => `${remark.file} ${shown([remark])[0]}`));
  return { resources: imported.resources, remarks, originOf: imported.originOf };
}

function routersOf(resources: readonly Resource[]): VirtualRouterSpec[] {
  return resources.flatMap(({ spec }) => (spec?.$case === 'virtualRouter' ? [spec.value] : []));
}

function onlyRouter(resources: readonly Resource[]): VirtualRouterSpec {
  const [router, ...others] = routersOf(resources);
  assert.ok(router !== undefined && others.length === 0, `${1 + others.length} routers`);
  return router;
}

const host = (id: string, lines = '', before = ''): string =>
  `global_defs {\n router_id ${id}\n}\n${before}${instanceText(lines)}`;

const problems = (remarks: readonly string[]): string[] => remarks.filter((line) => !/^\S+ note /u.test(line));

test('two hosts of the blog post become one router with two members', () => {
  const second = POSTGRES.replace('router_id base1', 'router_id base2').replace('interface em1', 'interface em2');
  const { resources, remarks, originOf } = importTexts(POSTGRES, second);
  assert.deepEqual(resources.map(toPlain), [
    {
      apiVersion: 'baton/v1',
      kind: 'VirtualRouter',
      metadata: { name: 'vi_1', labels: { 'keepalived-name': 'VI_1' } },
      spec: {
        vrid: 10,
        version: 2,
        advertisementInterval: '1s',
        preempt: false,
        authentication: { type: 'pass', secret: 'vi_1-vrrp' },
        transport: 'multicast',
        addresses: [{ address: '192.168.1.26' }],
        members: [
          { node: 'base1', interface: 'em1', priority: 100 },
          { node: 'base2', interface: 'em2', priority: 100 },
        ],
        track: [{ check: 'check_pg_alived', weight: -1 }],
        hooks: {
          active: { command: ['/usr/local/bin/master.sh'] },
          backup: { command: ['/usr/local/bin/backup.sh'] },
          fault: { command: ['/usr/local/bin/fault.sh'] },
        },
        receivers: ['mail'],
      },
    },
    {
      apiVersion: 'baton/v1',
      kind: 'Check',
      metadata: { name: 'check_pg_alived' },
      spec: { exec: { command: ['/usr/local/bin/pg_moniter.sh'] }, interval: '10s', fall: 5 },
    },
    {
      apiVersion: 'baton/v1',
      kind: 'Receiver',
      metadata: { name: 'mail' },
      spec: {
        email: {
          host: '127.0.0.1',
          port: 25,
          security: 'opportunistic',
          from: 'mail@163.com',
          to: ['francs3@163.com'],
        },
      },
    },
    { apiVersion: 'baton/v1', kind: 'Secret', metadata: { name: 'vi_1-vrrp' }, spec: { value: 't9rveMP0' } },
  ]);
  assert.deepEqual(
    problems(remarks).map((line) => line.slice(0, 60)),
    [
      'a.conf warning 31: auth_pass has 12 bytes; only the first 8 c',
      'b.conf warning 31: auth_pass has 12 bytes; only the first 8 c',
      "a.conf warning 8: smtp_server '127.0.0.1' is now the controller'",
      "a.conf warning 34: weight -1 of 'check_pg_alived' changes noth",
      "b.conf warning 34: weight -1 of 'check_pg_alived' changes noth",
    ].map((line) => line.slice(0, 60)),
  );
  assert.doesNotMatch(remarks.join('\n'), /t9rve/u);
  assert.deepEqual(validateResources([...resources]).errors, []);
  assert.deepEqual(originOf('VirtualRouter', 'vi_1'), { file: 'a.conf', line: 22 });
  assert.deepEqual(originOf('Check', 'check_pg_alived'), { file: 'a.conf', line: 13 });
  assert.deepEqual(originOf('Secret', 'vi_1-vrrp'), { file: 'a.conf', line: 29 });
  assert.deepEqual(originOf('Receiver', 'mail'), { file: 'a.conf', line: 8 });
  assert.equal(originOf('Check', 'absent'), undefined);
  const bundle = compileBundle([...resources], 'base2');
  assert.equal(bundle.routers[0]?.interface, 'em2');
  assert.equal(bundle.routers[0]?.displayName, 'VI_1');
  assert.equal(Buffer.from(bundle.routers[0]?.password ?? []).toString(), 't9rveMP0');
});

test('instances are the same router by VRID and address, whatever they are called', () => {
  const { resources, remarks } = importTexts(host('n1'), host('n2').replace('VI_1', 'other'));
  const router = onlyRouter(resources);
  assert.deepEqual(
    router.members.map(({ node }) => node),
    ['n1', 'n2'],
  );
  assert.match(
    problems(remarks)[0] ?? '',
    /^b.conf warning 4: vrrp_instance 'other' is the same router as 'VI_1' in a.conf:4/u,
  );
});

test('one VRID without a common address is two routers', () => {
  const { resources, remarks } = importTexts(host('n1'), host('n2').replace('192.0.2.10', '198.51.100.10'));
  assert.deepEqual(
    resources.map(({ metadata }) => metadata?.name),
    ['vi_1', 'vi_1-2'],
  );
  assert.ok(remarks.some((line) => line.includes('no address in common: they are imported as two routers')));
  assert.ok(remarks.some((line) => line.includes("'VI_1' is on n1 only")));
});

test('what differs between hosts stands in the members', () => {
  const scripts = 'vrrp_script s {\n script /bin/s\n}\nvrrp_script t {\n script /bin/t\n}\n';
  const { resources, remarks } = importTexts(
    host(
      'n1',
      'priority 150\nmcast_src_ip 192.0.2.1\npreempt_delay 30\nnotify_master "/bin/h one"\ntrack_script {\ns\nt weight 60\n}',
      scripts,
    ),
    host('n2', 'priority 100\ninterface eth7\nnopreempt\nnotify_master "/bin/h two"\ntrack_script {\ns\n}', scripts),
  );
  const router = onlyRouter(resources);
  const hooks = (word: string): Hooks => Hooks.create({ active: { command: ['/bin/h', word] } });
  assert.deepEqual(router.members, [
    Member.create({
      node: 'n1',
      interface: 'em1',
      priority: 150,
      address: '192.0.2.1',
      preemptDelay: { seconds: 30, nanos: 0 },
      hooks: hooks('one'),
      track: [{ check: 't', weight: 60 }],
    }),
    Member.create({ node: 'n2', interface: 'eth7', priority: 100, preempt: false, hooks: hooks('two') }),
  ]);
  assert.equal(router.preempt, undefined);
  assert.equal(router.hooks, undefined);
  assert.deepEqual(router.track, [Track.create({ check: 's' })]);
  assert.equal(problems(remarks).filter((line) => line.includes('error')).length, 0, remarks.join('\n'));
});

test('what all hosts share stands in the router', () => {
  const lines = 'preempt_delay 30\nnotify "/bin/h any"\ntrack_interface { em9 weight 3 }\ngarp_master_delay 2';
  const router = onlyRouter(importTexts(host('n1', lines), host('n2', lines)).resources);
  assert.deepEqual(router.preemptDelay, { seconds: 30, nanos: 0 });
  assert.deepEqual(router.hooks?.any?.command, ['/bin/h', 'any']);
  assert.deepEqual(router.track, [Track.create({ interface: 'em9', weight: 3 })]);
  assert.deepEqual(router.announcements?.delay, { seconds: 2, nanos: 0 });
  assert.deepEqual(router.announcements?.lowerPriorityDelay, { seconds: 5, nanos: 0 });
  assert.equal(router.announcements?.repeat, undefined);
  assert.ok(
    router.members.every(
      (member) => member.preemptDelay === undefined && member.hooks === undefined && member.track.length === 0,
    ),
  );
});

test('settings in which members must agree: a difference is an error that names both places', () => {
  const auth = (password: string): string => `authentication {\nauth_type PASS\nauth_pass ${password}\n}`;
  for (const [one, two, expected] of [
    [
      'advert_int 1',
      'advert_int 2',
      /^b.conf error 8: advert_int of 'VI_1' differs from that in a.conf:8: 2s here, 1s there/u,
    ],
    ['', 'version 3', /^b.conf error 8: version of 'VI_1' differs from that in a.conf:4: 3 here, 2 there/u],
    [auth('hushhush'), auth('silence1'), /^b.conf error 8: authentication of 'VI_1' differs from that in a.conf:8;/u],
    [auth('hushhush'), '', /^b.conf error 4: authentication/u],
    [
      '',
      'unicast_src_ip 192.0.2.2\nunicast_peer { 192.0.2.1 }',
      /^b.conf error 9: VI_1 uses unicast, unlike a.conf:4/u,
    ],
    ['', 'virtual_ipaddress { 192.0.2.99 }', /^b.conf error 8: 192.0.2.99 is not among the addresses of a.conf:4/u],
    ['virtual_ipaddress { 192.0.2.99 }', '', /^b.conf error 7: 192.0.2.99 of a.conf:4 is missing here/u],
    [
      'virtual_ipaddress { 192.0.2.99/24 }',
      'virtual_ipaddress { 192.0.2.99 }',
      /^b.conf error 8: 192.0.2.99: prefix length differs/u,
    ],
    [
      'virtual_ipaddress { 192.0.2.99 dev x1 }',
      'virtual_ipaddress { 192.0.2.99 dev x2 }',
      /^b.conf error 8: 192.0.2.99: dev differs/u,
    ],
    ['version 3\nv3_checksum_as_v2', 'version 3', /^b.conf error 4: v3_checksum_as_v2/u],
  ] as const) {
    const { remarks } = importTexts(host('n1', one), host('n2', two));
    const errors = remarks.filter((line) => line.includes(' error '));
    assert.equal(errors.length, 1, remarks.join('\n'));
    assert.match(errors[0] ?? '', expected);
    assert.doesNotMatch(errors[0] ?? '', /hushhush|silence1/u);
  }
});

test('dev is dropped where it is the own interface; labels that follow the interface are dropped with a warning', () => {
  const { resources, remarks } = importTexts(
    host('n1', 'virtual_ipaddress { 192.0.2.20/24 dev em1 label em1:1 }'),
    host('n2', 'interface em2\nvirtual_ipaddress { 192.0.2.20/24 dev em2 label em2:1 }'),
  );
  assert.deepEqual(onlyRouter(resources).addresses[1], Address.create({ address: '192.0.2.20/24' }));
  assert.ok(
    remarks.some((line) => /^b.conf warning 9: 192.0.2.20: the label differs/u.test(line)),
    remarks.join('\n'),
  );
});

test('version 3 keeps the checksum of keepalived', () => {
  assert.equal(onlyRouter(importTexts(host('n1', 'version 3')).resources).checksum, ChecksumForm.PSEUDO_HEADER);
  assert.equal(
    onlyRouter(importTexts(host('n1', 'version 3\nv3_checksum_as_v2')).resources).checksum,
    ChecksumForm.MESSAGE_ONLY,
  );
  assert.equal(onlyRouter(importTexts(host('n1')).resources).checksum, ChecksumForm.UNSPECIFIED);
});

test('unicast: members by address, strangers as external peers', () => {
  const peers = (own: string, ...others: string[]): string =>
    `unicast_src_ip ${own}\nunicast_peer {\n${others.join('\n')}\n}`;
  const two = importTexts(
    host('n1', peers('192.0.2.1', '192.0.2.2', '192.0.2.1')),
    host('n2', peers('192.0.2.2', '192.0.2.1')),
  );
  const router = onlyRouter(two.resources);
  assert.deepEqual(
    router.members.map(({ address }) => address),
    ['192.0.2.1', '192.0.2.2'],
  );
  assert.deepEqual(router.externalPeers, []);
  assert.deepEqual(problems(two.remarks), []);
  assert.ok(two.remarks.some((line) => line.includes('unicast_peer 192.0.2.1 is this host itself')));

  const one = importTexts(host('n1', peers('192.0.2.1', '192.0.2.2', '192.0.2.3')));
  assert.deepEqual(onlyRouter(one.resources).externalPeers, ['192.0.2.2', '192.0.2.3']);
  assert.equal(one.remarks.filter((line) => line.includes('becomes an external peer')).length, 2);

  const asymmetric = importTexts(
    host('n1', peers('192.0.2.1', '192.0.2.9')),
    host('n2', peers('192.0.2.2', '192.0.2.1')),
  );
  assert.ok(
    asymmetric.remarks.some((line) => /^a.conf warning 9: n2 \(192.0.2.2\) is not among the peers/u.test(line)),
  );
});

test('unicast without unicast_src_ip: the address is what the others call it', () => {
  const peers = (...others: string[]): string => `unicast_peer {\n${others.join('\n')}\n}`;
  const three = importTexts(
    host('n1', peers('192.0.2.2', '192.0.2.3')),
    host('n2', peers('192.0.2.1', '192.0.2.3')),
    host('n3', peers('192.0.2.1', '192.0.2.2')),
  );
  assert.deepEqual(
    onlyRouter(three.resources).members.map(({ address }) => address),
    ['192.0.2.1', '192.0.2.2', '192.0.2.3'],
  );
  assert.deepEqual(problems(three.remarks), []);
  const unclear = importTexts(host('n1', peers('192.0.2.2')), host('n2', peers('192.0.2.1', '192.0.2.7')));
  assert.equal(
    unclear.remarks.filter((line) => line.includes('error') && line.includes('write unicast_src_ip')).length,
    1,
    unclear.remarks.join('\n'),
  );
});

test('checks: same content is one, differing content is told apart by node, untracked ones stay', () => {
  const script = (line: string): string => `vrrp_script chk {\n script ${line}\n}\n`;
  const names = (...texts: string[]): (string | undefined)[] =>
    importTexts(...texts).resources.flatMap(({ metadata, spec }) => (spec?.$case === 'check' ? [metadata?.name] : []));
  const track = 'track_script { chk }';
  assert.deepEqual(names(host('n1', track, script('/bin/a')), host('n2', track, script('"/bin/a"'))), ['chk']);
  const differing = importTexts(host('n1', track, script('/bin/a')), host('n2', track, script('/bin/b')));
  const router = onlyRouter(differing.resources);
  assert.deepEqual(router.track, []);
  assert.deepEqual(
    router.members.map((member) => member.track.map(({ check }) => check)),
    [['chk-n1'], ['chk-n2']],
  );
  assert.equal(differing.remarks.filter((line) => line.includes("vrrp_script 'chk' differs from that in")).length, 2);
  assert.deepEqual(names(host('n1', '', script('/bin/a'))), ['chk']);
});

test('programs named without a directory', () => {
  const text = (program: string): string =>
    host('n1', 'track_script { s }', `vrrp_script s {\n script "${program} -x"\n}\n`);
  const commandOf = (resources: readonly Resource[]): readonly string[] | undefined =>
    resources.flatMap(({ spec }) =>
      spec?.$case === 'check' && spec.value.kind?.$case === 'exec' ? [spec.value.kind.value.command] : [],
    )[0];
  const usual = importTexts(text('killall'));
  assert.deepEqual(commandOf(usual.resources), ['/usr/bin/killall', '-x']);
  assert.match(
    problems(usual.remarks)[0] ?? '',
    /^a.conf warning 5: 'killall' is named without a directory; \/usr\/bin\/killall is taken/u,
  );
  assert.match(
    problems(importTexts(text('mine')).remarks)[0] ?? '',
    /^a.conf error 5: 'mine' is named without a directory/u,
  );
  assert.match(
    problems(importTexts(text('scripts/mine')).remarks)[0] ?? '',
    /^a.conf error 5: 'scripts\/mine' is relative/u,
  );
  const { config } = readKeepalived('a.conf', memoryFiles({ 'a.conf': text('mine') }));
  const found = importKeepalived([{ config, findProgram: (name) => `/opt/${name}` }]);
  assert.deepEqual(commandOf(found.resources), ['/opt/mine', '-x']);
  const absent = importKeepalived([{ config, findProgram: () => undefined }]);
  assert.match(shown(absent.remarks)[0] ?? '', /^error 5: 'mine' is not found on this host/u);
});

test('names of nodes and routers', () => {
  const nodesOf = (...texts: string[]): string[] =>
    onlyRouter(importTexts(...texts).resources).members.map(({ node }) => node);
  assert.deepEqual(nodesOf(host('LVS_DEVEL')), ['lvs_devel']);
  assert.deepEqual(nodesOf(host('"Rack 7/left"')), ['rack-7-left']);
  assert.deepEqual(nodesOf(instanceText(), instanceText()), ['host-1', 'host-2']);
  const same = importTexts(host('LVS'), host('LVS'));
  assert.deepEqual(
    onlyRouter(same.resources).members.map(({ node }) => node),
    ['lvs', 'lvs-2'],
  );
  assert.match(problems(same.remarks)[0] ?? '', /^b.conf error 2: 'LVS' is the name of another host's file as well/u);
  const { config } = readKeepalived('a.conf', memoryFiles({ 'a.conf': host('LVS') }));
  assert.deepEqual(
    onlyRouter(importKeepalived([{ name: 'mine', config }]).resources).members.map(({ node }) => node),
    ['mine'],
  );
  const odd = importTexts(host('n1').replace('VI_1', '"..::."'));
  assert.deepEqual(
    odd.resources.map(({ metadata }) => metadata?.name),
    ['vrid-10'],
  );
});

test('mail: one receiver for hosts with the same server and recipients', () => {
  const mail = (from: string, to = 'a@example.org', server = 'mail.example.org'): string =>
    `global_defs {\n notification_email { ${to} }\n notification_email_from ${from}\n smtp_server ${server}\n smtp_connect_timeout 5\n smtp_alert\n}\n`;
  const two = importTexts(host('n1', '', mail('k@n1.example.org')), host('n2', '', mail('k@n2.example.org')));
  assert.deepEqual(onlyRouter(two.resources).receivers, ['mail']);
  assert.match(problems(two.remarks)[0] ?? '', /^b.conf warning 6: the sender differs from that of a.conf:7/u);
  const differing = importTexts(host('n1', '', mail('k@n1')), host('n2', '', mail('k@n2', 'b@example.org')));
  assert.deepEqual(onlyRouter(differing.resources).receivers, ['mail', 'mail-2']);
  const none = importTexts(host('n1', 'smtp_alert'));
  assert.deepEqual(onlyRouter(none.resources).receivers, []);
  assert.ok(none.remarks.some((line) => line.includes('smtp_alert: the file has no smtp_server')));
  const silent = importTexts(host('n1', 'smtp_alert off', mail('k@n1')));
  assert.deepEqual(onlyRouter(silent.resources).receivers, []);
  const half = importTexts(host('n1', '', 'global_defs {\n notification_email { a@example.org }\n}\n'));
  assert.match(problems(half.remarks)[0] ?? '', /^a.conf warning 5: there is no smtp_server, so no mail is sent/u);
});

test('mail: names beside addresses are left out, and recipients that have no domain', () => {
  const { resources, remarks } = importTexts(
    host(
      'n1',
      'smtp_alert',
      'global_defs {\n notification_email {\n "A B <a@example.org>"\n root\n }\n notification_email_from "K <k@example.org>"\n smtp_server mail.example.org\n}\n',
    ),
  );
  const [receiver] = resources.flatMap(({ spec }) => (spec?.$case === 'receiver' ? [spec.value] : []));
  assert.deepEqual([receiver?.kind?.value.to, receiver?.kind?.value.from], [['a@example.org'], 'k@example.org']);
  assert.deepEqual(problems(remarks), [
    "a.conf warning 7: recipient 'root' has no domain, which only a mail server on the host could add; it is left out, write name@host",
  ]);
  assert.deepEqual(validateResources([...resources]).errors, []);
});

test('one FIFO; a second one is an error', () => {
  const fifo = (lines: string): ReturnType<typeof importTexts> =>
    importTexts(host('n1', '', `global_defs {\n${lines}\n}\n`));
  assert.equal(onlyRouter(fifo('notify_fifo /run/a').resources).hooks?.fifo, '/run/a');
  const both = fifo('notify_fifo /run/a\nvrrp_notify_fifo /run/b');
  assert.equal(onlyRouter(both.resources).hooks?.fifo, '/run/b');
  assert.match(problems(both.remarks)[0] ?? '', /^a.conf error 5: notify_fifo beside vrrp_notify_fifo/u);
});

test('lint: a check must be able to change who is active', () => {
  const script = 'vrrp_script s {\n script /bin/s\n}\n';
  const lint = (high: string, low: string): string[] =>
    problems(importTexts(host('n1', high, script), host('n2', low, script)).remarks).map((line) =>
      line.replace(/^(\S+ \S+ \d+: ).*(alone cannot|changes nothing|two members).*$/u, '$1$2'),
    );
  const track = (weight: number): string => `track_script { s weight ${weight} }`;
  assert.deepEqual(lint(`priority 110\n${track(-10)}`, `priority 100\n${track(-10)}`), [
    'a.conf warning 12: alone cannot',
  ]);
  assert.deepEqual(lint(`priority 110\n${track(-11)}`, `priority 100\n${track(-11)}`), []);
  assert.deepEqual(lint(`priority 110\n${track(11)}`, `priority 100\n${track(11)}`), []);
  assert.deepEqual(lint(`priority 110\n${track(0)}`, `priority 100\nnopreempt\n${track(0)}`), []);
  assert.deepEqual(lint(`priority 110\n${track(-50)}`, `priority 100\nnopreempt\n${track(-50)}`), [
    'a.conf warning 12: changes nothing',
    'b.conf warning 13: changes nothing',
  ]);
  assert.deepEqual(lint('priority 255', 'priority 255'), ['b.conf error 7: two members']);
});

test('what imports without an error is valid', () => {
  const script = 'vrrp_script s {\n script "/bin/s a"\n interval 3\n timeout 2\n user nobody\n}\n';
  for (const lines of [
    '',
    'version 3\nadvert_int 0.1',
    'state MASTER\npriority 150\ntrack_script { s weight -60 }',
    'preempt_delay 10\nnotify "/bin/h x" root\nnotify_stop /bin/h',
    'virtual_ipaddress {\n192.0.2.20/24 brd + label em1:x\n192.0.2.21 dev em7\n}',
    'authentication {\nauth_type PASS\nauth_pass abc\n}\ngarp_master_repeat 3\ngarp_master_refresh 60\ngarp_lower_prio_repeat 0',
    'unicast_src_ip 192.0.2.1\nunicast_peer { 192.0.2.2 }',
    'unicast_peer { 192.0.2.2 }',
  ]) {
    const { resources, remarks } = importTexts(host('n1', lines, script));
    assert.deepEqual(
      remarks.filter((line) => line.includes(' error ')),
      [],
      lines,
    );
    assert.deepEqual(validateResources([...resources]).errors, [], lines);
    assert.equal(compileBundle([...resources], 'n1').routers.length, 1);
  }
});
