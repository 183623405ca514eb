/** Conditional lines, definitions, templates, repetitions and includes: as keepalived 2.4 expands them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type HostEdges, type HostIdentity, readKeepalived, type SourceEdges } from '../../proto/keepalived/index.js';
import { CONF, instanceText, memoryFiles, shown } from './memory-files.js';

const HERE: HostIdentity = { configId: 'high' };

function read(
  text: string,
  identity: HostIdentity = HERE,
  host?: HostEdges,
): { readonly lines: readonly string[]; readonly remarks: readonly string[] } {
  const files = memoryFiles({ [CONF]: text });
  const edges: SourceEdges = host === undefined ? files : { ...files, host };
  const remarks = shown(readKeepalived(CONF, edges, identity).remarks);
  const unknown = /^(?:warning|error) (\d+): unknown keyword: '([^']*)'.*?( \(a template's line, used in .*\))?$/u;
  return {
    // What is left of each line is a word that nobody knows, and is told with its place.
    lines: remarks.flatMap((remark) => {
      const [, line, word, used = ''] = unknown.exec(remark) ?? [];
      return word === undefined ? [] : [`${line} ${word}${used.replace(/^.*:(\d+)\)$/u, '<$1')}`];
    }),
    remarks: remarks.filter((remark) => !unknown.test(remark) && !remark.includes('has no vrrp_instance')),
  };
}

/** A "$" and what stands after it in braces, which is no place holder of this language. */
const use = (name: string): string => ['$', `{${name}}`].join('');

test('conditional lines: the word is compared as a whole, ^ turns it round, a bare word is dropped', () => {
  const { lines, remarks } = read('@high one\n@high\n@low two\n@^low three\n@^high four\n@hig five\n  @high   six # c');
  assert.deepEqual(lines, ['1 one', '4 three', '7 six']);
  assert.deepEqual(remarks, []);
});

test('the config id is given, or the first label of the host name', () => {
  assert.deepEqual(read('@n1 a', { hostName: 'n1.example.org' }).lines, ['1 a']);
  assert.deepEqual(read('@n1 a', { configId: 'n2', hostName: 'n1.example.org' }).lines, []);
  const unknown = read('@n1 a\n@n2 b\n@^n1 c', {});
  assert.deepEqual(unknown.lines, ['3 c']);
  assert.equal(unknown.remarks.length, 1);
  assert.match(unknown.remarks[0] ?? '', /^error 1: '@n1': which lines count depends on the host/u);
  assert.deepEqual(read('@n1 a\n@n2 b', { configId: 'n3' }).remarks, [
    "warning 1: no conditional line is for 'n3', which this host is called here; the file knows 'n1', 'n2'",
  ]);
});

test('definitions: used with and without braces, expanded where they are used, undefined names stay', () => {
  const { lines, remarks } = read(
    `$A=x\n$B=${use('A')}y\n$A=z\n$B\n${use('B')}.w\n$A,$A)$A.\n$UNDEFINED\n$EMPTY=\np${use('EMPTY')}q\n@high $C=c\n@low $C=d\n$C`,
  );
  assert.deepEqual(lines, ['4 zy', '5 zy.w', '6 z,z)$A.', '7 $UNDEFINED', '9 pq', '12 c']);
  assert.deepEqual(remarks, []);
  assert.deepEqual(read('$IF=@high\n$IF yes\n$NOT=@low\n$NOT no').lines, ['2 yes']);
  assert.deepEqual(read('$A =x').lines, ['1 $A']);
});

test('definitions that use themselves end', () => {
  assert.match(
    read('$A=$A\n$A').remarks[0] ?? '',
    /^error 2: \$A stands for more than a line can hold; does it use itself/u,
  );
  assert.match(
    read(`$A=${use('B')}${use('B')}\n$B=${use('A')}\n$A`).remarks[0] ?? '',
    /^error 3: \$[AB] stands for more/u,
  );
  const doubling = Array.from({ length: 40 }, (_, i) => `$D${i + 1}=${use(`D${i}`)}${use(`D${i}`)}`).join('\n');
  assert.match(read(`$D0=x\n${doubling}\n$D40`).remarks[0] ?? '', /^error 42: /u);
});

