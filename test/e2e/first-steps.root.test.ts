/** From two keepalived.conf files to a running pair, with the commands that an operator types; and what they must not say. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { AgentHost, HostScripts } from '../lab/agent-host.js';
import { outputOf } from '../lab/command.js';
import { labUnavailable } from '../lab/lab.js';
import { until } from '../lab/until.js';
import { Cluster } from './cluster.js';
import { document } from './manifests.js';

const VIP = '10.9.0.26';

/** As it is found on many hosts: comments of both sorts after values, a password longer than the protocol carries. */
function keepalivedConf(routerId: string, device: string, password: string, scripts: HostScripts): string {
  return `! Configuration File for keepalived

global_defs { # 全局定义
   notification_email {
     francs3@163.com # 定义通知邮件，可以设置多个，每行一个。需要开启sendmail服务
   }
   notification_email_from mail@163.com # 设置邮件的发送地址
   smtp_server 127.0.0.1 # 邮件服务器
   smtp_connect_timeout 30 # 设置SMTP Server的超时时间
   router_id ${routerId} # 标识每个节点，每个节点不同
}

 vrrp_script check_pg_alived {
    script "${scripts.check}"  # 健康检查脚本
    interval 10 # 健康检查周期
    fall 5 # 健康检查失败次数
    weight -1
    # 如果 < 0，执行健康检查正常返回(exit 0)，则 priority 不变，异常返回(exit 1)，则 priority = priority + weigtht
}

vrrp_instance VI_1 { # VRRP实例配置，一个keepalived可以配置多个VRRP实例
    state BACKUP # 实例初始状态（MASTER主，BACKUP备）
    nopreempt # 如果该实例从slave->Master就不能从Master->slave了，一般不设置
    interface ${device} # 指定HA检测网络的接口
    virtual_router_id 10  # 虚拟路由标识，这个标识是一个数字(0-255)  
    priority 100 # MASTER权重要高于BACKUP，数字(0-255)越大优选级越高
    advert_int 1 # 组播信息发送间隔，两个节点设置必须一样
    authentication { # 主从服务器验证方式，设置验证类型和密码
        auth_type PASS
        auth_pass ${password}
    }
      track_script { 
        check_pg_alived # 执行定义的vrrp_script
     }
    virtual_ipaddress {
        ${VIP} # 虚拟IP 可以设置多个虚拟IP地址，每行一个（一般使用虚拟ip来访问）
    }
    smtp_alert # 如果vrrp_script异常退出(exit 1)则发送邮件
    notify_master ${scripts.active} # 当当前vrrp实例从slave->Master时触发
    notify_backup ${scripts.backup} # 当当前vrrp实例从master->slave时触发
    notify_fault ${scripts.fault} # 当当前vrrp实例故障时触发
}
`;
}

