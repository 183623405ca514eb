import assert from 'node:assert/strict';
import { test } from 'node:test';
import { descendantsOf, type ProcessTree, signalDescendants } from '../../agent/health/descendants.js';

class FakeTree implements ProcessTree {
  readonly signals: string[] = [];
  readonly #processes: Map<number, { parent: number; mark: string }>;
  /** Forks once more, unless it has been stopped, whenever it is looked at; as often as this. */
  forks = 0;
  readonly #stopped = new Set<number>();

  constructor(processes: Readonly<Record<number, readonly [parent: number, mark: string]>>) {
    const entries = Object.entries(processes);
    this.#processes = new Map(entries.map(([id, [parent, mark]]) => [Number(id), { parent, mark }]));
  }

  list(): readonly number[] {
    const ids = [...this.#processes.keys()];
    const last = Math.max(...ids);
    if (this.forks > 0 && !this.#stopped.has(last)) {
      this.forks -= 1;
      this.#processes.set(last + 1, { parent: last, mark: '' });
    }
    return ids;
  }

  parentOf(id: number): number | undefined {
    return this.#processes.get(id)?.parent;
  }

  hasVariable(id: number, setting: string): boolean {
    return setting === `BATON_RUN=${this.#processes.get(id)?.mark}`;
  }

  signal(id: number, signal: string): void {
    this.signals.push(`${signal} ${id}`);
    if (signal === 'SIGSTOP') this.#stopped.add(id);
    if (signal === 'SIGKILL') this.#processes.delete(id);
  }
}

test('found by parentage and by the mark, and what those started in turn', () => {
  const tree = new FakeTree({
    1: [0, ''],
    10: [1, 'run'],
    11: [10, 'run'],
    12: [11, ''],
    20: [1, 'run'],
    21: [20, ''],
    30: [1, 'other'],
    31: [30, 'other'],
    [process.pid]: [1, 'run'],
  });
  assert.deepEqual([...descendantsOf(10, 'run', tree)].sort(), [10, 11, 12, 20, 21]);
  assert.deepEqual([...descendantsOf(30, 'gone', tree)].sort(), [30, 31]);
});

test('the number of a program that has ended may be another’s', () => {
  const tree = new FakeTree({ 10: [1, ''], 11: [10, ''], 12: [1, 'run'] });
  assert.deepEqual(descendantsOf(undefined, 'run', tree), [12]);
});

test('they are stopped before they are killed, until no new ones are found', () => {
  const tree = new FakeTree({ 10: [1, 'run'] });
  tree.forks = 2;
  signalDescendants(10, 'run', 'SIGKILL', tree);
  assert.deepEqual(tree.signals, ['SIGSTOP 10', 'SIGSTOP 11', 'SIGSTOP 12', 'SIGKILL 10', 'SIGKILL 11', 'SIGKILL 12']);
  const polite = new FakeTree({ 10: [1, 'run'], 11: [1, 'run'] });
  signalDescendants(10, 'run', 'SIGTERM', polite);
  assert.deepEqual(polite.signals.sort(), ['SIGTERM 10', 'SIGTERM 11']);
});

test('forks without end are not followed without end', () => {
  const tree = new FakeTree({ 10: [1, 'run'] });
  tree.forks = 1_000;
  signalDescendants(10, 'run', 'SIGKILL', tree);
  assert.ok(tree.forks > 900);
});
