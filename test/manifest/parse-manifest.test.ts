import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AuthenticationType, Lease, Transport, VirtualRouterSpec } from '../../proto/gen/baton/v1/resources.js';
import { formatSourceProblem, parseManifest } from '../../proto/manifest/index.js';

/** A virtual router whose spec is these lines, from line 5 on, indented by two. */
function router(...spec: readonly string[]): string {
  return [
    'apiVersion: baton/v1',
    'kind: VirtualRouter',
    'metadata: {name: pg}',
    'spec:',
    ...spec.map((line) => `  ${line}`),
  ].join('\n');
}

function parseRouter(...spec: readonly string[]): VirtualRouterSpec {
  const { resources, problems } = parseManifest(router(...spec), 'a.yaml');
  assert.deepStrictEqual(problems, []);
  const parsed = resources[0]?.spec;
  assert.ok(parsed?.$case === 'virtualRouter');
  return parsed.value;
}

/** All problems as "line:column: path: message". */
function problemsOf(text: string): string[] {
  return parseManifest(text, '').problems.map((problem) => formatSourceProblem(problem).slice(1));
}

describe('what a file can say', () => {
  test("the design's example", () => {
    const spec = parseRouter(
      'vrid: 10',
      'version: 2                     # 2 or 3; default 3',
      'advertisementInterval: 1s',
      'preempt: false                 # default true',
      'authentication: {type: PASS, secret: pg-vrrp}',
      'transport: multicast',
      'addresses: [192.168.1.26]',
      'members:',
      '  - {node: base1, interface: em1, priority: 100}',
      'track:',
      '  - {check: pg-alive, weight: -1}',
      'hooks: {active: /usr/local/bin/master.sh}',
    );
    assert.deepStrictEqual(
      spec,
      VirtualRouterSpec.fromPartial({
        vrid: 10,
        version: 2,
        advertisementInterval: { seconds: 1, nanos: 0 },
        preempt: false,
        authentication: { type: AuthenticationType.PASS, secret: 'pg-vrrp' },
        transport: Transport.MULTICAST,
        addresses: [{ address: '192.168.1.26' }],
        members: [{ node: 'base1', interface: 'em1', priority: 100 }],
        track: [{ check: 'pg-alive', weight: -1 }],
        hooks: { active: { command: ['/usr/local/bin/master.sh'] } },
      }),
    );
  });

  test('enums in any case, with and without prefix', () => {
    for (const text of ['pass', 'PASS', 'Pass', 'AUTHENTICATION_TYPE_PASS']) {
      assert.equal(parseRouter(`authentication: {type: ${text}}`).authentication?.type, AuthenticationType.PASS);
    }
    assert.equal(parseRouter('lease: off').lease, Lease.OFF);
  });

  test('scalars quoted or not, and text stays as it is written', () => {
    const spec = parseRouter('vrid: "10"', 'preempt: "false"', 'receivers: [0777, 1e3, 2026-01-31, "null", yes, 1.10]');
    assert.equal(spec.vrid, 10);
    assert.equal(spec.preempt, false);
    assert.deepStrictEqual(spec.receivers, ['0777', '1e3', '2026-01-31', 'null', 'yes', '1.10']);
  });

  test('presence of optional fields', () => {
    assert.equal(parseRouter('vrid: 1').preempt, undefined);
    assert.equal(parseRouter('announcements: {repeat: 0}').announcements?.repeat, 0);
    assert.equal(parseRouter('announcements: {}').announcements?.repeat, undefined);
  });

  test('commands as a line, a list or a mapping', () => {
    const hooks = parseRouter(
      'hooks:',
      "  active: /bin/a \"two words\" 'it''s $HOME' b\\ c",
      '  backup: [/bin/b, "two words"]',
      '  fault: {command: /bin/c -x, user: nobody, timeout: 1m30s}',
    ).hooks;
    // YAML keeps the line as it is, so the two quotes in a row are two quotes for the splitter: they join.
    assert.deepStrictEqual(hooks?.active?.command, ['/bin/a', 'two words', 'its $HOME', 'b c']);
    assert.deepStrictEqual(hooks?.backup?.command, ['/bin/b', 'two words']);
    assert.deepStrictEqual(hooks?.fault, {
      command: ['/bin/c', '-x'],
      user: 'nobody',
      timeout: { seconds: 90, nanos: 0 },
    });
  });

  test('what the controller set is left out of account', () => {
    const text =
      'apiVersion: baton/v1\nkind: Node\nmetadata: {name: n, generation: 7, createdAt: 2026-01-31T00:00:00Z}\nspec: {id: x}';
    const { resources, problems } = parseManifest(text, 'a.yaml');
    assert.deepStrictEqual(problems, []);
    assert.equal(resources[0]?.metadata?.generation, 0);
    assert.equal(resources[0]?.metadata?.createdAt, undefined);
    assert.deepStrictEqual(resources[0]?.spec, { $case: 'node', value: { id: '' } });
  });

  test('a node needs no spec; byte order mark, CRLF and comments do no harm', () => {
    const { resources, problems } = parseManifest(
      '\ufeff# c\r\napiVersion: baton/v1\r\nkind: Node\r\nmetadata: {name: n}\r\n---\r\n# end\r\n',
      '',
    );
    assert.deepStrictEqual(problems, []);
    assert.equal(resources.length, 1);
  });
});

