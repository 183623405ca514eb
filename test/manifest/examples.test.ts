/** The files in deploy/examples are what they claim to be. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { judgeBundle, mistakesIn } from '../../agent/bundle/policy.js';
import { parseConfigFile, parseManifest } from '../../proto/manifest/index.js';
import { compileBundle } from '../../proto/rules/compile.js';
import { validateResources } from '../../proto/rules/validate.js';
import { validateBundle } from '../../proto/rules/validate-bundle.js';

function example(name: string): string {
  // Compiled tests lie elsewhere than the sources.
  return readFileSync(path.resolve(process.cwd(), 'deploy/examples', name), 'utf8');
}

test('the resources are read, valid, and compiled for their nodes', () => {
  const { resources, problems } = parseManifest(example('resources.yaml'), 'resources.yaml');
  assert.deepEqual(problems, []);
  assert.deepEqual(validateResources(resources).errors, []);
  for (const node of ['base1', 'base2']) {
    const bundle = compileBundle(resources, node);
    assert.equal(bundle.routers.length, 1);
    assert.deepEqual(validateBundle(bundle), []);
  }
});

test("the host owner's file is read, and allows what the resources run", async () => {
  const { config, problems } = parseConfigFile(example('agent.yaml'), 'agent.yaml', 'baton.v1.AgentConfig');
  assert.deepEqual(problems, []);
  assert.ok(config !== undefined);
  const rules = { scripts: config.scripts, policy: config.policy };
  assert.deepEqual(mistakesIn(rules), []);
  const { resources } = parseManifest(example('resources.yaml'), 'resources.yaml');
  const notThere = (): Promise<string> => Promise.reject(new RangeError('no such file'));
  assert.deepEqual(await judgeBundle(compileBundle(resources, 'base1'), rules, notThere), []);
});
