/**
 * SQLite files. Node's own module where there is one (22.13 and later), better-sqlite3 on Node 20: the latter's objects,
 * collected outside of a context, abort Node 24 ("RemoveEnvironmentCleanupHook: (env) != nullptr").
 */
import { createRequire } from 'node:module';
import process from 'node:process';
import type { SqliteDatabase } from 'kysely';

/** What the store needs of an open file; also what Kysely's dialect takes. */
export interface SqliteFile extends SqliteDatabase {
  /** Runs statements that give no rows. */
  exec(sql: string): void;
}

/** The part of node:sqlite that is used here; Node 20's types do not have it. */
interface NodeSqlite {
  readonly DatabaseSync: new (file: string) => NodeDatabase;
}

interface NodeDatabase {
  close(): void;
  exec(sql: string): void;
  prepare(sql: string): NodeStatement;
}

interface NodeStatement {
  all(...parameters: readonly unknown[]): unknown[];
  run(...parameters: readonly unknown[]): { changes: number | bigint; lastInsertRowid: number | bigint };
  iterate(...parameters: readonly unknown[]): IterableIterator<unknown>;
}

/** https://sqlite.org/rescode.html */
const SQLITE_BUSY = 5;

const require = createRequire(import.meta.url);

/**
 * @param timeoutMs How long a statement waits for another process that holds the file.
 * @throws Error when the file cannot be opened.
 */
export function openSqlite(file: string, timeoutMs: number): SqliteFile {
  const node = nodeSqlite();
  if (node === undefined) {
    const BetterSqlite = require('better-sqlite3') as typeof import('better-sqlite3');
    return new BetterSqlite(file, { timeout: timeoutMs });
  }
  const database = new node.DatabaseSync(file);
  database.exec(`PRAGMA busy_timeout = ${Math.floor(timeoutMs)}`);
  return {
    close: () => database.close(),
    exec: (sql) => database.exec(sql),
    prepare: (sql) => {
      const statement = database.prepare(sql);
      return {
        reader: givesRows(sql),
        all: (parameters) => statement.all(...parameters),
        run: (parameters) => statement.run(...parameters),
        iterate: (parameters) => statement.iterate(...parameters),
      };
    },
  };
}

/** Whether a statement failed because another process holds the file. */
export function isBusy(error: unknown): boolean {
  const { code, errcode } = error as { readonly code?: unknown; readonly errcode?: unknown };
  return code === 'SQLITE_BUSY' || errcode === SQLITE_BUSY;
}

function nodeSqlite(): NodeSqlite | undefined {
  const { emitWarning } = process;
  // It calls itself experimental on standard error; what is used of it here is not about to change.
  process.emitWarning = () => undefined;
  try {
    return require('node:sqlite') as NodeSqlite;
  } catch {
    return undefined;
  } finally {
    process.emitWarning = emitWarning;
  }
}

/** Of the statements that Kysely makes. */
function givesRows(sql: string): boolean {
  return /^\s*(select|with|pragma)\b/i.test(sql) || /\breturning\b/i.test(sql);
}
