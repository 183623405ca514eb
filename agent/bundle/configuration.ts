/**
 * The configuration in force, and the way to another one: judged whole, staged on disk, put in force by the election
 * thread, kept. A push ends wholly in force or wholly refused, one after the other in the order of arrival. What the
 * checks and hooks run follows what the election thread has accepted, never the other way round.
 */
import type { BundlePush } from '../../proto/gen/baton/v1/agent_service.js';
import type { Bundle } from '../../proto/gen/baton/v1/bundle.js';
import type { Refusal } from '../../proto/gen/baton/v1/events.js';
import type { BundleIdentity } from '../../proto/gen/baton/v1/status.js';
import type { BundleVerdict } from '../local/agent-side.js';
import type { ElectionSettings, Problem } from '../runtime/messages.js';
import { type BundleStore, decodeBundle, hashOf, type StoredBundle } from './bundle-store.js';
import { judgeBundle, type OwnerRules, programsOf, type ResolvePath, userPath } from './policy.js';
import { type BundleSettings, NO_SETTINGS, settingsOf } from './settings.js';

export interface ConfigurationEdges {
  /** Replaces what the election thread runs; problems mean that nothing changed. Rejects when it does not answer. */
  configure(settings: ElectionSettings): Promise<readonly Problem[]>;
  readonly resolvePath: ResolvePath;
  /** Why a program cannot be run on this host now; absent when it can. */
  programProblem(file: string, user: string): Promise<string | undefined>;
  /** Names of this host's interfaces. */
  interfaces(): Promise<ReadonlySet<string>>;
  /** Why the bundle with this hash must not be run here whatever it says; absent when it may be. */
  condemnation(hash: string): string | undefined;
  /** Everything about the bundle's own sense; from proto/rules. */
  validate(bundle: Bundle): Promise<readonly Refusal[]>;
}

export interface ConfigurationListener {
  /** About to be put in force: what the election thread does with it may be heard before its answer. */
  applying(bundle: Bundle): void;
  /** Wholly in force from now on. */
  applied(stored: StoredBundle, settings: BundleSettings): void;
  refused(identity: BundleIdentity, refusals: readonly Refusal[]): void;
}

export class Configuration {
  readonly #edges: ConfigurationEdges;
  readonly #listener: ConfigurationListener;
  readonly #store: BundleStore;
  #inForce: StoredBundle | undefined;
  #settings: BundleSettings = NO_SETTINGS;
  #last: Promise<unknown> = Promise.resolve();

  constructor(store: BundleStore, edges: ConfigurationEdges, listener: ConfigurationListener) {
    this.#store = store;
    this.#edges = edges;
    this.#listener = listener;
  }

  get inForce(): StoredBundle | undefined {
    return this.#inForce;
  }

