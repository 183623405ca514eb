/**
 * All agents together: one stream per node, what each node last said, and what each is to run. The state is kept in
 * memory and written to the store a moment later; events are stored before they are accepted.
 */
import { isDeepStrictEqual } from 'node:util';
import type { BundleResult } from '../../proto/gen/baton/v1/agent_service.js';
import type { Event, Refusal } from '../../proto/gen/baton/v1/events.js';
import type { NodeStatus } from '../../proto/gen/baton/v1/status.js';
import type { Logger } from '../../proto/process/logger.js';
import { peerAddress } from '../identity/peer-address.js';
import type { Caller } from '../identity/peer-certificate.js';
import type { Store } from '../store/database.js';
import {
  readCertificateExpiries,
  readNodeStatuses,
  readNodes,
  readRefusals,
  type StoredNodeStatus,
  writeNodeStatuses,
  writeRefusal,
} from '../store/node-store.js';
import { readBundle, readBundleIdentities } from '../store/resource-store.js';
import type { SealedBox } from '../store/sealed-box.js';
import { EventIntake } from './event-intake.js';
import { type KeptStatus, keepStatus } from './node-view.js';
import type { EndCause, WantedBundleIdentity } from './session.js';
import { type SessionCall, SessionStream } from './session-stream.js';
import { Signal } from './signal.js';

/** States are written to the store this long after they changed, in milliseconds: many in one transaction. */
const STATUS_WRITE_DELAY_MS = 1_000;

/** What is known of one node. */
export interface NodeView {
  readonly id: string;
  readonly name: string;
  readonly connected: boolean;
  /** Milliseconds of Unix time; 0: never. */
  readonly lastSeen: number;
  readonly remoteAddress: string;
  readonly status: NodeStatus | undefined;
  readonly wanted: WantedBundleIdentity | undefined;
  /** Why the wanted bundle was refused; empty when it was not. */
  readonly refusals: readonly Refusal[];
  /** Milliseconds of Unix time; 0: unknown. */
  readonly certificateExpiresAt: number;
}

interface Entry {
  readonly id: string;
  readonly name: string;
  session: SessionStream | undefined;
  lastSeen: number;
  remoteAddress: string;
  kept: KeptStatus | undefined;
  wanted: WantedBundleIdentity | undefined;
  refused: { readonly hash: string; readonly refusals: readonly Refusal[] } | undefined;
  certificateExpiresAt: number;
}

export interface AgentHubOptions {
  readonly store: Store;
  readonly box: SealedBox;
  readonly now: () => Date;
  readonly log: Logger;
}

export class AgentHub {
  /** After a node's state, connection or wanted bundle changed. */
  readonly changed = new Signal();
  /** After events were stored. */
  readonly eventsStored = new Signal();
  readonly #options: AgentHubOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #idByName = new Map<string, string>();
  readonly #intake: EventIntake;
  readonly #unsaved = new Set<string>();
  #saveTimer: NodeJS.Timeout | undefined;
  #saving: Promise<void> = Promise.resolve();
  #stopping = false;

  private constructor(options: AgentHubOptions) {
    this.#options = options;
    this.#intake = new EventIntake(options.store, options.now, () => this.eventsStored.emit());
  }

