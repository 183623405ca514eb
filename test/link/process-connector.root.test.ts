import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { openProcessConnector, type ProcessEvent } from '../../agent/link/process-connector.js';
import { until } from '../lab/until.js';

/** Why the process connector does not answer here, or false. */
function unavailable(): string | false {
  if (process.getuid?.() !== 0) return 'needs root: the process connector';
  try {
    openProcessConnector({ onEvent: () => {}, onOverrun: () => {}, onError: () => {} }).close();
    return false;
  } catch (error) {
    return error instanceof Error ? error.message : 'the process connector cannot be opened';
  }
}
const skip = unavailable();

function watch(t: TestContext) {
  const events: ProcessEvent[] = [];
  const connector = openProcessConnector({
    onEvent: (event) => void events.push(event),
    onOverrun: () => {},
    onError: (error) => assert.fail(error),
  });
  t.after(() => connector.close());
  return { events, connector };
}

test('a process is told from its beginning to its end', { skip }, async (t) => {
  const { events, connector } = watch(t);
  const child = spawn('sh', ['-c', 'printf renamed > /proc/self/comm; read line'], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const { pid = 0 } = child;
  const mine = () => events.filter((event) => event.process === pid);
  await until('its new name', 3000, () => mine().some(({ kind }) => kind === 'comm'));
  child.stdin.end('\n');
  await once(child, 'exit');
  await until('its end', 3000, () => mine().some(({ kind }) => kind === 'exit'));
  const [fork, ...later] = mine();
  assert.deepEqual(fork, { kind: 'fork', parent: process.pid, process: pid });
  assert.deepEqual(later, [
    { kind: 'exec', process: pid },
    { kind: 'comm', process: pid, command: 'renamed' },
    { kind: 'exit', process: pid },
  ]);
  assert.equal(connector.foreignMessages(), 0);
});

test('threads are not told', { skip }, async (t) => {
  const { events } = watch(t);
  const worker = new Worker('setTimeout(() => {}, 50)', { eval: true });
  await once(worker, 'exit');
  const child = spawn('true');
  await once(child, 'exit');
  await until('a process after the thread', 3000, () => events.some((event) => event.process === child.pid));
  assert.deepEqual(
    events.filter((event) => event.process === process.pid && event.kind !== 'comm'),
    [],
  );
});

test('in a worker thread it does the same, and after it was closed nothing more', { skip }, async () => {
  const module = new URL('../../agent/link/process-connector.js', import.meta.url).href;
  const worker = new Worker(
    `const { parentPort } = require('node:worker_threads');
     import(${JSON.stringify(module)}).then(({ openProcessConnector }) => {
       const connector = openProcessConnector({ onEvent: (event) => parentPort.postMessage(event), onOverrun() {}, onError() {} });
       parentPort.postMessage('open');
       parentPort.on('message', () => { connector.close(); parentPort.close(); });
     });`,
    { eval: true },
  );
  const told: unknown[] = [];
  worker.on('message', (message) => told.push(message));
  await until('the connector in the worker', 5000, () => told.includes('open'));
  const child = spawn('true');
  await once(child, 'exit');
  await until('the end of the process', 3000, () =>
    told.some((event) => (event as ProcessEvent).kind === 'exit' && (event as ProcessEvent).process === child.pid),
  );
  worker.postMessage('close');
  await once(worker, 'exit');
});

for (const [where, args] of [
  ['network', ['-n']],
  ['process', ['-pf']],
] as const) {
  test(`in another ${where} namespace it says that it does not answer there`, { skip }, async () => {
    const module = new URL('../../agent/link/process-connector.js', import.meta.url).href;
    const child = spawn('unshare', [
      ...args,
      process.execPath,
      '--input-type=module',
      '-e',
      `const { openProcessConnector } = await import(${JSON.stringify(module)});
       try { openProcessConnector({ onEvent() {}, onOverrun() {}, onError() {} }); console.log('open'); }
       catch (error) { console.log(error.name, error.code, error.message); }`,
    ]);
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    await once(child, 'close');
    assert.match(
      said,
      /^SocketOpenError \w+ cannot watch processes .*initial network, process and user namespaces only/,
    );
  });
}
