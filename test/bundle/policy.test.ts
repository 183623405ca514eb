import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeBundle, mistakesIn, scriptRefusal } from '../../agent/bundle/policy.js';
import { HostPolicy, ScriptPolicy } from '../../proto/gen/baton/v1/config.js';
import { sampleBundle } from './sample-bundle.js';

/** Links of a pretended file system; anything else leads to itself. */
function resolver(links: Readonly<Record<string, string>> = {}) {
  return async (file: string): Promise<string> => links[file] ?? file;
}

async function allowed(
  file: string,
  allow: readonly string[],
  links: Readonly<Record<string, string>> = {},
): Promise<boolean> {
  const rules = ScriptPolicy.fromPartial({ allow: [...allow] });
  return (await scriptRefusal(file, undefined, rules, resolver(links))) === undefined;
}

test('nothing may run unless it is listed, exactly or directly in a listed directory', async () => {
  const rows: readonly (readonly [string, readonly string[], boolean])[] = [
    ['/opt/x', [], false],
    ['/opt/x', ['/opt/x'], true],
    ['/opt/x', ['/opt/*'], true],
    ['/opt/sub/x', ['/opt/*'], false],
    ['/opt/xy', ['/opt/x'], false],
    ['/opt/x/', ['/opt/x'], false],
    ['/opt', ['/opt/*'], false],
    ['/opt/*', ['/opt/*'], true],
    ['/x', ['/*'], true],
    ['/optx/x', ['/opt/*'], false],
    ['opt/x', ['/opt/*'], false],
    ['/opt/../etc/x', ['/opt/*'], false],
    ['/opt/..', ['/opt/*'], false],
    ['/opt/./x', ['/opt/*'], false],
    ['/opt//x', ['/opt/*'], false],
    ['/opt/x\0', ['/opt/*'], false],
    ['/OPT/x', ['/opt/*'], false],
  ];
  for (const [file, allow, expected] of rows) {
    assert.equal(await allowed(file, allow), expected, `${file} under ${allow.join()}`);
  }
});

test('a link in an allowed directory allows nothing outside of it', async () => {
  const links = { '/opt/x': '/home/u/evil', '/opt/in': '/opt/x2' };
  assert.equal(await allowed('/opt/x', ['/opt/*'], links), false);
  assert.equal(await allowed('/opt/in', ['/opt/*'], links), true);
  assert.equal(await allowed('/opt/x', ['/opt/*', '/opt/x'], links), true);
});

test('the owner may name a link, or a directory that is one', async () => {
  assert.equal(await allowed('/bin/true', ['/bin/true'], { '/bin/true': '/usr/bin/true' }), true);
  assert.equal(await allowed('/bin/true', ['/bin/*'], { '/bin/true': '/usr/bin/true', '/bin': '/usr/bin' }), true);
});

test('the reason names the rule and what to do', async () => {
  const none = await scriptRefusal('/opt/x', undefined, undefined, resolver());
  assert.equal(
    none,
    'scripts.allow in this host\'s agent.yaml allows no program; add "/opt/x" to let a controller run it',
  );
  const rules = ScriptPolicy.fromPartial({ allow: ['/opt/*'] });
  assert.match((await scriptRefusal('/etc/x', undefined, rules, resolver())) ?? '', /matches no rule .*\(\/opt\/\*\)/);
  assert.match(
    (await scriptRefusal('/opt/x', '/etc/x', rules, resolver())) ?? '',
    /leads to "\/etc\/x", which the rule "\/opt\/\*" .* does not cover/,
  );
});

