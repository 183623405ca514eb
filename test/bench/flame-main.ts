/** perf script -F comm,tid,ip,sym,dso | node dist/test/bench/flame-main.js TITLE > IMAGE.svg */
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { flameGraph, readStacks } from './flame.js';

const [title = 'flame graph'] = process.argv.slice(2);
const stacks = readStacks(readFileSync(0, 'utf8'));
if (stacks.length === 0) {
  process.stderr.write('flame: no samples on standard input: pipe "perf script -F comm,tid,ip,sym,dso" into this\n');
  process.exitCode = 1;
} else {
  process.stdout.write(flameGraph(title, stacks));
}
