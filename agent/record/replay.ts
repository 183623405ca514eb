/**
 * Runs the production core over a recording and compares what it decides with what was decided then. Pure: lines in,
 * findings out.
 */
import {
  type Input,
  type Instant,
  initialMember,
  type Member,
  type SyncGroup,
  step,
  stepGroup,
  type VirtualRouter,
} from '../vrrp/index.js';
import { type AdvertisementInput, encode, type RecordingLine, type Transition } from './recording-format.js';
import type { PlacedLine } from './recording-reader.js';

/** One transition of the replay. */
export interface ReplayedTransition {
  readonly router: string;
  /** On the monotonic clock of the host that was recorded. */
  readonly at: Instant;
  /** Milliseconds since 1970. */
  readonly wallMs: number;
  readonly transition: Transition;
}

/** Something that is not as it was recorded. */
export interface Difference {
  /** Line of the recording. */
  readonly line: number;
  readonly router: string;
  readonly at: Instant;
  readonly wallMs: number;
  /** What was decided, or in what state the router was. */
  readonly what: 'transitions' | 'state';
  /** As JSON: a list of transitions, or a state. */
  readonly recorded: string;
  readonly replayed: string;
}

export interface ReplayReport {
  /** Of the agents that were recorded. */
  readonly agents: readonly string[];
  readonly segments: number;
  readonly routers: readonly string[];
  readonly inputs: number;
  readonly transitions: readonly ReplayedTransition[];
  readonly differences: readonly Difference[];
  /** What is missing from the recording or not sound in it; sentences without a full stop. */
  readonly remarks: readonly string[];
}

interface ReplayRouter {
  router: VirtualRouter;
  member: Member;
  group: number | undefined;
  readonly heard: Map<number, AdvertisementInput>;
}

interface ReplayGroup {
  readonly group: SyncGroup;
  readonly members: ReadonlyMap<string, ReplayRouter>;
}

/** An input that was replayed, until all that was recorded of it has been read. */
interface Judged {
  readonly line: number;
  readonly router: string;
  readonly at: Instant;
  readonly replayed: readonly string[];
  readonly recorded: string[];
}

type SegmentLine = Extract<RecordingLine, { readonly kind: 'segment' }>;

/** The line refers to something that no line before it has told of. */
class Dangling extends Error {
  override readonly name = 'Dangling';
}

export class Replay {
  readonly #agents = new Set<string>();
  readonly #names = new Set<string>();
  readonly #transitions: ReplayedTransition[] = [];
  readonly #differences: Difference[] = [];
  readonly #remarks: string[] = [];
  #routers = new Map<number, ReplayRouter>();
  #groups = new Map<number, ReplayGroup>();
  #segments = 0;
  #inputs = 0;
  #segment: SegmentLine | undefined;
  #now: Instant = 0;
  #judged: Judged | undefined;
  /** The rest of this segment cannot be replayed. */
  #isSkipping = false;

  /** Lines in their order. */
  take({ number, line }: PlacedLine): void {
    if (line?.kind === 'segment') {
      this.#judge(line.reason !== 'size');
      this.#beginSegment(line);
      return;
    }
    if (this.#isSkipping) return;
    if (line === undefined) {
      this.#skip(`line ${number} is cut off or damaged`);
      return;
    }
    try {
      this.#follow(line, number);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#skip(`line ${number} cannot be replayed (${reason})`);
    }
  }

  /** To be called once, after the last line. */
  report(): ReplayReport {
    this.#judge(true);
    return {
      agents: [...this.#agents],
      segments: this.#segments,
      routers: [...this.#names].sort(),
      inputs: this.#inputs,
      transitions: this.#transitions,
      differences: this.#differences,
      remarks: this.#remarks,
    };
  }

  #beginSegment(line: SegmentLine): void {
    const isContinued = line.reason === 'size' && !this.#isSkipping;
    if (this.#segments > 0 && line.reason !== 'start' && !isContinued) {
      this.#remarks.push(`something is missing before segment ${this.#segments + 1} (${GAPS[line.reason]})`);
    }
    if (!isContinued) {
      this.#routers = new Map();
      this.#groups = new Map();
    }
    this.#agents.add(line.agent);
    this.#segments += 1;
    this.#segment = line;
    this.#now = line.at;
    this.#isSkipping = false;
  }

  #skip(why: string): void {
    this.#judge(true);
    this.#isSkipping = true;
    this.#remarks.push(`${why}; the rest of segment ${this.#segments} is left out`);
  }

  #follow(line: Exclude<RecordingLine, SegmentLine>, number: number): void {
    if (line.kind === 'moved') {
      this.#judged?.recorded.push(decided(this.#router(line.id).router.name, line.transition));
      return;
    }
    this.#judge(false);
    switch (line.kind) {
      case 'router':
        this.#introduce(line, number);
        return;
      case 'group':
        this.#groups.set(line.id, {
          group: line.group,
          members: new Map(line.members.map(([name, id]) => [name, this.#router(id)])),
        });
        return;
      case 'grouped':
        this.#router(line.id).group = line.group ?? undefined;
        return;
      case 'heard':
        this.#router(line.id).heard.set(line.number, line.input);
        this.#step(line, line.input, number);
        return;
      case 'again': {
        const input = this.#router(line.id).heard.get(line.number);
        if (input === undefined) throw new Dangling(`there is no advertisement ${line.number}`);
        this.#step(line, input, number);
        return;
      }
      case 'input':
        this.#step(line, line.input, number);
        return;
    }
  }

  #router(id: number): ReplayRouter {
    const found = this.#routers.get(id);
    if (found === undefined) throw new Dangling(`there is no router ${id}`);
    return found;
  }

