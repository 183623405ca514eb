/**
 * Takes down what the core is given and which transitions come of it, on the election thread: it makes lines of text and
 * hands them to the worker, which writes them. It touches no file and waits for nobody; what the worker does not take in
 * time is given up, and a new segment begins after the gap.
 *
 * A segment needs no snapshot of everything at one moment, which would hold up the elections: a router's parameters and
 * state are written before its first input in it.
 */
import type { Input, Instant, Member, SyncGroup, VirtualRouter } from '../vrrp/index.js';
import {
  type AdvertisementInput,
  againLine,
  groupedLine,
  groupLine,
  heardLine,
  inputLine,
  movedLine,
  type RecordingChunk,
  routerLine,
  SEGMENTS_KEPT,
  type SegmentReason,
  type Transition,
} from './recording-format.js';

/** A router as it is stepped. The object itself is what tells one from another. */
export interface RecordedRouter {
  readonly router: VirtualRouter;
  /** Before the input. */
  readonly member: Member;
  readonly group?: RecordedGroup | undefined;
}

export interface RecordedGroup {
  readonly settings: SyncGroup;
  readonly members: ReadonlyMap<string, RecordedRouter>;
}

export interface RecorderOptions {
  /** Bytes of the whole recording. */
  readonly limit: number;
  /** Milliseconds since 1970. */
  readonly wallMs: () => number;
  /** To the worker; never waits. */
  readonly give: (chunk: RecordingChunk) => void;
}

/** Makes the recorder of an election, which is given the way to its worker. */
export type StartRecorder = (give: RecorderOptions['give']) => Recorder;

/** Lines are handed over when there are so many characters of them, or so long after the first; transitions at once. */
const CHUNK = 32 * 1024;
const LONGEST_WAIT = 1_000_000;
/** Characters that the worker has not taken yet; beyond it, nothing is recorded until it has. */
const MOST_IN_FLIGHT = 1 << 20;
/** Different advertisements that are remembered of each router. */
const MOST_ADVERTISEMENTS = 8;

interface KnownRouter {
  readonly id: number;
  /** The segment that has had it. */
  segment: number;
  /** As written last. */
  router: VirtualRouter;
  group: number | undefined;
  /** By number; the oldest is replaced. */
  heard: AdvertisementInput[];
  nextHeard: number;
}

interface KnownGroup {
  readonly id: number;
  segment: number;
  settings: SyncGroup;
  members: readonly RecordedRouter[];
}

export class Recorder {
  /** When what is kept back is due. */
  nextAt: Instant | undefined;
  readonly #options: RecorderOptions;
  readonly #segmentLimit: number;
  readonly #routers = new WeakMap<RecordedRouter, KnownRouter>();
  readonly #groups = new WeakMap<RecordedGroup, KnownGroup>();
  #lastId = 0;
  #segment = 0;
  /** Characters in this segment so far. */
  #size = 0;
  #lastAt: Instant = 0;
  /** Why the next input begins a segment. */
  #begin: SegmentReason | undefined = 'start';
  #chunk: RecordingChunk | undefined;
  #lines = '';
  #isUrgent = false;
  #inFlight = 0;
  #hasWorker = false;
  #isRecorded = false;

  constructor(options: RecorderOptions) {
    this.#options = options;
    this.#segmentLimit = Math.floor(options.limit / SEGMENTS_KEPT);
  }

  /** A worker is there, the first one or another. */
  attach(): void {
    this.#begin = this.#segment === 0 ? 'start' : 'worker';
    this.#inFlight = 0;
    this.#hasWorker = true;
  }

  /** The worker is gone, and what it had not written with it. */
  detach(): void {
    this.#hasWorker = false;
    this.#isRecorded = false;
    this.#drop();
  }

  /**
   * The worker has dealt with so many characters.
   *
   * @param again they could not be written, and it tries anew with a new segment
   */
  taken(characters: number, again: boolean): void {
    this.#inFlight = Math.max(0, this.#inFlight - characters);
    if (again) this.#begin = 'lost';
  }

