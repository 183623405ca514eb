/** The tracks about this host: what of it a virtual router depends on, each a track of weight 0 or more. */
import { parseIp } from '../../proto/rules/ip.js';
import type { Instant } from '../../proto/rules/time.js';
import type { TrackState } from '../vrrp/index.js';
import type { Channels } from './channels.js';
import type { InterfaceDelays } from './interface-delays.js';
import type { InterfaceTable } from './interface-table.js';
import type { RouteTrack } from './messages.js';
import { macvlansOf } from './placement.js';
import type { RouteTable, WatchedRoute } from './route-table.js';
import type { RunningRouter } from './running-router.js';
import type { Timed } from './timed.js';

const INTERFACE = 'interface ';
const HOST_NETWORK = 'host network ';

export interface HostTrackSources {
  readonly table: InterfaceTable;
  readonly channels: Channels;
  readonly delays: InterfaceDelays;
  readonly routes: RouteTable;
  /** Whether a macvlan interface that is ours is there. */
  readonly isOurMacvlan: (router: RunningRouter, name: string) => boolean;
  /** Whether everything of a host network is there; undefined: there is no such host network. */
  readonly isComplete: (hostNetwork: string) => boolean | undefined;
  /** When the election thread started. */
  readonly startedAt: Instant;
}

export class HostTracks implements Timed {
  /** When the startup delay of a router ends. */
  #delayEndsAt: Instant | undefined;

  /**
   * @param onDue a startup delay has ended: routers are to be told
   */
  constructor(
    private readonly sources: HostTrackSources,
    private readonly onDue: (now: Instant) => void,
  ) {}

  /** State of a track; undefined for one that is not about this host. */
  state(router: RunningRouter, id: string, now: Instant): TrackState | undefined {
    const { routes, isComplete, startedAt } = this.sources;
    if (id.startsWith(INTERFACE)) return upIf(this.#isInterfaceUp(router, id.slice(INTERFACE.length), now));
    if (id.startsWith(HOST_NETWORK)) return upIf(isComplete(id.slice(HOST_NETWORK.length)) === true);
    switch (id) {
      case 'source address':
        return upIf(router.source !== undefined);
      case 'virtual mac':
        return upIf(this.#areMacvlansUp(router));
      case 'startup delay': {
        if (router.isResuming) return 'up';
        // The clock counts from the boot (boot-clock.ts).
        const { startupDelay, bootDelay } = router.settings;
        const endsAt = Math.max(startedAt + startupDelay, bootDelay);
        if (now < endsAt) this.#delayEndsAt = Math.min(endsAt, this.#delayEndsAt ?? endsAt);
        if (now >= endsAt) return 'up';
        // Not a fault: hooks and alerts are not to hear of one at every start. What runs already is held only by a fault.
        return router.member.phase.name === 'initialize' ? 'unknown' : 'down';
      }
      case 'peers':
        return upIf(router.unicastPeers === undefined || router.unicastPeers.length > 0);
      default: {
        const track = router.settings.routeTracks.find((candidate) => candidate.id === id);
        const watched = track === undefined ? undefined : watchedRoute(track);
        return watched === undefined ? undefined : upIf(routes.has(watched));
      }
    }
  }

  get nextAt(): Instant | undefined {
    return this.#delayEndsAt;
  }

  onTime(now: Instant): void {
    if (this.#delayEndsAt === undefined || now < this.#delayEndsAt) return;
    this.#delayEndsAt = undefined;
    this.onDue(now);
  }

  #isInterfaceUp(router: RunningRouter, name: string, now: Instant): boolean {
    const { table, channels, delays } = this.sources;
    const link = table.link(name);
    const isUp = delays.judge(name, link?.isUp === true, now);
    if (name !== router.settings.interface) return isUp;
    // To be up and deaf would be to become active beside another active router.
    return isUp && link !== undefined && channels.get(name)?.of(router.family).isHearing === true;
  }

  #areMacvlansUp(router: RunningRouter): boolean {
    const { table, channels, isOurMacvlan } = this.sources;
    const { settings, sendingDevice, hearingDevice, family } = router;
    for (const { name } of macvlansOf(settings)) {
      if (table.link(name)?.isUp !== true || !isOurMacvlan(router, name)) return false;
    }
    return [sendingDevice, hearingDevice].every((device) => channels.get(device)?.of(family).isOpen === true);
  }
}

/** Undefined: its prefix is none. */
export function watchedRoute({ prefix, table }: RouteTrack): WatchedRoute | undefined {
  const address = parseIp(prefix.address);
  return address === undefined ? undefined : { prefix: { address, prefixLength: prefix.prefixLength }, table };
}

function upIf(isUp: boolean): TrackState {
  return isUp ? 'up' : 'down';
}
