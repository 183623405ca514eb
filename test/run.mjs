// The whole suite: static checks, then every compiled test file in a process of its own. Unit and simulation tests run
// two files at a time, and so do tests that need root, which mostly wait; those that measure how long something takes, or
// flood, run alone. Ends with one line "N passed, N failed" (", N skipped").
//
//   node test/run.mjs [--checks] [--unit] [PATTERN...]   PATTERN: part of a test file's path
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
process.chdir(root);

const arguments_ = process.argv.slice(2);
const checksOnly = arguments_.includes('--checks');
const unitOnly = arguments_.includes('--unit');
const patterns = arguments_.filter((argument) => !argument.startsWith('--'));
const isRoot = process.getuid?.() === 0;
/** Parts of the paths of test files that run with nothing beside them. */
const ALONE = ['blocked-worker', 'e2e/demo', 'hostile-packets', 'host-faults', 'faults/processes', 'net/', 'health/'];
/** A file that has not ended by then is ended and counted as failed. */
const FILE_LIMIT_MS = 600_000;

/** Each test file's results, apart from what the test itself prints. */
const results = mkdtempSync(path.join(os.tmpdir(), 'baton-test-'));

const total = { passed: 0, failed: 0, skipped: 0 };
const failures = [];
/** Lines of a failure that are told at once; the whole is at the end. */
const LINES_AT_ONCE = 12;
const skips = [];

if (patterns.length === 0) await runChecks();
if (!checksOnly) await runTests();
rmSync(results, { recursive: true, force: true });

for (const { title, text } of failures) process.stdout.write(`\nFAILED ${title}\n${text}\n`);
if (skips.length > 0) {
  process.stdout.write(`\nSKIPPED ${skips.length} tests:\n${skips.map((skip) => `  ${skip}\n`).join('')}`);
  if (!isRoot)
    process.stdout.write('Without root no network namespace can be made: run "sudo npm test" for the whole suite.\n');
}
process.stdout.write(
  `\n${total.passed} passed, ${total.failed} failed${total.skipped > 0 ? `, ${total.skipped} skipped` : ''}\n`,
);
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;

async function runChecks() {
  const bin = (name) => path.join('node_modules/.bin', name);
  await check('format, lint and import rules', bin('biome'), ['check', '--error-on-warnings', '.']);
  await check('core compiles without Node', bin('tsc'), ['-p', 'tsconfig.core.json']);
  await check('no dead code or unused dependency', bin('knip'), ['--no-progress']);
  await check('protocol buffers lint, generated code is current', process.execPath, ['proto/generate.mjs', '--check']);
}

async function check(title, command, parameters) {
  const { code, output } = await run(command, parameters, 120_000);
  process.stdout.write(`${code === 0 ? 'ok  ' : 'FAIL'} check: ${title}\n`);
  if (code === 0) total.passed += 1;
  else {
    total.failed += 1;
    fail(title, output);
  }
}

/** Whoever sees only a part of the output sees why as well. */
function fail(title, text) {
  failures.push({ title, text });
  const first = text.split('\n').slice(0, LINES_AT_ONCE);
  process.stdout.write(`FAILED ${title}\n${first.map((line) => `  ${line}\n`).join('')}`);
}

async function runTests() {
  if (!existsSync('dist/test')) {
    process.stderr.write('baton: dist/test is not there: run "npm run build" first, or "npm test", which does it.\n');
    process.exit(2);
  }
  const files = readdirSync('dist/test', { recursive: true })
    .map((name) => path.join('dist/test', String(name)))
    .filter((name) => name.endsWith('.test.js'))
    .filter((name) => patterns.length === 0 || patterns.some((pattern) => name.includes(pattern.replace(/\.ts$/, ''))))
    .sort();
  const needRoot = files.filter((file) => file.endsWith('.root.test.js'));
  const unit = files.filter((file) => !file.endsWith('.root.test.js'));
  await runPool(unit, Math.min(2, os.availableParallelism()));
  if (unitOnly) return;
  const isAlone = (file) => ALONE.some((part) => file.includes(part));
  await runPool(
    needRoot.filter((file) => !isAlone(file)),
    Math.min(2, os.availableParallelism()),
  );
  await runPool(needRoot.filter(isAlone), 1);
}

async function runPool(files, width) {
  const queue = [...files];
  await Promise.all(
    Array.from({ length: width }, async () => {
      for (let file = queue.shift(); file !== undefined; file = queue.shift()) await runFile(file);
    }),
  );
}

async function runFile(file) {
  const started = performance.now();
  const report = path.join(results, file.replaceAll('/', '-'));
  const parameters = [
    '--enable-source-maps',
    '--test-reporter=./test/reporter.mjs',
    `--test-reporter-destination=${report}`,
  ];
  const { code, output, timedOut } = await run(process.execPath, [...parameters, file], FILE_LIMIT_MS);
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const other = output.split('\n').filter((line) => line !== '');
  for (const result of readResults(report)) {
    if (result.skipped !== undefined) {
      counts.skipped += 1;
      skips.push(`${shown(file)}: ${result.name}${result.skipped === '' ? '' : ` (${result.skipped})`}`);
    } else if (result.passed) counts.passed += 1;
    else if (result.failureType !== 'subtestsFailed') {
      counts.failed += 1;
      fail(`${shown(file)}: ${result.name}`, result.error ?? '');
    }
  }
  const ran = counts.passed + counts.failed + counts.skipped;
  if ((code !== 0 && counts.failed === 0) || ran === 0) {
    counts.failed += 1;
    const what = timedOut ? `did not end within ${FILE_LIMIT_MS / 1000} s` : `ended with ${code} after ${ran} tests`;
    fail(`${shown(file)}: ${what}`, other.slice(-60).join('\n'));
  } else if (counts.failed > 0 && other.length > 0) {
    fail(`${shown(file)}: other output`, other.slice(-60).join('\n'));
  }
  for (const key of Object.keys(total)) total[key] += counts[key];
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const summary = Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([key, count]) => `${count} ${key}`)
    .join(', ');
  process.stdout.write(`${counts.failed > 0 ? 'FAIL' : 'ok  '} ${shown(file)}: ${summary} (${seconds} s)\n`);
}

function shown(file) {
  return file.replace(/^dist\//, '').replace(/\.js$/, '.ts');
}

function readResults(report) {
  if (!existsSync(report)) return [];
  return readFileSync(report, 'utf8')
    .split('\n')
    .filter((line) => line.endsWith('}'))
    .map((line) => JSON.parse(line));
}

function run(command, parameters, limitMs) {
  return new Promise((resolve) => {
    const child = spawn(command, parameters, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    let timedOut = false;
    const collect = (chunk) => {
      output += chunk;
    };
    child.stdout.setEncoding('utf8').on('data', collect);
    child.stderr.setEncoding('utf8').on('data', collect);
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill('SIGTERM');
      setTimeout(() => child.kill('SIGKILL'), 10_000).unref();
    }, limitMs);
    child.on('error', (error) => {
      clearTimeout(timer);
      resolve({ code: 127, output: `${command}: ${error.message}`, timedOut });
    });
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code, output, timedOut });
    });
  });
}
