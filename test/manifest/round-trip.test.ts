import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Resource } from '../../proto/gen/baton/v1/resources.js';
import { parseManifest, renderManifest, toPlain, toPlainList } from '../../proto/manifest/index.js';
import { messageDescriptor } from '../../proto/manifest/schema.js';
import { KIND_OF_CASE, type SpecCase } from '../../proto/rules/names.js';
import { arbitraryMessage, arbitraryText } from './arbitrary-message.js';

const SEED = 20_261_122;
const RUNS = 150;
const CASES = Object.keys(KIND_OF_CASE) as SpecCase[];

function arbitraryResource(specCase: SpecCase): fc.Arbitrary<Resource> {
  const typeName = messageDescriptor('baton.v1.Resource').field[specCase]?.message?.typeName ?? '';
  return fc
    .tuple(arbitraryMessage('baton.v1.Metadata'), arbitraryMessage(typeName), arbitraryText)
    .map(([metadata, spec, name]) =>
      // The fields come from the descriptors of these very messages.
      Resource.fromPartial({
        metadata: { ...metadata, name: name === '' ? 'x' : name },
        spec: { $case: specCase, value: spec },
      } as unknown as Resource),
    );
}

describe('a resource written as YAML or JSON is read back as it was', () => {
  for (const specCase of CASES) {
    test(`YAML, kind ${KIND_OF_CASE[specCase]}`, () => {
      fc.assert(
        fc.property(arbitraryResource(specCase), (resource) => {
          const text = renderManifest([resource]);
          const parsed = parseManifest(text, 'test.yaml');
          assert.deepStrictEqual(parsed.problems, [], text);
          assert.deepStrictEqual(parsed.resources, [resource], text);
        }),
        { seed: SEED, numRuns: RUNS },
      );
    });
    test(`JSON, kind ${KIND_OF_CASE[specCase]}`, () => {
      fc.assert(
        fc.property(arbitraryResource(specCase), fc.constantFrom('', '\t', '  '), (resource, indent) => {
          const text = JSON.stringify(toPlain(resource), null, indent);
          const parsed = parseManifest(text, 'test.json');
          assert.deepStrictEqual(parsed.problems, [], text);
          assert.deepStrictEqual(parsed.resources, [resource], text);
        }),
        { seed: SEED, numRuns: RUNS },
      );
    });
  }

  test('every kind has its name, and no other', () => {
    const cases = messageDescriptor('baton.v1.Resource').oneofs[0]?.fields.map(({ localName }) => localName);
    assert.deepStrictEqual(cases, CASES);
  });

  test('several resources in one file, and as one List', () => {
    const resources = ['a', 'b'].map((name) =>
      Resource.fromPartial({ metadata: { name }, spec: { $case: 'secret', value: { value: 'x' } } }),
    );
    assert.deepStrictEqual(parseManifest(renderManifest(resources), 'f').resources, resources);
    assert.deepStrictEqual(parseManifest(JSON.stringify(toPlainList(resources)), 'f').resources, resources);
  });
});
