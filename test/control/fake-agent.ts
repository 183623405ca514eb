/** An agent's other half, by hand: what the link needs of it, and what it was told. */
import type { AgentSide, BundleVerdict, LinkUpdate, Unsubscribe } from '../../agent/local/agent-side.js';
import type { AgentHello, BundlePush } from '../../proto/gen/baton/v1/agent_service.js';
import { Bundle } from '../../proto/gen/baton/v1/bundle.js';
import { Event, EventSeverity } from '../../proto/gen/baton/v1/events.js';
import { MemberState, NodeStatus, RouterStatus } from '../../proto/gen/baton/v1/status.js';

export class FakeAgent implements AgentSide {
  readonly updates: LinkUpdate[] = [];
  readonly pushes: BundlePush[] = [];
  readonly accepted: number[] = [];
  status = NodeStatus.fromPartial({ agentVersion: 'test', pid: 1 });
  journalId = 'journal-1';
  verdict: (push: BundlePush) => BundleVerdict = () => ({ accepted: true, refusals: [] });
  readonly #events: Event[] = [];
  readonly #statusListeners = new Set<(status: NodeStatus, full: boolean) => void>();
  readonly #eventListeners = new Set<() => void>();
  readonly #watchers = new Set<() => void>();

  async hello(): Promise<Omit<AgentHello, 'statusSequence'>> {
    return { agentVersion: 'test', capabilities: ['vrrp-v3-ipv4'], status: this.status, journalId: this.journalId };
  }

  async fullStatus(): Promise<NodeStatus> {
    return this.status;
  }

  onStatusChanged(listener: (status: NodeStatus, full: boolean) => void): Unsubscribe {
    this.#statusListeners.add(listener);
    return () => this.#statusListeners.delete(listener);
  }

  pendingEvents(afterSequence: number, limit: number): readonly Event[] {
    return this.#events.filter(({ sequence }) => sequence > afterSequence).slice(0, limit);
  }

  onEvents(listener: () => void): Unsubscribe {
    this.#eventListeners.add(listener);
    return () => this.#eventListeners.delete(listener);
  }

  eventsAccepted(throughSequence: number): void {
    this.accepted.push(throughSequence);
    this.#changed();
  }

  async applyBundle(push: BundlePush): Promise<BundleVerdict> {
    this.pushes.push(push);
    const verdict = this.verdict(push);
    if (verdict.accepted) {
      const routers = Bundle.decode(push.content).routers.map(({ name, vrid, interface: nic, priority }) =>
        RouterStatus.fromPartial({
          name,
          vrid,
          interface: nic,
          state: MemberState.BACKUP,
          effectivePriority: priority,
          addresses: ['192.0.2.1/32'],
        }),
      );
      this.status = { ...this.status, bundle: push.bundle, routers };
      this.tell(this.status, true);
    }
    this.#changed();
    return verdict;
  }

  linkState(update: LinkUpdate): void {
    this.updates.push(update);
    this.#changed();
  }

  /** Tells the link what changed. */
  tell(status: NodeStatus, full: boolean): void {
    for (const listener of this.#statusListeners) listener(status, full);
  }

  /** A router of ours is in this state now. */
  enter(router: string, state: MemberState): void {
    const routers = this.status.routers.map((status) =>
      status.name === router
        ? { ...status, state, heldAddresses: state === MemberState.ACTIVE ? status.addresses : [] }
        : status,
    );
    this.status = { ...this.status, routers };
    this.tell({ ...this.status, routers: routers.filter(({ name }) => name === router) }, false);
  }

  addEvents(...events: Partial<Event>[]): void {
    for (const event of events) {
      this.#events.push(
        Event.fromPartial({
          sequence: this.#events.length + 1,
          time: new Date(1_700_000_000_000),
          severity: EventSeverity.INFO,
          ...event,
        }),
      );
    }
    for (const listener of this.#eventListeners) listener();
  }

  /** Resolves as soon as the condition holds; looked at whenever the link tells something. */
  async until(condition: () => boolean): Promise<void> {
    if (condition()) return;
    await new Promise<void>((resolve) => {
      const watch = (): void => {
        if (!condition()) return;
        this.#watchers.delete(watch);
        resolve();
      };
      this.#watchers.add(watch);
    });
  }

  get link(): LinkUpdate | undefined {
    return this.updates.at(-1);
  }

  #changed(): void {
    for (const watch of [...this.#watchers]) watch();
  }
}
