/** Sync groups to test with, and a driver that keeps the effects of a step. */
import assert from 'node:assert/strict';
import {
  type Effect,
  type GroupMember,
  groupState,
  type Input,
  initialMember,
  type Member,
  nextDeadline,
  type SyncGroup,
  stepGroup,
  type VirtualRouter,
} from '../../agent/vrrp/index.js';
import { sampleRouter } from './sample-router.js';

export const CHECK = { id: 'check a', weight: 0, reverse: false };
export const FAIL: Input = { kind: 'track', id: 'check a', state: 'down' };
export const RECOVER: Input = { kind: 'track', id: 'check a', state: 'up' };

/** A group that is driven input by input; each member has its own list of changes to the sample router. */
export class DrivenGroup {
  group: SyncGroup;
  readonly members = new Map<string, GroupMember>();
  /** Of the last step, "member: effect", in the order in which they are to be carried out. */
  done: readonly string[] = [];
  effects: readonly (readonly [name: string, effect: Effect])[] = [];

  constructor(routers: Readonly<Record<string, Partial<VirtualRouter>>>, policy: SyncGroup['policy'] = 'all') {
    this.group = { name: 'g', policy, routers: Object.keys(routers) };
    for (const [name, changes] of Object.entries(routers)) this.add(name, changes);
  }

  /** All backup since 0; with a check where there is one, it is good. */
  static backup(routers: Readonly<Record<string, Partial<VirtualRouter>>>, policy: SyncGroup['policy'] = 'all') {
    const driven = new DrivenGroup(routers, policy);
    for (const name of Object.keys(routers)) driven.feed(name, RECOVER, 0).feed(name, { kind: 'startup' }, 0);
    return driven;
  }

  /** All active since 3.609375 s, where nothing else is configured: the last of the timers takes the others along. */
  static active(routers: Readonly<Record<string, Partial<VirtualRouter>>>, policy: SyncGroup['policy'] = 'all') {
    const driven = DrivenGroup.backup(routers, policy);
    for (let name = driven.next; driven.phase(name).name === 'backup'; name = driven.next) {
      driven.feed(name, { kind: 'tick' }, driven.downAt(name));
    }
    assert.equal(
      driven.states,
      Object.keys(routers)
        .map(() => 'active')
        .join(' '),
    );
    return driven;
  }

  /** The member whose deadline is next; of equals the first one. */
  get next(): string {
    const deadlines = [...this.members].map(
      ([name, { router, member }]) => [name, nextDeadline(router, member) ?? Number.POSITIVE_INFINITY] as const,
    );
    return deadlines.reduce((first, each) => (each[1] < first[1] ? each : first))[0];
  }

  add(name: string, changes: Partial<VirtualRouter> = {}): this {
    const router = sampleRouter({ leased: false, ...changes, name });
    this.members.set(name, { router, member: initialMember(router) });
    return this;
  }

  feed(name: string, input: Input, now: number): this {
    const steps = stepGroup(this.group, this.members, name, input, now);
    assert.equal(steps[0]?.name, name, 'the addressed member first');
    assert.equal(new Set(steps.map((each) => each.name)).size, steps.length, 'each once');
    for (const each of steps) {
      const one = this.members.get(each.name);
      if (one !== undefined) this.members.set(each.name, { router: one.router, member: each.member });
    }
    this.effects = steps.flatMap((each) => each.effects.map((effect) => [each.name, effect] as const));
    this.done = this.effects.map(([who, effect]) => `${who}: ${inWords(effect)}`);
    return this;
  }

  reconfigure(name: string, changes: Partial<VirtualRouter>, now: number): this {
    const one = this.members.get(name);
    assert.ok(one);
    this.members.set(name, { router: { ...one.router, ...changes }, member: one.member });
    return this.feed(name, { kind: 'reconfigured', previous: one.router }, now);
  }

  get states(): string {
    return [...this.members.values()].map(({ member }) => member.phase.name).join(' ');
  }

  get state(): string {
    return groupState(this.group, this.members);
  }

  phase(name: string): Member['phase'] {
    const one = this.members.get(name);
    assert.ok(one);
    return one.member.phase;
  }

  downAt(name: string): number {
    const phase = this.phase(name);
    assert.equal(phase.name, 'backup');
    return phase.name === 'backup' ? phase.activeDownAt : 0;
  }
}

function inWords(effect: Effect): string {
  switch (effect.kind) {
    case 'advertise':
      return `advertise ${effect.priority}`;
    case 'announceAddresses':
      return `announce ${effect.repeat}`;
    case 'transitioned':
      return `${effect.from} -> ${effect.to} (${effect.reason.code})`;
    default:
      return effect.kind;
  }
}
