import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import { RefusalLog } from '../../controller/identity/refusal-log.js';

interface Line {
  readonly code: string;
  readonly remoteAddress: string;
  readonly count?: number;
}

function observed() {
  const lines: Line[] = [];
  const clock = { now: 0 };
  const log = pino({ level: 'info', base: null }, { write: (line: string) => lines.push(JSON.parse(line)) });
  return { lines, clock, refusals: new RefusalLog(log, () => clock.now) };
}

test('the first refusal of a kind is told at once, repeats as a count a minute later', () => {
  const { lines, clock, refusals } = observed();
  for (let port = 1; port <= 10; port += 1) refusals.tell('/m', 'no-certificate', `192.0.2.1:${port}`);
  assert.equal(lines.length, 1);
  refusals.tell('/m', 'expired', '192.0.2.1:11');
  refusals.tell('/m', 'no-certificate', '192.0.2.2:1');
  assert.equal(lines.length, 3);
  clock.now = 60_000;
  refusals.tell('/m', 'no-certificate', '192.0.2.1:12');
  assert.equal(lines.at(-1)?.count, 9);
});

test('very many addresses are one kind beyond a bound, until the old ones are forgotten', () => {
  const { lines, clock, refusals } = observed();
  for (let index = 0; index < 5_000; index += 1) refusals.tell('/m', 'no-certificate', `2001:db8::${index}:1`);
  assert.ok(lines.length <= 1_001, `${lines.length} lines`);
  clock.now = 60_000;
  refusals.tell('/m', 'no-certificate', '203.0.113.1:1');
  refusals.tell('/m', 'no-certificate', '203.0.113.2:1');
  assert.equal(lines.at(-1)?.remoteAddress, '203.0.113.2:1');
});
