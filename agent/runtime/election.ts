/**
 * The election thread's loop: packets, interface events, the timer and the worker's messages become inputs of the core,
 * and the core's effects are carried out in their order. It never reads a file, logs, or waits for anything.
 *
 *   packet · host change · timer · message ──▶ enter(now) ──▶ step ──▶ effects ──▶ addresses · ARP · adverts · outbox
 *
 * Every way in goes through `enter`, which reads the clock once and, after a pause of this thread, lets every active
 * router look at the clock before anything that was queued meanwhile is looked at.
 */
import type { Instant } from '../../proto/rules/time.js';
import type { Rtnetlink } from '../link/rtnetlink.js';
import { type Input, type Ipv4, nextDeadline, step, type VirtualRouter } from '../vrrp/index.js';
import { formatIpv4 } from '../wire/ipv4-address.js';
import { decodeAdvertisement } from '../wire/reception.js';
import { AddressKeeper } from './address-keeper.js';
import { Alarm } from './alarm.js';
import type { Channel } from './channel.js';
import { Channels } from './channels.js';
import { CheckStates } from './check-states.js';
import { changeBetween, problemsOf } from './configuration.js';
import type { Edges, ElectionClock, WorkerPort } from './edges.js';
import { EffectRunner } from './effect-runner.js';
import { expectationsOf, hostOwnedAddresses, hostTrack, ownAddressesOf, sourceOf } from './host-view.js';
import { HostWatch } from './host-watch.js';
import { InterfaceTable } from './interface-table.js';
import type { RouterSettings, ToElection } from './messages.js';
import { Outbox } from './outbox.js';
import { RunningRouter } from './running-router.js';
import { electionStatus } from './status.js';
import { Trouble } from './trouble.js';

/** A thread that was away for longer lets its active routers look at the clock before anything else. */
const LONG_AWAY = 20_000;
/** How many times the sockets are read again, while they still give packets, before a backup's timer is believed. */
const MOST_READINGS = 16;

export interface ElectionOptions {
  readonly port: WorkerPort;
  readonly clock: ElectionClock;
  readonly edges: Edges;
}

export interface Election {
  /** Planned stop of everything; with handover, successors take over first. A call without it cuts a handover short. */
  shutdown(handover: boolean): void;
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
  readonly #kernel: Rtnetlink;
  readonly #table = new InterfaceTable();
  readonly #watch: HostWatch;
  readonly #channels: Channels;
  readonly #alarm: Alarm;
  readonly #keeper: AddressKeeper;
  readonly #effects: EffectRunner;
  readonly #routers = new Map<string, RunningRouter>();
  readonly #checks = new CheckStates();
  /** Addresses of all virtual routers of this node. */
  #virtual: ReadonlySet<Ipv4> = new Set();
  #awakeAt: Instant;
  #packets = 0;
  #isReadingFirst = false;
  #isStopping = false;
  #isClosed = false;
  #resolveStopped: () => void = () => undefined;

