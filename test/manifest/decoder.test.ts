import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Bundle } from '../../proto/gen/baton/v1/bundle.js';
import { Event as NodeEvent } from '../../proto/gen/baton/v1/events.js';
import { Decoder } from '../../proto/manifest/decoder.js';
import { readDocuments } from '../../proto/manifest/document-reader.js';
import { messageToPlain } from '../../proto/manifest/index.js';
import { messageDescriptor } from '../../proto/manifest/schema.js';
import { ProblemList, SourceText } from '../../proto/manifest/source-text.js';
import { arbitraryMessage } from './arbitrary-message.js';

function decode(typeName: string, text: string): { readonly message: object | undefined; readonly problems: string[] } {
  const source = new SourceText(text, '');
  const problems = new ProblemList(source);
  const [tree] = readDocuments(source, problems);
  assert.ok(tree !== undefined);
  const message = new Decoder(problems, new Map()).message(messageDescriptor(typeName), tree, '');
  return {
    message,
    problems: problems.inOrder().map(({ line, column, message: text }) => `${line}:${column} ${text}`),
  };
}

test('only one case of a oneof', () => {
  const text = 'transition: {cause: paused}\nleaseLost: {awayUs: 5}';
  assert.deepStrictEqual(decode('baton.v1.Event', text).problems, [
    '2:1 only one of "transition" and "leaseLost" can be given',
  ]);
});

test('what messageToPlain writes of any message is read back: bytes, times, 64-bit numbers', () => {
  for (const [typeName, fromPartial] of [
    ['baton.v1.Bundle', Bundle.fromPartial],
    ['baton.v1.Event', NodeEvent.fromPartial],
  ] as const) {
    // An unspecified enum is shown to machines but is nothing that a person may write.
    const isWritable = (plain: object): boolean => !JSON.stringify(plain).includes('"unspecified"');
    fc.assert(
      fc.property(arbitraryMessage(typeName), (fields) => {
        const message = fromPartial(fields);
        const plain = messageToPlain(typeName, message);
        fc.pre(isWritable(plain));
        const decoded = decode(typeName, JSON.stringify(plain));
        assert.deepStrictEqual(decoded.problems, []);
        assert.deepStrictEqual(decoded.message, message);
      }),
      { seed: 20_261_122, numRuns: 100 },
    );
  }
});

test('bytes must be base64 and times ISO', () => {
  assert.deepStrictEqual(decode('baton.v1.BundleRouter', 'password: "*"').problems, ['1:11 it is not base64']);
  assert.deepStrictEqual(decode('baton.v1.Event', 'time: yesterday').problems, [
    '1:7 is not a time; write it like "2026-01-31T12:00:00Z"',
  ]);
});
