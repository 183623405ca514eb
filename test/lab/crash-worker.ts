/**
 * Loaded into a real agent by NODE_OPTIONS=--import: the worker thread dies of an uncaught error when the file named by
 * BATON_TEST_CRASH_FILE appears, once each time it does.
 */
import { rmSync, watch } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { isMainThread } from 'node:worker_threads';

const file = process.env['BATON_TEST_CRASH_FILE'];
if (!isMainThread && file !== undefined) {
  watch(path.dirname(file), { persistent: false }, (_event, name) => {
    if (name !== path.basename(file)) return;
    try {
      rmSync(file);
    } catch {
      // Told of its own removal.
      return;
    }
    throw new RangeError('a crash that a test asked for');
  });
}
