/** Whatever a file holds: the reader and the importer end, do not throw, and point at lines that exist. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { importKeepalived, KEYWORDS, looksLikeKeepalived, readKeepalived } from '../../proto/keepalived/index.js';
import { isResourceName } from '../../proto/rules/names.js';
import { memoryFiles } from './memory-files.js';

const SEED = 20_261_122;

const keywords = [...new Set(Object.values(KEYWORDS).flatMap((table) => [...table.keys()]))];
const token = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...keywords) },
  {
    weight: 4,
    arbitrary: fc.constantFrom('{', '}', '\n', '\n', ' { ', ' }\n', '"', "'", '#', '!', '\\', '\0', '\t', ' '),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      'VI_1',
      '192.0.2.1',
      '192.0.2.1/24',
      'fe80::1',
      '10',
      '255',
      '-1',
      '0.5',
      'em1',
      'PASS',
      'MASTER',
    ),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      'include a',
      'includea *',
      'include b.conf',
      '$X=1',
      '$X',
      '$T= \\\n',
      '\\\n',
      '$T',
      '@h',
      '@^h',
      '~SEQ(a,1,9)',
      '~SEQx(X,$X)',
      '~LST({a,X},{1},{2,3})',
      '~LST(X,',
      ['$', '{_RANDOM 1 9}'].join(''),
      ['$', '{_ENV X}'].join(''),
      ['$', '{_HASH}'].join(''),
      'weight',
    ),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 8 }) },
);
const text = fc.array(fc.tuple(token, fc.constantFrom(' ', '\n', '', ' '))).map((parts) => parts.flat().join(''));

/** A frame in which most of the tokens mean something. */
const framed = fc.tuple(text, text, text, text, text).map(
  ([global, script, instance, group, network]) => `global_defs {
${global}
}
vrrp_script s {
script /bin/true
${script}
}
vrrp_instance A {
interface em1
virtual_router_id 3
virtual_ipaddress { 192.0.2.9 }
virtual_routes { ${network}
}
${instance}
}
bfd_instance b {
neighbor_ip 192.0.2.8
${script}
}
vrrp_sync_group G {
group { A }
${group}
}
static_rules {
${network}
}
static_ipaddress {
192.0.2.7 ${network}
}`,
);

test('any text', () => {
  fc.assert(
    fc.property(fc.oneof(text, framed), fc.oneof(text, framed), (first, second) => {
      const files: Record<string, string> = { '/k/a': first, '/k/b.conf': second };
      const lines: Record<string, number> = Object.fromEntries(
        Object.entries(files).map(([path, content]) => [path, content.split('\n').length]),
      );
      const a = readKeepalived('/k/a', memoryFiles(files), { configId: 'h' });
      const b = readKeepalived('/k/b.conf', memoryFiles(files));
      const imported = importKeepalived([{ config: a.config }, { config: b.config }]);
      for (const remark of [...a.remarks, ...b.remarks, ...imported.remarks]) {
        const last = lines[remark.file];
        assert.ok(last !== undefined && remark.line >= 1 && remark.line <= last, JSON.stringify(remark));
        assert.doesNotMatch(remark.message, /[\p{Cc}]/u);
      }
      for (const { metadata } of imported.resources) assert.ok(isResourceName(metadata?.name ?? ''));
      assert.equal(typeof looksLikeKeepalived(first), 'boolean');
    }),
    { seed: SEED, numRuns: 400 },
  );
});

test('any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      readKeepalived('a', memoryFiles({ a: bytes }));
    }),
    { seed: SEED, numRuns: 300 },
  );
});

test('the same text gives the same answer', () => {
  fc.assert(
    fc.property(framed, (content) => {
      const once = (): unknown => {
        const { config, remarks } = readKeepalived('a', memoryFiles({ a: content }));
        return { read: remarks, ...importKeepalived([{ config }]), originOf: undefined };
      };
      assert.deepEqual(once(), once());
    }),
    { seed: SEED, numRuns: 50 },
  );
});

test('large files end soon enough to be read at all', () => {
  const lines = Array.from({ length: 60_000 }, (_, i) => `vrrp_instance V${i % 50} {\n priority ${i}\n}`);
  const started = process.hrtime.bigint();
  readKeepalived('a', memoryFiles({ a: lines.join('\n') }));
  readKeepalived('a', memoryFiles({ a: `"${'\\"'.repeat(30_000)}` }));
  readKeepalived('a', memoryFiles({ a: `include ${'{a,'.repeat(10_000)}` }));
  assert.ok(process.hrtime.bigint() - started < 20_000_000_000n);
});

test('a keepalived.conf is told from YAML and JSON', () => {
  for (const [content, expected] of [
    ['! comment\n# comment\nglobal_defs {\n}', true],
    ['vrrp_instance VI_1 {', true],
    ['vrrp_instance VI_1\n{\n', true],
    ['\u{feff}\nglobal_defs{', true],
    ['include /etc/keepalived/conf.d/*.conf', true],
    ['@high net_namespace high', true],
    ['$VIP=192.0.2.1\n', true],
    ['nonsense\nvrrp_instance A {', true],
    ['some_block {\n', true],
    ['# comment\napiVersion: baton/v1\nkind: Check', false],
    ['---\napiVersion: baton/v1', false],
    ['- apiVersion: baton/v1', false],
    ['{"apiVersion": "baton/v1"}', false],
    ['"apiVersion": baton/v1', false],
    ['%YAML 1.2\n---', false],
    ['', false],
    ['# only a comment', false],
    ['plain words', false],
  ] as const) {
    assert.equal(looksLikeKeepalived(content), expected, content);
  }
});
