/** Join tokens, by their hash. */
import type { Store, StoreTransaction } from './database.js';
import type { TokenTable } from './schema.js';

/** Used, expired and revoked tokens are listed for this long after their end, in milliseconds. */
const KEPT_MS = 30 * 24 * 3_600_000;

export async function insertToken(db: Store, row: TokenTable): Promise<void> {
  await db.transaction().execute(async (trx) => {
    await trx
      .deleteFrom('tokens')
      .where('expires_at', '<', row.created_at - KEPT_MS)
      .execute();
    await trx.insertInto('tokens').values(row).execute();
  });
}

/** Newest first. */
export function listTokens(db: Store): Promise<TokenTable[]> {
  return db.selectFrom('tokens').selectAll().orderBy('created_at', 'desc').orderBy('id').execute();
}

/** A token that can be used now; undefined when it is unknown, used, expired or revoked. */
export async function findUsableToken(
  db: Store | StoreTransaction,
  hash: string,
  now: Date,
): Promise<TokenTable | undefined> {
  return db
    .selectFrom('tokens')
    .selectAll()
    .where('hash', '=', hash)
    .where('used_at', '=', 0)
    .where('revoked_at', '=', 0)
    .where('expires_at', '>', now.getTime())
    .executeTakeFirst();
}

/**
 * Uses a token up. One statement decides, so of two that race for it only one gets true.
 */
export async function consumeToken(trx: StoreTransaction, id: string, usedBy: string, now: Date): Promise<boolean> {
  const result = await trx
    .updateTable('tokens')
    .set({ used_at: now.getTime(), used_by: usedBy })
    .where('id', '=', id)
    .where('used_at', '=', 0)
    .where('revoked_at', '=', 0)
    .where('expires_at', '>', now.getTime())
    .executeTakeFirst();
  return result.numUpdatedRows === 1n;
}

/** False: there is no such token. Revoking twice is fine. */
export async function revokeToken(db: Store, id: string, now: Date): Promise<boolean> {
  const known = await db.selectFrom('tokens').select('id').where('id', '=', id).executeTakeFirst();
  if (known === undefined) return false;
  await db
    .updateTable('tokens')
    .set({ revoked_at: now.getTime() })
    .where('id', '=', id)
    .where('revoked_at', '=', 0)
    .execute();
  return true;
}
