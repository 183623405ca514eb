import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  durationToMicros,
  formatDuration,
  isUsableDuration,
  microsToDuration,
  parseDuration,
} from '../../proto/rules/duration.js';

describe('durations as people write them', () => {
  const rows: readonly (readonly [string, number])[] = [
    ['0', 0],
    ['0s', 0],
    ['250us', 250],
    ['100ms', 100_000],
    ['1s', 1_000_000],
    ['0.1s', 100_000],
    ['1.5s', 1_500_000],
    ['40.95s', 40_950_000],
    ['609.375ms', 609_375],
    ['1m30s', 90_000_000],
    ['72h', 259_200_000_000],
    ['1h1m1s1ms1us', 3_661_001_001],
    ['1.50s', 1_500_000],
  ];
  for (const [text, micros] of rows) {
    test(text, () => assert.deepStrictEqual(parseDuration(text), { ok: true, micros }));
  }

  const refused = [
    ...[
      '',
      ' ',
      '1',
      '-1s',
      '+1s',
      '1 s',
      ' 1s',
      '1s ',
      '1S',
      's',
      '1s1',
      '1d',
      '.5s',
      '1.s',
      '1e3s',
      '0x1s',
      'NaN',
      '１s',
    ],
    ...['1s1s', '1s1m', '1ms1s', '0.5us', '1.0000001s', '9999999999h', `${'9'.repeat(70)}s`, '1s\n', '1m 30s', '∞'],
  ];
  for (const text of refused) {
    test(`refused: ${JSON.stringify(text)}`, () => {
      const parsed = parseDuration(text);
      assert.ok(!parsed.ok);
      assert.match(parsed.reason, /is not a duration: /);
    });
  }

  test('a missing unit is said to be missing', () => {
    const parsed = parseDuration('5');
    assert.ok(!parsed.ok);
    assert.equal(
      parsed.reason,
      '"5" is not a duration: the unit is missing; write "5s" for seconds or "5ms" for milliseconds',
    );
  });
});

describe('durations written', () => {
  const rows: readonly (readonly [number, string])[] = [
    [0, '0s'],
    [1, '1us'],
    [1_500, '1.5ms'],
    [609_375, '609.375ms'],
    [1_000_000, '1s'],
    [3_609_375, '3.609375s'],
    [90_000_000, '1m30s'],
    [3_600_000_000, '1h'],
    [259_200_000_000, '72h'],
    [3_661_001_001, '1h1m1.001001s'],
  ];
  for (const [micros, text] of rows) {
    test(text, () => assert.equal(formatDuration(micros), text));
  }

  test('are read back as they were', () => {
    const micros = fc.oneof(
      fc.nat(),
      fc.nat(5_000_000),
      fc.maxSafeNat().map((value) => value % 4e15),
    );
    fc.assert(
      fc.property(micros, (value) => {
        assert.deepStrictEqual(parseDuration(formatDuration(value)), { ok: true, micros: value });
        assert.equal(durationToMicros(microsToDuration(value)), value);
        assert.ok(isUsableDuration(microsToDuration(value)));
      }),
      { seed: 20_261_122, numRuns: 500 },
    );
  });
});

describe('messages that are no usable span', () => {
  for (const [seconds, nanos] of [
    [-1, 0],
    [0, -1_000],
    [0, 1_000_000_000],
    [0, 1],
    [4_000_000_000, 0],
    [Number.MAX_VALUE, 0],
  ] as const) {
    test(`${seconds}s ${nanos}ns`, () => assert.ok(!isUsableDuration({ seconds, nanos })));
  }
});