describe('what a file cannot say: every problem with its place, and no resources', () => {
  const rows: readonly (readonly [string, string, readonly string[]])[] = [
    [
      'misspelt field',
      router('adresses: [192.0.2.1]'),
      ['5:3: spec.adresses: unknown field "adresses" (did you mean "addresses"?)'],
    ],
    [
      'field of the .proto file in its own spelling',
      router('advertisement_interval: 1s'),
      [
        '5:3: spec.advertisement_interval: unknown field "advertisement_interval" (did you mean "advertisementInterval"?)',
      ],
    ],
    [
      'unknown field deep inside',
      router('members:', '  - node: a', '    weight: 3'),
      [
        '7:7: spec.members[0].weight: unknown field "weight"; known here: node, interface, priority, address, preempt, preemptDelay, hooks, track',
      ],
    ],
    [
      'unknown kind',
      'apiVersion: baton/v1\nkind: VirtualRoutr\nmetadata: {name: a}\nspec: {}',
      ['2:7: kind: there is no kind "VirtualRoutr" (did you mean "VirtualRouter"?)'],
    ],
    [
      'unknown version',
      'apiVersion: baton/v2\nkind: Node\nmetadata: {name: a}',
      ['1:13: apiVersion: "baton/v2" is not known; this version of Baton reads baton/v1'],
    ],
    ['no name', 'apiVersion: baton/v1\nkind: Node\nmetadata: {}', ['3:11: metadata.name: Node needs a name']],
    ['no metadata', 'apiVersion: baton/v1\nkind: Node', ['1:1: metadata: Node needs metadata']],
    ['no spec', 'apiVersion: baton/v1\nkind: Check\nmetadata: {name: a}\nspec:', ['4:1: spec: Check needs spec']],
    [
      'null',
      router('vrid: null', 'hooks: ~', 'members:'),
      [
        '5:9: spec.vrid: has null, which is no value; give one or remove the field',
        '6:10: spec.hooks: has ~, which is no value; give one or remove the field',
        '7:11: spec.members: has no value; give one or remove the field',
      ],
    ],
    [
      'wrong types',
      router(
        'vrid: [1]',
        'members: {node: a}',
        'hooks: 3',
        'receivers: [{a: 1}]',
        'preempt: 1',
        'addresses: 192.0.2.1',
      ),
      [
        '5:9: spec.vrid: must be a number, but is a list',
        '6:12: spec.members: must be a list, but is a mapping',
        '7:10: spec.hooks: must be a mapping with fields, but is a single value',
        '8:15: spec.receivers[0]: must be text, but is a mapping',
        '9:12: spec.preempt: "1" is not true or false',
        '10:14: spec.addresses: must be a list, but is a single value',
      ],
    ],
    [
      'numbers',
      router(
        'vrid: 010',
        'version: 0x2',
        'members: [{priority: 1e2}, {priority: -1}, {priority: 1.5}, {priority: 99999999999}]',
      ),
      [
        '5:9: spec.vrid: "010" begins with 0; write it in plain decimal digits without it',
        '6:12: spec.version: "0x2" is not a whole number; write it in plain decimal digits',
        '7:24: spec.members[0].priority: "1e2" is not a whole number; write it in plain decimal digits',
        '7:41: spec.members[1].priority: "-1" is out of range, 0 to 4294967295',
        '7:57: spec.members[2].priority: "1.5" is not a whole number; write it in plain decimal digits',
        '7:74: spec.members[3].priority: "99999999999" is out of range, 0 to 4294967295',
      ],
    ],
    [
      'durations',
      router('advertisementInterval: 5', 'preemptDelay: 3 days'),
      [
        '5:26: spec.advertisementInterval: "5" is not a duration: the unit is missing; write "5s" for seconds or "5ms" for milliseconds',
        '6:17: spec.preemptDelay: "3 days" is not a duration: write it like "1s", "100ms" or "1m30s"; units are h, m, s, ms and us',
      ],
    ],
    [
      'enums',
      router('transport: multicst', 'lease: unspecified'),
      [
        '5:14: spec.transport: "multicst" is not one of multicast, unicast (did you mean "multicast"?)',
        '6:10: spec.lease: "unspecified" is not one of auto, off',
      ],
    ],
    [
      'command lines',
      router('hooks:', '  active: /bin/a | /bin/b', '  backup: "/bin/a \'b"', '  fault: ""'),
      [
        '6:13: spec.hooks.active: cannot be split into words: "|" means something to a shell, but commands are not given to one; quote it, or call "/bin/sh -c \'...\'"',
        "7:13: spec.hooks.backup: cannot be split into words: the quote ' is not closed",
        '8:12: spec.hooks.fault: cannot be split into words: it names no program',
      ],
    ],
    [
      'duplicate keys and resources',
      `${router('vrid: 1', 'vrid: 2')}\n---\n${router('vrid: 3')}`,
      [
        '6:3: spec.vrid: given twice, first in line 5; remove one',
        '8:1: metadata.name: VirtualRouter "pg" is declared twice, first in line 1',
      ],
    ],
    [
      'anchors, aliases, tags, merge keys, __proto__',
      `${router('vrid: &a 1', 'version: *a', 'hooks: !!js/function x', 'receivers: !!str x', '<<: {a: 1}', '__proto__: {a: 1}', '? [a]\n  : 1')}`,
      [
        '5:12: spec.vrid: an anchor is not supported; write the value out, or quote a text that begins with "&"',
        '6:12: spec.version: an alias is not supported; write the value out, or quote a text that begins with "*"',
        '7:24: spec.hooks: a tag is not supported; the field decides the type, so remove it, or quote a text that begins with "!"',
        '8:20: spec.receivers: a tag is not supported; the field decides the type, so remove it, or quote a text that begins with "!"',
        '9:3: spec["<<"]: merge keys (<<) are not supported; write the fields out',
        '10:3: spec.__proto__: unknown field "__proto__"; known here: vrid, version, advertisementInterval, preempt, preemptDelay, authentication, transport, addresses, members, track, hooks, receivers, announcements, checksum, lease, strictRfc, externalPeers, excludedAddresses, noAddresses, routes, rules, multicastGroup, virtualMac, accept, downTimerAdvertisements, lowerPriorityNoAdvertisement, higherPrioritySendAdvertisement, ownerIgnoreAdvertisements, timerExpiredBackup, peers, unicast, startupDelay, duplicateProbe, promoteSecondaries, verifyInterval, untrackedInterface, bootDelay',
        '11:5: spec: a field name must be a plain word',
      ],
    ],
    [
      '__proto__ as a label',
      'apiVersion: baton/v1\nkind: Node\nmetadata: {name: a, labels: {__proto__: x}}',
      ['3:30: metadata.labels.__proto__: the name "__proto__" cannot be used'],
    ],
    [
      'a kind of check that does not exist',
      'apiVersion: baton/v1\nkind: Check\nmetadata: {name: a}\nspec: {smtp: {}}',
      [
        '4:8: spec.smtp: unknown field "smtp"; known here: exec, http, tcp, dns, grpc, ping, process, file, interval, timeout, rise, fall, startJitter',
      ],
    ],
    [
      'two kinds of one check',
      'apiVersion: baton/v1\nkind: Check\nmetadata: {name: a}\nspec: {exec: {command: /a}, http: {}}',
      ['4:29: spec.http: only one of "exec" and "http" can be given'],
    ],
    [
      'wrong values of maps, optional and nested fields',
      `${router('routes: [{to: 10.0.0.0/8, metrics: {mtu: big, rtt: [1]}, metric: -1}]\n  virtualMac: {name: [x]}\n  accept: maybe')}`,
      [
        '5:44: spec.routes[0].metrics.mtu: "big" is not a whole number; write it in plain decimal digits',
        '5:54: spec.routes[0].metrics.rtt: must be a number, but is a list',
        '5:68: spec.routes[0].metric: "-1" is out of range, 0 to 4294967295',
        '6:22: spec.virtualMac.name: must be text, but is a list',
        '7:11: spec.accept: "maybe" is not true or false',
      ],
    ],
    [
      'a bad document hides nothing of the others',
      `${router('vrid: x')}\n---\na: [1, 2\n---\n${router('vird: 2').replace('pg', 'web')}`,
      [
        '5:9: spec.vrid: "x" is not a whole number; write it in plain decimal digits',
        '8:1: not valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ]',
        '13:3: spec.vird: unknown field "vird" (did you mean "vrid"?)',
      ],
    ],
    ['nothing', '# nothing\n---\n', ['1:1: the file holds no resource']],
    ['a list of resources', '- a', ['1:1: a resource must be a mapping with apiVersion, kind, metadata and spec']],
    [
      'a directive',
      `%YAML 1.1\n---\n${router('vrid: 1')}`,
      ['1:1: the directive "%YAML 1.1" is not supported; remove the line'],
    ],
    [
      'a control character',
      router('vrid: 1\u0000'),
      ['5:10: control character U+0000; the file must be plain text (UTF-8)'],
    ],
    [
      'a List inside a List',
      'apiVersion: baton/v1\nkind: List\nitems:\n  - {apiVersion: baton/v1, kind: List, items: []}',
      [
        '4:34: kind: there is no kind "List"; kinds are Node, VirtualRouter, Check, Receiver, Secret, SyncGroup, BfdSession, HostNetwork',
      ],
    ],
  ];
  for (const [what, text, expected] of rows) {
    test(what, () => {
      assert.deepStrictEqual(problemsOf(text), expected);
      assert.deepStrictEqual(parseManifest(text, '').resources, []);
    });
  }

  test('columns count characters, not code units', () => {
    assert.deepStrictEqual(
      problemsOf('apiVersion: baton/v1\nkind: Node\nmetadata: {name: "👍", x: 1}')[0]?.slice(0, 5),
      '3:23:',
    );
  });
});

