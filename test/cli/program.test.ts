/** The program itself, started as a user starts it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { after, test } from 'node:test';

const MAIN = path.resolve(import.meta.dirname, '../../agent/main.js');
const scratch = mkdtempSync(path.join(tmpdir(), 'baton-cli-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function agent(...args: string[]): Ended {
  return agentGiven('', ...args);
}

function agentGiven(input: string, ...args: string[]): Ended {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8', input });
  return { code: status, out: stdout, err: stderr };
}

function file(name: string, text: string): string {
  const at = path.join(scratch, name);
  writeFileSync(at, text);
  return at;
}

const GOOD = `vrrp_instance VI_1 {
  interface lo
  virtual_router_id 10
  priority 100
  virtual_ipaddress {
    192.0.2.1/24
  }
}
`;

test('what makes no sense is one sentence and exit code 2', () => {
  for (const args of [
    [],
    ['dance'],
    ['status', '--loud'],
    ['check'],
    ['status', '-o', 'xml'],
    ['run', '--node', 'x'],
    ['join', '--controller', '127.0.0.1:1', '--token', 't', '--ca-pin', 'sha256:12'],
    ['join', '--controller', 'a b', '--token', 't', '--ca-pin', `sha256:${'0'.repeat(64)}`],
  ]) {
    const { code, out, err } = agent(...args);
    assert.deepEqual([code, out], [2, ''], args.join(' '));
    assert.match(err, /^baton-agent: [^\n]+\n$/, args.join(' '));
  }
});

/** With a pin that is nobody's and a controller that nobody is, so that a usable token gets as far as the network. */
function join(input: string, ...args: string[]): Ended {
  const where = ['--controller', '127.0.0.1:1', '--ca-pin', `sha256:${'0'.repeat(64)}`];
  return agentGiven(input, 'join', ...where, '--state-dir', path.join(scratch, 'state'), ...args);
}

test('join takes the token from a file or from standard input, so that it is in no list of processes', () => {
  const tokenFile = file('token', 'btn_abc\n');
  for (const [input, ...args] of [
    ['', '--token-file', tokenFile],
    ['btn_abc\n', '--token-file', '-'],
    ['', '--token', 'btn_abc'],
  ] as const) {
    const { code, err } = join(input, ...args);
    assert.equal(code, 1, err);
    assert.match(err, /cannot reach a controller at 127\.0\.0\.1:1/);
  }
});

test('join says what is wrong with where the token is to come from', () => {
  const tokenFile = file('token', 'btn_abc\n');
  const many = file('many', 'btn_abc\nbtn_def\n');
  const large = file('large', 'x'.repeat(100_000));
  const where = '; "baton-agent join --help" lists what there is';
  for (const [expected, input, ...args] of [
    [`join needs --token or --token-file${where}`, ''],
    [`join takes --token or --token-file, not both${where}`, '', '--token', 't', '--token-file', tokenFile],
    ['standard input is empty; it must hold the token', ' \n', '--token-file', '-'],
    [`${many} holds more than a token; it must hold the token and nothing else`, '', '--token-file', many],
    [`${large} holds more than a token; it must hold the token and nothing else`, '', '--token-file', large],
    [
      `the token cannot be read from ${scratch}/none: ENOENT: no such file or directory, open '${scratch}/none'`,
      '',
      '--token-file',
      `${scratch}/none`,
    ],
  ] as const) {
    const { code, out, err } = join(input, ...args);
    assert.deepEqual([code, out, err], [2, '', `baton-agent: ${expected}\n`]);
  }
});

test('every command has help', () => {
  const general = agent('--help');
  assert.equal(general.code, 0);
  for (const command of ['run', 'join', 'check', 'status', 'explain', 'events', 'version']) {
    assert.match(general.out, new RegExp(`^  ${command} `, 'm'));
    const { code, out } = agent(command, '--help');
    assert.equal(code, 0);
    assert.match(out, new RegExp(`^usage: baton-agent ${command}`));
  }
});

test('the version is that of the package', () => {
  const { code, out } = agent('version', '-o', 'json');
  assert.equal(code, 0);
  assert.match((JSON.parse(out) as { version: string }).version, /^\d+\.\d+\.\d+/);
});

test('with no agent running a question fails and says where it looked', () => {
  const { code, err } = agent('status', '--run-dir', scratch);
  assert.equal(code, 1);
  assert.equal(
    err,
    `baton-agent: no baton-agent answers on ${scratch}/agent.sock: is it running, and with this --run-dir?\n`,
  );
});

test('check: a good keepalived.conf, a bad one, YAML, and none', () => {
  const good = agent('check', file('good.conf', GOOD));
  assert.equal(good.code, 0);
  const bad = agent('check', file('bad.conf', GOOD.replace('virtual_router_id 10', 'virtual_router_id 300')));
  assert.equal(bad.code, 4);
  assert.match(bad.out, /bad\.conf:\d+: error: /);
  const yaml = agent(
    'check',
    file('bad.yaml', 'apiVersion: baton/v1\nkind: VirtualRouter\nmetadata: {name: a}\nspec: {vird: 1}\n'),
  );
  assert.equal(yaml.code, 4);
  assert.match(yaml.out, /bad\.yaml:4:\d+: error: .*vrid/);
  const missing = agent('check', path.join(scratch, 'missing'), '-o', 'json');
  assert.equal(missing.code, 4);
  assert.equal((JSON.parse(missing.out) as { ok: boolean }).ok, false);
});

test("check --host judges this host's interfaces and programs too", () => {
  const conf = file(
    'host.conf',
    GOOD.replace('interface lo', 'interface nosuch0').replace('priority 100', 'priority 100\n  notify /no/such/hook'),
  );
  assert.equal(agent('check', conf).code, 0);
  const { code, out } = agent('check', conf, '--host');
  assert.equal(code, 4);
  assert.match(out, /this host has no interface nosuch0/);
  assert.match(out, /\/no\/such\/hook does not exist/);
});

test('check of a YAML file for a node that is no member names the members', () => {
  const yaml = file(
    'two.yaml',
    'apiVersion: baton/v1\nkind: VirtualRouter\nmetadata: {name: a}\nspec:\n  vrid: 1\n  addresses: [192.0.2.1/24]\n  members:\n    - {node: n1, interface: lo}\n    - {node: n2, interface: lo}\n',
  );
  const wrong = agent('check', yaml, '--node', 'n3');
  assert.equal(wrong.code, 4);
  assert.match(wrong.out, /no router has a member for node "n3"; say --node NAME with one of: n1, n2/);
  assert.equal(agent('check', yaml, '--node', 'n2').code, 0);
});
