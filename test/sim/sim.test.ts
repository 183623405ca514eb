import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { BUGS, bugNamed } from './bugs.js';
import { PRODUCTION_CORE } from './core.js';
import { failureOf, minimise, type Suspect } from './minimise.js';
import { bugsIn, catchAll, MOST_SCHEDULES } from './mutation-table.js';
import { minimised, runBatches, usualJobs } from './pool.js';
import { derivedSeed, Random } from './random.js';
import { scheduleOf } from './schedule.js';
import { replayCommand, simulate } from './simulate.js';

const SCHEDULES = 10_000;
const BATCH = 50;
const PRODUCTION: Suspect = { core: () => PRODUCTION_CORE };

test(`${SCHEDULES} schedules of the production core: every invariant holds`, async (context) => {
  const started = performance.now();
  const batches = Array.from({ length: SCHEDULES / BATCH }, (_, index) => ({
    from: index * BATCH,
    to: (index + 1) * BATCH,
  }));
  const failed: number[] = [];
  let ran = 0;
  await runBatches(batches, usualJobs(), (result) => {
    ran += result.ran;
    failed.push(...result.failures.map(({ seed }) => seed));
    return failed.length === 0;
  });
  const [seed] = failed;
  if (seed !== undefined) {
    const { minimal, story } = await minimised(seed, 5_000);
    assert.fail([minimal?.message ?? `seed ${seed} fails only sometimes`, ...story].join('\n'));
  }
  assert.equal(ran, SCHEDULES);
  context.diagnostic(`${Math.round(performance.now() - started)} ms`);
});

/** Found by longer runs: a last word that taught others its interval (0033), a group whose policy changed meanwhile. */
const ONCE_FAILED = [151_268, 188_643, 199_561, 199_567];

test('schedules that once failed hold', () => {
  for (const seed of ONCE_FAILED) simulate(seed);
});

test('every seeded bug is caught', async (context) => {
  const catches = await catchAll(usualJobs());
  for (const { bug, caught, schedules } of catches) {
    context.diagnostic(`${bug}: ${caught ? `seed ${caught.seed}, ${caught.invariant}` : 'not caught'} (${schedules})`);
  }
  const missed = catches.filter(({ caught }) => caught === undefined).map(({ bug }) => bug);
  assert.deepEqual(missed, [], `not caught within ${MOST_SCHEDULES} schedules`);
  assert.equal(catches.length, Object.keys(BUGS).length);
  const alive = new Set(catches.map(({ caught }) => caught?.invariant));
  for (const invariant of ['I-1', 'I-2', 'I-3', 'I-4', 'I-5', 'I-6', 'I-7', 'I-10', 'I-11', 'P2', 'P8']) {
    assert.ok(alive.has(invariant), `${invariant} catches no bug`);
  }
});

test('the document names the seeded bugs that there are', () => {
  const named = bugsIn(readFileSync('docs/mutations.md', 'utf8'));
  assert.deepEqual(named, Object.keys(BUGS), 'run "npm run mutations -- --write"');
});

test('the same seed tells the same story', () => {
  for (const seed of [6, 7, 8]) {
    const story = () => {
      const lines: string[] = [];
      simulate(seed, { log: (line) => lines.push(line) });
      return lines;
    };
    const first = story();
    assert.ok(first.length > 50, 'a story of some length');
    assert.deepEqual(story(), first);
  }
});

test('any part of a schedule holds as the whole does', () => {
  for (let seed = 0; seed < 300; seed++) {
    const random = new Random(derivedSeed(seed, -2));
    const { decisions, world } = scheduleOf(seed);
    const few = (length: number, probability: number) =>
      new Set(Array.from({ length }, (_, index) => index).filter(() => random.chance(probability)));
    const part = {
      decisions: few(decisions.length, 0.5),
      hosts: few(world.hosts, 0.8),
      units: few(world.units.length, 0.8),
    };
    assert.equal(failureOf(seed, PRODUCTION, part)?.message, undefined);
  }
});

const BUGS_OF_SEVERAL_DECISIONS = [
  'anything is resumed',
  'fault is left for active',
  'a push stops the down timer',
  'the first to recover brings the group back',
];

