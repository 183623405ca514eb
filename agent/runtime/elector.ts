/** Gives inputs to the core, for a router alone or for its whole group, and has the effects carried out in their order. */
import type { Instant } from '../../proto/rules/time.js';
import type { Recorder } from '../record/recorder.js';
import { describeReason, type Effect, type Input, type Member, nextDeadline, step, stepGroup } from '../vrrp/index.js';
import type { Alarm } from './alarm.js';
import type { Deadlines } from './deadlines.js';
import type { ElectionClock } from './edges.js';
import type { EffectRunner } from './effect-runner.js';
import type { Outbox } from './outbox.js';
import type { RunningGroup } from './roster.js';
import type { RunningRouter } from './running-router.js';
import type { Trouble } from './trouble.js';

export interface ElectorTools {
  readonly effects: EffectRunner;
  readonly deadlines: Deadlines<RunningRouter>;
  readonly alarm: Alarm;
  readonly outbox: Outbox;
  readonly trouble: Trouble;
  readonly clock: ElectionClock;
  /** Absent: nothing is recorded. */
  readonly recorder?: Recorder | undefined;
}

type Transition = Extract<Effect, { readonly kind: 'transitioned' }>;

export class Elector {
  /** How many effects have been carried out. */
  effects = 0;

  constructor(private readonly tools: ElectorTools) {}

  /** One input for a router. What it does to the others of its group is done as well. */
  step(router: RunningRouter, input: Input, now: Instant): void {
    const { group } = router;
    const before = input.kind === 'track' ? router.effectivePriority : undefined;
    this.tools.recorder?.input(router, input, now);
    if (group === undefined) {
      const { member, effects } = step(router.router, router.member, input, now);
      const moved = this.#take(router, member, effects, now);
      if (moved === undefined) this.#judgePriority(router, before);
      return;
    }
    let transition: Transition | undefined;
    for (const { name, member, effects } of stepGroup(group.settings, group.members, router.name, input, now)) {
      const moved = group.members.get(name);
      if (moved === undefined) continue;
      transition = this.#take(moved, member, effects, now) ?? transition;
    }
    if (transition === undefined) this.#judgePriority(router, before);
    else this.judgeGroup(group, transition);
  }

  /** Tells of a group that has another state now than it had. */
  judgeGroup(group: RunningGroup, because?: Transition): void {
    const to = group.judge();
    const from = group.state;
    if (from === to) return;
    group.state = to;
    group.sinceWallMs = this.tools.clock.wallMs();
    this.tools.outbox.tell({
      kind: 'groupTransition',
      group: group.settings.name,
      from,
      to,
      cause: because?.reason.code ?? 'configuration',
      sentence: because === undefined ? 'the configuration changed' : describeReason(because.reason),
    });
  }

  /** Tells of another effective priority than before a track's change, where no transition tells it. */
  #judgePriority(router: RunningRouter, before: number | undefined): void {
    if (before === undefined) return;
    const state = router.member.phase.name;
    const { effectivePriority } = router;
    if (before === effectivePriority || state === 'initialize') return;
    this.tools.outbox.tell({ kind: 'priorityChanged', router: router.name, state, effectivePriority });
  }

  /** Gives the transition, if there was one. */
  #take(router: RunningRouter, member: Member, effects: readonly Effect[], now: Instant): Transition | undefined {
    router.member = member;
    router.deadline = nextDeadline(router.router, member);
    this.tools.deadlines.changed(router);
    this.tools.alarm.by(router.deadline);
    let transition: Transition | undefined;
    this.effects += effects.length;
    for (const effect of effects) {
      if (effect.kind === 'transitioned') {
        transition = effect;
        router.movedAt = now;
        this.tools.recorder?.transition(router, effect);
      }
      try {
        this.tools.effects.run(router, effect, now);
      } catch (error) {
        this.tools.trouble.fault(`an effect (${effect.kind}) could not be carried out`, router.name, error, now);
      }
    }
    return transition;
  }
}
