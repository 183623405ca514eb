/**
 * Scenarios of every family, each played by keepalived, by Baton and by both, with the same keepalived.conf. All of them:
 * `npm run differential`.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { labUnavailable } from '../lab/lab.js';
import { failureReport, passed } from './report.js';
import { Stages } from './run.js';
import { FAMILIES } from './scenario.js';
import { SCENARIOS } from './scenarios/all.js';

const skip = labUnavailable('keepalived');
/** Performances at the same time. They mostly wait. */
const STAGES = 16;

const representative = SCENARIOS.filter(({ isRepresentative }) => isRepresentative);

describe('keepalived and Baton do the same', {
  concurrency: representative.length,
  skip: skip === false ? false : skip,
}, () => {
  const stages = new Stages(STAGES);
  for (const scenario of representative) {
    test(scenario.name, async () => {
      const outcome = await stages.outcome(scenario);
      assert.ok(passed(outcome), failureReport(outcome));
    });
  }
});

test('every family is represented', () => {
  for (const family of FAMILIES) {
    assert.ok(
      representative.some((scenario) => scenario.family === family),
      family,
    );
  }
});
