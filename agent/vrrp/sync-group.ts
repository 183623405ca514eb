/**
 * Routers that move together (keepalived's vrrp_sync_group): one of them becomes active only with all the others, and
 * when one leaves, the others leave with it. What a member does by itself is decided in step.ts; here it is allowed,
 * refused, or followed by the others. Pure and total, as step.ts is.
 *
 *   input ──▶ step of the addressed member ──▶ allowed? ──▶ it moves ──▶ the others move with it
 *                                               └─ no ───▶ it waits for the others, or is held in fault
 *
 * Deviations: docs/decisions/0009.
 */
import { assertNever } from '../../proto/rules/assert-never.js';
import { announceAlong } from './active.js';
import { takeoverReason, waitForOthers } from './backup.js';
import { failedTracks, OWNER_PRIORITY, pendingTracks } from './priority.js';
import type { Effect, Handover, Input, Member, Reason, StateName } from './state.js';
import { step } from './step.js';
import { becomeActive, becomeBackup, holdInFault, isProbed, type Outcome, standUp, stay } from './transitions.js';
import type { Instant, VirtualRouter } from './virtual-router.js';

export interface SyncGroup {
  readonly name: string;
  /** What one member in fault means: all of them are, or the others go on together without it. */
  readonly policy: 'all' | 'any';
  /** Names of the members. */
  readonly routers: readonly string[];
}

export interface GroupMember {
  readonly router: VirtualRouter;
  readonly member: Member;
}

/** What becomes of one member. */
export interface GroupStep {
  readonly name: string;
  readonly member: Member;
  readonly effects: readonly Effect[];
}

/** Effects of one member that concern the others. */
const MOVING: ReadonlySet<Effect['kind']> = new Set(['transitioned', 'lowerPriorityHeard']);
/** Priority 0, so that the others need not wait for a whole down interval, and let go. */
const RELEASE: readonly Effect[] = [{ kind: 'advertise', priority: 0 }, { kind: 'removeAddresses' }];
/** Whoever is active now has said so, or will have by now. */
const LET_GO: readonly Effect[] = [{ kind: 'removeAddresses' }];

/**
 * One step of a whole group: an input for one member and what it means for the others.
 *
 * `shutdown` and `suspend` are of the whole group. After the group itself changed (its policy or its list), a
 * `reconfigured` for any of its members brings them together. A router that is in no group any more is stepped by
 * `step` alone.
 *
 * @param members the group's members by name; one that is missing takes no part
 * @param name the addressed member; without it nothing happens
 * @returns the members that changed, in the order in which the runtime must carry out their effects: the addressed one
 *   first, and that always
 */
export function stepGroup(
  group: SyncGroup,
  members: ReadonlyMap<string, GroupMember>,
  name: string,
  input: Input,
  now: Instant,
): readonly GroupStep[] {
  const addressed = members.get(name);
  if (addressed === undefined) return [];
  if (input.kind !== 'shutdown' && input.kind !== 'suspend') {
    const alone = step(addressed.router, addressed.member, input, now);
    // Almost always: it concerns nobody else.
    if (input.kind !== 'reconfigured' && !movesOthers(addressed, alone)) return [{ name, ...alone }];
    const turn = new Turn(group, members, name, now);
    turn.takeAddressed(addressed, alone, input);
    return turn.steps();
  }
  const turn = new Turn(group, members, name, now);
  for (const each of turn.names) turn.move(each, ({ router, member }) => step(router, member, input, now));
  turn.shareThePatience();
  return turn.steps();
}

/** The state of the group as a whole; without members that take part, initialize. */
export function groupState(group: SyncGroup, members: ReadonlyMap<string, GroupMember>): StateName {
  const states = new Set<StateName>();
  for (const name of group.routers) {
    const one = members.get(name);
    if (one !== undefined) states.add(one.member.phase.name);
  }
  const isFault = states.has('fault');
  if (group.policy === 'any' && states.size > 1) states.delete('fault');
  else if (isFault) return 'fault';
  if (states.has('backup')) return states.has('initialize') ? 'initialize' : 'backup';
  return states.has('active') ? 'active' : 'initialize';
}

/** One call of stepGroup: the members as they become. */
class Turn {
  /** The addressed member first. */
  readonly names: readonly string[];
  readonly #group: SyncGroup;
  readonly #members: Map<string, GroupMember>;
  readonly #name: string;
  readonly #now: Instant;
  readonly #effects = new Map<string, readonly Effect[]>();

