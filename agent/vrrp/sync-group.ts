/** Routers that move together (keepalived's vrrp_sync_group). Pure, as step.ts is. */
import type { Effect, Input, Member, StateName } from './state.js';
import { step } from './step.js';
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

/** One step of the whole group. */
export function stepGroup(
  _group: SyncGroup,
  members: ReadonlyMap<string, GroupMember>,
  name: string,
  input: Input,
  now: Instant,
): readonly GroupStep[] {
  const addressed = members.get(name);
  if (addressed === undefined) return [];
  return [{ name, ...step(addressed.router, addressed.member, input, now) }];
}

/** The state of the group as a whole. */
export function groupState(group: SyncGroup, members: ReadonlyMap<string, GroupMember>): StateName {
  const states = group.routers.map((name) => members.get(name)?.member.phase.name ?? 'initialize');
  return states.find((state) => state === 'fault') ?? states[0] ?? 'initialize';
}
