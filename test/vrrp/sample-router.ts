/** Routers and members to test with, and a driver that keeps the effects of a run. */
import {
  type Effect,
  type Input,
  type Instant,
  type IpAddress,
  type Ipv4,
  initialMember,
  type Member,
  type Phase,
  step,
  type VirtualRouter,
} from '../../agent/vrrp/index.js';

export const SECOND = 1_000_000;
/** Our own source address, a smaller one, a greater one. */
export const LOCAL: Ipv4 = 0xc000_0202;
export const SMALLER: Ipv4 = 0xc000_0201;
export const GREATER: Ipv4 = 0xc000_0203;
export const ADDRESSES: readonly IpAddress[] = [0xc000_021a, 0xc000_021b];

/** Version 3, priority 100, 1 s: skew 609375 us, Active_Down_Interval 3609375 us, lease 3 s. */
export function sampleRouter(changes: Partial<VirtualRouter> = {}): VirtualRouter {
  return {
    name: 'pg',
    vrid: 10,
    version: 3,
    priority: 100,
    advertisementInterval: SECOND,
    preemptMode: true,
    preemptDelay: 0,
    strictRfc: false,
    addresses: ADDRESSES,
    tracks: [],
    announcements: {
      repeat: 5,
      delay: 5 * SECOND,
      refresh: 0,
      refreshRepeat: 1,
      lowerPriorityRepeat: 5,
      lowerPriorityDelay: 5 * SECOND,
    },
    leased: true,
    downTimerAdvertisements: 3,
    lowerPriorityNoAdvertisement: false,
    higherPrioritySendAdvertisement: false,
    ownerIgnoresAdvertisements: false,
    timerExpiredBackup: 0,
    duplicateProbe: 'off',
    ...changes,
  };
}

export function heard(priority: number, source: IpAddress = GREATER, interval = SECOND, addresses = ADDRESSES): Input {
  return { kind: 'advertisement', source, local: LOCAL, advertisement: { priority, interval, addresses } };
}

/** A member that is driven input by input. */
export class Driven {
  router: VirtualRouter;
  member: Member;
  /** Of the last step. */
  effects: readonly Effect[] = [];

  constructor(router: VirtualRouter, member: Member = initialMember(router)) {
    this.router = router;
    this.member = member;
  }

  /** Started at instant 0. */
  static backup(changes: Partial<VirtualRouter> = {}): Driven {
    const driven = new Driven(sampleRouter(changes));
    driven.feed({ kind: 'startup' }, 0);
    return driven;
  }

  /** Active since the given instant, by its timer. */
  static active(changes: Partial<VirtualRouter> = {}): Driven {
    const driven = Driven.backup(changes);
    const { phase } = driven.member;
    if (phase.name === 'backup') driven.feed({ kind: 'tick' }, phase.activeDownAt);
    return driven;
  }

  feed(input: Input, now: Instant): this {
    const { member, effects } = step(this.router, this.member, input, now);
    this.member = member;
    this.effects = effects;
    return this;
  }

  reconfigure(changes: Partial<VirtualRouter>, now: Instant): this {
    const previous = this.router;
    this.router = { ...previous, ...changes };
    return this.feed({ kind: 'reconfigured', previous }, now);
  }

  get kinds(): readonly string[] {
    return this.effects.map(({ kind }) => kind);
  }

  /** The reason of the last step's transition. */
  get cause(): string | undefined {
    return this.effects.flatMap((effect) => (effect.kind === 'transitioned' ? [effect.reason.code] : []))[0];
  }

  phase<Name extends Phase['name']>(name: Name): Extract<Phase, { readonly name: Name }> {
    const { phase } = this.member;
    if (phase.name !== name) throw new TypeError(`${phase.name}, not ${name}`);
    return phase as Extract<Phase, { readonly name: Name }>;
  }
}