test('templates: each line is told where it is written and where it is used', () => {
  const text = `$T= \\
  one $N \\
  # comment \\
  two${use('N')} \\
  @low no \\
  @high yes \\
  $N=3 \\
  three$N
$N=1
$T
pre $T
${use('T')}x
$N=2
$T`;
  assert.deepEqual(read(text).lines, [
    '2 one<10',
    '4 two1<10',
    '6 yes<10',
    '8 three3<10',
    '11 pre',
    '4 two3<11',
    '6 yes<11',
    '8 three3<11',
    '12 $',
    '12 x',
    '2 one<14',
    '4 two2<14',
    '6 yes<14',
    '8 three3<14',
  ]);
});

test('templates in templates, and an empty line that ends one', () => {
  assert.deepEqual(read('$I=\\\n a \\\n b\n$O=\\\n $I \\\n c \\\n $I\n$O').lines, [
    '2 a<8',
    '3 b<8',
    '6 c<8',
    // The same remark is made once.
  ]);
  const ended = read('$T=\\\n a \\\n\nb\n$T');
  assert.deepEqual(ended.lines, ['4 b', '2 a<5']);
  assert.match(ended.remarks[0] ?? '', /^warning 3: this empty line ends template \$T/u);
  const cyclic = read('$A=\\\n x \\\n $B\n$B=\\\n y \\\n $A\n$A');
  assert.match(cyclic.remarks[0] ?? '', /^error \d: more than 64 templates or repetitions inside each other/u);
});

test('what keepalived defines', () => {
  const { lines, remarks } = read(
    `${use('_INSTANCE')}\n$_PWD\n"a${use('_HASH')}b${use('_BANG')}"\nc${use('_HASH')}d\n${use('_RANDOM 7 7')}`,
  );
  assert.deepEqual(lines, ['1 high', '2 /etc/keepalived', '3 a#b!', '4 c', '5 7']);
  assert.deepEqual(
    remarks.map((remark) => remark.slice(0, 50)),
    [
      `warning 2: ${use('_PWD')} is /etc/keepalived here; on the`,
      'warning 4: after expansion a "#" or "!" outside do',
      `warning 5: ${use('_RANDOM')} is 7 here; keepalived takes `,
    ].map((remark) => remark.slice(0, 50)),
  );
  assert.match(read(use('_INSTANCE'), {}).remarks[0] ?? '', /^error 1: \$\{_INSTANCE\} is not known/u);
  for (const [name, reason] of [
    ['_ENV', /^error 1: \$\{_ENV\} takes 1 words/u],
    ['_RANDOM a', /^error 1: \$\{_RANDOM\} takes whole numbers/u],
    ['_RANDOM 1 2 3', /^error 1: \$\{_RANDOM\} takes 0 to 2 words/u],
  ] as const) {
    assert.match(read(use(name)).remarks[0] ?? '', reason);
  }
});

test('random numbers are within their bounds, the same for the same file, and follow the seed', () => {
  const numbers = (seed: string): readonly string[] =>
    read(`global_defs {\n${seed}\n}\n${Array.from({ length: 20 }, () => use('_RANDOM 10 30')).join('\n')}`).lines;
  assert.deepEqual(numbers('random_seed 7'), numbers('random_seed 7'));
  assert.notDeepEqual(numbers('random_seed 7'), numbers('random_seed 8'));
  for (const line of numbers('')) assert.ok(Number(line.split(' ')[1]) >= 10 && Number(line.split(' ')[1]) <= 30, line);
});

test('the environment is read on the own host only, and key files as well', () => {
  const asked: string[] = [];
  const host: HostEdges = {
    environment: (name) => {
      asked.push(name);
      return name === 'HOME' ? '/root' : undefined;
    },
    readFile: () => ({ ok: false, reason: 'missing', detail: 'no such file' }),
  };
  const away = read(`a${use('_ENV HOME')}`);
  assert.deepEqual(away.lines, []);
  assert.match(away.remarks[0] ?? '', /^error 1: \$\{_ENV HOME\} is of the environment of keepalived on its host/u);
  assert.deepEqual(asked, []);
  const own = read(`a${use('_ENV HOME')}\nb${use('_ENV NONE')}`, HERE, host);
  assert.deepEqual(own.lines, ['1 a/root', '2 b']);
  assert.deepEqual(asked, ['HOME', 'NONE']);
  assert.match(own.remarks[1] ?? '', /^warning 2: .*where it is not set: nothing stands for it/u);
});

