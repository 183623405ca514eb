/** Broken sync groups: each gets one thing about the members' moving together wrong. */
import type { Effect, GroupMember, GroupStep, Input, Member, SyncGroup } from '../../agent/vrrp/index.js';
import { step, stepGroup } from '../../agent/vrrp/index.js';
import { type Core, PRODUCTION_CORE } from './core.js';

type StepGroup = Core['stepGroup'];

export const GROUP_MUTATIONS: Readonly<Record<string, Core>> = {
  'members of a group move alone': grouped((_group, members, name, input, now) => {
    const one = members.get(name);
    return one === undefined ? [] : [{ name, ...step(one.router, one.member, input, now) }];
  }),
  'a member waits for nobody': grouped((group, members, name, input, now) =>
    stepGroup(group, everybodyWants(members, name), name, input, now),
  ),
  'a wish is never taken back': after((given, { member, ...rest }) => {
    const { phase } = given?.member ?? member;
    const wanted = phase.name === 'backup' && phase.wantsActive === true;
    if (!wanted || member.phase.name !== 'backup') return { member, ...rest };
    return { member: { ...member, phase: { ...member.phase, wantsActive: true } }, ...rest };
  }),
  'wishes are forgotten': after((_given, { member, ...rest }) => {
    if (member.phase.name !== 'backup') return { member, ...rest };
    const { wantsActive: _wish, ...phase } = member.phase;
    return { member: { ...member, phase }, ...rest };
  }),
  'the others stay active when one yields': othersBut(
    (given, { member }) => given.phase.name === 'active' && member.phase.name === 'backup',
  ),
  'the others stay when one fails': othersBut((_given, { member }) => member.phase.name === 'fault'),
  'the others do not become active': othersBut((_given, { member }) => member.phase.name === 'active'),
  'the others leave for fault without priority 0': after((_given, outcome) => {
    const isMoved = outcome.effects.some((effect) => effect.kind === 'transitioned' && effect.reason.code === 'group');
    if (!isMoved || outcome.member.phase.name !== 'fault') return outcome;
    return { ...outcome, effects: outcome.effects.filter(({ kind }) => kind !== 'advertise') };
  }),
  'the others say priority 0 when one yields': after((_given, outcome) => {
    const isYielding = outcome.effects.some(
      (effect) => effect.kind === 'transitioned' && effect.reason.code === 'group' && effect.to === 'backup',
    );
    const zero: Effect = { kind: 'advertise', priority: 0 };
    return isYielding ? { ...outcome, effects: [zero, ...outcome.effects] } : outcome;
  }),
  'the first to recover brings the group back': grouped((group, members, name, input, now) => {
    const failing = new Map(
      [...members].filter(([other, { member }]) => other === name || member.phase.name !== 'fault'),
    );
    return stepGroup(group, input.kind === 'track' ? failing : members, name, input, now);
  }),
  'policy any is all': regrouped((group) => ({ ...group, policy: 'all' })),
  'policy all is any': regrouped((group) => ({ ...group, policy: 'any' })),
  'a planned stop is of each member by itself': grouped((group, members, name, input, now) => {
    if (input.kind !== 'shutdown') return stepGroup(group, members, name, input, now);
    const one = members.get(name);
    return one === undefined ? [] : [{ name, ...step(one.router, one.member, input, now) }];
  }),
  'nobody resumes': given((input) => (input.kind === 'startup' ? { kind: 'startup' } : input)),
  'a suspended group stops': given((input) =>
    input.kind === 'suspend' ? { kind: 'shutdown', handover: false } : input,
  ),
};

function grouped(broken: StepGroup): Core {
  return { ...PRODUCTION_CORE, stepGroup: broken };
}

function given(change: (input: Input) => Input): Core {
  return grouped((group, members, name, input, now) => stepGroup(group, members, name, change(input), now));
}

function regrouped(change: (group: SyncGroup) => SyncGroup): Core {
  return grouped((group, members, name, input, now) => stepGroup(change(group), members, name, input, now));
}

/** Changes what became of each member that changed. */
function after(change: (before: GroupMember | undefined, step: GroupStep) => GroupStep): Core {
  return grouped((group, members, name, input, now) =>
    stepGroup(group, members, name, input, now).map((each) => change(members.get(each.name), each)),
  );
}

/** The addressed member moves, and the others do not where that is said of what they would have become. */
function othersBut(stays: (before: Member, step: GroupStep) => boolean): Core {
  return grouped((group, members, name, input, now) =>
    stepGroup(group, members, name, input, now).filter(
      (each) => each.name === name || !stays(members.get(each.name)?.member ?? NOBODY, each),
    ),
  );
}

const NOBODY: Member = { phase: { name: 'initialize', started: false }, tracks: {}, noticed: [] };

function everybodyWants(members: ReadonlyMap<string, GroupMember>, but: string): ReadonlyMap<string, GroupMember> {
  return new Map(
    [...members].map(([name, { router, member }]) => {
      const { phase } = member;
      if (name === but || phase.name !== 'backup') return [name, { router, member }];
      return [name, { router, member: { ...member, phase: { ...phase, wantsActive: true } } }];
    }),
  );
}
