/** The alert tables: see controller/notify/tables.ts. */
import type { Kysely, Migration } from 'kysely';

export const outbox: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createTable('alert_transitions')
      .addColumn('event_id', 'integer', (column) => column.primaryKey())
      .addColumn('router', 'text', (column) => column.notNull())
      .addColumn('node', 'text', (column) => column.notNull())
      .addColumn('received_at', 'integer', (column) => column.notNull())
      .addColumn('known_state', 'text', (column) => column.notNull())
      .addColumn('known_since', 'integer', (column) => column.notNull())
      .addColumn('event', 'blob', (column) => column.notNull())
      .execute();
    await db.schema
      .createTable('alert_evidence')
      .addColumn('event_id', 'integer', (column) => column.primaryKey())
      .addColumn('node', 'text', (column) => column.notNull())
      .addColumn('received_at', 'integer', (column) => column.notNull())
      .addColumn('happened_at', 'integer', (column) => column.notNull())
      .addColumn('event', 'blob', (column) => column.notNull())
      .execute();
    await db.schema.createIndex('alert_evidence_received_at').on('alert_evidence').column('received_at').execute();
    await db.schema
      .createTable('alert_members')
      .addColumn('router', 'text', (column) => column.notNull())
      .addColumn('node', 'text', (column) => column.notNull())
      .addColumn('state', 'text', (column) => column.notNull())
      .addColumn('since', 'integer', (column) => column.notNull())
      .addColumn('priority', 'integer', (column) => column.notNull())
      .addPrimaryKeyConstraint('alert_members_pk', ['router', 'node'])
      .execute();
    await db.schema
      .createTable('outbox')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('alert', 'text', (column) => column.notNull())
      .addColumn('router', 'text', (column) => column.notNull())
      .addColumn('receiver', 'text', (column) => column.notNull())
      .addColumn('kind', 'text', (column) => column.notNull())
      .addColumn('message_id', 'text', (column) => column.notNull().unique())
      .addColumn('state', 'text', (column) => column.notNull())
      .addColumn('created_at', 'integer', (column) => column.notNull())
      .addColumn('attempts', 'integer', (column) => column.notNull())
      .addColumn('next_attempt_at', 'integer', (column) => column.notNull())
      .addColumn('attempted_at', 'integer', (column) => column.notNull())
      .addColumn('finished_at', 'integer', (column) => column.notNull())
      .addColumn('last_error', 'text', (column) => column.notNull())
      .addColumn('subject', 'text', (column) => column.notNull())
      .addColumn('text', 'text', (column) => column.notNull())
      .addColumn('html', 'text', (column) => column.notNull())
      .addColumn('recipients_left', 'text', (column) => column.notNull())
      .addColumn('accepted', 'text', (column) => column.notNull())
      .addColumn('refused', 'text', (column) => column.notNull())
      .execute();
    await db.schema.createIndex('outbox_due').on('outbox').columns(['state', 'next_attempt_at']).execute();
  },

  async down(db: Kysely<unknown>): Promise<void> {
    for (const table of ['outbox', 'alert_members', 'alert_evidence', 'alert_transitions']) {
      await db.schema.dropTable(table).execute();
    }
  },
};
