import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  findKind,
  isAddressLabel,
  isInterfaceName,
  isPlainLine,
  isResourceName,
  isUserName,
} from '../../proto/rules/names.js';
import { nearestName } from '../../proto/rules/nearest-name.js';

interface Row {
  readonly what: string;
  readonly judge: (text: string) => boolean;
  readonly good: readonly string[];
  readonly bad: readonly string[];
}

const rows: readonly Row[] = [
  {
    what: 'names of resources',
    judge: isResourceName,
    good: ['a', '0', 'pg-alive', 'vi_1', 'node1.example.org', 'a'.repeat(63)],
    bad: [
      ...['', 'A', '-a', 'a-', '.a', 'a.', 'a b', 'a\n', '\na', 'a/b', '../a', 'a'.repeat(64), 'a'.repeat(10_000)],
      ...['аdmin', 'cafe\u0301', 'café', 'a\u202eb', '👍', 'a\u0000', 'a%b', '__proto__'],
    ],
  },
  {
    what: 'names of interfaces',
    judge: isInterfaceName,
    good: ['em1', 'eth0.100', 'br-lan', 'veth@x', 'a'.repeat(15)],
    bad: ['', '.', '..', 'a'.repeat(16), 'eth0/1', 'eth 0', 'eth0\n', 'eth0:1', 'éth', 'eth\u0000'],
  },
  {
    what: 'labels of addresses',
    judge: isAddressLabel,
    good: ['eth0:vip'],
    bad: ['', 'a'.repeat(16), 'a b', 'a/b', 'é'],
  },
  {
    what: 'users',
    judge: isUserName,
    good: ['root', '_apt', 'a.b-c', 'host$'],
    bad: ['', '0a', '-a', 'a b', 'a\n', 'a:b', 'a'.repeat(33)],
  },
  {
    what: 'plain lines',
    judge: isPlainLine,
    good: ['', 'VI_1', '全局定义', "it's 100 %"],
    bad: ['a\nb', 'a\rb', 'a\u0000', 'a\u001b[2J', 'a\u2028b', 'a\u202eb', 'a\u200bb', '\ud800', 'a\u0085b'],
  },
];

for (const { what, judge, good, bad } of rows) {
  describe(what, () => {
    for (const text of good) {
      test(`good: ${JSON.stringify(text)}`, () => assert.ok(judge(text)));
    }
    for (const text of bad) {
      test(`bad: ${JSON.stringify(text.slice(0, 70))}`, () => assert.ok(!judge(text)));
    }
  });
}

describe('the nearest name', () => {
  const fields = ['vrid', 'version', 'advertisementInterval', 'preempt', 'preemptDelay', 'addresses'];
  for (const [word, nearest] of [
    ['vird', 'vrid'],
    ['adresses', 'addresses'],
    ['advertisement_interval', 'advertisementInterval'],
    ['PREEMPT', 'preempt'],
    ['preempt_dealy', 'preemptDelay'],
    ['members', undefined],
    ['', undefined],
    ['x'.repeat(100_000), undefined],
  ] as const) {
    test(word.slice(0, 30), () => assert.equal(nearestName(word, fields), nearest));
  }
  test('the first of equals', () => assert.equal(nearestName('base3', ['base1', 'base2']), 'base1'));
});

test('kinds as people type them', () => {
  assert.equal(findKind('virtualrouters'), 'VirtualRouter');
  assert.equal(findKind('Node'), 'Node');
  assert.equal(findKind('pods'), undefined);
});