  constructor(group: SyncGroup, members: ReadonlyMap<string, GroupMember>, name: string, now: Instant) {
    this.#group = group;
    this.#members = new Map(members);
    this.#name = name;
    this.#now = now;
    this.names = [name, ...group.routers.filter((other) => other !== name && members.has(other))];
  }

  move(name: string, how: (one: GroupMember) => Outcome): void {
    const one = this.#members.get(name);
    if (one === undefined) return;
    const { member, effects } = how(one);
    if (member === one.member && effects.length === 0) return;
    this.#members.set(name, { router: one.router, member });
    this.#effects.set(name, [...(this.#effects.get(name) ?? []), ...effects]);
  }

  steps(): readonly GroupStep[] {
    return this.names.flatMap((name) => {
      const one = this.#members.get(name);
      const effects = this.#effects.get(name);
      if (one === undefined || (effects === undefined && name !== this.#name)) return [];
      return [{ name, member: one.member, effects: effects ?? [] }];
    });
  }

  /** A successor takes over with all of its members: none of ours lets go while it may still wait for another one. */
  shareThePatience(): void {
    const ends = this.names.map((name) => handoverOf(this.#members.get(name)?.member)?.until ?? 0);
    const until = Math.max(...ends);
    this.#moveAll(({ member }) => {
      const { phase } = member;
      if (phase.name !== 'active' || phase.handover === undefined || phase.handover.until >= until) return undefined;
      return stay(member, { ...phase, handover: { ...phase.handover, until } });
    });
  }

  /** The addressed member's step, as far as it is allowed, and what follows from it. */
  takeAddressed(before: GroupMember, alone: Outcome, input: Input): void {
    const outcome = this.#allowed(before, alone, input);
    this.move(this.#name, () => outcome);
    const from = before.member.phase;
    const to = outcome.member.phase;
    const reason = firstReason(outcome);
    if (reason !== undefined && isServing(before.member)) this.#followOut(reason);
    if (outcome.effects.some(({ kind }) => kind === 'lowerPriorityHeard')) this.#announceAlong();
    if (from.name !== to.name || input.kind === 'reconfigured') this.#bringTogether(reason);
  }

  /** What the addressed member may do of what it would do alone. */
  #allowed(before: GroupMember, alone: Outcome, input: Input): Outcome {
    const { router, member } = before;
    const from = member.phase;
    const to = alone.member.phase;
    if (from.name === to.name) return alone;
    const tracked: Member = { ...member, tracks: alone.member.tracks };
    const held = this.#culprit(this.names.slice(1));
    if (held !== undefined) {
      if (from.name === 'fault') return { member: tracked, effects: [] };
      if (from.name === 'initialize' && to.name !== 'fault') {
        const wasActive = to.name === 'active' && firstReason(alone)?.code === 'resumed';
        const effects: readonly Effect[] = wasActive ? [{ kind: 'advertise', priority: 0 }] : [];
        return holdInFault(router, tracked, this.#because(held), effects);
      }
    }
    if (to.name !== 'active') return alone;
    if (from.name === 'backup') return this.#agree() ? alone : waitForOthers(router, tracked, from, this.#now);
    if (firstReason(alone)?.code !== 'owner-startup' || this.#areOwnersReady(tracked)) return alone;
    // Owners that are not all ready, or not all owners: as keepalived, everybody listens first.
    const reason: Reason =
      input.kind === 'startup' ? { code: 'startup' } : { code: 'checks-ready', tracks: pendingTracks(router, {}) };
    return becomeBackup(router, tracked, this.#now, reason);
  }

  /** Whether all the others that take part want to be active, or are. */
  #agree(): boolean {
    return this.#others().every(({ member: { phase } }) => {
      switch (phase.name) {
        case 'active':
          return true;
        case 'backup':
          return phase.wantsActive === true;
        case 'fault':
          return this.#group.policy === 'any';
        case 'initialize':
          return !phase.started;
        default:
          return assertNever(phase);
      }
    });
  }

  /** A group of owners starts as active only as a whole. */
  #areOwnersReady(tracked: Member): boolean {
    return this.names.every((name) => {
      const one = this.#members.get(name);
      if (one === undefined) return true;
      const { router } = one;
      const { phase, tracks } = name === this.#name ? tracked : one.member;
      if (router.priority !== OWNER_PRIORITY) return false;
      if (failedTracks(router, tracks).length > 0) return this.#group.policy === 'any';
      if (phase.name === 'backup' && phase.activeRouter !== undefined) return false;
      return pendingTracks(router, tracks).length === 0;
    });
  }

  /** The addressed member is active no more, and so are the others. */
  #followOut(reason: Reason): void {
    const isFault = reason.code === 'track-failed';
    if (isFault && this.#group.policy === 'any') return;
    const effects = isFault || reason.code === 'address-lost' ? RELEASE : LET_GO;
    const why = this.#because(this.#name, reason);
    this.#moveOthers(({ router, member }) => {
      if (!isServing(member)) return undefined;
      if (isFault) return holdInFault(router, member, why, effects);
      return becomeBackup(router, member, this.#now, why, effects);
    });
  }