describe('hostile files are refused quickly and without harm', () => {
  // One unguarded deep nesting ends the process: the recursive part of a YAML parser runs out of stack.
  const nested = 'nested deeper than 32 levels; nothing in Baton needs that';
  const rows: readonly (readonly [string, string, string])[] = [
    ['a million brackets', `a: ${'['.repeat(1_000_000)}`, nested],
    ['a million braces', '{a: '.repeat(1_000_000), nested],
    ['indicators on one line', '- '.repeat(100_000), nested],
    ['explicit keys', '? '.repeat(100_000), nested],
    ['deep indentation', Array.from({ length: 1_000 }, (_, index) => `${' '.repeat(index)}a:`).join('\n'), nested],
    [
      'more than the limit',
      ' '.repeat(9 * 1024 * 1024),
      'the file has 9437184 characters, more than 8388608; split it',
    ],
    ['fifty thousand anchors', '&a '.repeat(50_000), 'not valid YAML: A node can have at most one anchor'],
    ['a hundred thousand quotes', '"'.repeat(100_000), 'not valid YAML: Unexpected double-quoted-scalar at node end'],
    [
      'an alias bomb',
      `a: &a [x, x]\nb: &b [*a, *a]\n${'c: [*b, *b]\n'.repeat(3)}`,
      'an anchor is not supported; write the value out, or quote a text that begins with "&"',
    ],
  ];
  for (const [what, text, message] of rows) {
    test(what, () => {
      const { problems, resources } = parseManifest(text, 'hostile.yaml');
      assert.ok(
        problems.some((problem) => problem.message === message),
        JSON.stringify(problems[0]),
      );
      assert.ok(problems.length <= 101);
      assert.deepStrictEqual(resources, []);
    });
  }

  test('a hundred thousand unknown fields on one line: the first hundred, and a count', () => {
    const fields = Array.from({ length: 100_000 }, (_, index) => `a${index}: 1`).join(', ');
    const { problems } = parseManifest(`apiVersion: baton/v1\nkind: Node\nmetadata: {name: a}\nspec: {${fields}}`, '');
    assert.equal(problems.length, 101);
    assert.equal(problems[100]?.message, 'and 99900 more problems from here on');
  });

  test('depth that is allowed is read', () => {
    const { problems } = parseManifest(router(`receivers: ${'['.repeat(30)}x${']'.repeat(30)}`), '');
    assert.deepStrictEqual(
      problems.map(({ message }) => message),
      ['must be text, but is a list'],
    );
  });
});

