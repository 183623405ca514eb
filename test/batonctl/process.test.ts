/** batonctl as a program: exit codes, pipes that close, signals, shells. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { WatchStatusResponse } from '../../proto/gen/baton/v1/status_service.js';
import { contextFor, FakeController, KEEP_OPEN, makeDesk } from './fake-controller.js';

const PROGRAM = fileURLToPath(new URL('../../controller/batonctl/main.js', import.meta.url));

function batonctl(args: readonly string[], env: Record<string, string> = {}) {
  return spawnSync(process.execPath, [PROGRAM, ...args], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] ?? '', ...env },
  });
}

test('exit codes', (context) => {
  const directory = makeDesk(context);
  const env = { BATON_CONFIG: path.join(directory, 'none.yaml') };
  assert.equal(batonctl(['--help'], env).status, 0);
  assert.equal(batonctl(['status'], env).status, 1);
  assert.equal(batonctl(['status', '--nope'], env).status, 2);
  assert.equal(batonctl(['import', path.join(directory, 'missing.conf')], env).status, 3);
});

test('the version is that of the package', () => {
  assert.match(batonctl(['version']).stdout, /^batonctl \d+\.\d+\.\d+ \(Node v/u);
});

test('a reader that has had enough is no failure', () => {
  const script = `"${process.execPath}" "${PROGRAM}" completion bash | head -1`;
  const piped = spawnSync('bash', ['-o', 'pipefail', '-c', script], { encoding: 'utf8' });
  assert.equal(piped.status, 0);
  assert.equal(piped.stderr, '');
});

test('Ctrl-C ends watch without a failure', async (context) => {
  const fake = await FakeController.start(context);
  fake.answers = {
    watchStatus: () => [
      WatchStatusResponse.fromPartial({ status: { nodes: [{ name: 'base1', connected: true }] } }),
      KEEP_OPEN,
    ],
  };
  const directory = makeDesk(context, [contextFor(fake, fake.port)]);
  const child = spawn(process.execPath, [PROGRAM, 'watch'], {
    env: { BATON_CONFIG: path.join(directory, 'config.yaml') },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let errors = '';
  child.stderr.on('data', (text: Buffer) => {
    errors += text.toString();
  });
  const [said] = await once(child.stdout, 'data');
  assert.match(String(said), /base1: connected/u);
  child.kill('SIGINT');
  const [code] = await once(child, 'exit');
  assert.equal(code, 0);
  assert.equal(errors, '');
});

const completions: [string[], string[]][] = [
  [['batonctl', 'sta'], ['status']],
  [
    ['batonctl', 'token', ''],
    ['create', 'list', 'revoke'],
  ],
  [['batonctl', 'get', 'virt'], ['virtualrouter']],
  [['batonctl', 'status', '-o', 'j'], ['json']],
  [['batonctl', '-o', 'json', 'token', 'cr'], ['create']],
  [['batonctl', 'events', '--sev'], ['--severity']],
  [['batonctl', 'events', '--severity', 'w'], ['warning']],
];
test('bash completes commands, options and values', () => {
  const script = batonctl(['completion', 'bash']).stdout;
  for (const [words, expected] of completions) {
    const quoted = words.map((word) => `'${word}'`).join(' ');
    const asked = `${script}\nCOMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}; _batonctl; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const answer = spawnSync('bash', ['--norc', '-c', asked], { encoding: 'utf8' });
    const offered = answer.stdout
      .trim()
      .split('\n')
      .filter((word) => !word.startsWith('-') || expected[0]?.startsWith('-'));
    assert.deepEqual(offered, expected, `${words.join(' ')}: ${answer.stderr}`);
  }
});

test('scripts for zsh and fish name every command', () => {
  assert.match(batonctl(['completion', 'zsh']).stdout, /^#compdef batonctl\n/u);
  const fish = batonctl(['completion', 'fish']).stdout;
  for (const command of ['status', 'watch', 'events', 'import', 'apply', 'get', 'delete', 'token', 'mail', 'context']) {
    assert.match(fish, new RegExp(`-a ${command} -d `, 'u'));
  }
  assert.match(fish, /__fish_seen_subcommand_from token.*-a create/u);
});
