import assert from 'node:assert/strict';
import { test } from 'node:test';
import { flameGraph, readStacks } from './flame.js';

const SCRIPT = `node  4902 
	    7f0000000001 JS:*step file:///opt/baton/dist/bundle/chunk-A.js:2:27802 (/tmp/perf-4902.map)
	          b00001 uv_run (/usr/bin/node)

node  4902 
	ffffffff81000001 do_syscall_64 ([kernel.kallsyms])
	          b00001 uv_run (/usr/bin/node)

node  4905 
	          c00001 <lambda>&co (/usr/bin/node)
`;

test('stacks are read outermost first, and each frame knows where its code is from', () => {
  const [first, second, ...more] = readStacks(SCRIPT);
  assert.deepEqual(first, [
    { name: 'uv_run', origin: 'native' },
    { name: 'JS:*step chunk-A.js:2:27802', origin: 'script' },
  ]);
  assert.deepEqual(second?.[1], { name: 'do_syscall_64', origin: 'kernel' });
  assert.equal(more.length, 1);
});

test('a frame is as wide as its share of the samples, and names are text, not markup', () => {
  const image = flameGraph('backup', readStacks(SCRIPT));
  assert.match(image, /<title>uv_run: 2 \(66\.7 %\)<\/title><rect x="\d+\.\d" y="40" width="800\.0"/);
  assert.match(image, /<title>do_syscall_64: 1 \(33\.3 %\)<\/title>/);
  assert.match(image, /&#60;lambda&#62;&#38;co: 1/);
  assert.doesNotMatch(image, /<lambda>/);
});

test('nothing measured is an empty picture, not a fault', () => {
  assert.deepEqual(readStacks(''), []);
  assert.match(flameGraph('nothing', []), /0 samples/);
});
