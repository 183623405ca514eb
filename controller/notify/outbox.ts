/** The durable queue of mails: which are due, and what an attempt made of one. */
import type { Kysely } from 'kysely';
import type { MailOverview } from '../../proto/gen/baton/v1/status_service.js';
import { singleLine } from '../../proto/rules/printable-text.js';
import { LONGEST_RETRY_MS, type RecipientRefusal, retryDelayMs, type Verdict } from './delivery.js';
import type { AlertTables, OutboxRow } from './tables.js';

export type PendingMail = Pick<
  OutboxRow,
  | 'id'
  | 'alert'
  | 'router'
  | 'receiver'
  | 'kind'
  | 'message_id'
  | 'created_at'
  | 'attempts'
  | 'subject'
  | 'text'
  | 'html'
  | 'recipients_left'
  | 'accepted'
  | 'refused'
>;

/** The oldest mail that is due for each receiver, except the `busy` ones. */
export async function dueMails(
  db: Kysely<AlertTables>,
  now: number,
  busy: ReadonlySet<string>,
): Promise<readonly PendingMail[]> {
  const pending = db
    .selectFrom('outbox')
    .where('state', '=', 'pending')
    // The second half catches a time that was written while the clock was wrong.
    .where((where) =>
      where.or([where('next_attempt_at', '<=', now), where('next_attempt_at', '>', now + LONGEST_RETRY_MS)]),
    );
  const receivers = await pending.select('receiver').distinct().execute();
  const due: PendingMail[] = [];
  for (const { receiver } of receivers) {
    if (busy.has(receiver)) continue;
    const oldest = pending.selectAll().where('receiver', '=', receiver).orderBy('created_at').orderBy('id').limit(1);
    due.push(await oldest.executeTakeFirstOrThrow());
  }
  return due;
}

/** When the next mail of a receiver that is not `busy` is due; undefined: none waits. */
export async function nextDueAt(db: Kysely<AlertTables>, busy: ReadonlySet<string>): Promise<number | undefined> {
  let query = db
    .selectFrom('outbox')
    .select((select) => select.fn.min('next_attempt_at').as('next'))
    .where('state', '=', 'pending');
  if (busy.size > 0) query = query.where('receiver', 'not in', [...busy]);
  return (await query.executeTakeFirst())?.next ?? undefined;
}

export interface Outcome {
  readonly state: 'pending' | 'sent' | 'failed';
  readonly attempts: number;
  readonly error: string;
}

/** Writes down what an attempt came to. */
export async function settle(
  db: Kysely<AlertTables>,
  mail: PendingMail,
  verdict: Verdict,
  { now, random, giveUpAfterMs }: { readonly now: number; readonly random: number; readonly giveUpAfterMs: number },
): Promise<Outcome> {
  const accepted = [...readList(mail.accepted), ...verdict.accepted];
  const refused = [
    ...readRefusals(mail.refused),
    ...verdict.lost.map(({ recipient, reason }) => ({ recipient, reason })),
  ];
  const attempts = mail.attempts + 1;
  const expiresAt = mail.created_at + giveUpAfterMs;
  const nextAttemptAt = Math.max(now, Math.min(now + retryDelayMs(attempts, random), expiresAt));
  const givenUp = verdict.left.length > 0 && now >= expiresAt;
  const state = verdict.left.length > 0 && !givenUp ? 'pending' : refused.length === 0 && !givenUp ? 'sent' : 'failed';
  const trouble = [verdict.error, givenUp ? `given up after ${attempts} attempts` : ''].filter((part) => part !== '');
  // An earlier refusal of one recipient stays to be seen when the others have it at last.
  if (trouble.length === 0) trouble.push(...refused.map(({ recipient, reason }) => `${recipient}: ${reason}`));
  if (state === 'failed' && accepted.length > 0) trouble.push(`delivered to ${accepted.join(', ')}`);
  const error = singleLine(trouble.join('; '), 1000);

  await db.transaction().execute(async (transaction) => {
    await transaction
      .updateTable('outbox')
      .set({
        state,
        attempts,
        attempted_at: now,
        next_attempt_at: nextAttemptAt,
        finished_at: state === 'pending' ? 0 : now,
        last_error: error,
        recipients_left: JSON.stringify(verdict.left),
        accepted: JSON.stringify(accepted),
        refused: JSON.stringify(refused),
      })
      .where('id', '=', mail.id)
      .execute();
    if (verdict.serverDown && state === 'pending') {
      await transaction
        .updateTable('outbox')
        .set({ next_attempt_at: nextAttemptAt })
        .where('state', '=', 'pending')
        .where('receiver', '=', mail.receiver)
        .where('next_attempt_at', '<', nextAttemptAt)
        .execute();
    }
  });
  return { state, attempts, error };
}

/** The recipients that an earlier attempt left; undefined: there was none. */
export function recipientsLeft(mail: PendingMail): readonly string[] | undefined {
  return mail.recipients_left === '' ? undefined : readList(mail.recipients_left);
}

export async function overview(db: Kysely<AlertTables>): Promise<MailOverview> {
  const counts = await db
    .selectFrom('outbox')
    .select((select) => ['state', select.fn.countAll<number>().as('count')])
    .groupBy('state')
    .execute();
  const trouble = await db
    .selectFrom('outbox')
    .select(['receiver', 'last_error'])
    .where('state', '!=', 'sent')
    .where('last_error', '!=', '')
    .orderBy('attempted_at', 'desc')
    .limit(1)
    .executeTakeFirst();
  const count = (state: string): number => Number(counts.find((row) => row.state === state)?.count ?? 0);
  return {
    pending: count('pending'),
    sent: count('sent'),
    failed: count('failed'),
    lastError: trouble === undefined ? '' : `${trouble.receiver}: ${trouble.last_error}`,
  };
}

function readList(json: string): readonly string[] {
  const value: unknown = JSON.parse(json);
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

function readRefusals(json: string): readonly Pick<RecipientRefusal, 'recipient' | 'reason'>[] {
  // Written by settle() alone.
  return JSON.parse(json) as Pick<RecipientRefusal, 'recipient' | 'reason'>[];
}
