/** A member whose every step is held against what must be true of effects and states, whatever comes. */
import assert from 'node:assert/strict';
import {
  describeReason,
  type Effect,
  effectivePriority,
  initialMember,
  type Member,
  nextDeadline,
  type VirtualRouter,
} from '../../agent/vrrp/index.js';

export class Watched {
  router: VirtualRouter;
  member: Member;
  #installed = false;
  #listening = false;

  constructor(router: VirtualRouter) {
    this.router = router;
    this.member = initialMember(router);
  }

  get name(): string {
    return this.member.phase.name;
  }

  /** Takes what became of it. */
  take(member: Member, effects: readonly Effect[]): void {
    let { name } = this.member.phase;
    for (const effect of effects) name = this.#carryOut(effect, name);
    this.member = member;
    assert.equal(member.phase.name, name, 'every change of state is reported');
    assert.equal(this.#installed, name === 'active', 'addresses are there while active, and only then');
    assert.equal(this.#listening, member.phase.name === 'active' && member.phase.handover !== undefined);
    assert.ok(member.noticed.length <= 64);
    assert.ok(Object.keys(member.tracks).every((id) => this.router.tracks.some((track) => track.id === id)));
    this.#checkPriority();
    assert.equal(nextDeadline(this.router, member) === undefined, name === 'initialize' || name === 'fault');
  }

  #carryOut(effect: Effect, name: Member['phase']['name']): Member['phase']['name'] {
    switch (effect.kind) {
      case 'transitioned':
        assert.equal(effect.from, name);
        assert.notEqual(effect.to, name);
        assert.ok(describeReason(effect.reason).length > 0);
        assert.ok(effect.effectivePriority >= 1 && effect.effectivePriority <= 255);
        // What is suspended stays in the kernel; the core knows nothing of it any more.
        if (effect.reason.code === 'suspended') this.#installed = false;
        return effect.to;
      case 'addAddresses':
      case 'removeAddresses':
        assert.notEqual(this.#installed, effect.kind === 'addAddresses', 'added and removed in turn');
        this.#installed = effect.kind === 'addAddresses';
        return name;
      case 'probeAddresses':
        assert.ok(!this.#installed, 'asked before it is claimed');
        return name;
      case 'listenForAnnouncements':
        assert.notEqual(this.#listening, effect.on);
        this.#listening = effect.on;
        return name;
      case 'announceAddresses':
        assert.ok(effect.repeat > 0 && this.#installed);
        return name;
      case 'renewAddresses':
      case 'syncAddresses':
        assert.ok(this.#installed);
        return name;
      default:
        return name;
    }
  }

  #checkPriority(): void {
    const { priority, terms, faults } = effectivePriority(this.router, this.member.tracks);
    const sum = terms.reduce((total, { value }) => total + value, 0);
    assert.equal(sum, priority);
    if (this.name === 'active' || this.name === 'backup') assert.deepEqual(faults, [], 'a fault never serves');
  }
}
