import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { test } from 'node:test';

const skip = process.getuid?.() === 0 ? false : 'needs root: scheduling is the kernel’s to give';

test('the kernel says of the main thread what was asked for, and the process lives on', { skip }, () => {
  const module = new URL('../../agent/local/scheduling.js', import.meta.url).href;
  const program = `
    import { Worker } from 'node:worker_threads';
    import { readFileSync } from 'node:fs';
    const settings = { realtimePriority: 7, nice: -3, lockMemory: true, cpus: [0] };
    const source = 'import { parentPort } from "node:worker_threads";' +
      'import { schedule } from ' + JSON.stringify(${JSON.stringify(module)}) + ';' +
      'parentPort.postMessage(schedule(' + JSON.stringify(settings) + ', 0))';
    new Worker(new URL('data:text/javascript,' + encodeURIComponent(source))).on('message', (problems) => {
      // The stat of the main thread: fields 19 (nice), 40 (rt_priority), 41 (policy) of proc(5).
      const fields = readFileSync('/proc/self/task/' + process.pid + '/stat', 'utf8').split(') ')[1].split(' ');
      const status = readFileSync('/proc/self/task/' + process.pid + '/status', 'utf8');
      let kept = [];
      for (let round = 0; round < 20; round++) { kept = Array.from({ length: 200000 }, (_, i) => ({ i })); globalThis.gc(); }
      const locked = Number(/VmLck:\\s+(\\d+)/.exec(status)[1]);
      console.log(JSON.stringify({
        problems, nice: Number(fields[16]), priority: Number(fields[37]), policy: Number(fields[38]),
        cpus: /Cpus_allowed_list:\\s+(\\S+)/.exec(status)[1], isLocked: locked > 1000, kept: kept.length,
      }));
    });
  `;
  const run = spawnSync(process.execPath, ['--expose-gc', '--input-type=module', '-e', program], { encoding: 'utf8' });
  assert.equal(run.status, 0, run.stderr);
  assert.deepEqual(JSON.parse(run.stdout), {
    problems: [],
    nice: -3,
    priority: 7,
    policy: 2,
    cpus: '0',
    isLocked: true,
    kept: 200000,
  });
});
