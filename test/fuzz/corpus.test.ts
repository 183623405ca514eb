/**
 * Every input that is kept, once more; then a short loop, the same each time. Together they must reach the blocks of the
 * readers. What is not reached of the decoders must be one of the kinds that are named here with their reason.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { CorpusError, inputOf, lineOf, readCorpus } from './corpus.js';
import { CoverageMap, Sampler, shareOf } from './coverage.js';
import { explore } from './explore.js';
import type { Group, Target } from './target.js';
import { hexOf } from './trial.js';

const sampler = new Sampler();
const { TARGETS } = await import('./targets.js');

const SEED = 20_261_122;
/** Inputs of the short loop: packets are read in microseconds, files in milliseconds. */
const INPUTS: Readonly<Record<Group, number>> = { decoders: 192, 'keepalived.conf': 32, manifests: 64 };
/** Least share of blocks that must be reached. */
const FLOORS: Readonly<Record<Group, number>> = { decoders: 0.95, 'keepalived.conf': 0.93, manifests: 0.88 };

const total = new CoverageMap(TARGETS.flatMap(({ files }) => files));
after(async () => {
  for (const target of TARGETS) await target.close?.();
});

for (const target of TARGETS) {
  test(`${target.name}: what is kept, and a short loop`, async () => {
    const corpus = readCorpus(target);
    assert.ok(
      corpus.length > 0,
      `test/fuzz/corpus/${target.name}.txt: run "npm run fuzz -- --target ${target.name} --write"`,
    );
    const map = new CoverageMap(target.files);
    const goesOn = (inputs: number) => inputs < INPUTS[target.group];
    const { discoveries, overBudget, inputs } = await explore({
      target,
      seed: SEED,
      corpus,
      sampler,
      map,
      total,
      goesOn,
    });
    assert.ok(inputs >= INPUTS[target.group]);
    assert.deepEqual(
      overBudget.map((group) => group.map((input) => replayOf(target, input))),
      [],
      'more steps than they may take',
    );
    const [found] = discoveries;
    assert.ok(found === undefined, found && `${found.oracle}: ${found.message}\n${replayOf(target, found.input)}`);
  });
}

for (const [group, floor] of Object.entries(FLOORS)) {
  test(`${group}: ${floor * 100} % of the blocks are reached`, () => {
    const files = filesOf(group as Group);
    const share = shareOf(files);
    const missing = files.flatMap((file) => file.missing);
    assert.ok(share >= floor, `${(share * 100).toFixed(1)} %; not reached:\n${missing.join('\n')}`);
  });
}

/** Kinds of blocks that no input can reach, or that no input of a fuzz target can. */
const UNREACHABLE: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [/ \?\? /, 'the compiler cannot know that an index is within bounds which were checked'],
  [/ throw (new RangeError|error)/, 'a mistake of the program: no input of another makes it'],
  [/advertisement\.ts:\d+ else \{$/, 'the same: source and destination of different families'],
  [/advertisement\.ts:\d+ \? 1$/, 'the identification goes round after 65,535 sendings'],
  [/hmac-verifier\.ts:\d+ \? 1$/, 'a MAC shorter than SHA-256 makes'],
  [/control-handler\.ts:\d+ return;$/, 'the journal tells of news without any'],
];

test('each block of a decoder that is not reached is of a kind that cannot be', () => {
  const missing = filesOf('decoders').flatMap((file) => file.missing);
  const unexplained = missing.filter((line) => !UNREACHABLE.some(([pattern]) => pattern.test(line)));
  assert.deepEqual(unexplained, []);
});

test('lines of a corpus are read as they are written', () => {
  const isText = { isText: true };
  for (const bytes of [[], [0], [255, 1], [...Buffer.from('a"\n\u00e9')]].map((each) => Uint8Array.from(each))) {
    for (const target of [isText, { isText: false }]) {
      assert.equal(hexOf(inputOf(lineOf(target, bytes), 'here')), hexOf(bytes));
    }
  }
  assert.equal(lineOf(isText, Uint8Array.of(0xff)), 'ff');
  assert.equal(lineOf(isText, Uint8Array.of(0x61)), '"a"');
  for (const line of ['abc', 'xy', '"abc']) assert.throws(() => inputOf(line, 'corpus.txt:3'), CorpusError);
});

function filesOf(group: Group) {
  const wanted = new Set(TARGETS.flatMap((target) => (target.group === group ? target.files : [])));
  return total.report().filter(({ file }) => wanted.has(file));
}

function replayOf(target: Target, input: Uint8Array): string {
  return `npm run fuzz -- --target ${target.name} --input ${lineOf({ isText: false }, input)}`;
}
