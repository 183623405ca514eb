/** Real echoes on loopback, and to addresses behind a route that leads nowhere, in a namespace of their own. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readlinkSync } from 'node:fs';
import process from 'node:process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { PingProbe } from '../../agent/health/check-settings.js';
import { pingAttempt } from '../../agent/health/ping-check.js';
import type { Outcome } from '../../agent/health/run.js';
import { libc } from '../../agent/net/libc.js';
import { CheckResult } from '../../proto/gen/baton/v1/status.js';
import { outcomeOf, testNames } from './attempts.js';

const skip = process.geteuid?.() === 0 ? false : 'needs root: raw sockets';

async function ping(overrides: Partial<PingProbe>, timeout = 2_000): Promise<Outcome> {
  return await outcomeOf(
    pingAttempt({ kind: 'ping', host: '127.0.0.1', size: 56, ...overrides }, testNames, libc),
    timeout,
  );
}

/** Descriptors of this process that are sockets; the others come and go with Node's own work. */
function sockets(): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket:');
    } catch {
      // The one that the directory itself was read by.
      return false;
    }
  }).length;
}

test('loopback answers in both families, any size, by name and from a source', { skip }, async () => {
  for (const overrides of [
    {},
    { host: 'host.test' },
    { host: '::1' },
    { size: 0 },
    { size: 1_400 },
    { source: '127.0.0.2' },
    { host: '::1', source: '::1', size: 1_400 },
  ]) {
    const outcome = await ping(overrides);
    assert.deepEqual([outcome.result, outcome.reason], [CheckResult.OK, ''], JSON.stringify(overrides));
    assert.match(outcome.output, /^\d+ bytes from .* in [\d.]+ ms$/);
  }
});

test('thirty at once take nobody else’s reply, and leave no descriptor', { skip }, async () => {
  const before = sockets();
  const outcomes = await Promise.all(
    Array.from({ length: 30 }, (_, at) => ping({ host: at % 2 === 0 ? '127.0.0.1' : `127.0.0.${at}` })),
  );
  assert.ok(outcomes.every(({ result }) => result === CheckResult.OK));
  assert.equal(sockets(), before);
});

test('what cannot be sent says why', { skip }, async () => {
  const source = await ping({ source: '192.0.2.250' });
  assert.equal(source.result, CheckResult.CANNOT_RUN);
  assert.match(source.reason, /^cannot send from 192\.0\.2\.250: the source address is not on this host/);
  assert.match((await ping({ source: '::1' })).reason, /no address of the family of ::1/);
  assert.match((await ping({ host: 'nowhere.invalid' })).reason, /nowhere\.invalid has no address/);
});

test('it works in a worker thread, in a namespace where hosts are dead or out of reach', { skip }, async () => {
  const namespace = `bt${process.pid}ping`;
  const ip = (...words: string[]) => execFileSync('ip', words);
  ip('netns', 'add', namespace);
  try {
    ip('-n', namespace, 'link', 'add', 'dead0', 'type', 'veth', 'peer', 'name', 'dead1');
    ip('-n', namespace, 'link', 'set', 'dead1', 'up');
    ip('-n', namespace, 'address', 'add', '192.0.2.1/24', 'dev', 'dead0');
    ip('-n', namespace, 'link', 'set', 'lo', 'up');
    ip('-n', namespace, 'link', 'set', 'dead0', 'up');
    ip('-n', namespace, 'route', 'add', 'unreachable', '198.51.100.0/24');
    const program = fileURLToPath(new URL('./ping-main.js', import.meta.url));
    const text = execFileSync('ip', ['netns', 'exec', namespace, process.execPath, program], { encoding: 'utf8' });
    const [self, dead, unreachable, noRoute] = JSON.parse(text);
    assert.deepEqual([self.result, self.reason], [CheckResult.OK, '']);
    assert.deepEqual(
      [dead.result, dead.reason],
      [CheckResult.TIMED_OUT, 'no answer within 0.3 s: waiting for the reply of 192.0.2.9'],
    );
    assert.equal(unreachable.result, CheckResult.FAILED);
    assert.match(unreachable.reason, /^cannot send to 198\.51\.100\.1: the host cannot be reached/);
    assert.match(noRoute.reason, /^cannot send to 203\.0\.113\.1: there is no route/);
  } finally {
    ip('netns', 'delete', namespace);
  }
});
