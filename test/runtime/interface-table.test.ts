import assert from 'node:assert/strict';
import { test } from 'node:test';
import { link, tableOf } from './kept.js';

test('an interface is found by its name of now', () => {
  const table = tableOf(link(1, 'lo'), link(2, 'em1'));
  assert.equal(table.link('em1')?.index, 2);
  table.linkChanged(link(2, 'lan'));
  assert.equal(table.link('em1'), undefined);
  assert.equal(table.link('lan')?.index, 2);
  table.linkRemoved(2);
  assert.equal(table.link('lan'), undefined);
  table.replace([link(3, 'em1')], []);
  assert.equal(table.link('lo'), undefined);
  assert.equal(table.link('em1')?.index, 3);
});

test('two that change names, and one made anew before the news of the old one’s end', () => {
  const table = tableOf(link(2, 'em1'), link(3, 'em2'));
  table.linkChanged(link(2, 'spare'));
  table.linkChanged(link(3, 'em1'));
  table.linkChanged(link(2, 'em2'));
  assert.deepEqual([table.link('em1')?.index, table.link('em2')?.index, table.link('spare')], [3, 2, undefined]);
  table.linkChanged(link(9, 'em1'));
  table.linkRemoved(3);
  assert.equal(table.link('em1')?.index, 9);
  assert.deepEqual([...table.links].map(({ index }) => index).sort(), [2, 9]);
});
