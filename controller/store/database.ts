/** Opens the controller's SQLite file, readable by its owner only, and brings its tables up to date. */
import { chmodSync, closeSync, openSync } from 'node:fs';
import path from 'node:path';
import { Kysely, type Migration, Migrator, SqliteDialect, type Transaction } from 'kysely';
import { makePrivateDirectory } from '../../proto/process/private-directory.js';
import { migrations } from './migrations/index.js';
import type { Database } from './schema.js';
import { openSqlite, type SqliteFile } from './sqlite.js';

export type Store = Kysely<Database>;
export type StoreTransaction = Transaction<Database>;

/** How long a statement waits for another process that holds the file, such as a backup, in milliseconds. */
const BUSY_TIMEOUT_MS = 5_000;

/** The database cannot be opened or brought up to date. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code = 'store-unusable';
}

/** Name of the database file in the data directory. */
export const DATABASE_FILE = 'baton.db';

/**
 * Opens DATA_DIR/baton.db, making the directory (0700) and the file (0600) when they are missing.
 * @throws StoreError
 */
export async function openStore(dataDir: string): Promise<Store> {
  const file = path.join(dataDir, DATABASE_FILE);
  let sqlite: SqliteFile;
  try {
    makePrivateDirectory(dataDir);
    // SQLite gives its journal files the mode of the database file, so that one must be right before it is opened.
    closeSync(openSync(file, 'a', 0o600));
    chmodSync(file, 0o600);
    sqlite = openSqlite(file, BUSY_TIMEOUT_MS);
    sqlite.exec('PRAGMA journal_mode = WAL');
    // An accepted event or generation must survive a power cut.
    sqlite.exec('PRAGMA synchronous = FULL');
    sqlite.exec('PRAGMA foreign_keys = ON');
  } catch (error) {
    throw new StoreError(`cannot open the database ${file}: ${(error as Error).message}`, { cause: error });
  }
  const store: Store = new Kysely<Database>({ dialect: new SqliteDialect({ database: sqlite }) });
  try {
    await migrate(store);
  } catch (error) {
    await store.destroy();
    throw new StoreError(`cannot bring the tables of ${file} up to date: ${(error as Error).message}`, {
      cause: error,
    });
  }
  return store;
}

async function migrate(store: Store): Promise<void> {
  const all: Record<string, Migration> = { ...migrations };
  const { error } = await new Migrator({
    db: store,
    provider: { getMigrations: () => Promise.resolve(all) },
  }).migrateToLatest();
  if (error !== undefined) throw error instanceof Error ? error : new StoreError(String(error));
}
