/** The files in deploy/examples are what they claim to be. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { judgeBundle, mistakesIn } from '../../agent/bundle/policy.js';
import { settingsOf } from '../../agent/bundle/settings.js';
import { Resource } from '../../proto/gen/baton/v1/resources.js';
import { parseConfigFile, parseManifest } from '../../proto/manifest/index.js';
import { compileBundle, nodesOf } from '../../proto/rules/compile.js';
import { validateResources } from '../../proto/rules/validate.js';
import { validateBundle } from '../../proto/rules/validate-bundle.js';

function example(name: string): string {
  // Compiled tests lie elsewhere than the sources.
  return readFileSync(path.resolve(process.cwd(), 'deploy/examples', name), 'utf8');
}

const EXAMPLES = readdirSync(path.resolve(process.cwd(), 'deploy/examples')).filter(
  (name) => name.endsWith('.yaml') && name !== 'agent.yaml',
);

test('there is an example of each family of features', () => {
  for (const family of ['bfd', 'checks', 'hmac', 'host-network', 'ipv6', 'resources', 'sync-group', 'virtual-mac']) {
    assert.ok(EXAMPLES.includes(`${family}.yaml`), family);
  }
});

for (const name of EXAMPLES) {
  test(`${name} is read, valid, and compiled for its nodes to what an agent can run`, () => {
    const { resources, problems } = parseManifest(example(name), name);
    assert.deepEqual(problems, []);
    const nodes = nodesOf(resources);
    assert.ok(nodes.length > 1);
    const joined = nodes.map((node) =>
      Resource.fromPartial({ metadata: { name: node }, spec: { $case: 'node', value: {} } }),
    );
    // Nothing in an example deserves even a warning.
    assert.deepEqual(validateResources([...resources, ...joined]), { errors: [], warnings: [] });
    for (const node of nodes) {
      const bundle = compileBundle(resources, node);
      assert.ok(bundle.routers.length > 0);
      assert.deepEqual(validateBundle(bundle), []);
      const translated = settingsOf(bundle);
      assert.deepEqual(translated.ok ? [] : translated.refusals, []);
    }
  });
}

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