  /** Before the core is given this input. */
  input(router: RecordedRouter, input: Input, now: Instant): void {
    this.#isRecorded = this.#hasWorker && this.#hasRoom();
    if (!this.#isRecorded) return;
    if (this.#begin !== undefined) this.#beginSegment(this.#begin, now);
    const known = this.#introduce(router);
    this.#introduceGroup(router, known);
    const since = now - this.#lastAt;
    this.#lastAt = now;
    this.#write(input.kind === 'advertisement' ? heard(known, input, since) : inputLine(since, known.id, input));
    this.nextAt ??= now + LONGEST_WAIT;
  }

  /** The core decided this for the input before, for that router or another one of its group. */
  transition(router: RecordedRouter, transition: Transition): void {
    const known = this.#routers.get(router);
    if (!this.#isRecorded || known === undefined) return;
    this.#write(movedLine(known.id, transition));
    this.#isUrgent = true;
  }

  /** At the end of every turn of the election loop. */
  settle(now: Instant): void {
    const isDue = this.nextAt !== undefined && this.nextAt <= now;
    if (isDue || this.#isUrgent || this.#lines.length >= CHUNK) this.flush();
  }

  onTime(now: Instant): void {
    this.settle(now);
  }

  flush(): void {
    const chunk: RecordingChunk = { ...this.#chunk, lines: this.#lines };
    this.#drop();
    if (chunk.lines === '') return;
    this.#inFlight += chunk.lines.length;
    this.#options.give(chunk);
    if (this.#size >= this.#segmentLimit) this.#begin ??= 'size';
  }

  #drop(): void {
    this.#chunk = undefined;
    this.#lines = '';
    this.#isUrgent = false;
    this.nextAt = undefined;
  }

  #hasRoom(): boolean {
    if (this.#inFlight + this.#lines.length <= MOST_IN_FLIGHT) return true;
    this.#begin = 'lost';
    return false;
  }

  #beginSegment(reason: SegmentReason, now: Instant): void {
    this.flush();
    this.#begin = undefined;
    this.#segment += 1;
    this.#size = 0;
    this.#lastAt = now;
    this.#chunk = { begins: { reason, at: now, wallMs: this.#options.wallMs() }, lines: '' };
  }

  #write(line: string): void {
    this.#lines += line;
    this.#size += line.length;
  }

  /** Its parameters, if they are not known in this segment, and its state, if it is new in it. */
  #introduce(recorded: RecordedRouter): KnownRouter {
    const { router, member } = recorded;
    const known = this.#routers.get(recorded);
    if (known?.segment === this.#segment) {
      if (known.router !== router) this.#write(routerLine(known.id, router, undefined));
      known.router = router;
      return known;
    }
    const id = known?.id ?? this.#nextId();
    const fresh: KnownRouter = { id, segment: this.#segment, router, group: undefined, heard: [], nextHeard: 0 };
    this.#routers.set(recorded, fresh);
    this.#write(routerLine(id, router, member));
    return fresh;
  }

  /** Whom it moves with, if that is not known. */
  #introduceGroup({ group }: RecordedRouter, known: KnownRouter): void {
    if (group === undefined) {
      if (known.group !== undefined) this.#write(groupedLine(known.id, undefined));
      known.group = undefined;
      return;
    }
    const members = [...group.members];
    const ids = members.map(([name, member]) => [name, this.#introduce(member).id] as const);
    const before = this.#groups.get(group);
    const isKnown =
      before?.segment === this.#segment &&
      before.settings === group.settings &&
      before.members.length === members.length &&
      members.every(([, member], index) => before.members[index] === member);
    const id = before?.id ?? this.#nextId();
    if (!isKnown) {
      const { settings } = group;
      this.#groups.set(group, { id, segment: this.#segment, settings, members: members.map(([, member]) => member) });
      this.#write(groupLine(id, settings, ids));
    }
    if (known.group === id) return;
    known.group = id;
    this.#write(groupedLine(known.id, id));
  }

  #nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }
}

function heard(known: KnownRouter, input: AdvertisementInput, since: number): string {
  const number = known.heard.findIndex((each) => isSame(each, input));
  if (number >= 0) return againLine(since, known.id, number);
  const free = known.nextHeard;
  known.heard[free] = input;
  known.nextHeard = (free + 1) % MOST_ADVERTISEMENTS;
  return heardLine(since, known.id, free, input);
}

function isSame(one: AdvertisementInput, other: AdvertisementInput): boolean {
  if (one.source !== other.source || one.local !== other.local) return false;
  const { priority, interval, addresses } = one.advertisement;
  const { advertisement } = other;
  if (priority !== advertisement.priority || interval !== advertisement.interval) return false;
  if (addresses === advertisement.addresses) return true;
  if (addresses.length !== advertisement.addresses.length) return false;
  return addresses.every((address, index) => address === advertisement.addresses[index]);
}
