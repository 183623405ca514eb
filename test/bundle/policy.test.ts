import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeBundle, mistakesIn, scriptRefusal } from '../../agent/bundle/policy.js';
import { resolvedRefusal } from '../../agent/bundle/probe-policy.js';
import { HostPolicy, ScriptPolicy } from '../../proto/gen/baton/v1/config.js';
import type { CheckSpec } from '../../proto/gen/baton/v1/resources.js';
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

function network(spec: object): Parameters<typeof sampleBundle>[1] {
  return { hostNetworks: [{ name: 'base', spec }] };
}

async function judged(
  bundle: ReturnType<typeof sampleBundle>,
  policy: Parameters<typeof HostPolicy.fromPartial>[0] | undefined,
  links: Readonly<Record<string, string>> = {},
): Promise<string[]> {
  const rules = {
    scripts: ScriptPolicy.fromPartial({ allow: ['/opt/hooks/*', '/opt/checks/*'], users: ['nobody'] }),
    policy: policy === undefined ? undefined : HostPolicy.fromPartial(policy),
  };
  return (await judgeBundle(bundle, rules, resolver(links))).map(({ path, reason }) => `${path}: ${reason}`);
}

test('routes and rules are refused unless the owner allows them, with or without a policy', async () => {
  const bundle = sampleBundle(
    { routes: [{ to: '10.0.0.0/8', device: 'em1' }], rules: [{ table: 'main' }] },
    network({ routes: [{ to: '0.0.0.0/0', via: '192.0.2.1' }], rules: [{ action: 'nop' }] }),
  );
  for (const policy of [undefined, {}, { routes: false }]) {
    assert.deepEqual(await judged(bundle, policy), [
      "routers[pg].routes[0]: a route to 10.0.0.0/8 is not allowed by policy.routes in this host's agent.yaml (unset: no routes and rules)",
      "routers[pg].rules[0]: a rule is not allowed by policy.routes in this host's agent.yaml (unset: no routes and rules)",
      "hostNetworks[base].spec.routes[0]: a route to 0.0.0.0/0 is not allowed by policy.routes in this host's agent.yaml (unset: no routes and rules)",
      "hostNetworks[base].spec.rules[0]: a rule is not allowed by policy.routes in this host's agent.yaml (unset: no routes and rules)",
    ]);
  }
  assert.deepEqual(await judged(bundle, { routes: true }), []);
});

test('limits of interfaces and addresses hold wherever one is named, in both families', async () => {
  const bundle = sampleBundle(
    {
      excludedAddresses: [{ address: '2001:db8::1/64', device: 'em2' }],
      routes: [
        { to: '10.0.0.0/8', device: 'em3' },
        { to: '11.0.0.0/8', nextHops: [{ device: 'em4' }] },
      ],
      virtualMac: { name: 'eth9', address: '00:00:5e:00:01:0a' },
    },
    {
      ...network({
        addresses: [{ address: '192.168.9.9/24', device: 'em5' }],
        announcementLimits: [{ interfaces: ['em6'] }],
        interfaceDelays: [{ interface: 'em7' }],
      }),
      bfdSessions: [{ name: 'up', interface: 'em8' }],
    },
  );
  const policy = { interfaces: ['em1'], addresses: ['192.168.0.0/16', '2001:db8:1::/48'], routes: true };
  assert.deepEqual(
    (await judged(bundle, policy)).map((line) => line.replace(/ is not allowed.*/u, '')),
    [
      'routers[pg].virtualMac.name: interface eth9',
      'routers[pg].excludedAddresses[0].device: interface em2',
      'routers[pg].excludedAddresses[0]: address 2001:db8::1/64',
      'routers[pg].routes[0].device: interface em3',
      'routers[pg].routes[1].nextHops[0].device: interface em4',
      'hostNetworks[base].spec.addresses[0].device: interface em5',
      'hostNetworks[base].spec.announcementLimits[0].interfaces: interface em6',
      'hostNetworks[base].spec.interfaceDelays[0].interface: interface em7',
      'bfdSessions[up].interface: interface em8',
    ],
  );
  const ours = sampleBundle({ virtualMac: { name: 'vrrp.10', address: '00:00:5e:00:01:0a' } });
  assert.deepEqual(await judged(ours, { interfaces: ['em1'] }), []);
});

