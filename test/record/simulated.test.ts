/** Whatever the simulator does to the core, its recording gives the same transitions again. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { simulate } from '../sim/simulate.js';
import { RecordingCore } from './recording-core.js';
import { replayText, textOf, transitionsOf } from './replayed.js';

const SEEDS = 24;

test('a recording of a simulated run gives the same transitions and states, over many segments', () => {
  for (let seed = 0; seed < SEEDS; seed++) {
    // Small segments: what stands at the beginning of each is compared with what the replay has come to.
    const recording = new RecordingCore(seed % 2 === 0 ? 1 << 20 : 8 << 10);
    simulate(seed, { core: recording.core });
    const text = textOf(recording.finish());
    const report = replayText(text);
    assert.deepEqual([report.differences, report.remarks], [[], []], `seed ${seed}`);
    assert.deepEqual(transitionsOf(report), recording.transitions, `seed ${seed}`);
    assert.ok(report.transitions.length > 5, `seed ${seed}`);
    if (seed % 2 === 1) assert.ok(report.segments > 1, `seed ${seed}: ${report.segments} segments`);
  }
});

test('each segment can be replayed without those before it', () => {
  const recording = new RecordingCore(8 << 10);
  simulate(3, { core: recording.core });
  const text = textOf(recording.finish());
  const starts = [...text.matchAll(/^\{"recording":/gm)].map(({ index }) => index);
  assert.ok(starts.length > 2);
  for (const start of starts.slice(-10)) {
    const report = replayText(text.slice(start));
    assert.deepEqual([report.differences, report.remarks], [[], []], `from ${start}`);
    const skipped = recording.transitions.length - report.transitions.length;
    assert.deepEqual(transitionsOf(report), recording.transitions.slice(skipped));
  }
});