describe('where findings are', () => {
  const text = `${router('addresses: [192.0.2.1]', 'members:', '  - {node: a, interface: em1}')}\n`;
  const { locate } = parseManifest(text, 'a.yaml');
  const at = (path: string, name = 'pg'): string => {
    const problem = locate({ resource: { kind: 'VirtualRouter', name }, path, message: 'm' });
    return `${problem.file}:${problem.line}:${problem.column}`;
  };
  test('a field, the nearest part that is there, or the resource', () => {
    assert.equal(at('spec.members[0].interface'), 'a.yaml:7:28');
    assert.equal(at('spec.members[0].priority'), 'a.yaml:7:7');
    assert.equal(at('spec.addresses[0].address'), 'a.yaml:5:15');
    assert.equal(at('spec.vrid'), 'a.yaml:5:3');
    assert.equal(at(''), 'a.yaml:1:1');
    assert.equal(at('spec.vrid', 'other'), 'a.yaml:1:1');
  });
});

describe('the excerpt', () => {
  const problem = (text: string) => {
    const [first] = parseManifest(text, 'a.yaml').problems;
    assert.ok(first !== undefined);
    return formatSourceProblem(first, text);
  };
  test('is not shown of a Secret, whatever the slip of the pen', () => {
    const secret = 'apiVersion: baton/v1\nkind: Secret\nmetadata: {name: a}\nspec:\n  valeu: hunter2\n';
    const check = 'apiVersion: baton/v1\nkind: Check\nmetadata: {name: b}\nspec: {intervall: 1s}\n';
    const text = `${check}---\n${secret}---\n${check.replace('b}', 'c}')}`;
    const shown = parseManifest(text, 'f').problems.map((problem) => formatSourceProblem(problem, text).split('\n')[1]);
    assert.deepEqual(shown, ['    spec: {intervall: 1s}', undefined, '    spec: {intervall: 1s}']);
  });

  test('shows the line and the place', () => {
    assert.equal(
      problem(router('vrid: x')),
      'a.yaml:5:9: spec.vrid: "x" is not a whole number; write it in plain decimal digits\n      vrid: x\n            ^',
    );
  });
  test('never shows a secret', () => {
    const text = 'apiVersion: baton/v1\nkind: Secret\nmetadata: {name: s}\nspec: {value: hunter2, x: 1}';
    assert.equal(problem(text), 'a.yaml:4:24: spec.x: unknown field "x"; known here: value');
    assert.ok(!problem(text.replace('hunter2', '[hunter2]')).includes('hunter2'));
  });

  test('repeats no value that should have been quoted: it may be a password', () => {
    const name = 'hunter2';
    for (const value of [`*${name}`, `&${name}`, `&${name} x`, `!${name}`, `!!${name} x`, `|${name}`, `>2${name}`]) {
      const told = problem(`apiVersion: baton/v1\nkind: Secret\nmetadata: {name: s}\nspec:\n  value: ${value}\n`);
      assert.ok(!told.includes(name), told);
      if (/^[*&|>]/.test(value)) assert.match(told, /quote a text that begins with/);
    }
  });
});
