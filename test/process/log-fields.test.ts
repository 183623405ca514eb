import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { LOG_FIELDS } from '../../proto/process/logger.js';
import { sourceRoot } from '../docs/source-root.js';

/** Names given in the object literal of a call such as log.info({ a, b: 1, ...c }, 'text'). */
function loggedNames(source: string): string[] {
  const calls = source.matchAll(/\b(?:log|logger)\??\.(?:trace|debug|info|warn|error|fatal|child)\(\s*\{/g);
  return [...calls].flatMap((call) => topLevelNames(source.slice(call.index + call[0].length)));
}

/** From just after the opening brace up to the matching one. */
function topLevelNames(text: string): string[] {
  let depth = 0;
  let part = '';
  for (const character of text) {
    if (depth === 0 && character === '}') {
      break;
    }
    depth += '([{'.includes(character) ? 1 : ')]}'.includes(character) ? -1 : 0;
    part += depth === 0 && !')]}'.includes(character) ? character : '';
  }
  return part.split(',').flatMap((entry) => /^\s*(\w+)\s*(:|$)/.exec(entry)?.[1] ?? []);
}

test('the reader of calls reads them', () => {
  const source = "log.info({ node, err: new Error('a', { b }), ...rest, waitMs: f({ c: 1 }) }, 'x'); logger.warn('y')";
  assert.deepStrictEqual(loggedNames(source), ['node', 'err', 'waitMs']);
});

test('both programs log under the names of one list', () => {
  const root = sourceRoot();
  const names = ['agent', 'controller', 'proto/process'].flatMap((folder) =>
    readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .flatMap((file) => {
        const source = readFileSync(path.join(root, folder, file), 'utf8');
        return loggedNames(source).map((name) => ({ name, file: `${folder}/${file}` }));
      }),
  );
  assert.ok(names.length > 10, 'no calls of a logger were found');
  assert.deepStrictEqual(
    names.filter(({ name }) => !LOG_FIELDS.has(name)),
    [],
  );
});