test('~SEQ: one, two and three numbers, in either direction, decimal, octal and hexadecimal', () => {
  for (const [line, expected] of [
    ['~SEQ(I, 3) a$I', 'a1 a2 a3'],
    ['~SEQ(I, -2) a$I', 'a-1 a-2'],
    ['~SEQ(I, 0) a$I', 'a1 a0'],
    ['~SEQ(I, 3, 1) a$I', 'a3 a2 a1'],
    ['~SEQ(I, 2, 2) a$I', 'a2'],
    ['~SEQ(I, 1, 2, 6) a$I', 'a1 a3 a5'],
    ['~SEQ(I, 6, -3, 0) a$I', 'a6 a3 a0'],
    ['~SEQ(I, 0x10, 021) a$I', 'a16 a17'],
    ['~SEQx(I, 9, 11) a$I', 'a9 aa ab'],
    ['~SEQx(I, 0x90, 0x10, 0xb0) a$I', 'a90 aa0 ab0'],
    ['~SEQ (I,2)a$I', 'a1 a2'],
    ['~SEQ(I,2) ~SEQ(J,2) a$I.', 'a$I.'],
    [`~SEQ(I,2) ~SEQ(J,2) a${use('I')}${use('J')}`, 'a11 a12 a21 a22'],
    [`~LST(I,p,q) ~SEQ(J,2) ${use('I')}${use('J')}`, 'p1 p2 q1 q2'],
    ['@high ~SEQ(I,2) a$I', 'a1 a2'],
    ['~SEQ(I,2) @high a$I', 'a1 a2'],
    ['~SEQ(I,2) @^high a$I', ''],
    ['~LST(I, a, b ,c) $I', 'a b c'],
    [`~LST({I, J}, {a,1}, {b}, {c,3}) ${use('I')}${use('J')}`, 'a1 b c3'],
    ['~OTHER(I,2) a', '~OTHER(I,2)'],
  ] as const) {
    const { lines, remarks } = read(line);
    assert.deepEqual(lines.map((told) => told.slice(2)).join(' '), expected, line);
    assert.deepEqual(remarks, [], line);
  }
  assert.deepEqual(read('$N=2\n~SEQ(I,$N) a$I').lines, ['2 a1', '2 a2']);
  assert.deepEqual(read(`$T=\\\n a$I \\\n b$I\n~SEQ(I,2) $T`).lines, ['2 a1<4', '3 b1<4', '2 a2<4', '3 b2<4']);
  assert.deepEqual(read('$S=~SEQ(I,2) a$I\n$S').lines, ['2 a1', '2 a2']);
});

test('repetitions that cannot be: an error at their line, and the rest is read', () => {
  for (const [line, reason] of [
    ['~SEQ(I, 1, 0, 3) a', /with step 0 it never gets from 1 to 3/u],
    ['~SEQ(I, 1, -1, 3) a', /with step -1 it never gets from 1 to 3/u],
    ['~SEQ(I, a) a', /it takes one to three whole numbers/u],
    ['~SEQ(I, 1, 2, 3, 4) a', /it takes one to three whole numbers/u],
    ['~SEQ(I) a', /it must be written ~SEQ/u],
    ['~SEQ(I, 1 a', /it must be written ~SEQ/u],
    ['~SEQ(1I, 2) a', /a variable has letters/u],
    ['~SEQx(I, -1) a', /~SEQx counts no negative numbers/u],
    ['~SEQ(I, 1, 1000000) a$I', /it stands for 1000000 lines; the limit is 65536/u],
    ['~LST(I) a', /it must be written ~LST/u],
    ['~LST(I, {a,b}) a', /it has 2 values for 1 variables/u],
    ['~LST({I,J}, {a,{b}) a', /its values cannot be read/u],
    ['~LST(I, a b) a', /a value has white space in it/u],
  ] as const) {
    const { lines, remarks } = read(`${line}\nafter`);
    assert.deepEqual(lines, ['2 after'], line);
    assert.equal(remarks.length, 1, line);
    assert.match(remarks[0] ?? '', reason, line);
    assert.match(remarks[0] ?? '', /^error 1: ~(?:SEQ|LST) is not understood/u);
  }
});

test('a million lines by nesting are an error soon, not a hang', () => {
  const started = process.hrtime.bigint();
  const { remarks } = read('~SEQ(A,1,1000) ~SEQ(B,1,1000) ~SEQ(C,1,1000) vrrp_script s$A$B$C');
  assert.ok(process.hrtime.bigint() - started < 10_000_000_000n);
  assert.ok(remarks.some((remark) => remark.includes('stand for more than 200000 lines; nothing is read beyond here')));
});

