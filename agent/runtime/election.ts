/**
 * The election thread's loop: packets, interface events, the timer and the worker's messages become inputs of the core,
 * and the core's effects are carried out in their order. It never reads a file, logs, or waits for anything.
 *
 *   packet · host change · timer · message ──▶ enter(now) ──▶ step ──▶ effects ──▶ addresses · ARP · adverts · outbox
 *
 * Every way in goes through `enter`, which reads the clock once and, after a pause of this thread, lets every active
 * router look at the clock before anything that was queued meanwhile is looked at.
 */
import { type Instant, MICROS_PER_SECOND } from '../../proto/rules/time.js';
import type { Recorder, StartRecorder } from '../record/recorder.js';
import { Alarm } from './alarm.js';
import { Channels } from './channels.js';
import { problemsOf } from './configuration.js';
import { Deadlines } from './deadlines.js';
import type { Edges, ElectionClock, WorkerPort } from './edges.js';
import { Elector } from './elector.js';
import { HostSide, messageOf } from './host-side.js';
import { HostTracks, watchedRoute } from './host-tracks.js';
import { HostWatch } from './host-watch.js';
import { InterfaceDelays } from './interface-delays.js';
import { InterfaceTable } from './interface-table.js';
import { Keepers } from './keepers.js';
import type { ElectionSettings, ResumedRouter, ToElection } from './messages.js';
import { Outbox } from './outbox.js';
import { Reception } from './reception.js';
import { Reconfiguration } from './reconfiguration.js';
import { Roster } from './roster.js';
import { RouteTable } from './route-table.js';
import type { RunningRouter } from './running-router.js';
import { electionStatus } from './status.js';
import { earliestOf, type Timed } from './timed.js';
import { TrackHolds } from './track-holds.js';
import { TrackStates } from './track-states.js';
import { Trouble } from './trouble.js';
import { Verification } from './verification.js';

/** A thread that was away for longer lets its active routers look at the clock before anything else. */
const LONG_AWAY = 20_000;
/** A router that a fault of ours keeps from being ticked is ticked again after so long. */
const FAULTY_RESTS = MICROS_PER_SECOND;
/** How many times the sockets are read again, while they still give packets, before a backup's timer is believed. */
const MOST_READINGS = 16;

export interface ElectionOptions {
  readonly port: WorkerPort;
  readonly clock: ElectionClock;
  readonly edges: Edges;
  /** Present: what the core is given is recorded. */
  readonly recording?: StartRecorder | undefined;
}

export interface Election {
  /** Planned stop of everything; with handover, successors take over first. A call without it cuts a handover short. */
  shutdown(handover: boolean): void;
  /** Stops at once and leaves what the routers hold to the next process, which the worker tells of it. */
  suspend(): void;
  /** A new worker in the place of one that died. */
  attach(port: WorkerPort): void;
  /** The worker died: what happens is kept for the next one. */
  detach(port: WorkerPort): void;
  /** Resolves after everything has stopped and all sockets are closed. */
  readonly stopped: Promise<void>;
}

/**
 * Starts the election; it runs no router until it is configured. Throws SocketOpenError or RtnetlinkError if the kernel's
 * interfaces cannot be read and watched.
 */
export function startElection(options: ElectionOptions): Election {
  return new ElectionLoop(options);
}

class ElectionLoop implements Election {
  readonly stopped: Promise<void>;
  readonly #clock: ElectionClock;
  readonly #edges: Edges;
  readonly #outbox: Outbox;
  readonly #trouble: Trouble;
  readonly #table = new InterfaceTable();
  readonly #routes = new RouteTable();
  readonly #watch: HostWatch;
  readonly #channels: Channels;
  readonly #deadlines = new Deadlines<RunningRouter>();
  readonly #alarm: Alarm;
  readonly #keepers: Keepers;
  readonly #elector: Elector;
  readonly #reception: Reception;
  readonly #host: HostSide;
  readonly #delays: InterfaceDelays;
  readonly #reconfiguration: Reconfiguration;
  readonly #roster = new Roster();
  readonly #holds: TrackHolds;
  readonly #tracks: TrackStates;
  readonly #verification: Verification;
  readonly #recorder: Recorder | undefined;
  /** What else waits for the timer. */
  readonly #timed: readonly Timed[];
  #awakeAt: Instant;
  #isReadingFirst = false;
  #isStopping = false;
  #isSuspending = false;
  #isClosed = false;
  #resumable: readonly ResumedRouter[] = [];
  #resolveStopped: () => void = () => undefined;

