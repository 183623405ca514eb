/** Signals, exit codes and refusals of the programs, and an agent on its own with either sort of file. */
import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { AgentHost } from '../lab/agent-host.js';
import { ControllerHost, PROGRAMS } from '../lab/controller-host.js';
import { keepalivedConf } from '../lab/keepalived.js';
import { Lab, labUnavailable } from '../lab/lab.js';
import { until } from '../lab/until.js';
import { checkManifest, routerManifest } from './manifests.js';

const skip = labUnavailable();
const VIP = '10.9.0.100';
const ADDED = '10.9.0.101';
const ROUTER = { vrid: 9, priority: 100, interval: 0.1, interface: 'em1' } as const;

async function openHost(t: TestContext): Promise<AgentHost> {
  const lab = await Lab.open();
  t.after(() => lab.close());
  return new AgentHost(await lab.host('a', { addresses: ['10.9.0.11/24'] }));
}

test('an agent on its own with a keepalived.conf: SIGHUP, a broken file, SIGTERM', { skip }, async (t) => {
  const node = await openHost(t);
  const file = path.join(node.directory, 'keepalived.conf');
  writeFileSync(file, keepalivedConf({ ...ROUTER, addresses: [VIP] }));
  const agent = node.startAlone(file);
  await node.host.untilHolds(VIP, 5000);
  const { controller, routers } = await node.status();
  assert.deepEqual([controller?.state, routers.map(({ name }) => name)], ['standalone', ['vi_1']]);

  writeFileSync(file, keepalivedConf({ ...ROUTER, priority: 120, addresses: [VIP, ADDED] }));
  agent.signal('SIGHUP');
  await node.host.untilHolds(ADDED, 5000);
  assert.equal((await node.status()).routers[0]?.effectivePriority, 120);

  writeFileSync(file, keepalivedConf({ ...ROUTER, priority: 999, addresses: [VIP] }));
  agent.signal('SIGHUP');
  assert.match(await agent.untilSays('reload failed', 5000), /keepalived\.conf:\d+.*priority/);
  assert.equal((await node.status()).routers[0]?.effectivePriority, 120);
  assert.equal(await node.host.holds(ADDED), true);

  assert.equal(await agent.stop(), 'exit 0');
  assert.equal(await node.host.holds(VIP), false);
  assert.match(agent.tail(), /"msg":"stopped"/);
});

test('an agent on its own with a Baton YAML file, its check and its hooks', { skip }, async (t) => {
  const node = await openHost(t);
  const file = path.join(node.directory, 'baton.yaml');
  const { check, active, fault } = node.scripts;
  const more = ['track: [{check: alive}]', `hooks: {active: ${active}, fault: ${fault}}`];
  const manifest = checkManifest('alive', check, 'interval: 200ms', 'timeout: 2s');
  writeFileSync(file, manifest + routerManifest({ priorities: { here: 100, there: 90 }, addresses: [VIP], more }));

  await t.test('it must know which of the members it is', async () => {
    const agent = node.startAlone(file);
    assert.equal(await agent.ended, 'exit 4');
    assert.match(agent.tail(), /here.*there|--node/);
  });

  const agent = node.startAlone(file, { options: ['--node', 'here'] });
  await node.host.untilHolds(VIP, 5000);
  await until('the hook', 3000, () => node.hooksRun().at(-1) === 'MASTER');
  node.breakHealth();
  await node.host.untilHolds(VIP, 5000, false);
  await until('the hook', 3000, () => node.hooksRun().at(-1) === 'FAULT');
  assert.match(await node.command('explain', 'web'), /fault(?:.*\n)*.*check alive/);
  node.mendHealth();
  await node.host.untilHolds(VIP, 5000);

  await t.test('a second agent on the same run-dir is refused', async () => {
    const second = node.startAlone(file, { options: ['--node', 'here'] });
    assert.equal(await second.ended, 'exit 1');
    assert.match(
      second.tail(),
      /another baton-agent answers on \S+agent\.sock: stop it, or give this one its own --run-dir/,
    );
    assert.equal(await node.host.holds(VIP), true);
    assert.equal(agent.running, true);
  });

  await t.test('a second SIGTERM does not wait', async () => {
    agent.signal('SIGTERM');
    agent.signal('SIGTERM');
    assert.equal(await agent.ended, 'exit 0');
    assert.equal(await node.host.holds(VIP), false);
  });
});

