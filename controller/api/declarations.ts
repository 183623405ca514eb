/**
 * What is declared, kept in the store: every accepted change is one transaction that numbers a generation, writes the
 * resources and their history, and compiles the bundles of the nodes that it concerns.
 */
import type { Bundle } from '../../proto/gen/baton/v1/bundle.js';
import type {
  ApplyRequest,
  ApplyResponse,
  DeleteResourceRequest,
  DeleteResourceResponse,
  Finding,
  ResourceReference,
} from '../../proto/gen/baton/v1/resource_service.js';
import type { Resource } from '../../proto/gen/baton/v1/resources.js';
import { findKind, KINDS } from '../../proto/rules/names.js';
import type { WantedBundleIdentity } from '../agents/session.js';
import { Signal } from '../agents/signal.js';
import { changedBundles, compileAll, type EncodedBundle } from '../assignment/bundles.js';
import { type Inventory, type Proposal, proposeApply, proposeDelete } from '../inventory/inventory.js';
import { keyOf } from '../inventory/resource-key.js';
import type { Store, StoreTransaction } from '../store/database.js';
import { retireNode } from '../store/node-store.js';
import {
  deleteBundle,
  nextGeneration,
  type Revision,
  readBundleHashes,
  readRevision,
  writeBundles,
  writeChanges,
} from '../store/resource-store.js';
import type { SealedBox } from '../store/sealed-box.js';
import { CallError, refused } from './call-error.js';

/** proto/rules, as far as it is used here. */
export interface Rules {
  readonly validate: (resources: readonly Resource[]) => { readonly errors: Finding[]; readonly warnings: Finding[] };
  readonly compile: (resources: readonly Resource[], node: string) => Bundle;
  readonly hash: (content: Uint8Array) => string;
}

export interface DeclarationsOptions {
  readonly store: Store;
  readonly box: SealedBox;
  readonly rules: Rules;
  readonly now: () => Date;
}

/** What became of a proposal. */
export interface Accepted {
  readonly revision: Revision;
  /** Bundles that are new or differ. */
  readonly bundles: readonly EncodedBundle[];
}

export class Declarations {
  /** After a generation was accepted. */
  readonly changed = new Signal();
  /** Called with the bundles that an accepted change made new, by node. */
  onBundles: (bundles: ReadonlyMap<string, WantedBundleIdentity>) => void = () => undefined;
  /** Called with the identity of a node that was deleted. */
  onNodeDeleted: (id: string) => void = () => undefined;
  readonly #options: DeclarationsOptions;
  #current: Revision;

  private constructor(options: DeclarationsOptions, current: Revision) {
    this.#options = options;
    this.#current = current;
  }

  static async open(options: DeclarationsOptions): Promise<Declarations> {
    const declarations = new Declarations(options, await readRevision(options.store, options.box));
    await declarations.#recompile();
    return declarations;
  }

  /** What is accepted now. Secrets carry their values: not for any answer. */
  get current(): Revision {
    return this.#current;
  }