test('two keepalived.conf files become a running pair that says everything but its secrets', {
  skip: labUnavailable(),
}, async (t) => {
  const passPassword = randomBytes(6).toString('hex');
  const mailPassword = randomBytes(12).toString('hex');
  const otherSecret = randomBytes(12).toString('hex');
  const interfaces = { base2: 'eth7' };
  const cluster = await Cluster.prepare(t, ['base1', 'base2'], interfaces);
  const { controller, nodes, lab } = cluster;
  const loud = { options: ['--log-level', 'trace'] };

  await controller.startMailServer('--tls', 'none');
  assert.match(await controller.init(), /CA pin +sha256:[0-9a-f]{64}\n/);
  await controller.start(loud);

  const files = nodes.map((node) => {
    const { name, device } = node.host;
    const file = path.join(node.directory, 'keepalived.conf');
    writeFileSync(file, keepalivedConf(name, device, passPassword, node.scripts));
    return file;
  });
  for (const node of nodes) {
    assert.match(await cluster.join(node), new RegExp(`node ${node.host.name} of the controller 10.9.0.5:7443`));
    node.start(loud);
  }
  const resources = path.join(lab.directory, 'resources.yaml');
  const imported = await controller.attempt('import', ...files, '--output', resources);
  assert.equal(imported.exit, 0, imported.stderr);
  assert.match(imported.stderr, /2 files: .*1 VirtualRouter.* 0 errors/);
  const applied = await controller.attempt('apply', '-f', resources, '--wait');
  assert.equal(applied.exit, 0, applied.stderr);
  for (const { host } of nodes)
    assert.match(applied.stderr, new RegExp(`^${host.name}: generation \\d+ in force$`, 'm'));

  await t.test('the status says what the kernels say', async () => {
    // Equal priorities: who is first, or has the greater address if both were. So whoever the kernels say, once one holds.
    let holders: AgentHost[] = [];
    await until('one host to hold the address', 8000, async () => {
      const held = await Promise.all(nodes.map(({ host }) => host.holds(VIP)));
      holders = nodes.filter((_, index) => held[index]);
      const { routers } = await cluster.status();
      const sure = routers[0]?.members.filter(({ state }) => state === 'active') ?? [];
      return holders.length === 1 && sure.length === 1 && sure[0]?.node === holders[0]?.host.name;
    });
    const [holder] = holders;
    assert.ok(holder !== undefined);
    const active = holder.host.name;
    const backup = active === 'base1' ? 'base2' : 'base1';
    const { routers } = await cluster.untilStates('vi_1', { [active]: 'active', [backup]: 'backup' });
    assert.deepEqual(routers[0]?.problems, []);
    assert.deepEqual(
      routers[0]?.members.map((member) => [member.node, member.interface, member.basePriority]),
      [
        ['base1', 'em1', 100],
        ['base2', 'eth7', 100],
      ],
    );
    for (const node of nodes) {
      const [address] = (await node.host.kernelAddresses()).filter(({ address }) => address === VIP);
      const own = (await node.status()).routers[0];
      if (node === holder) {
        assert.deepEqual([address?.device, address?.prefixLength], [node.host.device, 32]);
        assert.ok((address?.validSeconds ?? 99) <= 3, 'the address is leased for one down interval, 3 s');
        assert.deepEqual(own?.heldAddresses, [`${VIP}/32`]);
      } else {
        assert.equal(address, undefined);
        assert.deepEqual(own?.heldAddresses, []);
      }
    }
    await until('the events to say the same', 5000, async () => {
      const events = await cluster.events('--router', 'vi_1');
      const last = (node: string) => events.findLast((event) => event.node === node && event.transition !== undefined);
      return last(active)?.transition?.to === 'active' && last(backup)?.transition?.to === 'backup';
    });
    await until('the hook of the active router', 5000, () => holder.hooksRun().at(-1) === 'MASTER');
    await until('the mail', 15_000, () => controller.mails.length > 0);
    assert.deepEqual(controller.mails[0]?.envelope, { from: 'mail@163.com', to: ['francs3@163.com'] });
    assert.match(controller.mails[0]?.subject ?? '', new RegExp(`vi_1.*${active}`));
  });

  await t.test('what is declared reads back, and is the same when applied again', async () => {
    interface Resource {
      readonly kind: string;
      readonly metadata: { readonly name: string };
      readonly spec: Readonly<Record<string, unknown>>;
    }
    const { items } = await controller.json<{ readonly items: readonly Resource[] }>('get', 'all');
    const router = items.find(({ kind }) => kind === 'VirtualRouter')?.spec;
    assert.deepEqual([router?.['vrid'], router?.['version'], router?.['preempt']], [10, 2, false]);
    const check = items.find(({ kind }) => kind === 'Check')?.spec;
    assert.deepEqual([check?.['interval'], check?.['fall']], ['10s', 5]);
    const again = await controller.json<{
      readonly nodes: readonly string[];
      readonly changes: readonly { readonly change: string }[];
    }>('apply', '-f', resources);
    assert.deepEqual([...new Set(again.changes.map(({ change }) => change)), ...again.nodes], ['unchanged']);
  });

  await t.test('no secret is in anything that was said', async () => {
    const { ca = '' } = await startLoginServer(cluster, mailPassword);
    const receiver = (port: number): string =>
      [
        document('Secret', 'mail-password', [`value: ${mailPassword}`]),
        document('Secret', 'unused', [`value: ${otherSecret}`]),
        document('Receiver', 'with-login', [
          'email:',
          '  host: localhost',
          `  port: ${port}`,
          '  security: starttls',
          '  authentication: {username: baton, secret: mail-password}',
          '  from: baton@example.com',
          '  to: [oncall@example.com]',
          '  ca: |',
          ...ca
            .trim()
            .split('\n')
            .map((line) => `    ${line}`),
        ]),
      ].join('');
    assert.equal((await cluster.apply(receiver(2525))).exit, 0);
    const sent = await controller.attempt('mail', 'test', 'with-login');
    assert.match(sent.stdout, /accepted for +oncall@example.com\n(?:.*\n)*protection +TLSv1/, sent.stderr);
    // A wrong password, a refused connection and refused files: errors are where secrets like to show up.
    const wrong = document('Secret', 'mail-password', [`value: ${otherSecret}`]);
    assert.equal((await cluster.apply(wrong)).exit, 0);
    const refused = await controller.attempt('mail', 'test', 'with-login');
    assert.equal(refused.exit, 1);
    assert.match(refused.stderr, /535|[Ii]nvalid/);
    assert.equal((await cluster.apply(receiver(2526))).exit, 0);
    assert.equal((await controller.attempt('mail', 'test', 'with-login')).exit, 1);
    const broken = [
      document('Secret', 'unused', [`value: ${otherSecret}`, `valeu: ${mailPassword}`]),
      document('Secret', 'other', [`value: [${otherSecret}]`]),
    ].join('');
    assert.equal((await cluster.apply(broken)).exit, 3);
    for (const words of ['get all', 'get secret unused', 'status', 'events', 'nodes']) {
      const ask = (format: string) => controller.attempt('-o', format, ...words.split(' '));
      for (const outcome of await Promise.all(['json', 'yaml', 'table'].map(ask))) outputOf(outcome);
    }
    for (const node of nodes) {
      for (const words of ['status', 'explain vi_1', 'events']) {
        const [command = '', ...args] = words.split(' ');
        const forms = [[], ['-o', 'json']].map((form) => node.attempt(command, ...args, ...form));
        for (const outcome of await Promise.all(forms)) outputOf(outcome);
      }
      assert.equal((await node.attempt('check', path.join(node.directory, 'keepalived.conf'))).exit, 0);
    }
    assert.deepEqual(await Promise.all(nodes.map((node) => node.agent.stop())), ['exit 0', 'exit 0']);
    assert.equal(await controller.stop(), 'exit 0');
    const said = [...cluster.said(), ...controller.mails.map(({ raw }) => raw)];
    assert.ok(said.length > 100, 'there is something to search');
    const secrets = { passPassword: passPassword.slice(0, 8), mailPassword, otherSecret };
    for (const [name, secret] of Object.entries(secrets)) {
      for (const form of [
        secret,
        Buffer.from(secret).toString('base64').slice(0, -4),
        Buffer.from(secret).toString('hex'),
      ]) {
        const where = said.find((text) => text.includes(form));
        assert.equal(where, undefined, `${name} (${secret}) was said: ${where}`);
      }
    }
  });
});

/** A second mail server, which demands STARTTLS and a login. */
async function startLoginServer({ controller }: Cluster, password: string): Promise<{ readonly ca?: string }> {
  const module = new URL('../lab/smtp-server.js', import.meta.url);
  const words = ['--port', '2525', '--tls', 'starttls', '--auth', `baton:${password}`];
  const server = controller.host.startModule(module, ...words);
  return JSON.parse(await server.untilSays('listening', 10_000)) as { readonly ca?: string };
}
