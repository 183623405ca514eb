import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { sourceRoot } from '../docs/source-root.js';
import { V3 } from './form.js';
import type { Performance } from './performance.js';
import {
  actionText,
  CASTS,
  type Cast,
  DECISIONS,
  type Difference,
  FAMILIES,
  playerOf,
  router,
  scenario,
  start,
  step,
} from './scenario.js';
import { SCENARIOS } from './scenarios/all.js';
import { disagreements, mistakes } from './verdict.js';

const difference: Difference = {
  by: 'A',
  of: 'A',
  aspect: 'states',
  keepalived: 'BACKUP 255, MASTER 255',
  baton: 'MASTER 255',
  decision: 'owner',
};

function oneStep(...differences: readonly Difference[]) {
  return scenario('boot orders', 'one', V3, {
    routers: [router({ A: 255, B: 100 })],
    steps: [step(start('A'), 'A', ...differences)],
  });
}

function seen(cast: Cast, states: string, holders = 'A', failure?: string): Performance {
  const observation = new Map([
    ['A states VI_1', states],
    ['LAN holders VI_1', holders],
  ]);
  return { cast, observations: [observation], seconds: 1, tails: {}, ...(failure === undefined ? {} : { failure }) };
}

describe('a verdict', () => {
  test('casts that do the same agree', () => {
    assert.deepEqual(
      disagreements(
        oneStep(),
        CASTS.map((cast) => seen(cast, 'MASTER 255')),
      ),
      [],
    );
  });

  test('one that does otherwise is named, with what the first one did', () => {
    const performances = CASTS.map((cast) => seen(cast, cast === 'KB' ? 'FAULT 255' : 'MASTER 255'));
    const expected = {
      step: 0,
      key: 'A states VI_1',
      cast: 'KB',
      seen: 'FAULT 255',
      expected: 'MASTER 255',
      because: 'as KK',
    };
    assert.deepEqual(disagreements(oneStep(), performances), [expected]);
  });

  test('what only one has seen is a disagreement of the others or its own', () => {
    const performances = [seen('KK', ''), seen('BB', 'MASTER 255')];
    assert.deepEqual(
      disagreements(oneStep(), performances).map(({ cast, seen: what }) => [cast, what]),
      [['BB', 'MASTER 255']],
    );
  });

  test('other holders than the scenario says fail even if all agree', () => {
    const performances = CASTS.map((cast) => seen(cast, 'MASTER 255', 'A B'));
    assert.deepEqual(
      disagreements(oneStep(), performances).map(({ cast, expected }) => [cast, expected]),
      CASTS.map((cast) => [cast, 'A']),
    );
  });

  test('a named difference is looked for by who plays the member', () => {
    const performances = CASTS.map((cast) => seen(cast, difference[playerOf(cast, 'A')]));
    assert.deepEqual(disagreements(oneStep(difference), performances), []);
  });

  test('a named difference that does not occur fails', () => {
    const performances = CASTS.map((cast) => seen(cast, 'MASTER 255'));
    const found = disagreements(oneStep(difference), performances);
    assert.deepEqual(
      found.map(({ cast, because }) => [cast, because]),
      [
        ['KK', 'difference "owner"'],
        ['KB', 'difference "owner"'],
      ],
    );
  });

  test('what was not played to its end is not compared', () => {
    assert.deepEqual(disagreements(oneStep(), [seen('KK', 'MASTER 255'), seen('BB', '', 'B', 'no agent')]), []);
  });
});

describe('the scenarios', () => {
  test('have names of their own, and no mistakes', () => {
    const names = SCENARIOS.map(({ name }) => name);
    assert.equal(new Set(names).size, names.length);
    for (const each of SCENARIOS) assert.deepEqual(mistakes(each), [], each.name);
  });

  test('a difference that is none, or named twice, is a mistake', () => {
    assert.match(mistakes(oneStep({ ...difference, baton: difference.keepalived })).join(), /is none/);
    assert.match(mistakes(oneStep(difference, difference)).join(), /named twice/);
    assert.match(mistakes(oneStep({ ...difference, router: 'VI_9' })).join(), /no router VI_9/);
  });

  test('cover every family in each version, address family, transport and virtual MAC', () => {
    for (const family of FAMILIES) {
      const forms = SCENARIOS.filter((each) => each.family === family).map(({ form }) => form);
      for (const version of [2, 3])
        assert.ok(
          forms.some((form) => form.version === version),
          `${family}: version ${version}`,
        );
      for (const ip of [4, 6])
        assert.ok(
          forms.some((form) => form.family === ip),
          `${family}: IPv${ip}`,
        );
      for (const is of [true, false]) {
        assert.ok(
          forms.some(({ unicast }) => unicast === is),
          `${family}: unicast ${is}`,
        );
        assert.ok(
          forms.some(({ virtualMac }) => virtualMac === is),
          `${family}: virtual MAC ${is}`,
        );
      }
    }
  });

  test('every difference of the written list occurs in some scenario', () => {
    const named = new Set(
      SCENARIOS.flatMap(({ steps }) => steps.flatMap((each) => each.differences.map(({ decision }) => decision))),
    );
    assert.deepEqual([...named].sort(), Object.keys(DECISIONS).sort());
  });

  test('are listed in docs/differential.md, with their forms and differences', () => {
    const page = readFileSync(path.join(sourceRoot(), 'docs/differential.md'), 'utf8').split('\n');
    const rows = new Map<string, { forms: string[]; decisions: Set<string> }>();
    for (const { family, title, form, isRepresentative, steps } of SCENARIOS) {
      const head = `| ${family} | ${title} |`;
      const row = rows.get(head) ?? { forms: [], decisions: new Set() };
      rows.set(head, row);
      row.forms.push(`${form.title}${isRepresentative ? '\\*' : ''}`);
      for (const { differences } of steps) for (const { decision } of differences) row.decisions.add(`\`${decision}\``);
    }
    const wanted = [...rows].map(
      ([head, { forms, decisions }]) => `${head} ${forms.join(', ')} | ${[...decisions].join(', ')} |`,
    );
    assert.deepEqual(
      page.filter((line) => FAMILIES.some((family) => line.startsWith(`| ${family} |`))),
      wanted,
    );
    for (const [name, { record, what }] of Object.entries(DECISIONS)) {
      assert.ok(page.includes(`| \`${name}\` | ${what} | ${record} |`), name);
    }
  });

  test('each action has words of its own', () => {
    const words = SCENARIOS.flatMap(({ steps }) =>
      steps.map(({ action }) => [JSON.stringify(action), actionText(action)] as const),
    );
    const byWords = new Map(words.map(([action, text]) => [text, action]));
    for (const [action, text] of words) assert.equal(byWords.get(text), action, text);
  });
});
