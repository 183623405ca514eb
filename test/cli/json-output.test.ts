/** What "status" and "events" print for machines: what batonctl prints for the same messages. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { ControlServer } from '../../agent/local/control-server.js';
import { Event, EventSeverity } from '../../proto/gen/baton/v1/events.js';
import { NodeStatus } from '../../proto/gen/baton/v1/status.js';
import { sampleStatus } from '../local/sample-status.js';

const MAIN = path.resolve(import.meta.dirname, '../../agent/main.js');
const EVENT = Event.fromPartial({ sequence: 3, severity: EventSeverity.WARNING, message: 'pg: paused' });

test('enums in lower case, durations with their unit, every field there', async () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'baton-json-'));
  const server = await ControlServer.listen(path.join(directory, 'run'), (request, answer) => {
    const result = request.command === 'status' ? NodeStatus.toJSON(sampleStatus()) : { events: [Event.toJSON(EVENT)] };
    answer.reply({ ok: true, result });
    answer.done();
    return undefined;
  });
  try {
    const run = async (command: string): Promise<Record<string, unknown>> => {
      const args = [MAIN, command, '-o', 'json', '--run-dir', path.join(directory, 'run')];
      const { stdout } = await promisify(execFile)(process.execPath, args, { encoding: 'utf8' });
      return JSON.parse(stdout) as Record<string, unknown>;
    };
    const status = await run('status');
    const [router] = status['routers'] as readonly Record<string, unknown>[];
    assert.equal(router?.['state'], 'backup');
    assert.equal(router?.['handingOver'], false);
    assert.deepEqual(status['schedulingLag'], { last: '260us', max: '4.211ms', timers: 9 });
    const event = await run('events');
    assert.equal(event['severity'], 'warning');
    assert.equal(event['sequence'], 3);
  } finally {
    await server.close();
    rmSync(directory, { recursive: true, force: true });
  }
});
