import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readKeepalived } from '../../proto/keepalived/index.js';
import { CONF, instanceText, memoryFiles, readText, shown } from './memory-files.js';

const clean = (text: string | Uint8Array): ReturnType<typeof readText>['config'] => {
  const { config, remarks } = readText(text);
  assert.deepEqual(shown(remarks), []);
  return config;
};

test('comments: # and ! to the end of the line, not inside double quotes, not when escaped', () => {
  const config = clean(`! whole line
# whole line
global_defs { # after a brace
  router_id "a#b!c" ! after a value
} ! after the end
${instanceText('priority 150# no blank before\n  notify "/bin/x # ! y" # z " unbalanced quote in a comment\n  # priority 3')}`);
  assert.equal(config.global.routerId?.value, 'a#b!c');
  assert.equal(config.instances[0]?.priority, 150);
  assert.deepEqual(config.instances[0]?.hooks.any?.words, ['/bin/x', '#', '!', 'y']);
  assert.equal(clean(`global_defs {\n router_id a\\#b\\!c\n}\n${instanceText()}`).global.routerId?.value, 'a#b!c');
});

test('braces: on the next line, without blanks, several on a line', () => {
  for (const text of [
    'vrrp_instance A\n{\ninterface em1\nvirtual_router_id 1\npriority 7\nvirtual_ipaddress\n\n# c\n{\n192.0.2.1\n}\n}\n',
    'global_defs{}vrrp_instance A{\ninterface em1}',
  ]) {
    const { config } = readText(text);
    assert.equal(config.instances.length, text.includes('192') ? 1 : 0, text);
  }
  const config = clean(
    'global_defs { router_id r } vrrp_instance A { interface em1\nvirtual_router_id 1\nvirtual_ipaddress { 192.0.2.1 } priority 7 }',
  );
  assert.equal(config.instances[0]?.priority, 7);
  assert.deepEqual(
    config.instances[0]?.addresses.map((entry) => entry.address),
    ['192.0.2.1'],
  );
});

test('braces inside double quotes are text', () => {
  assert.deepEqual(clean(instanceText('notify "/bin/x { } y"')).instances[0]?.hooks.any?.words, [
    '/bin/x',
    '{',
    '}',
    'y',
  ]);
});

test('a keyword must begin its line: further words are reported, not read', () => {
  const { config, remarks } = readText(instanceText('priority 150 advert_int 3'));
  assert.equal(config.instances[0]?.advertisementInterval, 1_000_000);
  assert.match(shown(remarks).join('\n'), /^warning 5: priority: 'advert_int 3' after the value is ignored/u);
});

test('line ends, byte order mark, no final newline, Latin-1', () => {
  const crlf = readText(instanceText('priority 150').replaceAll('\n', '\r\n'));
  assert.deepEqual(shown(crlf.remarks), []);
  assert.equal(crlf.config.instances[0]?.priority, 150);
  assert.equal(clean(instanceText('priority 150').trimEnd()).instances[0]?.priority, 150);
  const marked = readText(`\u{feff}${instanceText()}`);
  assert.equal(marked.config.instances.length, 1);
  assert.deepEqual(shown(marked.remarks), [
    'warning 1: the file begins with a byte order mark; keepalived takes it as part of the first word',
  ]);
  const latin = readText(Buffer.from(`global_defs {\n router_id caf\u{e9}\n}\n${instanceText()}`, 'latin1'));
  assert.equal(latin.config.global.routerId?.value, 'caf\u{e9}');
  assert.deepEqual(shown(latin.remarks), ['note 1: the file is not UTF-8; it is read as Latin-1']);
});

test('what does not fit the grammar is reported with its line, the rest is read', () => {
  for (const [text, expected] of [
    [`${instanceText()}}\n`, /^error 7: '\}' closes nothing/u],
    [instanceText().trimEnd().slice(0, -1), /^error 1: the block of 'vrrp_instance' is never closed/u],
    [`{\n priority 3\n}\n${instanceText()}`, /^error 1: '\{' follows no keyword/u],
    [instanceText('priority 100 {\n}'), /^error 5: priority takes no block/u],
    [instanceText('authentication'), /^error 5: authentication needs a block/u],
    [instanceText('priority "150'), /^error 5: priority: a double quote is not closed/u],
    [instanceText('notify "/bin/x'), /^error 5: notify: a quote is not closed/u],
    [instanceText('notify "/bin/x \'a"'), /^error 5: notify: a quote inside the command is not closed/u],
    [instanceText('advert_int 1\0'), /^error 5: line contains a NUL byte/u],
    [instanceText(`notify "/bin/x ${'a'.repeat(1_100)}"`), /^warning 5: line is longer than 1023 bytes/u],
    [instanceText(`notify "/bin/x ${'a'.repeat(70_000)}"`), /^error 5: line of 700\d\d characters is left out/u],
    [instanceText('unknown_word 3'), /^warning 5: unknown keyword: 'unknown_word' is ignored/u],
    [instanceText('prioritty 3'), /did you mean 'priority'\?$/u],
    [instanceText('router_id x'), /it belongs into global_defs$/u],
    [
      instanceText('unknown_block {\n priority 3\n}'),
      /^error 5: unknown keyword: 'unknown_block', left out with its block/u,
    ],
    [instanceText('priority'), /^error 5: priority needs a value/u],
  ] as const) {
    const { config, remarks } = readText(text);
    assert.equal(remarks.length, 1, shown(remarks).join('\n'));
    assert.match(shown(remarks)[0] ?? '', expected);
    assert.equal(config.instances.length, 1, text.slice(0, 200));
    assert.equal(config.instances[0]?.priority, 100);
  }
});

