/** A real agent with a file of its own: reload, the worker's death, a full disk, hooks, signals. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { ask as askAgent } from '../../agent/local/control-client.js';
import { NodeStatus } from '../../proto/gen/baton/v1/status.js';
import { outputOf } from '../lab/command.js';
import type { Host } from '../lab/host.js';
import { Lab, labUnavailable } from '../lab/lab.js';
import type { Program } from '../lab/program.js';
import { until } from '../lab/until.js';

const MAIN = path.resolve(import.meta.dirname, '../../agent/main.js');
const CRASH = new URL('../lab/crash-worker.js', import.meta.url).href;
const skip = labUnavailable();

interface Agent {
  readonly host: Host;
  readonly directory: string;
  readonly file: string;
  /** Writes the configuration; the router becomes active within 0.4 s. */
  configure(priority: number, extra?: string): void;
  start(...before: string[]): Program;
  status(): Promise<NodeStatus>;
  events(): Promise<string>;
}

async function agentOn(lab: Lab, name: string, octet: number): Promise<Agent> {
  const host = await lab.host(name, { addresses: [`192.0.2.${octet}/24`] });
  const directory = path.join(lab.directory, name);
  mkdirSync(directory, { mode: 0o700 });
  const file = path.join(directory, 'agent.conf');
  const check = path.join(directory, 'check.sh');
  const hook = path.join(directory, 'hook.sh');
  writeFileSync(check, `#!/bin/sh\ntest ! -e ${directory}/sick\n`);
  writeFileSync(hook, `#!/bin/sh\necho "$@" >> ${directory}/hooks.log\n`);
  for (const script of [check, hook]) chmodSync(script, 0o755);
  const ask = async (...args: string[]): Promise<string> =>
    outputOf(await host.attempt(process.execPath, MAIN, ...args, '--run-dir', path.join(directory, 'run')));
  return {
    host,
    directory,
    file,
    configure: (priority, extra = '') => {
      writeFileSync(
        file,
        `global_defs { vrrp_version 3\n script_user root\n vrrp_notify_fifo ${directory}/fifo\n}
vrrp_script alive {\n script ${check}\n interval 0.2\n weight -50\n}
vrrp_instance VI_1 {
  interface em1
  virtual_router_id 10
  priority ${priority}
  advert_int 0.1
  track_script {\n alive\n }
  virtual_ipaddress {\n 192.0.2.100/24\n }
  notify ${hook}
  ${extra}
}\n`,
      );
    },
    start: (...before) => {
      const state = ['--state-dir', path.join(directory, 'state'), '--run-dir', path.join(directory, 'run')];
      return host.start(
        'env',
        ...before,
        process.execPath,
        MAIN,
        'run',
        '--standalone',
        file,
        '--node',
        name,
        ...state,
      );
    },
    status: async () => NodeStatus.fromJSON(await askAgent(path.join(directory, 'run'), { command: 'status' })),
    events: async () => await ask('events', '-n', '100'),
  };
}

async function withLab(work: (lab: Lab) => Promise<void>): Promise<void> {
  const lab = await Lab.open();
  try {
    await work(lab);
  } finally {
    await lab.close();
  }
}

test('a state directory that others can write is refused at the start', { skip }, async () => {
  await withLab(async (lab) => {
    const agent = await agentOn(lab, 'a', 1);
    agent.configure(100);
    const state = path.join(agent.directory, 'state');
    mkdirSync(state);
    chmodSync(state, 0o777);
    const program = agent.start();
    assert.equal(await program.ended, 'exit 1');
    assert.match(program.tail(), /state belongs to somebody else or is writable by others/);
  });
});

test('SIGHUP: a bad file changes nothing and says why; a good one changes only what differs', { skip }, async () => {
  await withLab(async (lab) => {
    const agent = await agentOn(lab, 'a', 1);
    agent.configure(100);
    const program = agent.start();
    await program.untilSays('"to":"active"', 10_000);
    writeFileSync(agent.file, 'vrrp_instance VI_1 {\n  interface em1\n  virtual_router_id 999\n}\n');
    program.signal('SIGHUP');
    assert.match(await program.untilSays('reload failed', 5_000), /what was running goes on/);
    const before = await agent.status();
    assert.equal(before.routers[0]?.effectivePriority, 100);
    agent.configure(120);
    program.signal('SIGHUP');
    const after = await until('the new priority', 5_000, async () => {
      const status = await agent.status();
      return status.routers[0]?.effectivePriority === 120 && status;
    });
    assert.equal(after.routers[0]?.since?.getTime(), before.routers[0]?.since?.getTime(), 'no transition');
    assert.ok((after.checks[0]?.runs ?? 0) >= (before.checks[0]?.runs ?? 0), 'the check went on');
    assert.equal(program.lines.filter((line) => line.includes('"to":"active"')).length, 1);
    assert.equal(await program.stop(), 'exit 0');
  });
});

