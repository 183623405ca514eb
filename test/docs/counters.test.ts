/** docs/counters.md has every name that statuses, events and logs use. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { DROP_REASONS } from '../../agent/wire/reception.js';
import { sourceRoot } from './source-root.js';

const page = readFileSync(path.join(sourceRoot(), 'docs/counters.md'), 'utf8');
const named = new Set([...page.matchAll(/`([^`]+)`/g)].map(([, name]) => name));

function missing(names: Iterable<string>): string[] {
  return [...new Set(names)].filter((name) => !named.has(name));
}

function found(folder: string, pattern: RegExp): string[] {
  const files = readdirSync(path.join(sourceRoot(), folder)).filter((file) => file.endsWith('.ts'));
  return files.flatMap((file) => {
    const text = readFileSync(path.join(sourceRoot(), folder, file), 'utf8');
    return [...text.matchAll(pattern)].map(([, name]) => name ?? '');
  });
}

test('every reason to refuse an advertisement', () => {
  assert.deepEqual(missing(DROP_REASONS), []);
});

test('every cause and notice of the core', () => {
  const names = found('agent/vrrp', /case '([a-z-]+)':/g).filter((name) => name.includes('-'));
  assert.ok(names.length > 15, 'no causes were found');
  assert.deepEqual(missing(names), []);
});

test('every notice of the runtime', () => {
  const names = found('agent/runtime', /notice: '([a-z-]+)'/g);
  assert.ok(names.length > 0, 'no notices were found');
  assert.deepEqual(missing(names), []);
});

test('every counter', () => {
  const names = found('agent/runtime', /count\('([a-z.-]+)'/g).filter((name) => !name.startsWith('notices.'));
  assert.ok(names.length > 8, 'no counters were found');
  assert.deepEqual(missing(names), []);
});