  constructor({ port, clock, edges, recording }: ElectionOptions) {
    const startedAt = clock.now();
    this.#clock = clock;
    this.#edges = edges;
    this.#awakeAt = startedAt;
    this.stopped = new Promise((resolve) => {
      this.#resolveStopped = resolve;
    });
    const outbox = new Outbox(clock);
    const trouble = new Trouble(outbox);
    const table = this.#table;
    const roster = this.#roster;
    this.#outbox = outbox;
    this.#trouble = trouble;
    const kernel = edges.openRtnetlink();
    this.#watch = new HostWatch(edges, kernel, table, this.#routes, {
      onChanged: () => this.#enter((now) => this.#host.changed(now)),
      onBroken: (error) =>
        this.#enter((now) => {
          trouble.failed('interfaces are not watched; the watch will be opened again', 'netlink', error.message, now);
          this.#alarm.retryLater(now);
        }),
    });
    this.#watch.refresh();
    this.#channels = new Channels(edges, {
      onPackets: (channel, family, packets) => {
        const before = this.#elector.effects;
        this.#enter(
          (now) => this.#reception.packets(channel, family, packets, now),
          () => this.#elector.effects > before,
        );
      },
      onClaim: (channel, claim) => this.#enter((now) => this.#reception.claim(channel, claim, now)),
      onError: (channel, doing, error) =>
        this.#enter((now) => {
          trouble.failed(`cannot ${doing}`, channel.name, messageOf(error), now);
          this.#alarm.retryLater(now);
        }),
    });
    const channels = this.#channels;
    const alarm = new Alarm(edges.startTimer(() => this.#enter((now) => this.#onTimer(now))));
    this.#alarm = alarm;
    const keepers = new Keepers({
      kernel,
      edges,
      table,
      channels,
      roster,
      alarm,
      outbox,
      trouble,
      clock,
      onConflict: (router, now) => this.#elector.step(router, { kind: 'addressConflict' }, now),
    });
    this.#keepers = keepers;
    const { effects } = keepers;
    const recorder = recording?.((chunk) => outbox.post({ kind: 'recorded', chunk }));
    this.#recorder = recorder;
    this.#elector = new Elector({ effects, deadlines: this.#deadlines, alarm, outbox, trouble, clock, recorder });
    const elector = this.#elector;
    const verification = new Verification({ channels, table, outbox, trouble });
    this.#verification = verification;
    this.#reception = new Reception({
      roster,
      elector,
      outbox,
      trouble,
      onClaim: (device, claim, now) => {
        keepers.claimHeard(device, claim, now);
        verification.heard(device, claim);
      },
    });
    const reconcile = (now: Instant) => this.#host.reconcile(now);
    const delays = new InterfaceDelays(reconcile);
    this.#delays = delays;
    const holds = new TrackHolds(
      (router, id, state, now) => elector.step(router, { kind: 'track', id, state }, now),
      (name) => delays.down(name),
    );
    this.#holds = holds;
    this.#tracks = new TrackStates(holds);
    const tracks = new HostTracks(
      {
        table,
        channels,
        delays,
        routes: this.#routes,
        isOurMacvlan: (router, name) => keepers.isOurMacvlan(router, name),
        isComplete: (hostNetwork) => keepers.isComplete(hostNetwork),
        startedAt,
      },
      reconcile,
    );
    this.#host = new HostSide({
      roster,
      table,
      watch: this.#watch,
      channels,
      tracks,
      holds,
      keepers,
      elector,
      alarm,
      trouble,
      clock,
    });
    this.#reconfiguration = new Reconfiguration({
      roster,
      elector,
      keepers,
      host: this.#host,
      tracks: this.#tracks,
      table,
      clock,
      arrange: (settings, now) => this.#arrange(settings, now),
    });
    const timed: Timed[] = [keepers, delays, holds, tracks, this.#host, verification];
    this.#timed = recorder === undefined ? timed : [...timed, recorder];
    this.attach(port);
  }

  attach(port: WorkerPort): void {
    this.#outbox.attach(port);
    this.#recorder?.attach();
    port.on('message', (message) => this.#enter((now) => this.#onMessage(message, now)));
  }

  detach(port: WorkerPort): void {
    if (this.#outbox.detach(port)) this.#recorder?.detach();
  }

  shutdown(handover: boolean): void {
    this.#enter((now) => this.#shutdown(handover, now));
  }

  suspend(): void {
    this.#enter((now) => this.#suspend(now));
  }

  /**
   * The one way in. Never throws: a fault of ours must not end the elections of the other routers.
   *
   * @param mayHaveArmed whether, after the work, anybody but those who tell of trouble may wait for the timer anew
   */
  #enter(work: (now: Instant) => void, mayHaveArmed: () => boolean = always): void {
    if (this.#isClosed) return;
    const now = this.#clock.now();
    const away = now - this.#awakeAt;
    this.#awakeAt = now;
    try {
      if (away > LONG_AWAY) {
        for (const router of this.#roster.all()) {
          if (router.isActive) this.#tick(router, now);
        }
      }
      work(now);
      if (this.#roster.leaving.size > 0) this.#reconfiguration.settle(now);
      this.#keepers.flush(now);
    } catch (error) {
      this.#trouble.fault('an input could not be handled', 'election', error, now);
      // It may have been the timer's turn that broke off before the timer was armed again.
      this.#alarm.retryLater(now);
    }
    this.#alarm.by(this.#trouble.nextAt);
    this.#recorder?.settle(now);
    // What is read first has a turn of its own at once, after which the timer is armed.
    if (!this.#isReadingFirst) {
      if (mayHaveArmed()) this.#alarm.by(earliestOf(this.#timed));
      this.#alarm.set();
    }
    if (this.#isStopping) this.#endWhenStopped(now);
  }

  // Time

  #onTimer(now: Instant): void {
    const isRetryDue = this.#alarm.fired(now);
    const areBackupsDue = this.#tickDue(now, isNoBackup);
    this.#trouble.onTime(now);
    for (const part of this.#timed) if (part.nextAt !== undefined && part.nextAt <= now) part.onTime(now);
    if (isRetryDue) this.#host.reconcile(now);
    // Silence counts only when what has arrived has been read: an advertisement may wait in the socket.
    if (areBackupsDue && !this.#isReadingFirst) this.#readFirst(MOST_READINGS);
    if (!this.#isReadingFirst) this.#alarm.by(this.#deadlines.next);
  }

  /** Ticks the routers that are due and that `isWanted`; true if others are due. */
  #tickDue(now: Instant, isWanted: (router: RunningRouter) => boolean): boolean {
    const due = this.#deadlines.takeDue(now);
    let areOthersDue = false;
    for (const router of due) {
      // Another member of its group may have taken it along.
      if (router.deadline === undefined || router.deadline > now) continue;
      if (isWanted(router)) this.#tick(router, now);
      else areOthersDue = true;
    }
    for (const router of due) this.#deadlines.changed(router);
    return areOthersDue;
  }

  /** Never throws: the others are to be ticked, too. */
  #tick(router: RunningRouter, now: Instant): void {
    try {
      this.#elector.step(router, { kind: 'tick' }, now);
    } catch (error) {
      this.#trouble.fault('a router could not be ticked', router.name, error, now);
      // What is due at once would be due for ever.
      router.deadline = now + FAULTY_RESTS;
      this.#deadlines.changed(router);
    }
  }

  #readFirst(readingsLeft: number): void {
    const before = this.#reception.received;
    this.#isReadingFirst = true;
    this.#edges.defer(() => {
      this.#isReadingFirst = false;
      this.#enter((now) => {
        if (this.#reception.received !== before && readingsLeft > 0) {
          // The timer is not armed meanwhile.
          this.#tickDue(now, isNoBackup);
          this.#readFirst(readingsLeft - 1);
          return;
        }
        this.#tickDue(now, () => true);
        this.#alarm.by(this.#deadlines.next);
      });
    });
  }

  // The worker

  #onMessage(message: ToElection, now: Instant): void {
    switch (message.kind) {
      case 'configure':
        this.#configure(message.nonce, message.settings, message.resumed ?? [], now);
        return;
      case 'track':
        this.#tracks.told(message.id, message.state);
        for (const router of this.#roster.all()) {
          for (const { id, state } of this.#tracks.newsFor(router, now)) {
            this.#elector.step(router, { kind: 'track', id, state }, now);
          }
        }
        return;
      case 'statusRequest':
        this.#outbox.post({ kind: 'status', id: message.id, status: this.#status(now) });
        return;
      case 'workerReady':
        this.#outbox.open();
        return;
      case 'shutdown':
        this.#shutdown(message.handover, now);
        return;
      case 'suspend':
        this.#suspend(now);
        return;
      case 'recordingTaken':
        this.#recorder?.taken(message.characters, message.again);
        return;
    }
  }

  #configure(nonce: number, settings: ElectionSettings, resumed: readonly ResumedRouter[], now: Instant): void {
    const problems = this.#isStopping ? [{ path: '', reason: 'the agent is stopping' }] : problemsOf(settings);
    if (problems.length === 0) this.#reconfiguration.putInForce(settings, resumed, now);
    this.#outbox.post({ kind: 'configured', nonce, problems });
  }

  /** Interfaces, sockets and watches as the configuration needs them, before its routers move. */
  #arrange(settings: ElectionSettings, now: Instant): void {
    const routers = [...this.#roster.all()];
    const delays = settings.hostNetworks.flatMap(({ interfaceDelays }) => interfaceDelays);
    this.#delays.configure(
      delays,
      routers.map((router) => router.settings),
    );
    this.#holds.keepOnly(routers);
    this.#keepers.configure(routers, settings.hostNetworks, now);
    const tracked = routers.flatMap((router) =>
      router.settings.routeTracks.flatMap((track) => watchedRoute(track) ?? []),
    );
    const { destinations, rules } = this.#keepers.watched;
    try {
      this.#watch.watch(tracked, destinations, rules);
    } catch (error) {
      this.#trouble.failed('routes and rules are not watched', 'netlink', messageOf(error), now);
      this.#alarm.retryLater(now);
    }
    this.#channels.arrange(routers);
    this.#host.fit(now);
    this.#verification.configure([...this.#roster.running.values()], now);
  }

  #status(now: Instant) {
    return electionStatus({
      now,
      wallMs: this.#clock.wallMs(),
      roster: this.#roster,
      hostItems: this.#keepers.hostItems,
      channels: this.#channels,
      table: this.#table,
      holds: this.#holds,
      lag: this.#alarm.lag,
    });
  }

  // The end

  #shutdown(handover: boolean, now: Instant): void {
    this.#isStopping = true;
    this.#reconfiguration.stop();
    for (const router of this.#roster.all()) this.#elector.step(router, { kind: 'shutdown', handover }, now);
  }

  #suspend(now: Instant): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    this.#isSuspending = true;
    this.#reconfiguration.stop();
    const active = [...this.#roster.running.values()].filter((router) => router.isActive);
    for (const router of this.#roster.all()) this.#elector.step(router, { kind: 'suspend' }, now);
    this.#resumable = active
      .filter(({ cause }) => cause === 'suspended')
      .map(({ name }) => ({ name, lastAdvertAt: now }));
  }

  #endWhenStopped(now: Instant): void {
    for (const router of this.#roster.all()) if (!router.isStopped) return;
    this.#isClosed = true;
    const status = this.#status(now);
    this.#alarm.close();
    this.#watch.close();
    this.#channels.close();
    this.#keepers.close(this.#isSuspending, now);
    this.#recorder?.flush();
    this.#outbox.post({ kind: 'stopped', status, resumable: this.#resumable });
    // Not from within a socket's callback, where nobody's promises are run.
    this.#edges.defer(this.#resolveStopped);
  }
}

function isNoBackup({ member }: RunningRouter): boolean {
  return member.phase.name !== 'backup';
}

function always(): true {
  return true;
}
