/**
 * Runs the checks: each at a fixed rate and never twice at once, its results counted by rise and fall, its state told
 * when it changes. Changing one check disturbs no other, and changing only its limits or times keeps its standing.
 */
import { CheckResult, type CheckStatus } from '../../proto/gen/baton/v1/status.js';
import { microsToDuration } from '../../proto/rules/duration.js';
import type { Instant, Millis } from '../../proto/rules/time.js';
import type { CancelTimer } from '../local/clock.js';
import type { TrackState } from '../vrrp/index.js';
import { type Outcome, type Program, type ProgramEdges, type Run, runProgram } from './program.js';
import { afterRun, carriedOver, type Hysteresis, initialStanding, rescaled, type Standing } from './rise-fall.js';

export interface CheckSettings {
  readonly name: string;
  readonly program: Program;
  /** Between starts. */
  readonly interval: Millis;
  readonly hysteresis: Hysteresis;
}

export interface CheckListener {
  /** The state after rise and fall changed. `status` is the check's whole status then. */
  stateChanged(name: string, state: 'up' | 'down', status: CheckStatus, previous: TrackState): void;
  /** Something about the check is new: at least after every run. */
  statusChanged(name: string): void;
}

export class CheckSupervisor {
  readonly #edges: ProgramEdges;
  readonly #listener: CheckListener;
  readonly #checks = new Map<string, SupervisedCheck>();

  constructor(edges: ProgramEdges, listener: CheckListener) {
    this.#edges = edges;
    this.#listener = listener;
  }

  /**
   * Puts a whole set of checks in force; new ones run at once. `known` are states that routers rely on already although
   * this supervisor has never run the check: they hold until its first result.
   */
  configure(checks: readonly CheckSettings[], known: ReadonlyMap<string, TrackState> = new Map()): void {
    const wanted = new Map(checks.map((check) => [check.name, check]));
    for (const [name, check] of this.#checks) {
      if (wanted.has(name)) continue;
      check.stop();
      this.#checks.delete(name);
    }
    for (const settings of wanted.values()) {
      const present = this.#checks.get(settings.name);
      if (present !== undefined) present.reconfigure(settings);
      else {
        const state = known.get(settings.name) ?? 'unknown';
        this.#checks.set(settings.name, new SupervisedCheck(settings, state, this.#edges, this.#listener));
      }
    }
  }

  /** Sorted by name. */
  statuses(): CheckStatus[] {
    return [...this.#checks.values()]
      .map((check) => check.status())
      .sort((left, right) => (left.name < right.name ? -1 : 1));
  }

  /** Ends every run. */
  stop(): void {
    this.configure([]);
  }
}

class SupervisedCheck {
  #settings: CheckSettings;
  #standing: Standing;
  #sinceWallMs: Millis;
  #last: Outcome | undefined;
  #runs = 0;
  #skipped = 0;
  #consecutive = 0;
  #dueAt: Instant;
  #cancelDue: CancelTimer;
  #run: Run | undefined;
  /** Counts starts: what a run says is ignored once another command has taken its place. */
  #epoch = 0;
  readonly #edges: ProgramEdges;
  readonly #listener: CheckListener;

  constructor(settings: CheckSettings, known: TrackState, edges: ProgramEdges, listener: CheckListener) {
    this.#settings = settings;
    this.#standing =
      known === 'unknown' ? initialStanding(settings.hysteresis) : carriedOver(known, settings.hysteresis);
    this.#edges = edges;
    this.#listener = listener;
    this.#sinceWallMs = edges.clock.wallMs();
    this.#dueAt = edges.clock.now();
    this.#cancelDue = edges.clock.after(0, () => this.#due());
  }

  reconfigure(settings: CheckSettings): void {
    const previous = this.#settings;
    this.#settings = settings;
    const sameProgram =
      JSON.stringify([previous.program.command, previous.program.user]) ===
      JSON.stringify([settings.program.command, settings.program.user]);
    if (sameProgram) {
      this.#standing = rescaled(this.#standing, previous.hysteresis, settings.hysteresis);
      if (settings.interval === previous.interval) return;
      this.#schedule(Math.max(this.#edges.clock.now(), this.#dueAt + (settings.interval - previous.interval) * 1_000));
      return;
    }
    this.#standing =
      this.#standing.state === 'unknown'
        ? initialStanding(settings.hysteresis)
        : carriedOver(this.#standing.state, settings.hysteresis);
    this.#epoch += 1;
    this.#run?.end('another command took its place');
    this.#run = undefined;
    this.#schedule(this.#edges.clock.now());
  }

  stop(): void {
    this.#cancelDue();
    this.#epoch += 1;
    this.#run?.end('the check was removed');
    this.#run = undefined;
  }

  status(): CheckStatus {
    const last = this.#last;
    return {
      name: this.#settings.name,
      state: this.#standing.state,
      since: new Date(this.#sinceWallMs),
      lastResult: last?.result ?? CheckResult.PENDING,
      exitCode: last?.exitCode ?? 0,
      lastRun: last === undefined ? undefined : new Date(last.startedWallMs),
      lastDuration: last === undefined ? undefined : microsToDuration(last.duration),
      output: last?.output ?? '',
      reason: last?.reason ?? '',
      runs: this.#runs,
      skipped: this.#skipped,
      consecutive: this.#consecutive,
    };
  }

  #schedule(at: Instant): void {
    this.#cancelDue();
    this.#dueAt = at;
    this.#cancelDue = this.#edges.clock.after((at - this.#edges.clock.now()) / 1_000, () => this.#due());
  }

  #due(): void {
    const now = this.#edges.clock.now();
    const interval = this.#settings.interval * 1_000;
    // The rate is fixed by the starts that were due, not by when this thread got round to them; starts that were
    // missed altogether are not made up for.
    const late = Math.max(0, now - this.#dueAt);
    this.#schedule(now - (late % interval) + interval);
    if (this.#run === undefined) this.#start();
    else this.#skip(this.#run);
  }

  #skip(run: Run): void {
    this.#skipped += 1;
    // A process that even SIGKILL cannot end would otherwise leave the check as it was for ever.
    if (run.unkillable && this.#last !== undefined) {
      this.#count({ ...this.#last, reason: 'the run before cannot be ended, not even by SIGKILL' });
    }
    this.#listener.statusChanged(this.#settings.name);
  }

  #start(): void {
    const epoch = this.#epoch;
    let run: Run | undefined;
    let isGone = false;
    run = runProgram(this.#settings.program, this.#edges, {
      result: (outcome) => {
        if (epoch !== this.#epoch) return;
        this.#runs += 1;
        this.#count(outcome);
        this.#listener.statusChanged(this.#settings.name);
      },
      gone: () => {
        isGone = true;
        if (run !== undefined && this.#run === run) this.#run = undefined;
      },
    });
    if (!isGone) this.#run = run;
  }

  #count(outcome: Outcome): void {
    this.#consecutive = outcome.result === this.#last?.result ? this.#consecutive + 1 : 1;
    this.#last = outcome;
    const before = this.#standing.state;
    this.#standing = afterRun(
      this.#standing,
      this.#settings.hysteresis,
      outcome.result === CheckResult.OK ? 'success' : 'failure',
    );
    const after = this.#standing.state;
    if (after === before || after === 'unknown') return;
    this.#sinceWallMs = this.#edges.clock.wallMs();
    this.#listener.stateChanged(this.#settings.name, after, this.status(), before);
  }
}