  /** With what the store remembers of every node. */
  static async open(options: AgentHubOptions): Promise<AgentHub> {
    const hub = new AgentHub(options);
    const { store } = options;
    const [nodes, statuses, refusals, expiries, wanted] = [
      await readNodes(store),
      await readNodeStatuses(store),
      await readRefusals(store),
      await readCertificateExpiries(store),
      await readBundleIdentities(store),
    ];
    for (const { id, name } of nodes) {
      const known = statuses.get(id);
      const refusal = refusals.get(id);
      hub.#put({
        id,
        name,
        session: undefined,
        lastSeen: known?.lastSeen ?? 0,
        remoteAddress: known?.remoteAddress ?? '',
        // Its size counts from the first report on, which is a full one.
        kept: known === undefined ? undefined : { status: known.status, bytes: 0 },
        wanted: wanted.get(name),
        refused: refusal === undefined ? undefined : { hash: refusal.hash, refusals: refusal.result.refusals },
        certificateExpiresAt: expiries.get(id) ?? 0,
      });
    }
    return hub;
  }

  /** Every node by name. */
  nodes(): ReadonlyMap<string, NodeView> {
    return new Map([...this.#entries.values()].map((entry) => [entry.name, viewOf(entry)]));
  }

  node(name: string): NodeView | undefined {
    const entry = this.#entries.get(this.#idByName.get(name) ?? '');
    return entry === undefined ? undefined : viewOf(entry);
  }

  /** Name of the node with that identity; undefined when it is no node (any more). */
  nameOf(id: string): string | undefined {
    return this.#entries.get(id)?.name;
  }

  /** A node has joined; one of the same name before it is gone. */
  nodeJoined(id: string, name: string, certificateExpiresAt: number): void {
    const former = this.#idByName.get(name);
    if (former !== undefined) this.nodeLeft(former);
    this.#put({
      id,
      name,
      session: undefined,
      lastSeen: 0,
      remoteAddress: '',
      kept: undefined,
      wanted: undefined,
      refused: undefined,
      certificateExpiresAt,
    });
    this.changed.emit();
  }

  /** Reads again what a node is to run. */
  async refreshWanted(name: string): Promise<void> {
    const bundle = (await readBundleIdentities(this.#options.store)).get(name);
    if (bundle !== undefined) this.bundlesChanged(new Map([[name, bundle]]));
  }

  certificateRenewed(id: string, expiresAt: number): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    entry.certificateExpiresAt = expiresAt;
    this.changed.emit();
  }

  /** The identity was retired: its stream ends. */
  nodeLeft(id: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#entries.delete(id);
    if (this.#idByName.get(entry.name) === id) this.#idByName.delete(entry.name);
    entry.session?.end('revoked');
    this.changed.emit();
  }

  /** Other bundles are wanted; by name of the node. */
  bundlesChanged(bundles: ReadonlyMap<string, WantedBundleIdentity>): void {
    for (const [name, bundle] of bundles) {
      const entry = this.#entries.get(this.#idByName.get(name) ?? '');
      if (entry === undefined) continue;
      // Wanted anew: what the node says of it now is still to come.
      if (entry.wanted?.hash !== bundle.hash) entry.refused = undefined;
      entry.wanted = bundle;
      entry.session?.wanted(bundle);
    }
    if (bundles.size > 0) this.changed.emit();
  }

  /** Runs one agent's stream. @returns false when the caller is no node (any more) */
  attach(call: SessionCall, caller: Caller): boolean {
    const entry = this.#entries.get(caller.id);
    if (entry === undefined) return false;
    const log = this.#options.log.child({ node: entry.name, remoteAddress: peerAddress(call.getPeer()) });
    const session: SessionStream = new SessionStream(call, caller.expiresAt, entry.wanted, {
      now: this.#options.now,
      log,
      node: entry.name,
      bundle: async (hash) => {
        const wanted = await readBundle(this.#options.store, this.#options.box, entry.name);
        return wanted?.hash === hash ? wanted.content : undefined;
      },
      opened: () => this.#opened(entry, session, peerAddress(call.getPeer()), log),
      status: (status, full) => {
        const result = keepStatus(entry.kept, status, full, entry.name);
        if (!result.ok) return result.reason;
        entry.kept = result.kept;
        this.#seen(entry);
        return undefined;
      },
      events: (journal, events) => this.#store(entry, journal, events),
      bundleAccepted: async (bundle) => {
        log.info(bundle, 'bundle in force');
        entry.refused = undefined;
        if (entry.kept !== undefined) entry.kept = { ...entry.kept, status: { ...entry.kept.status, bundle } };
        this.#seen(entry);
        await writeRefusal(this.#options.store, entry.id, undefined, this.#options.now());
      },
      bundleRefused: (bundle, result) => this.#refused(entry, bundle, result, log),
      closed: () => {
        log.info('agent disconnected');
        if (entry.session !== session) return;
        entry.session = undefined;
        this.#touch(entry);
      },
    });
    void session.run();
    return true;
  }

  /** Tells every agent that the controller is stopping and writes what is unsaved. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const entry of this.#entries.values()) entry.session?.end('stopping');
    await this.flush();
  }

  /** Resolves when every state is in the store. */
  async flush(): Promise<void> {
    clearTimeout(this.#saveTimer);
    this.#saveTimer = undefined;
    this.#saving = this.#saving.then(() => this.#save());
    await this.#saving;
  }

  #put(entry: Entry): void {
    this.#entries.set(entry.id, entry);
    this.#idByName.set(entry.name, entry.id);
  }

  #opened(entry: Entry, session: SessionStream, peer: string, log: Logger): void {
    // The newer stream wins: the older may be what is left of a connection that nobody has given up yet.
    entry.session?.end('replaced');
    entry.session = session;
    entry.remoteAddress = peer;
    if (this.#entries.get(entry.id) !== entry) {
      const cause: EndCause = 'revoked';
      session.end(cause);
      return;
    }
    // What is wanted may have changed between the first and the hello message.
    session.wanted(entry.wanted);
    log.info('agent connected');
    this.#seen(entry);
  }

  #seen(entry: Entry): void {
    entry.lastSeen = this.#options.now().getTime();
    this.#touch(entry);
  }

  #touch(entry: Entry): void {
    this.#unsaved.add(entry.id);
    // Once stopping, whoever stops us flushes after the last stream is closed.
    if (!this.#stopping) this.#saveTimer ??= setTimeout(() => void this.flush(), STATUS_WRITE_DELAY_MS).unref();
    this.changed.emit();
  }

  async #save(): Promise<void> {
    const statuses = new Map<string, StoredNodeStatus>();
    for (const id of this.#unsaved) {
      const entry = this.#entries.get(id);
      if (entry?.kept === undefined) continue;
      statuses.set(id, { lastSeen: entry.lastSeen, remoteAddress: entry.remoteAddress, status: entry.kept.status });
    }
    this.#unsaved.clear();
    if (statuses.size === 0) return;
    try {
      await writeNodeStatuses(this.#options.store, statuses);
    } catch (error) {
      for (const id of statuses.keys()) this.#unsaved.add(id);
      this.#options.log.error({ err: error, count: statuses.size }, 'node states could not be stored');
    }
  }

  async #store(entry: Entry, journal: string, events: readonly Event[]): Promise<void> {
    await this.#intake.add({ nodeId: entry.id, node: entry.name, journal }, events);
    entry.lastSeen = this.#options.now().getTime();
  }

  async #refused(entry: Entry, bundle: WantedBundleIdentity, result: BundleResult, log: Logger): Promise<void> {
    // It is tried again now and then; only another outcome is news.
    const isKnown = entry.refused?.hash === bundle.hash && isDeepStrictEqual(entry.refused.refusals, result.refusals);
    const count = result.refusals.length;
    log[isKnown ? 'debug' : 'warn']({ ...bundle, count, detail: result.refusals[0]?.reason }, 'bundle refused');
    entry.refused = { hash: bundle.hash, refusals: result.refusals };
    this.#seen(entry);
    if (isKnown) return;
    await writeRefusal(this.#options.store, entry.id, { ...result, bundle }, this.#options.now());
  }
}

function viewOf(entry: Entry): NodeView {
  const { refused, wanted } = entry;
  return {
    id: entry.id,
    name: entry.name,
    connected: entry.session !== undefined,
    lastSeen: entry.lastSeen,
    remoteAddress: entry.remoteAddress,
    status: entry.kept?.status,
    wanted,
    refusals: refused !== undefined && refused.hash === wanted?.hash ? refused.refusals : [],
    certificateExpiresAt: entry.certificateExpiresAt,
  };
}
