/** What must hold on one host at every moment: what is advertised, what is held, and how the members of a group move. */
import { leaseDuration, type StateName } from '../../agent/vrrp/index.js';
import type { Family, IpAddress } from '../../proto/rules/ip.js';
import type { SimHost } from './host.js';
import { addressesOf, type RouterPlan, routerOf, settingsFor } from './plan.js';

interface Said {
  readonly router: RouterPlan;
  readonly priority: number;
  readonly wasHeld: boolean;
  readonly wasAnnounced: boolean;
}

export class Conduct {
  readonly #wasActive = new Set<string>();
  #said: Said[] = [];
  /** By gratuitous ARP and the like, in this turn of the process. */
  readonly #announced = new Set<IpAddress>();
  #hasMoved = false;

  constructor(private readonly host: SimHost) {}

  /** A state, or something in the kernel. */
  moved(): void {
    this.#hasMoved = true;
  }

  announced(address: IpAddress): void {
    this.#announced.add(address);
  }

  /** The process is another one. */
  forget(): void {
    this.#wasActive.clear();
    this.#said = [];
  }

  advertised(bytes: Uint8Array, family: Family, device: string): void {
    const { host } = this;
    const at = family === 6 ? 41 : 21;
    const vrid = bytes[at];
    const priority = bytes[at + 1] ?? 0;
    const plan = host.inForce ?? host.plan;
    const router = plan.routers.find((each) => each.vrid === vrid && each.device === device);
    if (router === undefined) host.place.violate('I-7', `${host.label} advertises VRID ${vrid}, which it has not`);
    else if (priority > 0) {
      const wasAnnounced = addressesOf(router).every((address) => this.#announced.has(address));
      this.#said.push({ router, priority, wasHeld: host.holdsAny(router), wasAnnounced });
    }
  }

  /** After everything that was let into the process. */
  settled(): void {
    const { host } = this;
    const said = this.#said;
    this.#announced.clear();
    if (!this.#hasMoved && said.length === 0) return;
    this.#said = [];
    if (host.isListening && host.process !== undefined) {
      for (const each of said) this.#judgeAdvert(each);
      if (this.#hasMoved) this.#judgeHoldings();
    }
    this.#hasMoved = false;
    this.#wasActive.clear();
    for (const [name, state] of host.states) if (state.name === 'active') this.#wasActive.add(name);
  }

  // What must hold at every moment

  #judgeAdvert({ router, priority, wasHeld, wasAnnounced }: Said): void {
    const { host } = this;
    const state = host.states.get(router.name);
    const isActive = state?.name === 'active';
    if (!isActive && !this.#wasActive.has(router.name)) {
      host.place.violate(
        'I-5',
        `${host.label} advertises ${router.name} (${priority}) in ${state?.name ?? 'no state'}`,
      );
    }
    const isExcused = host.kernel.refusal !== undefined || state?.cause === 'resumed' || state?.cause === 'suspended';
    const isGone = !host.kernel.links.has(router.device) || host.kernel.links.get(router.device)?.isUp === false;
    const isNew = isActive && !this.#wasActive.has(router.name);
    if (isNew && !wasHeld && !isExcused && !isGone) {
      host.place.violate('order', `${host.label} advertises ${router.name} before it has an address of it`);
    }
    if (isNew && !wasAnnounced && !isExcused && !isGone) {
      host.place.violate('order', `${host.label} advertises ${router.name} before it has announced its addresses`);
    }
  }

  #judgeHoldings(): void {
    const { host } = this;
    const plan = host.inForce;
    if (plan === undefined || host.kernel.refusal?.verbs.has('delete')) return;
    const states = new Set<StateName>();
    for (const router of plan.routers) {
      const state = host.states.get(router.name);
      if (state === undefined) continue;
      states.add(state.name);
      if (state.name === 'active' || state.cause === 'suspended' || !host.holdsAny(router)) continue;
      // A permanent address is left where the host has no other: that is no former run's.
      if (!router.leased && host.sourceFor(router) === undefined) continue;
      host.place.violate(
        state.name === 'fault' ? 'I-5' : 'I-4',
        `${host.label} holds addresses of ${router.name} in ${state.name} (${state.cause})`,
      );
    }
    if (plan.policy === undefined || host.isStopping) return;
    if (states.has('active') && states.has('backup')) {
      host.place.violate('I-6', `${host.label}: active and backup in one group`);
    }
    if (plan.policy === 'all' && states.has('fault') && (states.has('active') || states.has('backup'))) {
      host.place.violate('I-6', `${host.label}: some members of the group in fault, others not`);
    }
  }

  /** I-4 the other way round: who is active and runs does not let its leases end. */
  leaseEnded(address: IpAddress): void {
    const { host } = this;
    const since = Math.max(host.calmSince, host.kernel.refusedAt);
    if (!host.isRunning || host.isStopping || host.kernel.refusal !== undefined || !host.isListening) return;
    for (const router of host.inForce?.routers ?? []) {
      const state = host.states.get(router.name);
      if (state?.name !== 'active' || !addressesOf(router).includes(address)) continue;
      const lease = leaseDuration(routerOf(settingsFor(host.plan, host.place.number), router.name).router);
      if (host.timeline.now - Math.max(since, state.since) < lease) continue;
      host.place.violate('I-4', `${host.label} is active for ${router.name} and lets a lease end`);
    }
  }
}