  /** @throws CallError 'invalid' with findings */
  async apply(request: ApplyRequest, actor: string): Promise<ApplyResponse> {
    const at = this.#options.now();
    return await this.#change(async (trx, before) => {
      const proposed = proposeApply(before.inventory, request.resources, { generation: before.generation + 1, at });
      if (!proposed.ok) throw refused(proposed.findings);
      const warnings = this.#validate(proposed.inventory).filter((finding) => concerns(finding, proposed));
      const accepted = await this.#accept(trx, before, proposed, request.dryRun, actor, at);
      const nodes = accepted.bundles.map((bundle) => bundle.node);
      const response = { generation: accepted.revision.generation, changes: [...proposed.changes], warnings, nodes };
      return { accepted, response, publish: !request.dryRun && proposed.changed.length > 0 };
    });
  }

  /** @throws CallError 'not-found', or 'invalid' with findings when something else needs it */
  async remove(request: DeleteResourceRequest, actor: string): Promise<DeleteResourceResponse> {
    const { kind, name } = this.reference(request.resource);
    const at = this.#options.now();
    let retired: string | undefined;
    const response = await this.#change(async (trx, before) => {
      const proposal = proposeDelete(before.inventory, kind, name);
      if (proposal === undefined) throw new CallError('not-found', `there is no ${kind} ${name}`);
      this.#validate(proposal.inventory);
      const accepted = await this.#accept(trx, before, proposal, request.dryRun, actor, at);
      const spec = before.inventory.get(keyOf(kind, name))?.spec;
      if (spec?.$case === 'node' && !request.dryRun) {
        retired = spec.value.id;
        await retireNode(trx, retired, at);
        await deleteBundle(trx, name);
      }
      const nodes = accepted.bundles.map((bundle) => bundle.node);
      return { accepted, response: { generation: accepted.revision.generation, nodes }, publish: !request.dryRun };
    });
    if (retired !== undefined) this.onNodeDeleted(retired);
    return response;
  }

  /**
   * Makes a change that somebody else decides, in one transaction with whatever else that needs.
   * @param decide May throw: then nothing is changed.
   */
  async propose<Result>(
    actor: string,
    decide: (trx: StoreTransaction, before: Revision, at: Date) => Promise<{ proposal: Proposal; result: Result }>,
  ): Promise<Result> {
    const at = this.#options.now();
    return await this.#change(async (trx, before) => {
      const { proposal, result } = await decide(trx, before, at);
      const accepted = await this.#accept(trx, before, proposal, false, actor, at);
      return { accepted, response: result, publish: true };
    });
  }

  /** The exact kind, however it is typed. @throws CallError */
  kind(text: string): string {
    const kind = findKind(text);
    if (kind !== undefined) return kind;
    throw new CallError('invalid', `there is no kind "${text.slice(0, 80)}"; the kinds are ${KINDS.join(', ')}`);
  }

  /** @throws CallError when kind or name make no sense */
  reference(reference: ResourceReference | undefined): ResourceReference {
    const kind = this.kind(reference?.kind ?? '');
    if (reference === undefined || reference.name === '') throw new CallError('invalid', `the ${kind} has no name`);
    return { kind, name: reference.name };
  }

  /** One change after the other: each sees the one before. */
  async #change<Response>(
    work: (
      trx: StoreTransaction,
      before: Revision,
    ) => Promise<{ readonly accepted: Accepted; readonly response: Response; readonly publish: boolean }>,
  ): Promise<Response> {
    const { store, box } = this.#options;
    const done = await store.transaction().execute(async (trx) => work(trx, await readRevision(trx, box)));
    if (done.publish) this.#publish(done.accepted);
    return done.response;
  }

  #publish({ revision, bundles }: Accepted): void {
    this.#current = revision;
    const { generation } = revision;
    this.onBundles(new Map(bundles.map(({ node, hash }) => [node, { generation, hash }])));
    this.changed.emit();
  }

  async #accept(
    trx: StoreTransaction,
    before: Revision,
    proposal: Proposal,
    dryRun: boolean,
    actor: string,
    at: Date,
  ): Promise<Accepted> {
    const { box, rules } = this.#options;
    if (proposal.changed.length === 0) return { revision: before, bundles: [] };
    const bundles = changedBundles(await readBundleHashes(trx), compileAll(proposal.inventory, rules));
    if (dryRun) return { revision: before, bundles };
    const generation = await nextGeneration(trx, actor, at);
    await writeChanges(trx, box, generation, proposal.changed, at);
    await writeBundles(trx, box, generation, bundles);
    return { revision: { generation, inventory: proposal.inventory }, bundles };
  }

  /** @returns warnings @throws CallError */
  #validate(inventory: Inventory): Finding[] {
    const { errors, warnings } = this.#options.rules.validate([...inventory.values()]);
    if (errors.length > 0) throw refused(errors);
    return warnings;
  }

  /** After an upgrade the same resources may compile to other bundles: those get a generation of their own. */
  async #recompile(): Promise<void> {
    const { store, box, rules, now } = this.#options;
    // Stricter rules may refuse what was accepted once. It runs on as it was compiled then, until somebody applies.
    if (rules.validate([...this.#current.inventory.values()]).errors.length > 0) return;
    await store.transaction().execute(async (trx) => {
      const bundles = changedBundles(await readBundleHashes(trx), compileAll(this.#current.inventory, rules));
      if (bundles.length === 0) return;
      const generation = await nextGeneration(trx, 'compiled anew by this version of the controller', now());
      await writeBundles(trx, box, generation, bundles);
      this.#current = { ...this.#current, generation };
    });
  }
}

/** Whether a remark is about something that the request names, or about nothing in particular. */
function concerns(finding: Finding, proposal: Proposal): boolean {
  const { resource } = finding;
  if (resource === undefined) return true;
  return proposal.changes.some(
    (change) => change.resource?.kind === resource.kind && change.resource.name === resource.name,
  );
}