test("the worker's death costs no transition; its successor knows the checks and goes on with the events", {
  skip,
}, async () => {
  await withLab(async (lab) => {
    const agent = await agentOn(lab, 'a', 1);
    agent.configure(100);
    const crash = path.join(agent.directory, 'crash');
    const program = agent.start(`NODE_OPTIONS=--import=${CRASH}`, `BATON_TEST_CRASH_FILE=${crash}`);
    await program.untilSays('"to":"active"', 10_000);
    await program.untilSays('"check":"alive","to":"up"', 5_000);
    const hooksRun = (): string => readFileSync(path.join(agent.directory, 'hooks.log'), 'utf8');
    await until('the hook of the active state', 5_000, () => hooksRun().includes('MASTER'));
    const before = await agent.status();
    writeFileSync(crash, '');
    await program.untilSays('another one takes over', 5_000);
    const after = await until('the new worker to answer', 5_000, async () => {
      const status = await agent.status();
      return (status.checks[0]?.runs ?? 0) > 0 && status;
    });
    const [router] = after.routers;
    assert.deepEqual(
      [router?.state, router?.since?.getTime(), router?.effectivePriority, after.checks[0]?.state],
      [before.routers[0]?.state, before.routers[0]?.since?.getTime(), 100, 'up'],
    );
    assert.match(await agent.events(), /restart its worker thread: RangeError: a crash that a test asked for/);
    // The elections run ahead of ordinary programs, and of what they started as well.
    const nice = (task: string): string | undefined =>
      readFileSync(`/proc/${program.pid}/task/${task}/stat`, 'utf8').split(') ')[1]?.split(' ')[16];
    for (const task of readdirSync(`/proc/${program.pid}/task`)) {
      assert.equal(nice(task), task === String(program.pid) ? '-10' : '0', `thread ${task}`);
    }
    // It still sees, decides and tells.
    writeFileSync(path.join(agent.directory, 'sick'), '');
    await until('the lower priority', 5_000, async () => (await agent.status()).routers[0]?.effectivePriority === 50);
    assert.equal(await program.stop(), 'exit 0');
    const hooks = hooksRun().trim().split('\n');
    assert.deepEqual(hooks, ['INSTANCE VI_1 BACKUP 100', 'INSTANCE VI_1 MASTER 100', 'INSTANCE VI_1 STOP 50']);
  });
});

test('with its disk full the agent elects and reports, and writes again when there is room', { skip }, async () => {
  await withLab(async (lab) => {
    const agent = await agentOn(lab, 'a', 1);
    agent.configure(100);
    const state = path.join(agent.directory, 'state');
    mkdirSync(state);
    // In the mount namespace that "ip netns exec" makes: it goes away with the agent.
    const mount = `mount -t tmpfs -o size=128k,mode=700 none ${state} && exec "$@"`;
    const program = agent.start('sh', '-c', mount, 'sh');
    await program.untilSays('"to":"active"', 10_000);
    const seen = path.join('/proc', String(program.pid), 'root', state);
    fill(path.join(seen, 'fill'));
    // The last block of the journal still has room for some events, such as those of a reload.
    await until('the disk to refuse', 10_000, () => {
      program.signal('SIGHUP');
      return program.lines.some((line) => line.includes('events cannot be written to disk'));
    });
    writeFileSync(path.join(agent.directory, 'sick'), '');
    await until('the check to fail', 5_000, async () => (await agent.status()).checks[0]?.state === 'down');
    assert.match(await agent.events(), /check alive fails/);
    rmSync(path.join(seen, 'fill'));
    await program.untilSays('events are on disk again', 10_000);
    assert.equal(program.lines.filter((line) => line.includes('"to":"active"')).length, 1);
    assert.equal(await program.stop(), 'exit 0');
  });
});

test('a second agent in the same place does not run; one without a usable file says what is wrong', {
  skip,
}, async () => {
  await withLab(async (lab) => {
    const agent = await agentOn(lab, 'a', 1);
    agent.configure(100);
    const program = agent.start();
    await program.untilSays('"to":"active"', 10_000);
    const second = agent.start();
    assert.equal(await second.ended, 'exit 1');
    assert.match(second.tail(), /another baton-agent answers on /);
    assert.equal((await agent.status()).routers[0]?.effectivePriority, 100);
    assert.equal(await program.stop(), 'exit 0');
    writeFileSync(agent.file, 'vrrp_instance VI_1 {\n  interface em1\n  virtual_router_id 999\n}\n');
    const broken = agent.start();
    assert.equal(await broken.ended, 'exit 4');
    assert.match(broken.tail(), /agent\.conf:3: error: /);
  });
});

test('SIGTERM hands over and waits for the stop hook; a second one waits for nothing', { skip }, async () => {
  await withLab(async (lab) => {
    const [a, b] = [await agentOn(lab, 'a', 1), await agentOn(lab, 'b', 2)];
    a.configure(100);
    b.configure(90);
    const first = a.start();
    await first.untilSays('"to":"active"', 10_000);
    const second = b.start();
    await second.untilSays('"to":"backup"', 10_000);
    assert.equal(await first.stop(), 'exit 0');
    await second.untilSays('"to":"active"', 1_000);
    const hooks = readFileSync(path.join(a.directory, 'hooks.log'), 'utf8').trim().split('\n');
    assert.equal(hooks.at(-1), 'INSTANCE VI_1 STOP 100');
    // Nobody is left to take over, and the hook would take a minute.
    writeFileSync(path.join(b.directory, 'hook.sh'), `#!/bin/sh\necho $$ > ${b.directory}/pid\nexec sleep 60\n`);
    second.signal('SIGTERM');
    await second.untilSays('"to":"initialize"', 5_000);
    second.signal('SIGTERM');
    await until('the agent to end at once', 2_000, () => !second.running);
    assert.equal(await second.ended, 'exit 0');
    const pid = path.join(b.directory, 'pid');
    if (existsSync(pid)) process.kill(Number(readFileSync(pid, 'utf8')), 'SIGKILL');
  });
});

/** Writes until there is no room for a single byte. */
function fill(file: string): void {
  let size = 0;
  for (const step of [65_536, 4_096, 1]) {
    try {
      for (;;) {
        writeFileSync(file, Buffer.alloc(step), { flag: 'a' });
        size += step;
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    }
  }
  assert.ok(size > 0);
}
