/**
 * The worker's parts put together: configuration, checks, hooks, events, control socket, and what the controller link
 * needs. Everything slow of the agent happens here; nothing here decides an election.
 */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { isDeepStrictEqual } from 'node:util';
import { Bundle } from '../../proto/gen/baton/v1/bundle.js';
import type { AgentConfig } from '../../proto/gen/baton/v1/config.js';
import type { ControllerLink, NodeStatus, PreflightFinding, RefusedBundle } from '../../proto/gen/baton/v1/status.js';
import type { Logger } from '../../proto/process/logger.js';
import { BfdSessions } from '../bfd/sessions.js';
import { BundleStore, hashOf, type StoredBundle } from '../bundle/bundle-store.js';
import { Configuration } from '../bundle/configuration.js';
import { CrashGuard, MOST_CRASHES, SETTLED_MS } from '../bundle/crash-guard.js';
import { type OwnerRules, scriptRefusal, userRefusal } from '../bundle/policy.js';
import { resolvedRefusal } from '../bundle/probe-policy.js';
import { CheckSupervisor } from '../health/checks.js';
import { hostCheckEdges } from '../health/host-checks.js';
import { hostProgramEdges } from '../health/host-edges.js';
import type { ProgramEdges } from '../health/program.js';
import type { OneRun } from '../health/run-once.js';
import { openHostFifo } from '../hooks/fifo.js';
import { HookRunner } from '../hooks/hook-runner.js';
import { Journal } from '../journal/journal.js';
import { JournalFiles } from '../journal/journal-files.js';
import {
  bfdEvent,
  bundleEvent,
  checkEvent,
  lifecycleEvent,
  type Moment,
  preflightEvent,
  stuckEvent,
  troubleEvent,
} from '../journal/occurrence-event.js';
import type { Occurrence, ResumedRouter } from '../runtime/messages.js';
import type { TrackState } from '../vrrp/index.js';
import type { AgentSide, LinkUpdate } from './agent-side.js';
import { CAPABILITIES } from './capabilities.js';
import type { CancelTimer, Clock } from './clock.js';
import type { ElectionClient } from './election-client.js';
import { hostInterfaces, hostProgramProblem, resolvePath } from './host-facts.js';
import { HostJudge } from './host-judge.js';
import { nodeStatusOf } from './node-status.js';
import { type Notified, type NotifiedSet, Occurrences } from './occurrences.js';
import { StatusReporter } from './status-reporter.js';
import type { InForce } from './worker-protocol.js';

export interface AgentWorkerOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly version: string;
  readonly stateDir: string;
  readonly startedWallMs: number;
  /** Standalone: the node's name. Joined: absent, since the controller says. */
  readonly standaloneNode?: string;
  /** The host owner's file; in standalone mode an empty one. */
  readonly config: AgentConfig;
  readonly election: ElectionClient;
  /** Routers that the agent before this one left active; for the first configuration. */
  readonly resumed: readonly ResumedRouter[];
  /** The bundle that is in force now, for whoever takes over from this worker. */
  readonly inForce: (inForce: InForce) => void;
}

/** Events kept while no controller takes them. */
const DEFAULT_EVENT_LIMIT = 10_000;
/** Events kept for "events" where there is no controller. */
const HISTORY_LIMIT = 1_000;
/** A router that takes over because it heard nothing has the host judged so much later, many of them at once. */
const JUDGE_AFTER_SILENCE_MS = 1_000;
/** How long hooks that run at the end are waited for; when the next agent is to go on, it has not even its lease. */
const LAST_HOOKS_MS = 5_000;
const HOOKS_OF_SUSPENDED_MS = 200;