  /** A controller's bundle, under the host owner's rules. Never rejects. */
  async push(push: BundlePush, rules: OwnerRules): Promise<BundleVerdict> {
    return await this.#inTurn(async () => {
      const identity = { generation: push.bundle?.generation ?? 0, hash: push.bundle?.hash ?? '' };
      const refusals = await this.#tryPush(push.content, identity, rules);
      if (refusals.length > 0) this.#listener.refused(identity, refusals);
      return { accepted: refusals.length === 0, refusals };
    });
  }

  /** A file of the host's own: not judged by the owner's rules and not stored, since the file is there. Never rejects. */
  async adoptLocal(bundle: Bundle, content: Uint8Array): Promise<readonly Refusal[]> {
    return await this.#inTurn(async () => {
      const identity = { generation: 0, hash: hashOf(content) };
      const refusals = await this.#putInForce({ identity, bundle, content });
      if (refusals.length > 0) this.#listener.refused(identity, refusals);
      return refusals;
    });
  }

  /**
   * A bundle that was in force before this thread or this agent started. Programs that are missing or no longer allowed, or whose user is not,
   * fail when they are run; interfaces and addresses that the owner has forbidden since make it refused. Never rejects.
   */
  async resume(stored: StoredBundle, rules: OwnerRules | undefined): Promise<readonly Refusal[]> {
    return await this.#inTurn(async () => {
      const judged = rules === undefined ? [] : await judgeBundle(stored.bundle, rules, this.#edges.resolvePath);
      const programs = new Set(programsOf(stored.bundle).flatMap((program) => [program.path, userPath(program.path)]));
      const forbidden = judged.filter((refusal) => !programs.has(refusal.path));
      const refusals = forbidden.length > 0 ? forbidden : await this.#putInForce(stored);
      if (refusals.length > 0) this.#listener.refused(stored.identity, refusals);
      return refusals;
    });
  }

  async #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(task);
    this.#last = turn.catch(() => undefined);
    return await turn;
  }

  async #tryPush(content: Uint8Array, identity: BundleIdentity, rules: OwnerRules): Promise<readonly Refusal[]> {
    const decoded = decodeBundle(content);
    if (!decoded.ok) return [{ path: '', reason: decoded.reason }];
    if (decoded.hash !== identity.hash) {
      return [{ path: '', reason: `its content has the hash ${decoded.hash}, but ${identity.hash} was announced` }];
    }
    const { bundle } = decoded;
    const stored = { identity, bundle, content: Uint8Array.from(content) };
    const condemnation = this.#edges.condemnation(identity.hash);
    if (condemnation !== undefined) return [{ path: '', reason: condemnation }];
    const present = this.#inForce?.identity;
    if (present?.hash === identity.hash) {
      if (present.generation !== identity.generation) await this.#renumber(stored);
      return [];
    }
    const refusals = [
      ...(await this.#edges.validate(bundle)),
      ...(await judgeBundle(bundle, rules, this.#edges.resolvePath)),
    ];
    if (refusals.length === 0) refusals.push(...(await this.#judgeAgainstHost(bundle)));
    if (refusals.length > 0) return refusals;
    try {
      await this.#store.stage(identity.generation, content);
    } catch (error) {
      return [{ path: '', reason: `it cannot be kept on this host's disk: ${String(error)}` }];
    }
    return await this.#putStagedInForce(stored);
  }

  /** What is in force, under another generation: nothing else changes, so neither the owner nor the disk can refuse it. */
  async #renumber(stored: StoredBundle): Promise<void> {
    this.#inForce = stored;
    try {
      await this.#store.stage(stored.identity.generation, stored.content);
      await this.#store.commit();
    } catch {
      // After a restart it has its former number, until the next push.
      await this.#store.discard().catch(() => undefined);
    }
  }

  async #putStagedInForce(stored: StoredBundle): Promise<readonly Refusal[]> {
    const before = this.#settings;
    const result = await this.#configure(stored);
    if (!result.ok) {
      await this.#store.discard().catch(() => undefined);
      return result.refusals;
    }
    try {
      await this.#store.commit();
    } catch (error) {
      await this.#edges.configure(before.election).catch(() => undefined);
      return [{ path: '', reason: `it cannot be kept on this host's disk: ${String(error)}` }];
    }
    this.#adopt(stored, result.settings);
    return [];
  }

  async #putInForce(stored: StoredBundle): Promise<readonly Refusal[]> {
    const result = await this.#configure(stored);
    if (!result.ok) return result.refusals;
    this.#adopt(stored, result.settings);
    return [];
  }

  #adopt(stored: StoredBundle, settings: BundleSettings): void {
    this.#inForce = stored;
    this.#settings = settings;
    this.#listener.applied(stored, settings);
  }

  async #configure(
    stored: StoredBundle,
  ): Promise<{ ok: true; settings: BundleSettings } | { ok: false; refusals: readonly Refusal[] }> {
    const translated = settingsOf(stored.bundle);
    if (!translated.ok) return translated;
    this.#listener.applying(stored.bundle);
    try {
      const problems = await this.#edges.configure(translated.settings.election);
      return problems.length === 0 ? translated : { ok: false, refusals: problems.map((problem) => ({ ...problem })) };
    } catch (error) {
      // It may still be put in force late; said after it, the former one is what remains.
      this.#edges.configure(this.#settings.election).catch(() => undefined);
      return { ok: false, refusals: [{ path: '', reason: String(error) }] };
    }
  }

  async #judgeAgainstHost(bundle: Bundle): Promise<Refusal[]> {
    const refusals: Refusal[] = [];
    const present = await this.#edges.interfaces();
    const own = new Set<string>();
    const judge = (path: string, name: string): void => {
      if (name === '' || present.has(name) || own.has(name)) return;
      refusals.push({ path, reason: `this host has no interface ${name}; it has ${[...present].join(', ')}` });
    };
    const judgeDevices = (list: string, items: readonly { readonly device: string }[]): void => {
      for (const [index, { device }] of items.entries()) judge(`${list}[${index}].device`, device);
    };
    // Interfaces with virtual MAC addresses are made when they are needed.
    for (const { virtualMac } of bundle.routers) own.add(virtualMac?.name ?? '');
    for (const router of bundle.routers) {
      const at = `routers[${router.name}]`;
      judge(`${at}.interface`, router.interface);
      judgeDevices(`${at}.addresses`, router.addresses);
      judgeDevices(`${at}.excludedAddresses`, router.excludedAddresses);
      judgeDevices(`${at}.routes`, router.routes);
    }
    for (const { name, spec } of bundle.hostNetworks) {
      judgeDevices(`hostNetworks[${name}].spec.addresses`, spec?.addresses ?? []);
      judgeDevices(`hostNetworks[${name}].spec.routes`, spec?.routes ?? []);
    }
    for (const { name, interface: device } of bundle.bfdSessions) judge(`bfdSessions[${name}].interface`, device);
    for (const { path, file, user, isFifo } of programsOf(bundle)) {
      if (isFifo) continue;
      const reason = await this.#edges.programProblem(file, user);
      if (reason !== undefined) refusals.push({ path, reason });
    }
    return refusals;
  }
}
