/**
 * The intervals that everything else is made of: skew, Active_Down_Interval, lease, pause limit, the bound on a learned
 * interval. Whole microseconds, rounded down.
 */
import { MICROS_PER_MILLISECOND, MICROS_PER_SECOND } from '../../proto/rules/time.js';
import type { Micros, VirtualRouter } from './virtual-router.js';

type Timing = Pick<VirtualRouter, 'version' | 'advertisementInterval' | 'downTimerAdvertisements'>;

type Learning = Pick<VirtualRouter, 'version' | 'advertisementInterval' | 'strictRfc'>;

/** How long a successor may take from its first advertisement to its gratuitous ARP before we let go (decision 0004). */
export const RELEASE_AFTER_SUCCESSOR: Micros = 50 * MICROS_PER_MILLISECOND;

/** A backup's timer that fires later than this past its deadline shows that the thread was away (decision 0002). */
export const LATE_TIMER: Micros = 5 * MICROS_PER_MILLISECOND;

/** How long it then listens, so that what was queued is read before it takes over. */
export const LISTEN_AFTER_LATE_TIMER: Micros = 5 * MICROS_PER_MILLISECOND;

/** Advertisements in answer to others' are at least this far apart, whoever asks for them how often (decision 0014). */
export const ANSWER_PAUSE: Micros = 1 * MICROS_PER_MILLISECOND;

/** So are bursts of announcements in answer to advertisements of lower priority. */
export const ANSWER_BURST_PAUSE: Micros = 100 * MICROS_PER_MILLISECOND;

/** How long a router waits for answers before it claims its addresses, where it refuses to share them (decision 0011). */
export const PROBE_TIME: Micros = 300 * MICROS_PER_MILLISECOND;

const HANDOVER_REPEAT_MARGIN: Micros = 100 * MICROS_PER_MILLISECOND;
const SHORTEST_LEASE: Micros = 2 * MICROS_PER_SECOND;

/**
 * Skew_Time. Version 2 (RFC 3768 section 6.1): (256 - priority) / 256 of a second, whatever the interval. Version 3
 * (RFC 9568 section 6.1): the same part of Active_Adver_Interval.
 *
 * @param priority effective priority, 1..255
 * @param interval Active_Adver_Interval
 */
export function skewTime(router: Pick<VirtualRouter, 'version'>, priority: number, interval: Micros): Micros {
  return Math.floor(((256 - priority) * (router.version === 2 ? MICROS_PER_SECOND : interval)) / 256);
}

/**
 * Active_Down_Interval: how long a backup of this priority waits for an advertisement (RFC 9568 section 6.1, which
 * counts 3 missed ones).
 */
export function activeDownInterval(
  router: Pick<VirtualRouter, 'version' | 'downTimerAdvertisements'>,
  priority: number,
  interval: Micros,
): Micros {
  return router.downTimerAdvertisements * interval + skewTime(router, priority, interval);
}

/**
 * Lifetime of the addresses in the kernel: Active_Down_Interval at the base priority, whole seconds as the kernel takes
 * them, 2 s at least. The same for as long as the configuration is (decision 0002).
 */
export function leaseDuration(router: Timing & Pick<VirtualRouter, 'priority'>): Micros {
  const down = activeDownInterval(router, router.priority, router.advertisementInterval);
  return Math.max(SHORTEST_LEASE, Math.floor(down / MICROS_PER_SECOND) * MICROS_PER_SECOND);
}

/** How often leases are renewed. */
export function renewInterval(router: Timing & Pick<VirtualRouter, 'priority'>): Micros {
  return Math.floor(leaseDuration(router) / 3);
}

/**
 * The longest that an active router may have been silent and still believe that it is active: its lease or
 * Active_Down_Interval, whichever is shorter (decision 0002); with `timerExpiredBackup` the down interval of that
 * priority at most.
 *
 * @param priority effective priority
 */
export function pauseLimit(router: VirtualRouter, priority: number): Micros {
  const { advertisementInterval, leased, preemptMode, timerExpiredBackup } = router;
  const down = activeDownInterval(router, priority, advertisementInterval);
  const limit = leased ? Math.min(leaseDuration(router), down) : down;
  // A router that is not to preempt gives way to a backup of this priority, whose timer may be shorter than ours.
  if (preemptMode || timerExpiredBackup === 0) return limit;
  return Math.min(limit, activeDownInterval(router, timerExpiredBackup, advertisementInterval));
}

/** The longest advertised interval that a backup adopts (decision 0003); version 2 adopts none. */
export function longestLearnedInterval(router: Learning): Micros {
  if (router.version === 2) return router.advertisementInterval;
  if (router.strictRfc) return Number.MAX_SAFE_INTEGER;
  return Math.max(4 * router.advertisementInterval, router.advertisementInterval + MICROS_PER_SECOND);
}

/**
 * Active_Adver_Interval after an advertisement that says `heard`.
 *
 * Deviation: docs/decisions/0003. An interval beyond the bound is not adopted; our own is used instead. The decoder
 * refuses an interval of 0; were one to come, our own is used as well, since 0 would take over at once.
 */
export function learnedInterval(router: Learning, heard: Micros): Micros {
  if (router.version === 2 || heard <= 0 || heard > longestLearnedInterval(router)) return router.advertisementInterval;
  return heard;
}

/** How long a planned stop waits for a successor: the longest that any backup waits, that is at priority 1. */
export function handoverPatience(router: Timing): Micros {
  return activeDownInterval(router, 1, router.advertisementInterval);
}

/** When a lost priority 0 is said again: after the longest skew timer that the first one can have started. */
export function handoverRepeat(router: Pick<VirtualRouter, 'version' | 'advertisementInterval'>): Micros {
  const longestSkew = router.version === 2 ? MICROS_PER_SECOND : router.advertisementInterval;
  return longestSkew + HANDOVER_REPEAT_MARGIN;
}