test('the route that the kernel makes with an address is no way round policy.routes', async () => {
  const reasons = async (address: object, policy: object): Promise<string[]> =>
    (await judged(sampleBundle({ addresses: [address] }), policy)).map(
      (line) => line.split(' is not allowed')[0] ?? '',
    );
  const own = { addresses: ['10.0.0.0/24'] };
  assert.deepEqual(await reasons({ address: '10.0.0.5/1' }, own), [
    'routers[pg].addresses[0]: the route to 10.0.0.5/1 that comes with it',
  ]);
  assert.deepEqual(await reasons({ address: '10.0.0.5/1' }, {}), [
    'routers[pg].addresses[0]: the route to 10.0.0.5/1 that comes with it',
  ]);
  assert.deepEqual(await reasons({ address: '2001:db8::5/3' }, {}), [
    'routers[pg].addresses[0]: the route to 2001:db8::5/3 that comes with it',
  ]);
  assert.deepEqual(await reasons({ address: '10.0.0.5/32', peer: '198.51.100.0/24' }, own), [
    "routers[pg].addresses[0].peer: a peer's route to 198.51.100.0/24",
  ]);
  assert.deepEqual(await reasons({ address: '10.0.0.5/32', peer: '10.0.0.0/1' }, own), [
    'routers[pg].addresses[0]: the route to 10.0.0.0/1 that comes with it',
  ]);
  assert.deepEqual(await reasons({ address: '10.0.0.5/32', peer: '10.0.0.6' }, own), []);
  assert.deepEqual(await reasons({ address: '10.0.0.5/8' }, own), []);
  assert.deepEqual(await reasons({ address: '10.0.0.5/1', noPrefixRoute: true }, own), []);
  const routed = { ...own, routes: true };
  assert.deepEqual(await reasons({ address: '10.0.0.5/32', peer: '198.51.100.0/24' }, routed), []);
  assert.deepEqual(await reasons({ address: '10.0.0.5/1' }, routed), []);
});

test("hooks of groups are judged as routers' are", async () => {
  const bundle = sampleBundle(
    { hooks: { deleted: { command: ['/evil'] }, lowerPriorityHeard: { command: ['/opt/hooks/l'] } } },
    { groups: [{ name: 'both', routers: ['pg'], hooks: { any: { command: ['/bin/sh'], user: 'root' } } }] },
  );
  assert.deepEqual(
    (await judged(bundle, undefined)).map((line) => line.split(': ')[0]),
    ['routers[pg].hooks.deleted.command', 'groups[both].hooks.any.command', 'groups[both].hooks.any.user'],
  );
});

function withCheck(kind: NonNullable<Parameters<typeof CheckSpec.fromPartial>[0]['kind']>) {
  return sampleBundle({ hooks: {} }, { checks: [{ name: 'alive', spec: { kind } }] });
}

test('a file is watched or written only where the owner allows it, wherever links lead', async () => {
  const bundle = withCheck({ $case: 'file', value: { path: '/run/baton/load', initialValue: 0 } });
  const reasons = async (files: string[], links: Record<string, string> = {}): Promise<string[]> =>
    await judged(bundle, { files }, links);
  assert.deepEqual(await reasons([]), [
    'checks[alive].spec.file.path: policy.files in this host\'s agent.yaml allows no file; add "/run/baton/load" to let a controller watch it',
  ]);
  assert.deepEqual(await reasons(['/run/baton/*']), []);
  assert.deepEqual(await reasons(['/run/baton/load']), []);
  assert.match((await reasons(['/run/*']))[0] ?? '', /matches no rule of policy\.files/u);
  assert.match(
    (await reasons(['/run/baton/*'], { '/run/baton/load': '/etc/shadow' }))[0] ?? '',
    /leads to "\/etc\/shadow"/u,
  );
});

test('a file that is not there yet is judged by where it would be made', async () => {
  const bundle = withCheck({ $case: 'file', value: { path: '/run/baton/load', initialValue: 0 } });
  const rules = { scripts: undefined, policy: HostPolicy.fromPartial({ files: ['/run/baton/*'] }) };
  const resolve = async (file: string): Promise<string> => {
    if (file === '/run/baton/load') throw new RangeError('no such file');
    return file;
  };
  assert.deepEqual(await judgeBundle(bundle, rules, resolve), []);
});