for (const bug of BUGS_OF_SEVERAL_DECISIONS) {
  test(`a failing schedule is made as small as it can be: ${bug}`, (context) => {
    const suspect: Suspect = { core: bugNamed(bug), bug };
    const seed = firstCaught(suspect);
    const minimal = minimise(seed, suspect, () => false);
    assert.ok(minimal);
    const { part, invariant } = minimal;
    assert.ok(minimal.isMinimal);
    assert.equal(minimal.invariant, failureOf(seed, suspect)?.invariant, 'the same thing still fails');
    assert.ok(part.decisions.size > 1 && part.decisions.size <= 5, `${part.decisions.size} decisions remain`);
    assert.ok(part.decisions.size < scheduleOf(seed).decisions.length);
    assert.equal(failureOf(seed, suspect, part)?.invariant, invariant, 'what remains fails');
    for (const kind of ['decisions', 'hosts', 'units'] as const) {
      for (const number of part[kind]) {
        const less = { ...part, [kind]: new Set([...part[kind]].filter((each) => each !== number)) };
        assert.notEqual(failureOf(seed, suspect, less)?.invariant, invariant, `${kind} ${number} is not needed`);
      }
    }
    assert.ok(minimal.message.endsWith(replayCommand(seed, part, bug)), 'the message says how to replay it');
    context.diagnostic(`${part.decisions.size} decisions, ${minimal.runs} runs`);
  });
}

test('a minimisation that runs out of time says so and is still a failure', () => {
  const suspect: Suspect = { core: bugNamed('leases are never renewed'), bug: 'leases are never renewed' };
  const seed = firstCaught(suspect);
  let runs = 0;
  const minimal = minimise(seed, suspect, () => ++runs > 3);
  assert.ok(minimal);
  assert.equal(minimal.isMinimal, false);
  assert.equal(failureOf(seed, suspect, minimal.part)?.invariant, minimal.invariant);
});

test('the command that a failure prints replays it', () => {
  const bug = 'leases are never renewed';
  const suspect: Suspect = { core: bugNamed(bug), bug };
  const minimal = minimise(firstCaught(suspect), suspect, () => false);
  assert.ok(minimal);
  const command = / dist\/test\/sim\/replay\.js (.+)$/.exec(minimal.message)?.[1] ?? '';
  const words = [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
  const replayed = program('replay.js', words);
  assert.equal(replayed.status, 1);
  assert.ok(replayed.stdout.trimEnd().endsWith(minimal.message), replayed.stdout + replayed.stderr);
});

test('the programs run, end with their count, and refuse what they do not know', () => {
  const few = program('main.js', ['--schedules', '20', '--from', '40', '--jobs', '1']);
  assert.equal(few.status, 0, few.stderr);
  assert.match(few.stdout, /\n20 passed, 0 failed\n$/);
  assert.equal(program('mutations-main.js', ['--list']).stdout.trim().split('\n').length, Object.keys(BUGS).length);
  for (const [name, ...words] of [
    ['main.js', '--schedules', 'many'],
    ['main.js', '--frm', '1'],
    ['mutations-main.js', 'all'],
    ['replay.js'],
    ['replay.js', '1', '--keep', '1,x'],
    ['replay.js', '1', '--bug', 'none such'],
  ] as const) {
    const refused = program(name, words);
    assert.equal(refused.status, 2, `${name} ${words.join(' ')}`);
    assert.match(refused.stderr, /usage: /);
  }
  for (const name of ['main.js', 'mutations-main.js', 'replay.js']) {
    const { status, stdout } = program(name, ['--help']);
    assert.equal(status, 0);
    assert.match(stdout, /^usage: /);
  }
});

function firstCaught(suspect: Suspect): number {
  for (let seed = 0; seed < MOST_SCHEDULES; seed++) if (failureOf(seed, suspect) !== undefined) return seed;
  return assert.fail('not caught');
}

function program(name: string, words: readonly string[]) {
  const file = fileURLToPath(new URL(name, import.meta.url));
  return spawnSync(process.execPath, [file, ...words], { encoding: 'utf8', timeout: 60_000 });
}
