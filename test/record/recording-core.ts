/**
 * The production core with a recorder for every process of a simulation, so that what the simulator does to the core is
 * what a recording has. A process is told by its state: one that begins anew is another process.
 */

import { type RecordedGroup, type RecordedRouter, Recorder } from '../../agent/record/recorder.js';
import type { RecordingChunk } from '../../agent/record/recording-format.js';
import {
  type GroupMember,
  type GroupStep,
  type Input,
  type Instant,
  type Member,
  type Outcome,
  type SyncGroup,
  step,
  stepGroup,
  type VirtualRouter,
} from '../../agent/vrrp/index.js';
import { type Core, PRODUCTION_CORE } from '../sim/core.js';

interface Subject extends RecordedRouter {
  router: VirtualRouter;
  member: Member;
  group?: RecordedGroup | undefined;
}

export class RecordingCore {
  readonly chunks: RecordingChunk[] = [];
  /** What was decided, in order: router and transition. */
  readonly transitions: string[] = [];
  /** For a simulation. */
  readonly core: Core = {
    ...PRODUCTION_CORE,
    step: (router, member, input, now) => this.#step(router, member, input, now),
    stepGroup: (group, members, name, input, now) => this.#stepGroup(group, members, name, input, now),
  };
  readonly #recorder: Recorder;
  readonly #subjects = new WeakMap<Member, Subject>();

  /** @param limit of the recording, bytes */
  constructor(limit: number) {
    const give = (chunk: RecordingChunk) => {
      this.chunks.push(chunk);
      this.#recorder.taken(chunk.lines.length, false);
    };
    this.#recorder = new Recorder({ limit, wallMs: () => 1_700_000_000_000, give });
    this.#recorder.attach();
  }

  #step(router: VirtualRouter, member: Member, input: Input, now: Instant): Outcome {
    const subject = this.#subjectOf(router, member);
    subject.group = undefined;
    this.#recorder.input(subject, input, now);
    const outcome = step(router, member, input, now);
    this.#take(subject, outcome, now);
    return outcome;
  }

  #stepGroup(
    group: SyncGroup,
    members: ReadonlyMap<string, GroupMember>,
    name: string,
    input: Input,
    now: Instant,
  ): readonly GroupStep[] {
    const subjects = new Map(
      [...members].map(([each, { router, member }]) => [each, this.#subjectOf(router, member)] as const),
    );
    const addressed = subjects.get(name);
    if (addressed === undefined) return [];
    const known = addressed.group;
    const isSame = known?.settings === group && [...subjects].every(([each, it]) => known.members.get(each) === it);
    addressed.group = isSame ? known : { settings: group, members: subjects };
    this.#recorder.input(addressed, input, now);
    const steps = stepGroup(group, members, name, input, now);
    for (const { name: moved, ...outcome } of steps) {
      const subject = subjects.get(moved);
      if (subject !== undefined) this.#take(subject, outcome, now);
    }
    return steps;
  }

  /** All that was recorded. */
  finish(): readonly RecordingChunk[] {
    this.#recorder.flush();
    return this.chunks;
  }

  #subjectOf(router: VirtualRouter, member: Member): Subject {
    const subject = this.#subjects.get(member) ?? { router, member };
    subject.router = router;
    subject.member = member;
    this.#subjects.set(member, subject);
    return subject;
  }

  #take(subject: Subject, { member, effects }: Outcome, now: Instant): void {
    subject.member = member;
    this.#subjects.set(member, subject);
    for (const effect of effects) {
      if (effect.kind !== 'transitioned') continue;
      this.transitions.push(`${subject.router.name} ${effect.from} ${effect.to} ${effect.reason.code}`);
      this.#recorder.transition(subject, effect);
    }
    this.#recorder.settle(now);
  }
}