test('network checks ask anybody, but not for changes and no metadata service, until the owner lists targets', async () => {
  const http = (url: string, more: object = {}) => withCheck({ $case: 'http', value: { url, ...more } });
  const rows: readonly (readonly [ReturnType<typeof sampleBundle>, string[], boolean])[] = [
    [http('http://db.example.org/'), [], true],
    [http('http://db.example.org/', { method: 'HEAD' }), [], true],
    [http('http://db.example.org/', { method: 'POST' }), [], false],
    [http('http://db.example.org/', { method: 'POST' }), ['db.example.org'], true],
    [http('http://169.254.169.254/latest/meta-data'), [], false],
    [http('http://0xa9.254.43518/'), [], false],
    [http('http://db.example.org/', { connectTo: '169.254.169.254' }), [], false],
    [http('http://[fd00:ec2::254]/'), [], false],
    [http('http://db.example.org/', { connectTo: '0xa9fea9fe' }), [], false],
    [http('http://db.example.org/', { connectTo: '::ffff:169.254.169.254' }), [], false],
    [http('http://[::ffff:a9fe:a9fe]/'), [], false],
    [http('http://metadata.google.internal./computeMetadata/v1/'), [], false],
    [http('http://169.254.170.2/v2/credentials/x'), [], false],
    [http('http://db.example.org/', { body: 'DELETE /all HTTP/1.1' }), [], false],
    [http('http://db.example.org/', { body: '{}' }), ['db.example.org'], true],
    [withCheck({ $case: 'tcp', value: { host: '2852039166', port: 80 } }), [], false],
    [withCheck({ $case: 'tcp', value: { host: '169.254.43518', port: 80 } }), [], false],
    [withCheck({ $case: 'ping', value: { host: 'fd00:ec2::254%em1' } }), [], false],
    [withCheck({ $case: 'ping', value: { host: 'fe80::1%em1' } }), ['fe80::/10'], true],
    [withCheck({ $case: 'tcp', value: { host: '::ffff:10.1.2.3', port: 1 } }), ['::/0'], false],
    [http('http://169.254.169.254/'), ['169.254.169.254'], true],
    [http('http://DB.example.org/'), ['*.example.org'], true],
    [http('http://example.org/'), ['*.example.org'], false],
    [http('http://10.1.2.3/'), ['10.0.0.0/8'], true],
    [http('http://10.1.2.3/'), ['*.example.org', '::/0'], false],
    [withCheck({ $case: 'tcp', value: { host: '2001:db8::1', port: 1 } }), ['2001:db8::/32'], true],
    [withCheck({ $case: 'ping', value: { host: 'gw' } }), ['10.0.0.0/8'], false],
    [withCheck({ $case: 'dns', value: { server: '169.254.169.254' } }), [], false],
    [withCheck({ $case: 'grpc', value: { host: 'svc', port: 1 } }), ['svc'], true],
    [withCheck({ $case: 'process', value: { name: 'postgres' } }), ['svc'], true],
  ];
  for (const [bundle, probes, isAllowed] of rows) {
    const lines = await judged(bundle, { probes });
    assert.equal(
      lines.length === 0,
      isAllowed,
      `${JSON.stringify(bundle.checks[0]?.spec?.kind)} ${probes.join()}: ${lines.join()}`,
    );
  }
});

test('a name that leads to a metadata service is asked only where the owner lists names', () => {
  for (const address of ['169.254.169.254', '::ffff:169.254.169.254', 'fd00:ec2::254', '100.100.100.200']) {
    assert.equal(
      resolvedRefusal('db.example.org', address, []),
      `db.example.org leads to ${address}, a cloud's metadata service, which hands out credentials; list "db.example.org" in policy.probes of this host's agent.yaml to allow it`,
    );
    assert.equal(resolvedRefusal('db.example.org', address, ['db.example.org']), undefined);
  }
  for (const address of ['169.254.169.253', '127.0.0.1', '::1', 'fe80::1%eth0', '10.0.0.1']) {
    assert.equal(resolvedRefusal('db.example.org', address, []), undefined);
  }
});

test('mistakes in files and probes', () => {
  const policy = HostPolicy.fromPartial({
    files: ['/run/*', 'run'],
    probes: ['10.0.0.0/8', '::/0', '*.example.org', 'a_b', 'http://x', '*', 'a b'],
    addresses: ['2001:db8::/32'],
  });
  assert.deepEqual(
    mistakesIn({ scripts: undefined, policy }).map((mistake) => mistake.slice(0, 24)),
    ['policy.files: "run" is n', 'policy.probes: "http://x', 'policy.probes: "*" is ne', 'policy.probes: "a b" is '],
  );
});