export class AgentWorker implements AgentSide {
  readonly journal: Journal;
  readonly configuration: Configuration;
  readonly #options: AgentWorkerOptions;
  readonly #store: BundleStore;
  readonly #guard: CrashGuard;
  #settling: NodeJS.Timeout | undefined;
  /** What is put in force is what was stored, not something new. */
  #isResuming = false;
  readonly #reporter: StatusReporter;
  readonly #checks: CheckSupervisor;
  readonly #hooks: HookRunner;
  readonly #occurrences: Occurrences;
  readonly #hostJudge: HostJudge;
  #cancelJudging: CancelTimer | undefined;
  #rules: OwnerRules & Pick<AgentConfig, 'scheduling'>;
  #scriptUser: string | undefined;
  #link: ControllerLink;
  #refused: RefusedBundle | undefined;
  #node: string;
  #resumed: readonly ResumedRouter[];
  readonly #bfd: BfdSessions;
  /** States that the elections rely on although this worker has not run the checks yet. */
  #knownChecks: ReadonlyMap<string, TrackState> = new Map();

  private constructor(options: AgentWorkerOptions, journal: Journal) {
    this.#options = options;
    this.journal = journal;
    const { clock, election, log, stateDir } = options;
    this.#rules = options.config;
    this.#scriptUser = options.config.scripts?.user || undefined;
    this.#node = options.standaloneNode ?? '';
    this.#resumed = options.resumed;
    const isStandalone = options.standaloneNode !== undefined;
    this.#link = {
      state: isStandalone ? 'standalone' : 'connecting',
      address: '',
      since: new Date(clock.wallMs()),
      error: '',
    };
    this.#reporter = new StatusReporter(clock, () => this.fullStatus());
    this.#hostJudge = new HostJudge({
      log,
      changed: () => this.#reporter.changed(),
      found: (finding) => this.journal.add(preflightEvent(this.#now(), finding)),
    });
    const programs: ProgramEdges = hostProgramEdges({
      clock,
      defaultUser: () => this.#scriptUser,
      userRefusal: (user) => (isStandalone ? undefined : userRefusal(user, this.#rules.scripts)),
      refusal: async (file, resolved) =>
        isStandalone ? undefined : await scriptRefusal(file, resolved, this.#rules.scripts, resolvePath),
    });
    const judge = (name: string, address: string): string | undefined =>
      isStandalone ? undefined : resolvedRefusal(name, address, this.#rules.policy?.probes ?? []);
    this.#checks = new CheckSupervisor(hostCheckEdges(programs, judge), {
      stateChanged: (name, state, status, previous) => {
        election.trackChanged(`check ${name}`, state);
        const { lastResult: result, exitCode, reason: detail, output } = status;
        log.info({ check: name, to: state, result, exitCode, detail, output }, 'check changed');
        this.journal.add(checkEvent(this.#now(), status, String(previous)));
      },
      statusChanged: () => this.#reporter.changed(),
      stuckChanged: (status) => {
        const { name: check, stuck: detail } = status;
        if (detail === '') log.info({ check }, 'check ends its runs again');
        else log.error({ check, detail }, 'check is stuck');
        this.journal.add(stuckEvent(this.#now(), status));
      },
    });
    this.#hooks = new HookRunner(programs, {
      finished: (router, run) => {
        this.#occurrences.hookFinished(router, run);
        this.#reporter.changed();
      },
    });
    this.#bfd = new BfdSessions(
      {
        stateChanged: (session, state, diagnostic) => {
          election.trackChanged(`bfd ${session}`, state);
          log.info({ session, to: state, detail: diagnostic }, 'BFD session changed');
          this.journal.add(bfdEvent(this.#now(), session, state, diagnostic));
          this.#reporter.changed();
        },
        failed: (sentence) => log.error({ detail: sentence }, 'a BFD session cannot run'),
      },
      clock,
    );
    this.#occurrences = new Occurrences({ clock, log, journal, hooks: this.#hooks, openFifo: openHostFifo });
    const bundles = path.join(stateDir, 'bundles');
    this.#store = new BundleStore(bundles, () => clock.wallMs());
    this.#guard = new CrashGuard(bundles);
    this.configuration = new Configuration(
      this.#store,
      {
        configure: async (wanted) => await election.configure(wanted, this.#takeResumed()),
        resolvePath,
        programProblem: async (file, user) => await hostProgramProblem(file, user || this.#scriptUser),
        interfaces: hostInterfaces,
        condemnation: (hash) =>
          hash === this.#guard.condemned
            ? `the agent ended ${MOST_CRASHES} times shortly after it was started with it; another configuration is taken`
            : undefined,
        validate: async (bundle) => {
          const { validateBundle } = await import('../../proto/rules/validate-bundle.js');
          return validateBundle(bundle);
        },
      },
      {
        applying: (bundle) => this.#occurrences.expect(notifiedOf(bundle)),
        applied: (stored, settings) => {
          this.#occurrences.configure(notifiedOf(stored.bundle));
          this.#checks.configure(settings.checks, this.#knownChecks);
          this.#knownChecks = new Map();
          this.#bfd.configure(settings.bfdSessions);
          this.#refused = undefined;
          const { generation, hash } = stored.identity;
          if (!this.#isResuming) this.#guard.forgive();
          log.info({ generation, hash }, 'configuration in force');
          this.journal.add(bundleEvent(this.#now(), stored.identity, [], originOf(stored)));
          options.inForce({ generation, content: stored.content });
          void this.#hostJudge.judge(stored.bundle, this.#rules.scheduling);
          this.#reporter.changed();
        },
        refused: (identity, refusals) => {
          this.#occurrences.refused();
          const { generation, hash } = identity;
          const reasons = refusals.map(({ path: at, reason }) => (at === '' ? reason : `${at}: ${reason}`));
          // The controller tries a refused one again now and then; only another outcome is news.
          const isKnown = this.#refused?.bundle?.hash === hash && isDeepStrictEqual(this.#refused.reasons, reasons);
          log[isKnown ? 'debug' : 'error']({ generation, hash, detail: refusals }, 'configuration refused');
          if (!isKnown) this.journal.add(bundleEvent(this.#now(), identity, refusals, `of generation ${generation}`));
          const since = isKnown ? this.#refused?.at : undefined;
          this.#refused = { bundle: identity, at: since ?? new Date(clock.wallMs()), reasons };
          this.#reporter.changed();
        },
      },
    );
  }

  /** Never rejects: what is wrong with the state directory is logged and reported, and the agent goes on without it. */
  static async open(options: AgentWorkerOptions): Promise<AgentWorker> {
    const { clock, config, log, stateDir, standaloneNode } = options;
    const isHistory = standaloneNode !== undefined;
    const told: { phase: string; sentence: string }[] = [];
    let journal: Journal | undefined;
    const trouble = (phase: string, sentence: string): void => {
      const moment = { at: clock.now(), wallMs: clock.wallMs() };
      if (journal === undefined) told.push({ phase, sentence });
      else journal.add(troubleEvent(moment, phase, sentence));
    };
    journal = await Journal.open(new JournalFiles(path.join(stateDir, 'journal'), () => clock.wallMs()), {
      limit: isHistory ? HISTORY_LIMIT : config.eventQueueLimit || DEFAULT_EVENT_LIMIT,
      isHistory,
      clock,
      newId: randomUUID,
      listener: {
        lostDisk: (err) =>
          log.error({ path: stateDir, err }, 'events cannot be written to disk; they are kept in memory'),
        regainedDisk: () => log.info({ path: stateDir }, 'events are on disk again'),
        damaged: (damage, keptAs) => {
          log.error({ path: keptAs, detail: damage }, 'the event journal was damaged; what was sound is in use');
          trouble('journal-damaged', `the event journal was damaged (${damage}); it is kept as ${keptAs}`);
        },
        dropping: (count) => log.error({ count }, 'the event queue is full; events are dropped'),
      },
    });
    for (const { phase, sentence } of told) trouble(phase, sentence);
    return new AgentWorker(options, journal);
  }

  /** What is in the store; damage is logged and reported. Absent: nothing usable. Never rejects. */
  async loadStored(): Promise<StoredBundle | undefined> {
    const { log, stateDir } = this.#options;
    try {
      const { stored, damage } = await this.#store.load();
      for (const sentence of damage) {
        log.error({ detail: sentence }, 'a stored configuration was damaged');
        this.journal.add(
          troubleEvent(this.#now(), 'bundle-damaged', `a stored configuration was damaged: ${sentence}`),
        );
      }
      return stored === undefined ? undefined : await this.#guarded(stored);
    } catch (err) {
      log.error({ path: stateDir, err }, 'the stored configuration cannot be read');
      return undefined;
    }
  }

  /** The bundle to start with: the one before, if this one ended the agent again and again (docs/decisions/0025). */
  async #guarded(stored: StoredBundle): Promise<StoredBundle> {
    const { hash, generation } = stored.identity;
    this.#settleLater();
    if (this.#guard.begin(hash) < MOST_CRASHES) return stored;
    const before = await this.#store.retreat();
    if (before === undefined) return stored;
    this.#guard.condemn(hash);
    this.#guard.begin(before.stored.identity.hash);
    const sentence = `the agent ended ${MOST_CRASHES} times shortly after it was started with the configuration of generation ${generation}; that of generation ${before.stored.identity.generation} is run, the other one is kept as ${before.keptAs}`;
    this.#options.log.error({ generation, hash, path: before.keptAs }, 'a configuration was given up');
    this.journal.add(troubleEvent(this.#now(), 'crash-loop', sentence));
    return before.stored;
  }

  #settleLater(): void {
    this.#settling = setTimeout(() => this.#guard.settled(), SETTLED_MS);
    this.#settling.unref();
  }

  /** Runs what was in force before, under the owner's rules where a controller had sent it. */
  async resume(stored: StoredBundle): Promise<void> {
    const rules = this.#options.standaloneNode === undefined ? this.#rules : undefined;
    this.#isResuming = true;
    await this.configuration.resume(stored, rules);
    this.#isResuming = false;
  }

  /** Takes over from a worker that died: the elections go on running what it had put in force. */
  async takeOver({ generation, content }: InForce, lastWords = 'it ended'): Promise<void> {
    const { election, log } = this.#options;
    log.error({ generation, detail: lastWords }, 'the worker thread died; another one takes over');
    const [reason] = lastWords.split('\n');
    const sentence = `the agent had to restart its worker thread: ${reason}`;
    this.journal.add(troubleEvent(this.#now(), 'worker-restarted', sentence));
    this.#settleLater();
    const status = await election.status().catch(() => undefined);
    // BFD sessions begin anew: what they say next is the truth again within their detection time.
    const states = (status?.routers ?? []).flatMap((router) => router.tracks);
    this.#knownChecks = new Map(
      states.filter(({ id }) => id.startsWith('check ')).map(({ id, state }) => [id.slice('check '.length), state]),
    );
    await this.resume({ identity: { generation, hash: hashOf(content) }, bundle: Bundle.decode(content), content });
  }

  /** The host owner's file, read again. Programs are judged by it from now on, everything else at the next push. */
  replaceConfig(config: AgentConfig): void {
    this.#rules = config;
    this.#scriptUser = config.scripts?.user || undefined;
  }

  /** The first configuration of this process alone can go on with what its predecessor held. */
  #takeResumed(): readonly ResumedRouter[] {
    const resumed = this.#resumed;
    this.#resumed = [];
    return resumed;
  }

  /** To be called with everything that the election thread tells. */
  occurred(occurrence: Occurrence): void {
    this.#occurrences.received(occurrence);
    this.#reporter.changed();
    // Silence may be this host's own fault: a packet filter that somebody has loaded since.
    const isSilence = occurrence.kind === 'transition' && occurrence.cause === 'active-down';
    if (!isSilence || this.#cancelJudging !== undefined) return;
    this.#cancelJudging = this.#options.clock.after(JUDGE_AFTER_SILENCE_MS, () => {
      this.#cancelJudging = undefined;
      void this.judgeHost();
    });
  }

  /** Rejects with a RunOnceError. */
  async runCheck(name: string): Promise<OneRun> {
    return await this.#checks.runOnce(name);
  }

  /** Never rejects. */
  async judgeHost(): Promise<readonly PreflightFinding[]> {
    const { inForce } = this.configuration;
    return inForce === undefined ? [] : await this.#hostJudge.judge(inForce.bundle, this.#rules.scheduling);
  }

  started(): void {
    const sentence = `baton-agent ${this.#options.version} started`;
    this.journal.add(lifecycleEvent(this.#now(), 'started', sentence));
  }

  stopping(): void {
    this.journal.add(lifecycleEvent(this.#now(), 'stopping', 'baton-agent is stopping'));
  }

  /** Every router has stopped: waits for the last hooks, a bounded time, and puts everything on disk. */
  async finish(isSuspended: boolean): Promise<void> {
    // To end on purpose is no crash.
    clearTimeout(this.#settling);
    this.#guard.settled();
    this.#cancelJudging?.();
    this.#checks.stop();
    this.#bfd.stop();
    await this.#hooks.drain(isSuspended ? HOOKS_OF_SUSPENDED_MS : LAST_HOOKS_MS);
    this.#occurrences.close();
    this.#reporter.close();
    await this.journal.flush();
  }

  // AgentSide --------------------------------------------------------------------------------------------------------

  async hello(): ReturnType<AgentSide['hello']> {
    return {
      agentVersion: this.#options.version,
      capabilities: [...CAPABILITIES],
      status: await this.fullStatus(),
      journalId: this.journal.id,
    };
  }

  async fullStatus(): Promise<NodeStatus> {
    const election = await this.#options.election.status();
    return nodeStatusOf({
      node: this.configuration.inForce?.bundle.node || this.#node || hostname(),
      agentVersion: this.#options.version,
      pid: process.pid,
      startedWallMs: this.#options.startedWallMs,
      nowWallMs: this.#options.clock.wallMs(),
      bundle: this.configuration.inForce?.identity,
      refused: this.#refused,
      election,
      checks: this.#checks.statuses(),
      bfdSessions: this.#bfd.statuses(),
      preflight: this.#hostJudge.findings,
      lastHooks: this.#occurrences.lastHooks,
      controller: this.#link,
      queuedEvents: this.#options.standaloneNode === undefined ? this.journal.queued : 0,
      droppedEvents: this.journal.dropped,
    });
  }

  onStatusChanged(listener: Parameters<AgentSide['onStatusChanged']>[0]): () => void {
    return this.#reporter.subscribe(listener);
  }

  pendingEvents(afterSequence: number, limit: number): ReturnType<AgentSide['pendingEvents']> {
    return this.journal.pending(afterSequence, limit);
  }

  onEvents(listener: () => void): () => void {
    return this.journal.onEvents(listener);
  }

  eventsAccepted(throughSequence: number): void {
    this.journal.acknowledge(throughSequence);
  }

  async applyBundle(push: Parameters<AgentSide['applyBundle']>[0]): ReturnType<AgentSide['applyBundle']> {
    const verdict = await this.configuration.push(push, this.#rules);
    // Also when it was in force before: then the one that was refused is wanted no more.
    if (verdict.accepted && this.#refused !== undefined) {
      this.#refused = undefined;
      this.#reporter.changed();
    }
    return verdict;
  }

  linkState(update: LinkUpdate): void {
    this.#node = update.node ?? this.#node;
    const isSame = update.state === this.#link.state && update.address === this.#link.address;
    const since = isSame ? this.#link.since : new Date(this.#options.clock.wallMs());
    this.#link = { state: update.state, address: update.address, error: update.error, since };
  }

  #now(): Moment {
    const { clock } = this.#options;
    return { at: clock.now(), wallMs: clock.wallMs() };
  }
}

function notifiedOf({ routers, groups }: Bundle): NotifiedSet {
  const byName = (all: readonly (Notified & { readonly name: string })[]): Map<string, Notified> =>
    new Map(all.map(({ name, displayName, hooks }) => [name, { displayName, hooks }]));
  return { routers: byName(routers), groups: byName(groups) };
}

function originOf(stored: StoredBundle): string {
  const { generation, hash } = stored.identity;
  const short = hash.slice(0, 12);
  return generation === 0 ? `of the local file (${short})` : `of generation ${generation} (${short})`;
}
