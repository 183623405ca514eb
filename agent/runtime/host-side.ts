/**
 * This host as the routers are to see it: after every change sockets, tracks and addresses are brought in line with the
 * interfaces as they are. Nothing to do is the usual case.
 */
import type { Instant, Micros } from '../../proto/rules/time.js';
import type { Alarm } from './alarm.js';
import type { Channels } from './channels.js';
import type { Elector } from './elector.js';
import type { HostTracks } from './host-tracks.js';
import { expectationsOf, OwnAddresses, sourceOf } from './host-view.js';
import type { HostWatch } from './host-watch.js';
import type { InterfaceTable } from './interface-table.js';
import type { Keepers } from './keepers.js';
import type { Roster } from './roster.js';
import type { RunningRouter } from './running-router.js';
import type { Timed } from './timed.js';
import type { TrackHolds } from './track-holds.js';
import type { Trouble } from './trouble.js';

/** A storm of changes gets at most this part of the thread's time: one in so many. */
const SHARE = 5;

export interface HostSideTools {
  readonly roster: Roster;
  readonly table: InterfaceTable;
  readonly watch: HostWatch;
  readonly channels: Channels;
  readonly tracks: HostTracks;
  readonly holds: TrackHolds;
  readonly keepers: Keepers;
  readonly elector: Elector;
  readonly alarm: Alarm;
  readonly trouble: Trouble;
  readonly clock: { now(): Instant };
}

export class HostSide implements Timed {
  /** No reconciling before, unless it was asked for by ourselves. */
  #restsUntil: Instant = 0;
  #nextAt: Instant | undefined;

  constructor(private readonly tools: HostSideTools) {}

  /** Something changed on the host. Many changes are looked at together, so that they cannot starve the elections. */
  changed(now: Instant): void {
    if (now < this.#restsUntil) {
      this.#nextAt = this.#restsUntil;
      return;
    }
    this.reconcile(now);
    const took: Micros = this.tools.clock.now() - now;
    this.#restsUntil = now + took * SHARE;
  }

  get nextAt(): Instant | undefined {
    return this.#nextAt;
  }

  onTime(now: Instant): void {
    if (this.#nextAt === undefined || now < this.#nextAt) return;
    this.#nextAt = undefined;
    this.changed(now);
  }

  reconcile(now: Instant): void {
    const { watch, keepers, trouble, alarm, roster } = this.tools;
    this.#nextAt = undefined;
    try {
      watch.refresh();
    } catch (error) {
      trouble.failed('interfaces cannot be read', 'netlink', messageOf(error), now);
      alarm.retryLater(now);
      return;
    }
    keepers.hostChanged(watch.takeSuspicion(), now);
    this.fit(now);
    const own = this.ownAddresses();
    for (const router of roster.all()) this.feed(router, own, now);
    for (const router of roster.all()) {
      if (router.isActive) this.#restore(router, now);
      else keepers.tellForeign(router);
    }
  }

  /** Sockets for the interfaces as they are. */
  fit(now: Instant): void {
    const { channels, table, alarm } = this.tools;
    if (!channels.fit(table)) alarm.retryLater(now);
  }

  /** Addresses of this host that nobody else may send from. */
  ownAddresses(): OwnAddresses {
    const { table, roster } = this.tools;
    return new OwnAddresses(table, (address, device) => roster.isVirtual(address, device));
  }

  /** What this host means for the router: source address, whom it believes, and the tracks about the host. */
  feed(router: RunningRouter, ownAddresses: OwnAddresses, now: Instant): void {
    const { table, channels, tracks, holds, elector, keepers } = this.tools;
    const own = ownAddresses.on(table.link(router.settings.interface)?.index);
    const source = sourceOf(router, table, own);
    if (source !== router.source) {
      router.source = source;
      router.adverts = undefined;
    }
    encodeInTime(router);
    if (source !== undefined && router.hasSparedLeftovers) {
      // A router that has become active meanwhile has made them its own.
      router.hasSparedLeftovers = false;
      if (!router.isActive) keepers.effects.removeLeftovers(router);
    }
    channels
      .get(router.hearingDevice)
      ?.of(router.family)
      .expected.set(router.router.vrid, expectationsOf(router, table, own));
    for (const { id } of router.router.tracks) {
      const state = tracks.state(router, id, now);
      const news = state === undefined ? undefined : holds.news(router, id, state, now);
      if (news !== undefined) elector.step(router, { kind: 'track', id, state: news }, now);
    }
  }

  #restore(router: RunningRouter, now: Instant): void {
    if (this.tools.keepers.restore(router, now)) this.tools.elector.step(router, { kind: 'addressLost' }, now);
  }
}

/** So that a takeover need not. What cannot be encoded is told when it is to be sent. */
function encodeInTime(router: RunningRouter): void {
  try {
    router.encodedAdverts();
  } catch {
    // This is about one router, and the others are to be fed.
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
