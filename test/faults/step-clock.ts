/**
 * Loaded into a real agent by NODE_OPTIONS=--import: the wall clock of all its threads is as many milliseconds ahead as the
 * file named by BATON_TEST_CLOCK_FILE says, from when it says so.
 */
import { readFileSync, watchFile } from 'node:fs';

const file = process.env['BATON_TEST_CLOCK_FILE'];
if (file !== undefined) {
  const now = Date.now;
  let aheadMs = 0;
  const read = () => {
    try {
      aheadMs = Number(readFileSync(file, 'utf8'));
    } catch {
      aheadMs = 0;
    }
  };
  read();
  watchFile(file, { interval: 50, persistent: false }, read);
  Date.now = () => now() + aheadMs;
  globalThis.Date = new Proxy(Date, {
    construct: (target, args: unknown[], newTarget) =>
      Reflect.construct(target, args.length === 0 ? [now() + aheadMs] : args, newTarget) as Date,
  });
}