  constructor({ port, clock, edges }: ElectionOptions) {
    this.#clock = clock;
    this.#edges = edges;
    this.#awakeAt = clock.now();
    this.stopped = new Promise((resolve) => {
      this.#resolveStopped = resolve;
    });
    const outbox = new Outbox(clock);
    const trouble = new Trouble(outbox);
    this.#outbox = outbox;
    this.#trouble = trouble;
    this.#kernel = edges.openRtnetlink();
    this.#watch = new HostWatch(edges, this.#kernel, this.#table, {
      onChanged: () => this.#enter((now) => this.#reconcile(now)),
      onBroken: (error) =>
        this.#enter((now) => {
          trouble.failed('interfaces are not watched; the watch will be opened again', 'netlink', error.message, now);
          this.#alarm.retryLater(now);
        }),
    });
    this.#watch.refresh();
    this.#channels = new Channels(edges, {
      onPacket: (channel, packet) => this.#enter((now) => this.#onPacket(channel, packet, now)),
      onAnnouncement: (channel, address) => this.#enter((now) => this.#onAnnouncement(channel, address, now)),
      onError: (channel, doing, error) =>
        this.#enter((now) => {
          trouble.failed(`cannot ${doing}`, channel.name, messageOf(error), now);
          this.#alarm.retryLater(now);
        }),
    });
    this.#keeper = new AddressKeeper(this.#kernel, this.#table, outbox);
    this.#effects = new EffectRunner({ keeper: this.#keeper, channels: this.#channels, outbox, trouble, clock });
    this.#alarm = new Alarm(edges.startTimer(() => this.#enter((now) => this.#onTimer(now))));
    this.attach(port);
  }

  attach(port: WorkerPort): void {
    this.#outbox.attach(port);
    port.on('message', (message) => this.#enter((now) => this.#onMessage(message, now)));
  }

  detach(port: WorkerPort): void {
    this.#outbox.detach(port);
  }

  shutdown(handover: boolean): void {
    this.#enter((now) => this.#shutdown(handover, now));
  }

  /** The one way in. Never throws: a fault of ours must not end the elections of the other routers. */
  #enter(work: (now: Instant) => void): void {
    if (this.#isClosed) return;
    const now = this.#clock.now();
    const away = now - this.#awakeAt;
    this.#awakeAt = now;
    try {
      if (away > LONG_AWAY) {
        for (const router of this.#routers.values()) if (router.isActive) this.#step(router, { kind: 'tick' }, now);
      }
      work(now);
      this.#effects.flush();
    } catch (error) {
      this.#tellFault('an input could not be handled', 'election', error, now);
      // It may have been the timer's turn that broke off before the timer was armed again.
      this.#alarm.retryLater(now);
    }
    this.#alarm.by(this.#trouble.nextAt);
    if (this.#isStopping) this.#endWhenStopped(now);
  }

  #step(router: RunningRouter, input: Input, now: Instant): void {
    const { member, effects } = step(router.router, router.member, input, now);
    router.member = member;
    router.deadline = nextDeadline(router.router, member);
    for (const effect of effects) {
      try {
        this.#effects.run(router, effect, now);
      } catch (error) {
        this.#tellFault(`an effect (${effect.kind}) could not be carried out`, router.name, error, now);
      }
    }
    this.#alarm.by(router.deadline);
  }

  #tellFault(what: string, on: string, error: unknown, now: Instant): void {
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#trouble.failed(`${what}; this is a fault of the program`, on, detail, now);
  }

  // Time

  #armNext(): void {
    for (const { deadline } of this.#routers.values()) this.#alarm.by(deadline);
  }

  #onTimer(now: Instant): void {
    const isRetryDue = this.#alarm.fired(now);
    const areBackupsDue = this.#tickDue(now, (router) => router.member.phase.name !== 'backup');
    this.#trouble.tellRepeats(now);
    if (isRetryDue) this.#reconcile(now);
    // Silence counts only when what has arrived has been read: an advertisement may wait in the socket.
    if (areBackupsDue && !this.#isReadingFirst) this.#readFirst(MOST_READINGS);
    if (!this.#isReadingFirst) this.#armNext();
  }

  /** Ticks the routers that are due and that `isWanted`; true if others are due. */
  #tickDue(now: Instant, isWanted: (router: RunningRouter) => boolean): boolean {
    let areOthersDue = false;
    for (const router of this.#routers.values()) {
      if (router.deadline === undefined || router.deadline > now) continue;
      if (isWanted(router)) this.#step(router, { kind: 'tick' }, now);
      else areOthersDue = true;
    }
    return areOthersDue;
  }

  #readFirst(readingsLeft: number): void {
    const before = this.#packets;
    this.#isReadingFirst = true;
    this.#edges.defer(() => {
      this.#isReadingFirst = false;
      this.#enter((now) => {
        if (this.#packets !== before && readingsLeft > 0) {
          this.#readFirst(readingsLeft - 1);
          return;
        }
        this.#tickDue(now, () => true);
        this.#armNext();
      });
    });
  }

  // Packets

  #onPacket(channel: Channel, packet: Uint8Array, now: Instant): void {
    this.#packets += 1;
    const reception = decodeAdvertisement(packet, channel.expected);
    const router = reception.vrid === undefined ? undefined : channel.routers.get(reception.vrid);
    if (reception.ok && router !== undefined) {
      const { source, advertisement, checksumForm } = reception;
      router.count('advertisements-received');
      router.peers.heard(source, advertisement.priority, advertisement.interval, checksumForm, now);
      this.#step(router, { kind: 'advertisement', source, local: router.source ?? 0, advertisement }, now);
      return;
    }
    if (reception.ok) return;
    const { reason } = reception;
    const source = reception.source === undefined ? '' : formatIpv4(reception.source);
    if (router !== undefined) {
      router.count(`rejected.${reason}`);
      this.#trouble.rejected(router.name, reason, source, now);
      return;
    }
    channel.countPacket(reason);
    // Other groups of routers on the same LAN are nothing to report.
    if (reason !== 'unknown-vrid') this.#trouble.stray(channel.name, reason, source, now);
  }

  #onAnnouncement(channel: Channel, address: Ipv4, now: Instant): void {
    for (const router of this.#routers.values()) {
      if (!router.wanted.some((wanted) => wanted.address === address && wanted.device === channel.name)) continue;
      router.announced.add(address);
      if (router.wanted.every((wanted) => router.announced.has(wanted.address))) {
        this.#step(router, { kind: 'announcementHeard' }, now);
      }
    }
  }

  // The host

  /** Brings sockets, tracks and addresses in line with the interfaces as they are; nothing to do is the usual case. */
  #reconcile(now: Instant): void {
    try {
      this.#watch.refresh();
    } catch (error) {
      this.#trouble.failed('interfaces cannot be read', 'netlink', messageOf(error), now);
      this.#alarm.retryLater(now);
      return;
    }
    if (!this.#channels.fit(this.#table)) this.#alarm.retryLater(now);
    const own = ownAddressesOf(this.#table, this.#virtual);
    for (const router of this.#routers.values()) this.#feedHost(router, own, now);
    for (const router of this.#routers.values()) {
      if (router.isActive) this.#restore(router, now);
      else this.#keeper.tellForeign(router);
    }
  }

  #restore(router: RunningRouter, now: Instant): void {
    const { restored, isLost } = this.#keeper.restore(router, now);
    this.#effects.announce(router, restored, Math.max(1, router.router.announcements.repeat), now);
    if (isLost) this.#step(router, { kind: 'addressLost' }, now);
  }

  /** What this host means for the router: source address, whom it believes, and the tracks about the host. */
  #feedHost(router: RunningRouter, own: ReadonlySet<Ipv4>, now: Instant): void {
    const source = sourceOf(router, this.#table, own);
    if (source !== router.source) {
      router.source = source;
      router.templates = undefined;
    }
    this.#channels
      .get(router.settings.interface)
      ?.expected.set(router.router.vrid, expectationsOf(router, this.#table, own));
    for (const { id } of router.router.tracks) {
      const state = hostTrack(router, id, this.#table, this.#channels);
      if (state !== undefined && router.member.tracks[id] !== state) {
        this.#step(router, { kind: 'track', id, state }, now);
      }
    }
  }

  // The worker

  #onMessage(message: ToElection, now: Instant): void {
    switch (message.kind) {
      case 'configure':
        this.#configure(message.nonce, message.routers, now);
        return;
      case 'check':
        this.#checks.told(message.check, message.state);
        for (const router of this.#routers.values()) this.#feedChecks(router, now);
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
    }
  }

  #feedChecks(router: RunningRouter, now: Instant): void {
    for (const { id, state } of this.#checks.newsFor(router)) this.#step(router, { kind: 'track', id, state }, now);
  }

  #configure(nonce: number, wanted: readonly RouterSettings[], now: Instant): void {
    const problems = this.#isStopping ? [{ path: '', reason: 'the agent is stopping' }] : problemsOf(wanted);
    if (problems.length === 0) this.#putInForce(wanted, now);
    this.#outbox.post({ kind: 'configured', nonce, problems });
  }

  #putInForce(wanted: readonly RouterSettings[], now: Instant): void {
    const running = [...this.#routers.values()].map(({ settings }) => settings);
    const { stop, change, start } = changeBetween(running, wanted);
    for (const name of stop) this.#stopRouter(name, now);
    this.#changeRouters(change, now);
    const started = start.map((settings) => new RunningRouter(settings, this.#clock.wallMs()));
    for (const router of started) {
      this.#routers.set(router.name, router);
      router.hostOwned = hostOwnedAddresses(router, this.#table);
    }
    const routers = [...this.#routers.values()];
    this.#virtual = new Set(routers.flatMap((router) => router.wanted.map(({ address }) => address)));
    this.#channels.arrange(routers);
    if (!this.#channels.fit(this.#table)) this.#alarm.retryLater(now);
    const own = ownAddressesOf(this.#table, this.#virtual);
    for (const router of routers) {
      this.#feedHost(router, own, now);
      this.#feedChecks(router, now);
      // The core compares addresses as numbers; here one that moved to another device is new as well.
      if (router.isActive) this.#effects.addMissing(router, now);
    }
    for (const router of started) {
      this.#step(router, { kind: 'startup' }, now);
      if (!router.isActive) this.#keeper.removeLeftovers(router);
    }
    this.#checks.keepOnly(this.#routers.values());
  }

  #stopRouter(name: string, now: Instant): void {
    const router = this.#routers.get(name);
    if (router === undefined) return;
    this.#step(router, { kind: 'shutdown', handover: false }, now);
    this.#routers.delete(name);
  }

  /** What one gives up goes before another takes it: an address may move from one router to the other. */
  #changeRouters(change: readonly RouterSettings[], now: Instant): void {
    const changed: { readonly router: RunningRouter; readonly previous: VirtualRouter }[] = [];
    for (const settings of change) {
      const router = this.#routers.get(settings.router.name);
      if (router === undefined) continue;
      const previous = router.router;
      const gone = router.replaceSettings(settings);
      router.hostOwned = hostOwnedAddresses(router, this.#table);
      if (router.isActive) this.#keeper.remove(router, gone);
      changed.push({ router, previous });
    }
    for (const { router, previous } of changed) this.#step(router, { kind: 'reconfigured', previous }, now);
  }

  #status(now: Instant) {
    return electionStatus({
      now,
      wallMs: this.#clock.wallMs(),
      routers: this.#routers.values(),
      channels: this.#channels,
      table: this.#table,
      lag: this.#alarm.lag,
    });
  }

  // The end

  #shutdown(handover: boolean, now: Instant): void {
    this.#isStopping = true;
    for (const router of this.#routers.values()) this.#step(router, { kind: 'shutdown', handover }, now);
  }

  #endWhenStopped(now: Instant): void {
    for (const router of this.#routers.values()) if (!router.isStopped) return;
    this.#isClosed = true;
    const status = this.#status(now);
    this.#alarm.close();
    this.#watch.close();
    this.#channels.close();
    this.#kernel.close();
    this.#outbox.post({ kind: 'stopped', status });
    // Not from within a socket's callback, where nobody's promises are run.
    this.#edges.defer(this.#resolveStopped);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
