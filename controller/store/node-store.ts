/** Who the nodes are, which certificates were issued, and what each node last said. */
import { BundleResult } from '../../proto/gen/baton/v1/agent_service.js';
import { NodeStatus } from '../../proto/gen/baton/v1/status.js';
import type { Store, StoreTransaction } from './database.js';
import type { CertificateTable, NodeTable } from './schema.js';

/** What a node was when it last spoke. */
export interface StoredNodeStatus {
  readonly lastSeen: number;
  readonly remoteAddress: string;
  readonly status: NodeStatus;
}

export interface StoredRefusal {
  readonly hash: string;
  readonly result: BundleResult;
}

export function readNodes(db: Store | StoreTransaction): Promise<NodeTable[]> {
  return db.selectFrom('nodes').selectAll().where('deleted_at', '=', 0).execute();
}

/** Everybody who ever had that name: who has it now first, whatever the clock said when they came, then newest first. */
export function readNodesNamed(db: Store | StoreTransaction, name: string): Promise<NodeTable[]> {
  return db
    .selectFrom('nodes')
    .selectAll()
    .where('name', '=', name)
    .orderBy((is) => is('deleted_at', '=', 0), 'desc')
    .orderBy('created_at', 'desc')
    .execute();
}

export async function insertNode(trx: StoreTransaction, id: string, name: string, at: Date): Promise<void> {
  await trx.insertInto('nodes').values({ id, name, created_at: at.getTime(), deleted_at: 0 }).execute();
}

/** The identity is no node any more and every certificate of it is revoked. Its events and name are remembered. */
export async function retireNode(trx: StoreTransaction, id: string, at: Date): Promise<void> {
  await trx.updateTable('nodes').set({ deleted_at: at.getTime() }).where('id', '=', id).execute();
  await trx.deleteFrom('bundle_refusals').where('node', '=', id).execute();
  await trx.deleteFrom('node_statuses').where('node', '=', id).execute();
  await revokeSubject(trx, id, at);
}

/** Certificates that ended this long ago are forgotten, in milliseconds. */
const EXPIRED_KEPT_MS = 30 * 24 * 3_600_000;

export async function insertCertificate(db: Store | StoreTransaction, row: CertificateTable): Promise<void> {
  await db
    .deleteFrom('certificates')
    .where('not_after', '<', row.not_before - EXPIRED_KEPT_MS)
    .execute();
  await db.insertInto('certificates').values(row).execute();
}

async function revokeSubject(db: Store | StoreTransaction, subject: string, at: Date): Promise<void> {
  await db
    .updateTable('certificates')
    .set({ revoked_at: at.getTime() })
    .where('subject', '=', subject)
    .where('revoked_at', '=', 0)
    .execute();
}

/** Serial numbers of revoked certificates that have not expired. */
export async function readRevokedSerials(db: Store, now: Date): Promise<string[]> {
  const rows = await db
    .selectFrom('certificates')
    .select('serial')
    .where('revoked_at', '>', 0)
    .where('not_after', '>=', now.getTime())
    .execute();
  return rows.map((row) => row.serial);
}

/** When the newest good certificate of each subject ends, in milliseconds of Unix time. */
export async function readCertificateExpiries(db: Store): Promise<Map<string, number>> {
  const rows = await db
    .selectFrom('certificates')
    .select(['subject', (expression) => expression.fn.max('not_after').as('not_after')])
    .where('revoked_at', '=', 0)
    .groupBy('subject')
    .execute();
  return new Map(rows.map((row) => [row.subject, row.not_after]));
}

export async function readNodeStatuses(db: Store): Promise<Map<string, StoredNodeStatus>> {
  const rows = await db.selectFrom('node_statuses').selectAll().execute();
  return new Map(
    rows.map((row) => [
      row.node,
      { lastSeen: row.last_seen, remoteAddress: row.remote_address, status: NodeStatus.decode(row.content) },
    ]),
  );
}

/** Writes several nodes' states at once. Those of nodes that are gone are left out. */
export async function writeNodeStatuses(db: Store, statuses: ReadonlyMap<string, StoredNodeStatus>): Promise<void> {
  await db.transaction().execute(async (trx) => {
    const present = new Set((await readNodes(trx)).map((node) => node.id));
    for (const [node, { lastSeen, remoteAddress, status }] of statuses) {
      if (!present.has(node)) continue;
      const row = { last_seen: lastSeen, remote_address: remoteAddress, content: NodeStatus.encode(status).finish() };
      await trx
        .insertInto('node_statuses')
        .values({ node, ...row })
        .onConflict((conflict) => conflict.column('node').doUpdateSet(row))
        .execute();
    }
  });
}

export async function readRefusals(db: Store): Promise<Map<string, StoredRefusal>> {
  const rows = await db.selectFrom('bundle_refusals').selectAll().execute();
  return new Map(rows.map((row) => [row.node, { hash: row.hash, result: BundleResult.decode(row.content) }]));
}

/** Remembers why a node refused a bundle, or that it refuses none any more. */
export async function writeRefusal(
  db: Store,
  node: string,
  refusal: BundleResult | undefined,
  at: Date,
): Promise<void> {
  if (refusal === undefined) {
    await db.deleteFrom('bundle_refusals').where('node', '=', node).execute();
    return;
  }
  const row = {
    hash: refusal.bundle?.hash ?? '',
    refused_at: at.getTime(),
    content: BundleResult.encode(refusal).finish(),
  };
  await db
    .insertInto('bundle_refusals')
    .values({ node, ...row })
    .onConflict((conflict) => conflict.column('node').doUpdateSet(row))
    .execute();
}
