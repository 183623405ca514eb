/**
 * Loaded before an agent by --import: its worker thread does nothing but burn processor time from FIRST_MS after its start
 * for BLOCKED_MS. It says on standard error when.
 */
import { writeSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

const FIRST_MS = 2500;
const BLOCKED_MS = 5000;

if (!isMainThread) {
  setTimeout(() => {
    // A blocked thread's own output stream would come too late.
    writeSync(2, 'worker blocked\n');
    const end = performance.now() + BLOCKED_MS;
    while (performance.now() < end);
    writeSync(2, 'worker free\n');
  }, FIRST_MS);
}