test('check: 0 for a good file or warnings only, 4 for errors with their lines, 2 for a wrong command line', {
  skip,
}, async (t) => {
  const node = await openHost(t);
  const judge = (name: string, text: string, ...options: string[]) => {
    const file = path.join(node.directory, name);
    writeFileSync(file, text);
    return node.attempt('check', file, ...options);
  };
  const good = keepalivedConf({ ...ROUTER, addresses: [`${VIP}/24`] });
  const fine = await judge('good.conf', good);
  assert.deepEqual([fine.exit, fine.stderr], [0, '']);
  const warned = await judge(
    'warned.conf',
    good.replace('vrrp_instance', 'virtual_server 10.0.0.1 80 {\n}\nvrrp_instance'),
  );
  assert.equal(warned.exit, 0, warned.stdout);
  assert.match(warned.stdout, /warned\.conf:\d+: warning: .*virtual_server/);
  const wrong = await judge('wrong.conf', good.replace('priority 100', 'priority 300'));
  assert.equal(wrong.exit, 4);
  assert.match(wrong.stdout, /wrong\.conf:\d+: error: .*priority/);
  const json = await judge('wrong.conf', good.replace('priority 100', 'priority 300'), '-o', 'json');
  assert.equal(json.exit, 4);
  assert.equal((JSON.parse(json.stdout) as { readonly ok: boolean }).ok, false);
  const unknown = await judge(
    'wrong.yaml',
    routerManifest({ priorities: { a: 1 }, addresses: [VIP], more: ['vird: 3'] }),
  );
  assert.equal(unknown.exit, 4);
  assert.match(unknown.stdout, /wrong\.yaml:\d+:3: error: .*did you mean "vrid"/);
  const elsewhere = await judge('elsewhere.conf', good.replaceAll('em1', 'em9'));
  assert.equal(elsewhere.exit, 0);
  const onThisHost = await judge('elsewhere.conf', good.replaceAll('em1', 'em9'), '--host');
  assert.equal(onThisHost.exit, 4);
  assert.match(onThisHost.stdout, /this host has no interface em9/);
  assert.equal((await node.attempt('check', path.join(node.directory, 'missing.conf'))).exit, 4);
  const usage = await node.attempt('check', '--hots', 'x');
  assert.equal(usage.exit, 2);
  assert.match(usage.stderr, /check has no option --hots \(did you mean "host"\?\)|--host/);
});

test('an agent that cannot run says why at once', { skip }, async (t) => {
  const node = await openHost(t);
  const file = path.join(node.directory, 'keepalived.conf');
  writeFileSync(
    file,
    keepalivedConf({ ...ROUTER, addresses: [] }).replace('virtual_router_id 9', 'virtual_router_id 999'),
  );
  const wrong = node.startAlone(file);
  assert.equal(await wrong.ended, 'exit 4');
  assert.match(wrong.tail(), /keepalived\.conf:\d+: error: .*virtual_router_id/);
  writeFileSync(node.configFile, 'runDri: /tmp\n');
  const mistyped = node.start();
  assert.equal(await mistyped.ended, 'exit 4');
  assert.match(mistyped.tail(), /agent\.yaml:1:1: .*runDri.*did you mean "runDir"/);
  const silent = await node.attempt('status');
  assert.equal(silent.exit, 1);
  assert.match(silent.stderr, /no baton-agent answers on \S+agent\.sock: is it running/);
  const usage = await node.attempt('status', '-o', 'xml');
  assert.equal(usage.exit, 2);
});

test('a controller: exit codes, SIGHUP, SIGTERM, and what it leaves', { skip }, async (t) => {
  const lab = await Lab.open();
  t.after(() => lab.close());
  const controller = new ControllerHost(await lab.host('c', { addresses: ['10.9.0.5/24'] }));
  const serve = (...options: string[]) => controller.host.attempt(`${PROGRAMS}baton-controller`, 'serve', ...options);

  const early = await serve('--data-dir', controller.dataDirectory);
  assert.equal(early.exit, 1);
  assert.match(early.stderr, /holds no controller; "baton-controller init --data-dir/);
  assert.equal((await serve('--prot', '1')).exit, 2);
  assert.equal((await controller.host.attempt(`${PROGRAMS}baton-controller`, 'serv')).exit, 2);
  const config = path.join(lab.directory, 'controller.yaml');
  writeFileSync(config, 'mailGroupWiat: 1s\n');
  const mistyped = await serve('--config', config);
  assert.equal(mistyped.exit, 1);
  assert.match(mistyped.stderr, /controller\.yaml:1:1: .*did you mean "mailGroupWait"/);

  const made = await controller.init();
  const again = await controller.init();
  assert.match(again, /kept as it was/);
  const pin = /sha256:[0-9a-f]{64}/;
  assert.equal(pin.exec(again)?.[0], pin.exec(made)?.[0]);

  writeFileSync(config, 'logLevel: info\n');
  const running = await controller.start({ options: ['--config', config] });
  const taken = await serve('--data-dir', controller.dataDirectory);
  assert.equal(taken.exit, 1);
  assert.match(taken.stderr, /7443|another|in use/);
  assert.equal((await controller.attempt('status')).exit, 0);

  writeFileSync(config, 'logLevel: debug\nmailGroupWait: 5s\n');
  running.signal('SIGHUP');
  assert.match(await running.untilSays('take a restart', 3000), /"detail":\["mailGroupWait"\]/);
  await running.untilSays('the configuration was read again', 3000);
  writeFileSync(config, 'logLevel: loud\n');
  running.signal('SIGHUP');
  assert.match(await running.untilSays('reload failed', 3000), /loud.* is no log level/);
  assert.equal((await controller.attempt('status')).exit, 0);

  running.signal('SIGTERM');
  assert.equal(await running.ended, 'exit 0');
  assert.match(running.tail(), /"msg":"controller stopped"/);
  const gone = await controller.attempt('status');
  assert.equal(gone.exit, 1);
  assert.match(gone.stderr, /nothing listens on 10\.9\.0\.5:7443|10\.9\.0\.5:7443/);
  assert.deepEqual(
    readdirSync(controller.dataDirectory).filter((name) => /tmp|\.new|-wal$/.test(name)),
    [],
  );
});
