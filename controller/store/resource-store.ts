/** Accepted resources, their history, and the bundles that come of them. Everything of one change is one transaction. */
import { Resource } from '../../proto/gen/baton/v1/resources.js';
import { kindOf } from '../../proto/rules/names.js';
import type { EncodedBundle } from '../assignment/bundles.js';
import type { Changed, Inventory } from '../inventory/inventory.js';
import { keyOf, type ResourceKey } from '../inventory/resource-key.js';
import { declarationBytes } from '../inventory/same-declaration.js';
import { nextNumber, readNumber } from './counter.js';
import type { Store, StoreTransaction } from './database.js';
import { SealError, type SealedBox } from './sealed-box.js';

export interface Revision {
  /** 0: nothing was ever accepted. */
  readonly generation: number;
  readonly inventory: Inventory;
}

/** A bundle as it is pushed. */
export interface WantedBundle {
  readonly generation: number;
  readonly hash: string;
  readonly content: Uint8Array;
}

export async function readRevision(db: Store | StoreTransaction, box: SealedBox): Promise<Revision> {
  const generation = await readNumber(db, 'generation');
  const rows = await db.selectFrom('resources').selectAll().orderBy('kind').orderBy('name').execute();
  const inventory = new Map<ResourceKey, Resource>();
  for (const row of rows) {
    const content = row.kind === 'Secret' ? box.open(row.content, `${row.kind}/${row.name}`) : row.content;
    const resource = Resource.decode(content);
    const kind = kindOf(resource);
    if (kind === '') throw new SealError(`the stored resource ${row.kind} ${row.name} has no known kind`);
    inventory.set(keyOf(kind, row.name), {
      ...resource,
      metadata: {
        name: row.name,
        labels: resource.metadata?.labels ?? {},
        generation: row.generation,
        createdAt: new Date(row.created_at),
        updatedAt: new Date(row.updated_at),
      },
    });
  }
  return { generation, inventory };
}

/** Numbers a new generation. Call it once per accepted change, before writeChanges. */
export async function nextGeneration(trx: StoreTransaction, actor: string, at: Date): Promise<number> {
  const generation = await nextNumber(trx, 'generation');
  await trx.insertInto('generations').values({ generation, created_at: at.getTime(), actor }).execute();
  return generation;
}

export async function writeChanges(
  trx: StoreTransaction,
  box: SealedBox,
  generation: number,
  changed: readonly Changed[],
  at: Date,
): Promise<void> {
  for (const { kind, name, change, resource } of changed) {
    const content = resource === undefined ? new Uint8Array() : stored(resource, kind, name, box);
    await trx.insertInto('resource_changes').values({ generation, kind, name, change, content }).execute();
    if (resource === undefined) {
      await trx.deleteFrom('resources').where('kind', '=', kind).where('name', '=', name).execute();
      continue;
    }
    const row = { generation, updated_at: at.getTime(), content };
    await trx
      .insertInto('resources')
      .values({ kind, name, created_at: (resource.metadata?.createdAt ?? at).getTime(), ...row })
      .onConflict((conflict) => conflict.columns(['kind', 'name']).doUpdateSet(row))
      .execute();
  }
}

function stored(resource: Resource, kind: string, name: string, box: SealedBox): Uint8Array {
  const content = declarationBytes(resource);
  return kind === 'Secret' ? box.seal(content, `${kind}/${name}`) : content;
}

/** Hash of each node's bundle. */
export async function readBundleHashes(db: Store | StoreTransaction): Promise<Map<string, string>> {
  const rows = await db.selectFrom('bundles').select(['node', 'hash']).execute();
  return new Map(rows.map((row) => [row.node, row.hash]));
}

export async function writeBundles(
  trx: StoreTransaction,
  box: SealedBox,
  generation: number,
  bundles: readonly EncodedBundle[],
): Promise<void> {
  for (const bundle of bundles) {
    const row = { generation, hash: bundle.hash, content: box.seal(bundle.content, `bundle/${bundle.node}`) };
    await trx
      .insertInto('bundles')
      .values({ node: bundle.node, ...row })
      .onConflict((conflict) => conflict.column('node').doUpdateSet(row))
      .execute();
  }
}

export async function deleteBundle(trx: StoreTransaction, node: string): Promise<void> {
  await trx.deleteFrom('bundles').where('node', '=', node).execute();
}

/** Which bundle each node is to run, without its content. */
export async function readBundleIdentities(db: Store): Promise<Map<string, { generation: number; hash: string }>> {
  const rows = await db.selectFrom('bundles').select(['node', 'generation', 'hash']).execute();
  return new Map(rows.map((row) => [row.node, { generation: row.generation, hash: row.hash }]));
}

/** undefined: no such node. */
export async function readBundle(db: Store, box: SealedBox, node: string): Promise<WantedBundle | undefined> {
  const row = await db.selectFrom('bundles').selectAll().where('node', '=', node).executeTakeFirst();
  if (row === undefined) return undefined;
  return { generation: row.generation, hash: row.hash, content: box.open(row.content, `bundle/${node}`) };
}