  /** Frames may have gone to the other router for the addresses of every member. */
  #announceAlong(): void {
    this.#moveOthers(({ router, member }) => {
      const { phase } = member;
      if (phase.name !== 'active' || phase.handover !== undefined) return undefined;
      return announceAlong(router, member, phase, this.#now);
    });
  }

  /** What the members are must agree; `reason` is why the addressed one moved, if it did. */
  #bringTogether(reason: Reason | undefined): void {
    const culprit = this.#culprit(this.names);
    if (culprit !== undefined) {
      const why = this.#because(culprit, culprit === this.#name ? reason : undefined);
      this.#moveAll(({ router, member }) => {
        const { name } = member.phase;
        if (name === 'backup') return holdInFault(router, member, why);
        return isServing(member) ? holdInFault(router, member, why, RELEASE) : undefined;
      });
      return;
    }
    const recovered = this.#because(this.#name, reason);
    this.#moveAll(({ router, member }) =>
      member.phase.name === 'fault' && failedTracks(router, member.tracks).length === 0
        ? standUp(router, member, this.#now, recovered)
        : undefined,
    );
    const leader = this.names.find((name) => {
      const one = this.#members.get(name);
      return one !== undefined && isServing(one.member);
    });
    if (leader === undefined) return;
    const why = this.#because(leader, leader === this.#name ? reason : undefined);
    this.#moveAll(({ router, member }) => {
      const { phase } = member;
      if (phase.name !== 'backup') return undefined;
      const probe = isProbed(router, takeoverReason(router, member, phase, this.#now));
      return becomeActive(router, member, this.#now, why, probe);
    });
  }

  /** Policy `all`: a member whose own tracks hold it, and with it the group, in fault. */
  #culprit(among: readonly string[]): string | undefined {
    if (this.#group.policy === 'any') return undefined;
    return among.find((name) => {
      const one = this.#members.get(name);
      if (one === undefined || one.member.phase.name !== 'fault') return false;
      return failedTracks(one.router, one.member.tracks).length > 0;
    });
  }

  #because(member: string, why?: Reason): Reason {
    // One step back is enough: what moved that member is told of that member.
    return why === undefined || why.code === 'group' ? { code: 'group', member } : { code: 'group', member, why };
  }

  #others(): readonly GroupMember[] {
    return this.names.flatMap((name) => {
      const one = this.#members.get(name);
      return one === undefined || name === this.#name ? [] : [one];
    });
  }

  #moveOthers(how: (one: GroupMember) => Outcome | undefined): void {
    for (const name of this.names) if (name !== this.#name) this.#moveIf(name, how);
  }

  #moveAll(how: (one: GroupMember) => Outcome | undefined): void {
    for (const name of this.names) this.#moveIf(name, how);
  }

  #moveIf(name: string, how: (one: GroupMember) => Outcome | undefined): void {
    this.move(name, (one) => how(one) ?? { member: one.member, effects: [] });
  }
}

/** Active and not on its way out. */
function isServing({ phase }: Member): boolean {
  return phase.name === 'active' && phase.handover === undefined;
}

function movesOthers({ member }: GroupMember, { member: after, effects }: Outcome): boolean {
  return member.phase.name !== after.phase.name || effects.some(({ kind }) => MOVING.has(kind));
}

function handoverOf(member: Member | undefined): Handover | undefined {
  return member?.phase.name === 'active' ? member.phase.handover : undefined;
}

function firstReason({ effects }: Outcome): Reason | undefined {
  for (const effect of effects) if (effect.kind === 'transitioned') return effect.reason;
  return undefined;
}
