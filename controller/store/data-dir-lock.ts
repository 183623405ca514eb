/**
 * One running controller per data directory: two would each keep a state of their own over one database. The lock is
 * an exclusive transaction on a file of its own, so the kernel lifts it whatever way the process ends.
 */
import path from 'node:path';
import { StoreError } from './database.js';
import { isBusy, openSqlite } from './sqlite.js';

const LOCK_FILE = 'serving.lock';

/** @returns lifts the lock @throws StoreError when another controller has it */
export function lockDataDir(dataDir: string): () => void {
  const file = path.join(dataDir, LOCK_FILE);
  const lock = openSqlite(file, 0);
  try {
    lock.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    if (isBusy(error)) {
      throw new StoreError(`another baton-controller is serving ${dataDir}`, { cause: error });
    }
    throw new StoreError(`cannot lock ${file}: ${(error as Error).message}`, { cause: error });
  }
  return () => lock.close();
}