  #introduce({ id, router, member }: Extract<RecordingLine, { readonly kind: 'router' }>, number: number): void {
    this.#names.add(router.name);
    const known = this.#routers.get(id);
    if (known === undefined) {
      const first = { router, member: member ?? initialMember(router), group: undefined, heard: new Map() };
      this.#routers.set(id, first);
      return;
    }
    known.router = router;
    if (member === undefined) return;
    const [recorded, replayed] = [encode(member), encode(known.member)];
    if (recorded !== replayed) {
      const { at, wallMs } = this.#moment(this.#now);
      this.#differences.push({ line: number, router: router.name, at, wallMs, what: 'state', recorded, replayed });
    }
    known.member = member;
    known.group = undefined;
    known.heard.clear();
  }

  #step({ since, id }: { readonly since: number; readonly id: number }, input: Input, line: number): void {
    const stepped = this.#router(id);
    this.#now += since;
    this.#inputs += 1;
    const now = this.#now;
    const { name } = stepped.router;
    const replayed: string[] = [];
    for (const { moved, transition } of this.#transitionsOf(stepped, input, now)) {
      this.#transitions.push({ router: moved, ...this.#moment(now), transition });
      replayed.push(decided(moved, transition));
    }
    this.#judged = { line, router: name, at: now, replayed, recorded: [] };
  }

  #transitionsOf(stepped: ReplayRouter, input: Input, now: Instant) {
    const { router, group: number } = stepped;
    const group = number === undefined ? undefined : this.#groups.get(number);
    if (number !== undefined && group === undefined) throw new Dangling(`there is no group ${number}`);
    const outcomes =
      group === undefined
        ? [{ name: router.name, ...step(router, stepped.member, input, now) }]
        : stepGroup(group.group, group.members, router.name, input, now);
    return outcomes.flatMap(({ name, member, effects }) => {
      const moved = group === undefined ? stepped : group.members.get(name);
      if (moved !== undefined) moved.member = member;
      return effects.flatMap((effect) =>
        effect.kind === 'transitioned' ? [{ moved: moved?.router.name ?? name, transition: effect }] : [],
      );
    });
  }

  /** @param mayBeCut after the input before, lines may be missing */
  #judge(mayBeCut: boolean): void {
    const judged = this.#judged;
    this.#judged = undefined;
    if (judged === undefined) return;
    const { line, router, at, replayed, recorded } = judged;
    const isSame = replayed.length === recorded.length && replayed.every((each, index) => each === recorded[index]);
    if (isSame) return;
    if (mayBeCut && recorded.every((each, index) => each === replayed[index])) {
      this.#remarks.push(`segment ${this.#segments} ends before what line ${line} did was recorded`);
      return;
    }
    const [then, now] = [recorded, replayed].map((each) => `[${each.join(',')}]`) as [string, string];
    const { wallMs } = this.#moment(at);
    this.#differences.push({ line, router, at, wallMs, what: 'transitions', recorded: then, replayed: now });
  }

  #moment(at: Instant): { readonly at: Instant; readonly wallMs: number } {
    const { at: start, wallMs } = this.#segment ?? { at, wallMs: 0 };
    return { at, wallMs: wallMs + (at - start) / 1_000 };
  }
}

const GAPS: Readonly<Record<SegmentLine['reason'], string>> = {
  start: 'the agent was started',
  size: 'the segment before is damaged',
  worker: 'the worker thread was restarted',
  lost: 'the worker could not keep up or not write',
};

function decided(router: string, transition: Transition): string {
  return encode({ router, ...transition });
}