test('a file of the manual: one text for two hosts', () => {
  const text = `global_defs {
  @main router_id main_router
  @backup router_id backup_router
}
@main $PRIORITY=240
@backup $PRIORITY=200
$VRRP= \\
vrrp_instance VI_${use('NUM')} { \\
  interface eth0.${use('NUM')} \\
  virtual_router_id ${use('NUM')} \\
  priority $PRIORITY \\
  virtual_ipaddress { \\
    10.0.${use('NUM')}.254/24 \\
    ~SEQ(A, 1, 3) 10.1.${use('NUM')}.$A \\
  } \\
}
~SEQ(NUM, 7, 8) $VRRP`;
  for (const [configId, priority] of [
    ['main', 240],
    ['backup', 200],
  ] as const) {
    const { config, remarks } = readKeepalived(CONF, memoryFiles({ [CONF]: text }), { configId });
    assert.deepEqual(shown(remarks), []);
    assert.equal(config.global.routerId?.value, `${configId}_router`);
    assert.deepEqual(
      config.instances.map(({ name, vrid, interface: device, addresses, ...rest }) =>
        [name, vrid, device, rest.priority, ...addresses.map(({ address }) => address)].join(' '),
      ),
      [
        `VI_7 7 eth0.7 ${priority} 10.0.7.254 10.1.7.1 10.1.7.2 10.1.7.3`,
        `VI_8 8 eth0.8 ${priority} 10.0.8.254 10.1.8.1 10.1.8.2 10.1.8.3`,
      ],
    );
    assert.deepEqual(config.instances[0]?.origins.get('priority'), {
      file: CONF,
      line: 11,
      usedAt: { file: CONF, line: 17 },
    });
  }
});

test('include is looked for before anything is expanded, as in keepalived', () => {
  const files = { [CONF]: '@high include a\n$T=\\\n include a\n$T\n$F=a\ninclude $F', '/etc/keepalived/a': 'x' };
  const remarks = shown(readKeepalived(CONF, memoryFiles(files), HERE).remarks);
  assert.deepEqual(
    remarks.slice(0, 3).map((remark) => remark.slice(0, 22)),
    ["error 1: include 'a': k", "error 3: include 'a': k", "error 6: include '$F': k"].map((text_) =>
      text_.slice(0, 22),
    ),
  );
});

test('include variants and include_check: when nothing found is an error', () => {
  const severity = (text: string): string => {
    const files = { [CONF]: text, '/etc/keepalived/d/a.conf': '', '/etc/keepalived/d/b.conf': '' };
    const { remarks } = readKeepalived(CONF, memoryFiles(files));
    return remarks.find(({ message }) => message.includes('no file matches'))?.severity ?? 'none';
  };
  for (const [line, expected] of [
    ['include none', 'warning'],
    ['include none*', 'warning'],
    ['includer none', 'error'],
    ['includem none', 'error'],
    ['includer none*', 'warning'],
    ['includem none*', 'warning'],
    ['includew none*', 'error'],
    ['includea none*', 'error'],
    ['includeb none', 'error'],
    ['include d/*', 'none'],
    ['global_defs {\ninclude_check\n}\ninclude none*', 'error'],
    ['global_defs {\ninclude_check match\n}\ninclude none*', 'warning'],
    ['global_defs {\ninclude_check match\n}\ninclude none', 'error'],
    ['global_defs {\ninclude_check\ninclude_check -wildcard_match\n}\ninclude none*', 'warning'],
    ['global_defs {\ninclude_check +wildcard_match\n}\ninclude none*', 'error'],
  ] as const) {
    assert.equal(severity(line), expected, line);
  }
  const { remarks } = readKeepalived(CONF, memoryFiles({ [CONF]: 'include_check nonsense' }));
  assert.match(shown(remarks)[0] ?? '', /^error 1: include_check: 'nonsense' is none of readable, match/u);
});

test('include_check holds to the end of its file', () => {
  const files = {
    [CONF]: 'include a\ninclude none',
    '/etc/keepalived/a': 'global_defs {\ninclude_check\n}\ninclude none',
  };
  const { remarks } = readKeepalived(CONF, memoryFiles(files));
  assert.deepEqual(
    remarks.filter(({ message }) => message.includes('no file')).map(({ severity, file }) => `${severity} ${file}`),
    ['error /etc/keepalived/a', `warning ${CONF}`],
  );
});

test('an instance in a template keeps its lines for later remarks', () => {
  const text = `$T=\\\n${instanceText('priority 300').trim().split('\n').join(' \\\n')}\n$T\n`;
  assert.match(
    read(text).remarks[0] ?? '',
    /^error 6: priority '300' is not a whole number.*\(a template's line, used in .*:8\)$/u,
  );
});
