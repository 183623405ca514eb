/** The agent's state as the protocol has it, put together from what each part knows; and what of it is news. Pure. */
import type {
  BfdStatus,
  BundleIdentity,
  CheckStatus,
  ControllerLink,
  GroupStatus,
  HookRun,
  NodeStatus,
  PreflightFinding,
  RefusedBundle,
  RouterStatus,
} from '../../proto/gen/baton/v1/status.js';
import type { Duration } from '../../proto/gen/google/protobuf/duration.js';
import { microsToDuration } from '../../proto/rules/duration.js';
import type { Micros, Millis } from '../../proto/rules/time.js';
import { memberStateOf } from '../journal/occurrence-event.js';
import type { ElectionGroupStatus, ElectionRouterStatus, ElectionStatus } from '../runtime/messages.js';

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
  readonly bfdSessions: readonly BfdStatus[];
  readonly preflight: readonly PreflightFinding[];
  /** By router, or by "group NAME". */
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
    groups: (election?.groups ?? [])
      .map((group) => groupStatusOf(group, parts.lastHooks.get(`group ${group.name}`)))
      .sort((left, right) => (left.name < right.name ? -1 : 1)),
    bfdSessions: [...parts.bfdSessions],
    interfaces: (election?.interfaces ?? []).map(({ name, up, counters, foreign }) => ({
      name,
      up,
      counters: { ...counters },
      foreign: foreign.map(({ vrid, source, advertisements, lastWallMs }) => ({
        vrid,
        source,
        advertisements,
        last: new Date(lastWallMs),
      })),
    })),
    hostItems: (election?.hostItems ?? []).map(({ item, kind, present, error = '' }) => ({
      item,
      kind,
      present,
      error,
    })),
    preflight: [...parts.preflight],
  };
}

function groupStatusOf(group: ElectionGroupStatus, lastHook: HookRun | undefined): GroupStatus {
  return {
    name: group.name,
    state: memberStateOf(group.state),
    since: new Date(group.sinceWallMs),
    policy: group.policy,
    routers: [...group.routers],
    lastHook,
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
      lost: peer.lost,
      jitter: span(peer.jitter),
      authentication: peer.authentication ?? '',
    })),
    counters: { ...router.counters },
    tracks: router.tracks.map((track) => ({
      subject: track.id,
      state: String(track.state),
      weight: track.weight,
      reverse: track.reverse,
    })),
    lastHook,
    handingOver: router.handingOver,
    family: router.family,
    transport: router.transport,
    excludedAddresses: [...router.excludedAddresses],
    routes: [...router.routes],
    heldRoutes: [...router.heldRoutes],
    rules: [...router.rules],
    heldRules: [...router.heldRules],
    virtualMacInterface: router.virtualMac?.interface ?? '',
    virtualMac: router.virtualMac?.address ?? '',
    group: router.group ?? '',
    rejected: router.rejected.map(({ source, reason, count, lastWallMs }) => ({
      source,
      reason,
      count,
      last: new Date(lastWallMs),
    })),
    checksum: router.checksum ?? '',
    authentication: router.authentication,
    accept: router.accept,
    conflicts: router.conflicts.map(({ address, mac, lastWallMs }) => ({ address, mac, last: new Date(lastWallMs) })),
    sightings: router.sightings.map(({ address, macs, lastWallMs, asExpected }) => ({
      address,
      macs: [...macs],
      last: new Date(lastWallMs),
      asExpected,
    })),
  };
}

function span(micros: Micros): Duration {
  return microsToDuration(Math.max(0, Math.round(micros)));
}

/** What a listener has been told last, to tell it only what differs. */
export class StatusNews {
  #routers = new Map<string, string>();
  #checks = new Map<string, string>();
  #rest = '';

  /** Forgets: the next call tells everything. */
  reset(): void {
    this.#routers.clear();
    this.#checks.clear();
    this.#rest = '';
  }

  /**
   * The status cut down to the routers and checks that differ in more than counters and clocks, the other lists whole;
   * absent when nothing differs. `full`: something is gone, and the lists are complete.
   */
  since(status: NodeStatus): { readonly status: NodeStatus; readonly full: boolean } | undefined {
    const routers = new Map(status.routers.map((router) => [router.name, JSON.stringify(telling(router))]));
    const checks = new Map(status.checks.map((check) => [check.name, JSON.stringify(tellingOfCheck(check))]));
    const rest = JSON.stringify(tellingOfRest(status));
    const full = isSomeGone(this.#routers, routers) || isSomeGone(this.#checks, checks);
    const changedRouters = status.routers.filter(({ name }) => this.#routers.get(name) !== routers.get(name));
    const changedChecks = status.checks.filter(({ name }) => this.#checks.get(name) !== checks.get(name));
    const isNews = full || changedRouters.length > 0 || changedChecks.length > 0 || rest !== this.#rest;
    this.#routers = routers;
    this.#checks = checks;
    this.#rest = rest;
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
  const { counters: _counters, nextDeadline: _next, peers, rejected, conflicts, sightings, ...rest } = router;
  return [
    rest,
    peers.map(({ address, priority, checksumForm, authentication }) => [
      address,
      priority,
      checksumForm,
      authentication,
    ]),
    rejected.map(({ source, reason }) => [source, reason]),
    conflicts.map(({ address, mac }) => [address, mac]),
    sightings.map(({ address, macs, asExpected }) => [address, macs, asExpected]),
  ];
}

function tellingOfRest(status: NodeStatus): unknown {
  const { bundle, node, startedAt, groups, bfdSessions, interfaces, hostItems, preflight } = status;
  const sessions = bfdSessions.map(({ counters: _counters, ...session }) => session);
  return [
    bundle,
    node,
    startedAt,
    groups,
    sessions,
    interfaces.map(({ name, up, foreign }) => [name, up, foreign.map(({ vrid, source }) => [vrid, source])]),
    hostItems,
    preflight,
  ];
}

/** Without what moves with every run of a check that stays as it is. */
function tellingOfCheck(check: CheckStatus): unknown {
  return [
    check.name,
    check.state,
    check.lastResult,
    check.exitCode,
    check.reason,
    check.since,
    check.value,
    check.stuck,
  ];
}
