/** The demonstration as its reader runs it: it ends well, and leaves nothing behind, interrupted or not. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { run } from '../lab/command.js';
import { labUnavailable } from '../lab/lab.js';
import { Program } from '../lab/program.js';
import { until } from '../lab/until.js';

const skip = labUnavailable();

function startDemo(): Program {
  const module = new URL('../demo/main.js', import.meta.url).pathname;
  const child: ChildProcess = spawn(process.execPath, [module], { stdio: ['ignore', 'pipe', 'pipe'] });
  return new Program('the demonstration', child);
}

/** Namespaces, directories and processes of the laboratories of a process; the last as "PID COMMAND". */
async function leftovers(pid: number): Promise<readonly string[]> {
  const name = `bt${pid}n`;
  const namespaces = (await run('ip', ['netns', 'list'])).split('\n').filter((line) => line.startsWith(name));
  const directories = readdirSync(tmpdir()).filter((entry) => entry.startsWith(name));
  const processes = readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map((entry) => `${entry} ${commandLine(entry)}`)
    .filter((text) => text.includes(name));
  return [...namespaces, ...directories, ...processes];
}

function commandLine(pid: string): string {
  try {
    return readFileSync(path.join('/proc', pid, 'cmdline'), 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

async function untilNothingIsLeft(pid: number): Promise<void> {
  let left: readonly string[] = [];
  await until(
    'nothing to be left',
    3000,
    async () => {
      left = await leftovers(pid);
      return left.length === 0;
    },
    () => left,
  );
}

test('the demonstration observes everything that it announces and leaves nothing behind', { skip }, async (t) => {
  const demo = startDemo();
  t.after(() => demo.kill());
  await demo.untilSays('Import their keepalived.conf', 20_000);
  assert.ok((await leftovers(demo.pid)).length >= 7, 'what it has can be seen');
  assert.equal(await demo.ended, 'exit 0', demo.tail(200));
  assert.match(demo.tail(2), /9 steps in \d+ s: everything was observed as expected/);
  await untilNothingIsLeft(demo.pid);
});

test('interrupted in the middle it leaves nothing behind', { skip }, async (t) => {
  const demo = startDemo();
  t.after(() => demo.kill());
  await demo.untilSays('Election', 30_000);
  const children = (await leftovers(demo.pid)).filter(
    (text) => text.includes('baton-agent') || text.includes('agent/main.js'),
  );
  assert.ok(children.length >= 2, `both agents run: ${children}`);
  demo.signal('SIGINT');
  const ended = await demo.ended;
  assert.ok(ended === 'SIGINT' || ended === 'exit 130', ended);
  await untilNothingIsLeft(demo.pid);
});
