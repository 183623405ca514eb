/** Becoming a node, and everything that must not make one. */
import assert from 'node:assert/strict';
import { cpSync, existsSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { AgentHost } from '../lab/agent-host.js';
import { labUnavailable } from '../lab/lab.js';
import { until } from '../lab/until.js';
import { Cluster } from './cluster.js';

interface TokenList {
  readonly tokens: readonly { readonly node: string; readonly usedBy: string; readonly usedAt?: string }[];
}

test('a host joins with the right pin, a fresh token and the name that it is for, and not otherwise', {
  skip: labUnavailable(),
}, async (t) => {
  const cluster = await Cluster.prepare(t, ['a', 'b']);
  const { controller } = cluster;
  const [a, b] = [cluster.node('a'), cluster.node('b')];
  await controller.init();
  await controller.start();
  const refused = async (node: AgentHost, token: { token: string; caPin: string }, said: RegExp, ...more: string[]) => {
    const { exit, stdout, stderr } = await node.join(controller.endpoint, token, ...more);
    assert.deepEqual([exit, stdout], [1, '']);
    assert.match(stderr, said);
    assert.ok(!stderr.includes(token.token), 'the token is not in the message');
    assert.equal(existsSync(path.join(node.stateDirectory, 'identity', 'node.pem')), false);
  };
  const token = await controller.createToken('a');

  await t.test('a wrong pin: the token is not even sent', async () => {
    const other = `sha256:${'0'.repeat(64)}`;
    await refused(
      a,
      { ...token, caPin: other },
      /is not the one with the CA pin sha256:0+: it shows sha256:[0-9a-f]{64}\. The token was not sent\./,
    );
    const { tokens } = await controller.json<TokenList>('token', 'list');
    assert.deepEqual(
      tokens.map(({ node, usedAt }) => [node, usedAt]),
      [['a', undefined]],
    );
  });

  await t.test('a token for another name', async () => {
    await refused(b, token, /this token is for the node a, not for b/, '--name', 'b');
  });

  await t.test('an unknown token', async () => {
    await refused(
      b,
      { ...token, token: `${token.token.slice(0, -4)}AAAA` },
      /the token is unknown, used, expired or revoked/,
    );
  });

  await t.test('a token that was used', async () => {
    assert.equal((await a.join(controller.endpoint, token)).exit, 0);
    await refused(b, token, /the token is unknown, used, expired or revoked; "batonctl token create" makes a new one/);
    const { tokens } = await controller.json<TokenList>('token', 'list');
    assert.deepEqual(
      tokens.map(({ usedBy }) => usedBy),
      ['a'],
    );
  });

  await t.test('a name that is taken, with a token that does not say that it shall be replaced', async () => {
    const anyName = await controller.json<typeof token>('token', 'create');
    await refused(b, anyName, /there is a node a already; .*batonctl token create --node a/, '--name', 'a');
  });

  await t.test('a token that has expired', async () => {
    const late = await controller.createToken('b');
    await controller.stop();
    // Two hours: later than any default of a token, earlier than the end of every certificate.
    const module = new URL('./late-clock.js', import.meta.url).href;
    await controller.start({
      environment: { NODE_OPTIONS: `--import=${module}`, LATE_CLOCK_MS: String(2 * 3_600_000) },
    });
    await refused(b, late, /the token is unknown, used, expired or revoked/);
    await controller.stop();
    await controller.start();
    assert.equal((await b.join(controller.endpoint, late)).exit, 0, 'it was only the clock');
  });

  await t.test('nobody there', async () => {
    const { exit, stderr } = await b.join('10.9.0.11:7443', token);
    assert.equal(exit, 1);
    assert.match(stderr, /cannot reach a controller at 10\.9\.0\.11:7443: .*ECONNREFUSED/);
  });

  await t.test('two agents with one identity: the newer stream wins and the older is told why', async () => {
    a.start();
    await until('a to be connected', 10_000, async () => (await cluster.nodeStatus('a')).connected);
    const twin = cluster.node('b');
    cpSync(path.join(a.stateDirectory, 'identity'), path.join(twin.stateDirectory, 'identity'), { recursive: true });
    twin.start();
    await until(
      'the newer to be connected',
      10_000,
      async () => (await twin.status()).controller?.state === 'connected',
    );
    const link = await until('the older to be told', 5000, async () => {
      const { controller: told } = await a.status();
      return told?.state === 'connecting' && told;
    });
    assert.match(
      link.error,
      /another stream with the same certificate identity was opened; two agents must not share one identity/,
    );
    assert.equal((await cluster.nodeStatus('a')).connected, true);
    assert.equal((await cluster.nodeStatus('b')).connected, false);
  });
});
