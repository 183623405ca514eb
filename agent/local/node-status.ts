/** The agent's state as the protocol has it, put together from what each part knows; and what of it is news. Pure. */
import type {
  BundleIdentity,
  CheckStatus,
  ControllerLink,
  HookRun,
  NodeStatus,
  RefusedBundle,
  RouterStatus,
} from '../../proto/gen/baton/v1/status.js';
import type { Duration } from '../../proto/gen/google/protobuf/duration.js';
import { microsToDuration } from '../../proto/rules/duration.js';
import type { Micros, Millis } from '../../proto/rules/time.js';
import { memberStateOf } from '../journal/occurrence-event.js';
import type { ElectionRouterStatus, ElectionStatus } from '../runtime/messages.js';

export interface StatusParts {
  readonly node: string;
  readonly agentVersion: string;
  readonly pid: number;
  readonly startedWallMs: Millis;
  readonly nowWallMs: Millis;
  readonly bundle: BundleIdentity | undefined;
  readonly refused: RefusedBundle | undefined;
  /** Absent: the election thread has not answered yet. */
  readonly election: ElectionStatus | undefined;
  readonly checks: readonly CheckStatus[];
  /** By router. */
  readonly lastHooks: ReadonlyMap<string, HookRun>;
  readonly controller: ControllerLink;
  readonly queuedEvents: number;
  readonly droppedEvents: number;
}

export function nodeStatusOf(parts: StatusParts): NodeStatus {
  const { election } = parts;
  return {
    node: parts.node,
    agentVersion: parts.agentVersion,
    pid: parts.pid,
    startedAt: new Date(parts.startedWallMs),
    capturedAt: new Date(election?.wallMs ?? parts.nowWallMs),
    bundle: parts.bundle,
    routers: (election?.routers ?? [])
      .map((router) => routerStatusOf(router, parts.lastHooks.get(router.name)))
      .sort((left, right) => (left.name < right.name ? -1 : 1)),
    checks: [...parts.checks],
    schedulingLag: election && {
      last: span(election.lag.last),
      max: span(election.lag.max),
      timers: election.lag.timers,
    },
    controller: parts.controller,
    queuedEvents: parts.queuedEvents,
    droppedEvents: parts.droppedEvents,
    refused: parts.refused,
  };
}

function routerStatusOf(router: ElectionRouterStatus, lastHook: HookRun | undefined): RouterStatus {
  return {
    name: router.name,
    vrid: router.vrid,
    version: router.version,
    interface: router.interface,
    state: memberStateOf(router.state),
    since: new Date(router.sinceWallMs),
    cause: router.sentence,
    effectivePriority: router.effectivePriority,
    priorityTerms: router.terms.map((term) => ({ ...term })),
    holdReasons: [...router.holdReasons],
    addresses: [...router.addresses],
    heldAddresses: [...router.heldAddresses],
    sourceAddress: router.sourceAddress ?? '',
    advertisementInterval: span(router.advertisementInterval),
    activeAdvertisementInterval: span(router.activeAdverInterval),
    skewTime: span(router.skewTime),
    activeDownInterval: span(router.activeDownInterval),
    nextDeadline: router.nextDeadlineIn === undefined ? undefined : span(router.nextDeadlineIn),
    lease: router.lease === undefined ? undefined : span(router.lease),
    activeAddress: router.activeRouter?.address ?? '',
    activePriority: router.activeRouter?.priority ?? 0,
    preempt: router.preemptMode,
    peers: router.peers.map((peer) => ({
      address: peer.address,
      lastHeard: new Date(peer.lastHeardWallMs),
      priority: peer.priority,
      advertisementInterval: span(peer.interval),
      advertisements: peer.advertisements,
      checksumForm: peer.checksumForm ?? '',
    })),
    counters: { ...router.counters },
    tracks: router.tracks.map((track) => ({
      subject: track.id,
      state: track.state,
      weight: track.weight,
      reverse: track.reverse,
    })),
    lastHook,
    handingOver: router.handingOver,
  };
}

function span(micros: Micros): Duration {
  return microsToDuration(Math.max(0, Math.round(micros)));
}

/** What a listener has been told last, to tell it only what differs. */
export class StatusNews {
  #routers = new Map<string, string>();
  #checks = new Map<string, string>();
  #node = '';

  /** Forgets: the next call tells everything. */
  reset(): void {
    this.#routers.clear();
    this.#checks.clear();
    this.#node = '';
  }

  /**
   * The status cut down to the routers and checks that differ in more than counters and clocks; absent when nothing
   * differs. `full`: something is gone, and the lists are complete.
   */
  since(status: NodeStatus): { readonly status: NodeStatus; readonly full: boolean } | undefined {
    const routers = new Map(status.routers.map((router) => [router.name, JSON.stringify(telling(router))]));
    const checks = new Map(status.checks.map((check) => [check.name, JSON.stringify(tellingOfCheck(check))]));
    const node = JSON.stringify([status.bundle, status.node, status.startedAt]);
    const full = isSomeGone(this.#routers, routers) || isSomeGone(this.#checks, checks);
    const changedRouters = status.routers.filter(({ name }) => this.#routers.get(name) !== routers.get(name));
    const changedChecks = status.checks.filter(({ name }) => this.#checks.get(name) !== checks.get(name));
    const isNews = full || changedRouters.length > 0 || changedChecks.length > 0 || node !== this.#node;
    this.#routers = routers;
    this.#checks = checks;
    this.#node = node;
    if (!isNews) return undefined;
    return { full, status: full ? status : { ...status, routers: changedRouters, checks: changedChecks } };
  }
}

function isSomeGone(before: ReadonlyMap<string, string>, now: ReadonlyMap<string, string>): boolean {
  for (const name of before.keys()) if (!now.has(name)) return true;
  return false;
}

/** Without what moves with every advertisement. */
function telling(router: RouterStatus): unknown {
  const { counters: _counters, nextDeadline: _next, peers, ...rest } = router;
  return [rest, peers.map(({ address, priority, checksumForm }) => [address, priority, checksumForm])];
}

/** Without what moves with every run of a check that stays as it is. */
function tellingOfCheck(check: CheckStatus): unknown {
  return [check.name, check.state, check.lastResult, check.exitCode, check.reason, check.since];
}