test('every program and FIFO of a bundle is judged, each with its place', async () => {
  const bundle = sampleBundle({
    hooks: {
      active: { command: ['/a'] },
      any: { command: ['../b'] },
      stop: { command: ['/opt/s'] },
      fifo: '/etc/passwd',
    },
  });
  const rules = {
    scripts: ScriptPolicy.fromPartial({ allow: ['/opt/*', '/opt/checks/*'], user: 'nobody' }),
    policy: undefined,
  };
  const refusals = await judgeBundle(bundle, rules, resolver());
  assert.deepEqual(
    refusals.map(({ path }) => path),
    ['routers[pg].hooks.active.command', 'routers[pg].hooks.any.command', 'routers[pg].hooks.fifo'],
  );
  assert.match(refusals[1]?.reason ?? '', /not an absolute path/);
});

test('a controller names only users that the owner allows', async () => {
  const judge = async (scripts: Parameters<typeof ScriptPolicy.fromPartial>[0]): Promise<string[]> => {
    const rules = { scripts: ScriptPolicy.fromPartial({ allow: ['/opt/hooks/*', '/opt/checks/*'], ...scripts }) };
    const refusals = await judgeBundle(sampleBundle(), { ...rules, policy: undefined }, resolver());
    return refusals.map(({ path, reason }) => `${path}: ${reason}`);
  };
  assert.deepEqual(await judge({ user: 'nobody' }), []);
  assert.deepEqual(await judge({ user: 'root', users: ['nobody'] }), []);
  assert.deepEqual(await judge({}), [
    'checks[alive].spec.exec.user: user "nobody" is not in scripts.users of this host\'s agent.yaml, which names nobody; add it to let a controller use it',
  ]);
  assert.match((await judge({ user: 'root', users: ['postgres'] }))[0] ?? '', /which has root, postgres;/);
});

test('interfaces, addresses, identifiers and priorities are free unless limited', async () => {
  const scripts = ScriptPolicy.fromPartial({ allow: ['/opt/hooks/*', '/opt/checks/*'], users: ['nobody'] });
  const judge = async (policy: Parameters<typeof HostPolicy.fromPartial>[0] | undefined): Promise<string[]> => {
    const rules = { scripts, policy: policy === undefined ? undefined : HostPolicy.fromPartial(policy) };
    return (await judgeBundle(sampleBundle(), rules, resolver())).map(({ path, reason }) => `${path}: ${reason}`);
  };
  assert.deepEqual(await judge(undefined), []);
  assert.deepEqual(await judge({}), []);
  assert.deepEqual(
    await judge({ interfaces: ['em*'], addresses: ['192.168.0.0/16'], vrids: ['1', '5-10'], maxPriority: 100 }),
    [],
  );
  assert.deepEqual(await judge({ interfaces: ['eth*', 'em'] }), [
    "routers[pg].interface: interface em1 is not allowed by policy.interfaces in this host's agent.yaml (eth*, em)",
    "routers[pg].addresses[0].device: interface em1 is not allowed by policy.interfaces in this host's agent.yaml (eth*, em)",
  ]);
  assert.deepEqual(await judge({ addresses: ['10.0.0.0/8'], vrids: ['11-20'], maxPriority: 99 }), [
    "routers[pg].addresses[0]: address 192.168.1.26/24 is not allowed by policy.addresses in this host's agent.yaml (10.0.0.0/8)",
    "routers[pg].vrid: VRID 10 is not allowed by policy.vrids in this host's agent.yaml (11-20)",
    "routers[pg].priority: priority 100 is not allowed by policy.maxPriority in this host's agent.yaml (99)",
  ]);
});

test('rules that can never match are mistakes', () => {
  const mistakes = mistakesIn({
    scripts: ScriptPolicy.fromPartial({ allow: ['/ok', '/ok/*', '/*', 'relative', '/a/../b', '/a/*/b', '/a*'] }),
    policy: HostPolicy.fromPartial({ addresses: ['10.0.0.0/8', 'x'], vrids: ['5', '5-9', '5..9'] }),
  });
  assert.equal(mistakes.length, 6);
  assert.deepEqual(
    mistakes.map((mistake) => mistake.split(':')[0]),
    ['scripts.allow', 'scripts.allow', 'scripts.allow', 'scripts.allow', 'policy.addresses', 'policy.vrids'],
  );
});
