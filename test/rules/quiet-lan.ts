/** Hosts on a LAN that loses nothing, run by the production core: what a prediction is measured by. */
import {
  type Effect,
  effectivePriority,
  type GroupMember,
  groupState,
  type Input,
  type Instant,
  initialMember,
  nextDeadline,
  type SyncGroup,
  stepGroup,
  type TrackState,
  type VirtualRouter,
} from '../../agent/vrrp/index.js';
import { MemberState, NodeStatus } from '../../proto/gen/baton/v1/status.js';
import { formatIp } from '../../proto/rules/ip.js';

const LATENCY = 300;
const STATES = {
  initialize: MemberState.INITIALIZE,
  backup: MemberState.BACKUP,
  active: MemberState.ACTIVE,
  fault: MemberState.FAULT,
};

interface Delivery {
  readonly at: Instant;
  readonly to: QuietHost;
  readonly router: string;
  readonly input: Extract<Input, { kind: 'advertisement' }>;
}

export class QuietHost {
  readonly members = new Map<string, GroupMember>();
  readonly tracks: Record<string, TrackState>;
  constructor(
    readonly name: string,
    readonly address: number,
    readonly group: SyncGroup | undefined,
    routers: readonly VirtualRouter[],
    tracks: Readonly<Record<string, TrackState>>,
  ) {
    this.tracks = { ...tracks };
    for (const router of routers) this.members.set(router.name, { router, member: initialMember(router) });
  }

  groupOf(router: string): SyncGroup {
    return this.group ?? { name: '', policy: 'any', routers: [router] };
  }

  /** As the agent reports it, as far as a prediction needs it. */
  status(): NodeStatus {
    const routers = [...this.members.values()].map(({ router, member }) => {
      const { priority, terms, faults, pending } = effectivePriority(router, member.tracks);
      const heard = member.phase.name === 'backup' ? member.phase.activeRouter : undefined;
      return {
        name: router.name,
        state: STATES[member.phase.name],
        effectivePriority: priority,
        priorityTerms: terms.map((term) => ({ ...term })),
        holdReasons: [...faults.map((id) => `${id} failed`), ...pending.map((id) => `${id} has no result yet`)],
        sourceAddress: formatIp(this.address),
        preempt: router.preemptMode,
        group: this.group?.name ?? '',
        activeAddress: heard === undefined ? '' : formatIp(heard.source),
        activePriority: heard?.priority ?? 0,
        tracks: router.tracks.map(({ id, weight, reverse }) => ({
          subject: id,
          state: String(member.tracks[id] ?? 'unknown'),
          weight,
          reverse,
        })),
      };
    });
    const groups =
      this.group === undefined
        ? []
        : [
            {
              name: this.group.name,
              policy: this.group.policy,
              routers: [...this.group.routers],
              state: STATES[groupState(this.group, this.members)],
            },
          ];
    return NodeStatus.fromPartial({ node: this.name, routers, groups });
  }

  stateOf(router: string): string {
    return this.members.get(router)?.member.phase.name ?? 'none';
  }
}

export class QuietLan {
  now: Instant = 0;
  /** "host router: from -> to", in order. */
  readonly transitions: string[] = [];
  #deliveries: Delivery[] = [];

  constructor(readonly hosts: readonly QuietHost[]) {
    for (const host of hosts) {
      for (const router of host.members.keys()) {
        for (const [id, state] of Object.entries(host.tracks)) this.feed(host, router, { kind: 'track', id, state });
      }
      for (const router of host.members.keys()) this.feed(host, router, { kind: 'startup' });
    }
  }

  feed(host: QuietHost, router: string, input: Input): void {
    for (const { name, member, effects } of stepGroup(host.groupOf(router), host.members, router, input, this.now)) {
      const one = host.members.get(name);
      if (one === undefined) continue;
      host.members.set(name, { router: one.router, member });
      for (const effect of effects) this.#carryOut(host, name, one.router, effect);
    }
  }

  turn(host: QuietHost, id: string, state: TrackState): void {
    for (const [router, { router: settings }] of host.members) {
      if (settings.tracks.some((track) => track.id === id)) this.feed(host, router, { kind: 'track', id, state });
    }
  }

  run(span: number): void {
    const end = this.now + span;
    for (;;) {
      const due = this.#nextTimer();
      const delivery = this.#deliveries[0];
      const at = Math.min(due?.at ?? Number.POSITIVE_INFINITY, delivery?.at ?? Number.POSITIVE_INFINITY);
      if (at > end) break;
      this.now = Math.max(this.now, at);
      if (delivery !== undefined && delivery.at === at) {
        this.#deliveries.shift();
        this.feed(delivery.to, delivery.router, delivery.input);
      } else if (due !== undefined) this.feed(due.host, due.router, { kind: 'tick' });
    }
    this.now = end;
  }

  #nextTimer(): { readonly at: Instant; readonly host: QuietHost; readonly router: string } | undefined {
    let first: { readonly at: Instant; readonly host: QuietHost; readonly router: string } | undefined;
    for (const host of this.hosts) {
      for (const [router, { router: settings, member }] of host.members) {
        const at = nextDeadline(settings, member);
        if (at !== undefined && (first === undefined || at < first.at)) first = { at, host, router };
      }
    }
    return first;
  }

  #carryOut(host: QuietHost, name: string, router: VirtualRouter, effect: Effect): void {
    if (effect.kind === 'transitioned') {
      this.transitions.push(`${host.name} ${name}: ${effect.from} -> ${effect.to}`);
    }
    if (effect.kind !== 'advertise') return;
    const { addresses, advertisementInterval: interval } = router;
    for (const other of this.hosts) {
      if (other === host || !other.members.has(name)) continue;
      this.#deliveries.push({
        at: this.now + LATENCY,
        to: other,
        router: name,
        input: {
          kind: 'advertisement',
          source: host.address,
          local: other.address,
          advertisement: { priority: effect.priority, interval, addresses },
        },
      });
    }
  }
}
