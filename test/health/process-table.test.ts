import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Observation } from '../../agent/health/check-edges.js';
import type { ProcessProbe } from '../../agent/health/check-settings.js';
import { ProcessTable } from '../../agent/health/process-table.js';
import type { ProcessConnectorOptions } from '../../agent/link/process-connector.js';
import { ManualClock } from '../local/manual-clock.js';
import { FakeProc } from './fake-proc.js';

const PROBE: ProcessProbe = {
  kind: 'process',
  name: 'nginx',
  fullCommand: false,
  arguments: [],
  match: 'exact',
  quorum: 2,
  upDelay: 0,
  downDelay: 0,
};

function setUp(overrides: Partial<ProcessProbe> = {}, refusal?: string) {
  const clock = new ManualClock();
  const proc = new FakeProc();
  const opened: ProcessConnectorOptions[] = [];
  let closed = 0;
  const table = new ProcessTable({
    clock,
    proc,
    openConnector: (options) => {
      if (refusal !== undefined) throw new Error(refusal);
      opened.push(options);
      return {
        foreignMessages: () => 0,
        close: () => {
          closed += 1;
        },
      };
    },
  });
  const observations: Observation[] = [];
  const watch = () => table.watch({ ...PROBE, ...overrides }, 1_000, (observation) => observations.push(observation));
  const last = () => {
    const observation = observations.at(-1);
    return observation && `${observation.state} ${observation.value}`;
  };
  const event = (kind: 'fork' | 'exec' | 'exit', process: number, parent = 1) =>
    opened[0]?.onEvent(kind === 'fork' ? { kind, parent, process } : { kind, process });
  return { clock, proc, opened, closedTimes: () => closed, watch, observations, last, event };
}

test('counted once, then kept by events: started, forked, replaced, ended', async () => {
  const { clock, proc, watch, last, event, observations } = setUp();
  proc.add(10, 'nginx');
  proc.add(11, 'bash');
  watch();
  await clock.advance(0);
  assert.equal(last(), 'down 1');
  assert.equal(observations[0]?.reason, '1 running, wanted at least 2');
  proc.add(12, 'nginx');
  event('fork', 12, 11);
  assert.equal(last(), 'down 1');
  event('exec', 12);
  assert.equal(last(), 'up 2');
  event('fork', 13, 12);
  assert.equal(last(), 'up 3');
  proc.add(13, 'sh');
  event('exec', 13);
  event('exit', 10);
  assert.equal(last(), 'down 1');
  assert.equal(proc.lists, 1);
});

test('lost events and every half minute: counted anew', async () => {
  const { clock, proc, opened, watch, last } = setUp();
  watch();
  await clock.advance(0);
  assert.equal(last(), 'down 0');
  proc.add(10, 'nginx');
  proc.add(11, 'nginx');
  opened[0]?.onOverrun();
  assert.equal(last(), 'up 2');
  proc.remove(10);
  await clock.advance(29_999);
  assert.equal(last(), 'up 2');
  await clock.advance(1);
  assert.equal(last(), 'down 1');
});

test('where there are no events it is counted every interval, and says so', async () => {
  const { clock, proc, watch, last, observations } = setUp({}, 'not in a container');
  watch();
  await clock.advance(0);
  proc.add(10, 'nginx');
  proc.add(11, 'nginx');
  await clock.advance(1_000);
  assert.equal(last(), 'up 2');
  assert.equal(observations.at(-1)?.output, 'counted every 1 s: not in a container');
});

test('when the events end it goes on by counting', async () => {
  const { clock, proc, opened, watch, last } = setUp();
  watch();
  await clock.advance(0);
  opened[0]?.onError(new Error('gone'));
  proc.add(10, 'nginx');
  proc.add(11, 'nginx');
  await clock.advance(1_000);
  assert.equal(last(), 'up 2');
});

test('delays: there must be enough, or too few, for so long', async () => {
  const { clock, proc, watch, last, event } = setUp({ quorum: 1, upDelay: 500, downDelay: 2_000 });
  watch();
  await clock.advance(0);
  assert.equal(last(), 'down 0');
  proc.add(10, 'nginx');
  event('exec', 10);
  assert.equal(last(), 'down 1');
  await clock.advance(499);
  assert.equal(last(), 'down 1');
  await clock.advance(1);
  assert.equal(last(), 'up 1');
  event('exit', 10);
  await clock.advance(1_999);
  event('exec', 10);
  await clock.advance(5_000);
  assert.equal(last(), 'up 1');
  event('exit', 10);
  await clock.advance(2_000);
  assert.equal(last(), 'down 0');
});

test('a most: two too many are as bad as two too few, and a most of 0 means none at all', async () => {
  for (const [quorum, quorumMax, states] of [
    [1, 2, ['down 0', 'up 1', 'up 2', 'down 3']],
    [1, 0, ['up 0', 'down 1', 'down 2', 'down 3']],
  ] as const) {
    const { clock, proc, watch, last, event } = setUp({ quorum, quorumMax });
    watch();
    await clock.advance(0);
    const seen = [last()];
    for (const id of [10, 11, 12]) {
      proc.add(id, 'nginx');
      event('exec', id);
      seen.push(last());
    }
    assert.deepEqual(seen, states);
  }
});

test('the events are asked for while anybody wants them', async () => {
  const { clock, opened, closedTimes, watch } = setUp();
  const [first, second] = [watch(), watch()];
  await clock.advance(0);
  first.stop();
  assert.deepEqual([opened.length, closedTimes()], [1, 0]);
  second.stop();
  assert.deepEqual([opened.length, closedTimes()], [1, 1]);
  watch();
  assert.equal(opened.length, 2);
});
