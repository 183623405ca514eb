/** docs/keepalived.md is complete: whatever the reader reports as having no meaning is named there. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { KEYWORDS } from '../../proto/keepalived/index.js';

/** Where the documentation is: above these files, wherever they were built to, else where the tests were started. */
const root = [...foldersAbove(import.meta.dirname), process.cwd()].find((folder) =>
  existsSync(join(folder, 'docs', 'keepalived.md')),
);
const skip = root === undefined ? 'docs/keepalived.md is not beside these files' : false;

test('every keyword without a meaning in Baton is named, and none that has one', { skip }, () => {
  const text = readFileSync(join(root ?? '', 'docs', 'keepalived.md'), 'utf8');
  const named = new Set([...text.matchAll(/`([^`\n]+)`/gu)].map((match) => match[1] ?? ''));
  const unsupported = text.slice(text.indexOf('## Not supported'));
  const claimed = new Set(
    [...unsupported.matchAll(/^\| (.*?) \|/gmu)].flatMap(([, cell = '']) =>
      [...cell.matchAll(/`([^`\n]+)`/gu)].map((match) => match[1] ?? ''),
    ),
  );
  const reported = new Set<string>();
  for (const [context, table] of Object.entries(KEYWORDS)) {
    for (const [word, support] of table) {
      if (support.support !== 'reported') continue;
      reported.add(word);
      assert.ok(named.has(word), `${context}: ${word} is not named`);
    }
  }
  // Blocks that are named to say where a word stands, families of words, and a value rather than a keyword.
  const others = new Set(['lvs_*', 'checker_*', 'bfd_*', 'auth_type AH', 'vrrp_script', 'bfd_instance', 'use_vmac']);
  for (const word of claimed) assert.ok(reported.has(word) || others.has(word), `${word} has a meaning in Baton`);
});

test('every decision that is referred to exists', { skip }, () => {
  const text = readFileSync(join(root ?? '', 'docs', 'keepalived.md'), 'utf8');
  const decisions = readdirSync(join(root ?? '', 'docs', 'decisions'));
  const numbers = [...text.matchAll(/\b0\d{3}\b/gu)].map(([number]) => number);
  assert.ok(numbers.length > 15);
  for (const number of numbers) {
    assert.ok(
      decisions.some((name) => name.startsWith(`${number}-`)),
      number,
    );
  }
});

function foldersAbove(folder: string): readonly string[] {
  const above = dirname(folder);
  return above === folder ? [folder] : [folder, ...foldersAbove(above)];
}
