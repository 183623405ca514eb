import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compilePattern, type Pattern } from '../../proto/rules/pattern.js';

function compiled(source: string): Pattern {
  const result = compilePattern(source);
  assert.ok(result.ok, result.ok ? '' : `${source} ${result.reason}`);
  return result.pattern;
}

function reasonOf(source: string): string {
  const result = compilePattern(source);
  assert.ok(!result.ok, source);
  return result.reason;
}

test('matches what the language says, wherever it stands in the text', () => {
  for (const [source, matching, others] of [
    ['abc', ['abc', 'xxabcxx'], ['ab', 'acb', '']],
    ['', ['', 'x'], []],
    ['a|bc|', ['', 'a'], []],
    ['^(a|bc)$', ['a', 'bc'], ['abc', '', 'xa']],
    ['^a.c$', ['abc', 'a\u{1f600}c'], ['a\nc', 'ac']],
    ['(?s)^a.c$', ['a\nc'], []],
    ['^ab*c+d?$', ['ac', 'abbbccd'], ['ab', 'abd']],
    ['^a{2,3}$', ['aa', 'aaa'], ['a', 'aaaa']],
    ['^a{2}$', ['aa'], ['a', 'aaa']],
    ['^a{2,}$', ['aa', 'aaaaaaa'], ['a']],
    ['^(ab){2}?$', ['abab'], ['ab']],
    ['a{,2}', ['a{,2}'], ['aa']],
    ['^[a-c-]+$', ['a-c'], ['d']],
    ['^[^a-c]$', ['d', '\n'], ['a']],
    ['^[]x]$', [']', 'x'], ['a']],
    ['^[\\d_\\]]+$', ['1_]'], ['a']],
    ['^[\\W]$', [' '], ['a']],
    ['^[[:alpha:][:^digit:]]$', ['a', ' '], ['1']],
    ['^\\d\\D\\w\\W\\s\\S$', ['1aa. x'], ['aaa. x']],
    ['\\bok\\b', ['ok', 'is ok.', '(ok)'], ['token', 'okay']],
    ['\\Book', ['book'], ['ook']],
    ['\\Aa\\z', ['a'], ['ba', 'a\n']],
    ['a$', ['ba'], ['ab', 'a\n']],
    ['(?m)^b$', ['a\nb\nc'], ['ab']],
    ['(?i)StAtUs: [o]K', ['status: ok', 'STATUS: OK'], ['status ok']],
    ['^(?i:a)b$', ['Ab', 'ab'], ['AB']],
    ['^(?:x(?i)y)z$', ['xYz'], ['xYZ']],
    ['(?P<name>a)(?<other>b)', ['ab'], ['a']],
    ['^\\x41\\x{1F600}\\t\\.\\\\$', ['A\u{1f600}\t.\\'], ['A']],
    ['^(a*)*$', ['', 'aaa'], ['b']],
    ['^(a|b*){3}$', ['', 'abba'], ['c']],
    ['"status"\\s*:\\s*"(up|ok)"', ['{"status" : "ok"}'], ['{"status":"down"}']],
  ] as const) {
    const pattern = compiled(source);
    for (const text of matching) assert.ok(pattern.test(text), `${source} on ${JSON.stringify(text)}`);
    for (const text of others) assert.ok(!pattern.test(text), `${source} not on ${JSON.stringify(text)}`);
  }
});

test('agrees with the language of JavaScript where both mean the same', () => {
  let seed = 20_260_101;
  const random = (below: number) => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return (seed >> 8) % below;
  };
  const atoms = ['a', 'b', '.', '[ab]', '[^a]', '\\b', '^', '$', '(a|b)', '(?:ab)', '(?:|b)'];
  const repeats = ['', '', '', '*', '+', '?', '{2}', '{0,2}', '{1,}'];
  for (let round = 0; round < 1_500; round += 1) {
    const parts = Array.from({ length: 1 + random(4) }, () => {
      const atom = atoms[random(atoms.length)] ?? '';
      return /^(\\b|\^|\$)$/.test(atom) ? atom : atom + (repeats[random(repeats.length)] ?? '');
    });
    const source = random(4) === 0 ? `${parts.join('')}|ab` : parts.join('');
    const text = Array.from({ length: random(6) }, () => 'ab '[random(3)]).join('');
    const expected = new RegExp(source, 'u').test(text);
    assert.equal(compiled(source).test(text), expected, `${source} on ${JSON.stringify(text)}`);
  }
});

test('a text in pieces is one text', () => {
  const search = compiled('ab\\b.cd$').search();
  assert.equal(search.feed('xxa'), false);
  assert.equal(search.feed('b cd'), false);
  assert.equal(search.end(), true);
  assert.equal(search.end('no'), true);
  const early = compiled('ab').search();
  assert.equal(early.feed('a'), false);
  assert.equal(early.feed('bx'), true);
});

test('what cannot be done in bounded time, or is not the language, is refused with its reason', () => {
  for (const [source, reason] of [
    ['(a)\\1', /back reference/],
    ['(?=a)', /look-around/],
    ['(?!a)', /look-around/],
    ['(?<=a)', /look-around/],
    ['(a', /"\(" without "\)"/],
    ['a)', /"\)" without "\("/],
    ['[a', /"\[" without "\]"/],
    ['*a', /nothing before it/],
    ['a**', /repeats a repetition/],
    ['a{3,2}', /most less than the least/],
    ['[z-a]', /ends before it begins/],
    ['a\\', /ends in a/],
    ['\\q', /unknown escape/],
    ['[[:nope:]]', /unknown class/],
    ['(?x)a', /unknown group/],
    ['(a{50}){50}', /more than 500 steps/],
    ['\\x{110000}', /character number/],
    ['('.repeat(200), /more than 100 deep/],
    ['a'.repeat(1_001), /longer than 1000/],
  ] as const) {
    assert.match(reasonOf(source), reason, source);
  }
});

test('patterns that make others backtrack take time in proportion to the text', () => {
  // 2^64 ways for a backtracking engine; a failure here is a test that never ends.
  assert.equal(compiled('^(a+)+$').test(`${'a'.repeat(20_000)}!`), false);
  assert.equal(compiled('^(a|aa)+$').test(`${'a'.repeat(20_000)}!`), false);
  assert.equal(compiled('(.*a){20}').test('b'.repeat(2_000)), false);
  assert.equal(compiled('((((){500}){500}){500}){500}').test(''), true);
});