test('depth, size and number of remarks are bounded', () => {
  const deep = readText('a {\n'.repeat(10_000));
  assert.match(shown(deep.remarks)[0] ?? '', /^error 33: more than 32 blocks inside each other/u);
  const wide = readText('nonsense\n'.repeat(50_000));
  assert.equal(wide.remarks.length, 2_001);
  assert.match(wide.remarks.at(-1)?.message ?? '', /^48001 more remarks left out$/u);
  const long = readText('x\n'.repeat(250_000));
  assert.match(shown(long.remarks)[0] ?? '', /^error 200001: more than 200000 lines in all/u);
  assert.match(shown(readText('a'.repeat(10_000_000)).remarks)[0] ?? '', /^error 1: line of 10000000 characters/u);
});

test('include: relative to the including file, sorted, anywhere, also in the middle of a line', () => {
  const files = {
    '/etc/k.conf':
      'include conf.d/*.conf\nvrrp_instance A { include parts/a.inc\n nopreempt } include conf.d/nested/n.conf',
    '/etc/conf.d/2.conf': 'global_defs {\n router_id two\n}\n',
    '/etc/conf.d/1.conf': 'global_defs {\n router_id one\n}\n',
    '/etc/parts/a.inc': 'interface em1\nvirtual_router_id 9\nvirtual_ipaddress {\ninclude vips.inc\n}\n',
    '/etc/parts/vips.inc': '192.0.2.1\n192.0.2.2\n',
    '/etc/conf.d/nested/n.conf': 'include ../../parts/script.inc\n',
    '/etc/parts/script.inc': 'vrrp_script s {\n script /bin/true\n bogus 3\n}\n',
  };
  const { config, remarks } = readKeepalived('/etc/k.conf', memoryFiles(files));
  assert.equal(config.global.routerId?.value, 'two');
  assert.equal(config.instances[0]?.preempt, false);
  assert.deepEqual(
    config.instances[0]?.addresses.map((entry) => `${entry.address} ${entry.origin.file}:${entry.origin.line}`),
    ['192.0.2.1 /etc/parts/vips.inc:1', '192.0.2.2 /etc/parts/vips.inc:2'],
  );
  assert.deepEqual(
    remarks.map((remark) => `${remark.file}:${remark.line}`),
    ['/etc/parts/script.inc:3', '/etc/parts/script.inc:1'],
  );
});

test('include: missing files, loops and depth', () => {
  const at = (text: string, more: Record<string, string> = {}): string[] =>
    shown(readKeepalived(CONF, memoryFiles({ [CONF]: text, ...more })).remarks);
  assert.match(
    at('include none.conf')[0] ?? '',
    /^warning 1: include: no file matches '\/etc\/keepalived\/none.conf'/u,
  );
  assert.match(at('includer none.conf')[0] ?? '', /^error 1: includer: no file matches/u);
  assert.match(at(`include ${CONF}`)[0] ?? '', /^error 1: '\/etc\/keepalived\/keepalived.conf' includes itself/u);
  assert.match(
    at('include b', { '/etc/keepalived/b': 'include c', '/etc/keepalived/c': 'x\ninclude b' })[0] ?? '',
    /^error 2: .*\/b' includes itself/u,
  );
  const chain = Object.fromEntries(
    Array.from({ length: 40 }, (_, i) => [`/etc/keepalived/f${i}`, `include f${i + 1}`]),
  );
  assert.match(at('include f0', chain)[0] ?? '', /more than 20 levels of include/u);
  // Every file includes all of them: without a bound on the number of files this would not end.
  const mesh = Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`/etc/keepalived/m${i}`, 'include m*\n']));
  const reads: string[] = [];
  readKeepalived(CONF, memoryFiles({ [CONF]: 'include m*', ...mesh }, reads));
  assert.equal(reads.length, 1_000);
});

test('messages hold no control characters, whatever a word holds', () => {
  for (const { message } of readText('\x1b[31mred\u{202e} 1\nvrrp_instance A\x07 {\n\x1b]0;x {\n}\n}').remarks) {
    assert.doesNotMatch(message, /[\p{Cc}\p{Cf}]/u);
  }
});
