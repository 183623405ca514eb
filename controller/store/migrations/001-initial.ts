import type { Kysely, Migration } from 'kysely';

/**
 * Inventory, identities, state and events. Only what SQLite and PostgreSQL both take: "bytea" is a plain blob to
 * SQLite, and numbers are given out by the counters table.
 */
export const initial: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createTable('counters')
      .addColumn('name', 'text', (column) => column.primaryKey())
      .addColumn('value', 'bigint', (column) => column.notNull())
      .execute();
    await db.schema
      .createTable('generations')
      .addColumn('generation', 'bigint', (column) => column.primaryKey())
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .addColumn('actor', 'text', (column) => column.notNull())
      .execute();
    await db.schema
      .createTable('resources')
      .addColumn('kind', 'text', (column) => column.notNull())
      .addColumn('name', 'text', (column) => column.notNull())
      .addColumn('generation', 'bigint', (column) => column.notNull().references('generations.generation'))
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .addColumn('updated_at', 'bigint', (column) => column.notNull())
      .addColumn('content', 'bytea', (column) => column.notNull())
      .addPrimaryKeyConstraint('resources_key', ['kind', 'name'])
      .execute();
    await db.schema
      .createTable('resource_changes')
      .addColumn('generation', 'bigint', (column) => column.notNull().references('generations.generation'))
      .addColumn('kind', 'text', (column) => column.notNull())
      .addColumn('name', 'text', (column) => column.notNull())
      .addColumn('change', 'text', (column) => column.notNull())
      .addColumn('content', 'bytea', (column) => column.notNull())
      .addPrimaryKeyConstraint('resource_changes_key', ['kind', 'name', 'generation'])
      .execute();
    await db.schema
      .createTable('tokens')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('hash', 'text', (column) => column.notNull().unique())
      .addColumn('node', 'text', (column) => column.notNull())
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .addColumn('expires_at', 'bigint', (column) => column.notNull())
      .addColumn('used_at', 'bigint', (column) => column.notNull())
      .addColumn('used_by', 'text', (column) => column.notNull())
      .addColumn('revoked_at', 'bigint', (column) => column.notNull())
      .execute();
    await db.schema
      .createTable('nodes')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('name', 'text', (column) => column.notNull())
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .addColumn('deleted_at', 'bigint', (column) => column.notNull())
      .addUniqueConstraint('nodes_name', ['name', 'deleted_at'])
      .execute();
    await db.schema
      .createTable('certificates')
      .addColumn('serial', 'text', (column) => column.primaryKey())
      .addColumn('role', 'text', (column) => column.notNull())
      .addColumn('subject', 'text', (column) => column.notNull())
      .addColumn('name', 'text', (column) => column.notNull())
      .addColumn('not_before', 'bigint', (column) => column.notNull())
      .addColumn('not_after', 'bigint', (column) => column.notNull())
      .addColumn('revoked_at', 'bigint', (column) => column.notNull())
      .execute();
    await db.schema.createIndex('certificates_subject').on('certificates').column('subject').execute();
    await db.schema
      .createTable('node_statuses')
      .addColumn('node', 'text', (column) => column.primaryKey().references('nodes.id'))
      .addColumn('last_seen', 'bigint', (column) => column.notNull())
      .addColumn('remote_address', 'text', (column) => column.notNull())
      .addColumn('content', 'bytea', (column) => column.notNull())
      .execute();
    await db.schema
      .createTable('bundles')
      .addColumn('node', 'text', (column) => column.primaryKey())
      .addColumn('generation', 'bigint', (column) => column.notNull().references('generations.generation'))
      .addColumn('hash', 'text', (column) => column.notNull())
      .addColumn('content', 'bytea', (column) => column.notNull())
      .execute();
    await db.schema
      .createTable('bundle_refusals')
      .addColumn('node', 'text', (column) => column.primaryKey().references('nodes.id'))
      .addColumn('hash', 'text', (column) => column.notNull())
      .addColumn('refused_at', 'bigint', (column) => column.notNull())
      .addColumn('content', 'bytea', (column) => column.notNull())
      .execute();
    await db.schema
      .createTable('events')
      .addColumn('id', 'bigint', (column) => column.primaryKey())
      .addColumn('node_id', 'text', (column) => column.notNull().references('nodes.id'))
      .addColumn('node', 'text', (column) => column.notNull())
      .addColumn('journal', 'text', (column) => column.notNull())
      .addColumn('sequence', 'bigint', (column) => column.notNull())
      .addColumn('received_at', 'bigint', (column) => column.notNull())
      .addColumn('severity', 'integer', (column) => column.notNull())
      .addColumn('router', 'text', (column) => column.notNull())
      .addColumn('content', 'bytea', (column) => column.notNull())
      .addUniqueConstraint('events_once', ['node_id', 'journal', 'sequence'])
      .execute();
    await db.schema.createIndex('events_node').on('events').columns(['node', 'id']).execute();
    await db.schema.createIndex('events_received').on('events').column('received_at').execute();
    await db.schema.createIndex('events_router').on('events').columns(['router', 'id']).execute();
  },
};
