/** Numbers given out in order and never twice, also after what they named is deleted. */
import type { Store, StoreTransaction } from './database.js';

export type CounterName = 'generation' | 'event';

/** The last number given out; 0 when none was. */
export async function readNumber(db: Store | StoreTransaction, name: CounterName): Promise<number> {
  const row = await db.selectFrom('counters').select('value').where('name', '=', name).executeTakeFirst();
  return row?.value ?? 0;
}

/** Takes `count` numbers; answers the first of them. The row stays locked until the transaction ends. */
export async function nextNumber(trx: StoreTransaction, name: CounterName, count = 1): Promise<number> {
  const row = await trx
    .insertInto('counters')
    .values({ name, value: count })
    .onConflict((conflict) =>
      conflict.column('name').doUpdateSet((expression) => ({ value: expression('counters.value', '+', count) })),
    )
    .returning('value')
    .executeTakeFirstOrThrow();
  return row.value - count + 1;
}
