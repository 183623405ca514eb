/**
 * All BFD sessions of this host: which packet belongs to which session (RFC 5880 section 6.3), when the next one is due,
 * and what became of each. Time, sockets and randomness are passed in.
 */
import { familyOf, type IpAddress, parseIp } from '../../proto/rules/ip.js';
import type { Instant } from '../../proto/rules/time.js';
import { type BfdState, type ControlPacket, decodePacket, describeDiagnostic, encodePacket } from './packet.js';
import {
  type BfdInput,
  type BfdSession,
  detectionTime,
  initialSession,
  nextBfdDeadline,
  stepBfd,
  transmitInterval,
} from './session.js';
import type { BfdSessionSettings } from './settings.js';

/** One UDP socket that a session sends from; closed with it. */
export interface BfdSender {
  /** Absent: sent. */
  send(packet: Uint8Array): string | undefined;
  close(): void;
}

/** What arrives on the port of one kind of session. */
export interface BfdReceiver {
  /** From whom packets are wanted, and with what TTL or hop limit at least; the kernel drops all others. */
  expect(neighbors: readonly ExpectedNeighbor[]): void;
  close(): void;
}

export interface ExpectedNeighbor {
  readonly address: IpAddress;
  readonly leastTtl: number;
  /** Over which its packets must come (RFC 5881 section 4: a session is of one interface). Absent: any. */
  readonly interface?: string;
}

export interface BfdEdges {
  now(): Instant;
  /** 1..2^32-1, not the same twice in a row. */
  random(): number;
  /** Throws with a sentence. */
  openSender(settings: BfdSessionSettings): BfdSender;
  /** Throws with a sentence. */
  openReceiver(kind: ReceiverKind, onPacket: OnBfdPacket): BfdReceiver;
}

/** `device`: the interface that a link-local source is on, where a session is of it; absent otherwise. */
export type OnBfdPacket = (bytes: Uint8Array, source: IpAddress, device: string | undefined) => void;

export interface ReceiverKind {
  readonly family: 4 | 6;
  readonly multihop: boolean;
}

export interface BfdListener {
  /** Told for every change of "up or not", and once for each new session. */
  stateChanged(session: string, state: 'up' | 'down', diagnostic: string): void;
  /** A sentence for the log: a socket cannot be opened. */
  failed(sentence: string): void;
}

export interface BfdReport {
  readonly name: string;
  readonly state: BfdState;
  readonly diagnostic: string;
  readonly remoteDiagnostic: string;
  readonly since: Instant;
  readonly neighbor: string;
  readonly source: string;
  readonly transmitInterval: number;
  readonly detectionTime: number;
  readonly counters: Readonly<Record<string, number>>;
}

interface Running {
  settings: BfdSessionSettings;
  readonly neighbor: IpAddress;
  readonly sender: BfdSender;
  session: BfdSession;
  since: Instant;
  /** What the listener was told last. */
  told: 'up' | 'down';
  readonly counters: Record<string, number>;
}

/** A TTL or hop limit of 255 cannot have come over a router (RFC 5881 section 5). */
const NO_ROUTER = 255;

export class BfdSpeaker {
  readonly #edges: BfdEdges;
  readonly #listener: BfdListener;
  readonly #sessions = new Map<string, Running>();
  readonly #byDiscriminator = new Map<number, Running>();
  readonly #receivers = new Map<string, BfdReceiver>();
  /** Sessions that could not be started, with why; tried again by `retry`. */
  readonly #waiting = new Map<string, BfdSessionSettings>();
  /** Sessions whose socket belongs to an interface that is no more: started again by `retry`. */
  readonly #cutOff = new Set<string>();

  constructor(edges: BfdEdges, listener: BfdListener) {
    this.#edges = edges;
    this.#listener = listener;
  }

  /** Puts a whole set of sessions in force. One that only has other times or another multiplier goes on. */
  configure(wanted: readonly BfdSessionSettings[]): void {
    const names = new Set(wanted.map(({ name }) => name));
    for (const [name, running] of this.#sessions) if (!names.has(name)) this.#stop(running);
    for (const name of this.#waiting.keys()) if (!names.has(name)) this.#waiting.delete(name);
    for (const settings of wanted) {
      const present = this.#sessions.get(settings.name);
      if (present === undefined) this.#start(settings);
      else if (isSamePath(present.settings, settings)) {
        present.settings = settings;
        this.#step(present, { kind: 'reconfigured' });
      } else {
        this.#stop(present);
        this.#start(settings);
      }
    }
    this.#fitReceivers();
  }

  /** Starts what could not be started before, or was cut off: an interface or address may have come. */
  retry(): void {
    const waiting = [...this.#waiting.values()];
    for (const name of [...this.#cutOff]) {
      const running = this.#sessions.get(name);
      if (running === undefined) continue;
      this.#stop(running);
      waiting.push(running.settings);
    }
    this.#cutOff.clear();
    for (const settings of waiting) this.#start(settings);
    if (waiting.length > 0) this.#fitReceivers();
  }

  get isWaiting(): boolean {
    return this.#waiting.size + this.#cutOff.size > 0;
  }

  /** When `tick` is next due; undefined means never. */
  nextDeadline(): Instant | undefined {
    let next: Instant | undefined;
    for (const { session } of this.#sessions.values()) {
      const deadline = nextBfdDeadline(session);
      if (deadline !== undefined && (next === undefined || deadline < next)) next = deadline;
    }
    return next;
  }

  tick(): void {
    const now = this.#edges.now();
    for (const running of this.#sessions.values()) {
      const deadline = nextBfdDeadline(running.session);
      if (deadline !== undefined && deadline <= now) this.#step(running, { kind: 'tick' });
    }
  }

  reports(): BfdReport[] {
    const running = [...this.#sessions.values()].map(
      ({ settings, session, since, counters }): BfdReport => ({
        name: settings.name,
        state: session.sessionState,
        diagnostic: describeDiagnostic(session.localDiag),
        remoteDiagnostic: describeDiagnostic(session.remoteDiag),
        since,
        neighbor: settings.neighbor,
        source: settings.source ?? '',
        transmitInterval: transmitInterval(session),
        detectionTime: detectionTime(session),
        counters: { ...counters },
      }),
    );
    return running;
  }

  /** Every neighbour is told that its session is administratively down. */
  stop(): void {
    for (const running of this.#sessions.values()) this.#stop(running);
    this.#waiting.clear();
    this.#fitReceivers();
  }

  #start(settings: BfdSessionSettings): void {
    const neighbor = parseIp(settings.neighbor);
    if (neighbor === undefined) return;
    let sender: BfdSender;
    try {
      sender = this.#edges.openSender(settings);
    } catch (error) {
      if (!this.#waiting.has(settings.name)) {
        this.#listener.failed(`BFD session ${settings.name} waits: ${messageOf(error)}`);
        this.#listener.stateChanged(settings.name, 'down', messageOf(error));
      }
      this.#waiting.set(settings.name, settings);
      return;
    }
    this.#waiting.delete(settings.name);
    let discriminator = this.#edges.random();
    while (this.#byDiscriminator.has(discriminator)) discriminator = this.#edges.random();
    const now = this.#edges.now();
    const running: Running = {
      settings,
      neighbor,
      sender,
      session: initialSession(settings, discriminator, this.#edges.random(), now),
      since: now,
      told: 'down',
      counters: {},
    };
    this.#sessions.set(settings.name, running);
    this.#byDiscriminator.set(discriminator, running);
    this.#listener.stateChanged(settings.name, 'down', describeDiagnostic(0));
  }

  #stop(running: Running): void {
    this.#step(running, { kind: 'shutdown' });
    running.sender.close();
    this.#sessions.delete(running.settings.name);
    this.#byDiscriminator.delete(running.session.localDiscr);
  }

  /** One receiver for each kind of session that there is, expecting exactly those neighbours. */
  #fitReceivers(): void {
    const wanted = new Map<string, { kind: ReceiverKind; neighbors: ExpectedNeighbor[] }>();
    for (const { settings, neighbor } of this.#sessions.values()) {
      const kind = { family: familyOf(neighbor), multihop: settings.multihop };
      const key = `${kind.family} ${kind.multihop}`;
      const entry = wanted.get(key) ?? { kind, neighbors: [] };
      const leastTtl = settings.multihop ? Math.max(1, NO_ROUTER - settings.maxHops) : NO_ROUTER;
      const { interface: device } = settings;
      entry.neighbors.push({
        address: neighbor,
        leastTtl,
        ...(device === undefined || settings.multihop ? {} : { interface: device }),
      });
      wanted.set(key, entry);
    }
    for (const [key, receiver] of this.#receivers) {
      if (wanted.has(key)) continue;
      receiver.close();
      this.#receivers.delete(key);
    }
    for (const [key, { kind, neighbors }] of wanted) {
      try {
        const receiver =
          this.#receivers.get(key) ??
          this.#edges.openReceiver(kind, (bytes, ...from) => this.#received(bytes, this.#isFrom(kind, ...from)));
        this.#receivers.set(key, receiver);
        receiver.expect(neighbors);
      } catch (error) {
        this.#listener.failed(`BFD packets cannot be received: ${messageOf(error)}`);
      }
    }
  }

  #received(bytes: Uint8Array, isFrom: (running: Running) => boolean): void {
    const decoded = decodePacket(bytes);
    const running = decoded.ok ? this.#sessionOf(decoded.packet, isFrom) : this.#sessionThat(isFrom);
    if (running === undefined) return;
    if (!decoded.ok) {
      count(running, `dropped.${decoded.fault}`);
      return;
    }
    count(running, 'packets-received');
    this.#step(running, { kind: 'packet', packet: decoded.packet });
  }

  /** Whether a session's neighbour is the sender. One link-local address may be that of several, each on its own link. */
  #isFrom({ multihop }: ReceiverKind, source: IpAddress, device: string | undefined): (running: Running) => boolean {
    return ({ neighbor, settings }) =>
      neighbor === source &&
      settings.multihop === multihop &&
      (device === undefined || settings.interface === undefined || settings.interface === device);
  }

  #sessionOf(packet: ControlPacket, isFrom: (running: Running) => boolean): Running | undefined {
    if (packet.yourDiscriminator === 0) return this.#sessionThat(isFrom);
    const running = this.#byDiscriminator.get(packet.yourDiscriminator);
    if (running !== undefined && isFrom(running)) return running;
    // A right number from a wrong address is a guess (RFC 5880 section 9).
    const guessed = this.#sessionThat(isFrom);
    if (guessed !== undefined) count(guessed, 'dropped.unknown-discriminator');
    return undefined;
  }

  #sessionThat(isFrom: (running: Running) => boolean): Running | undefined {
    for (const running of this.#sessions.values()) if (isFrom(running)) return running;
    return undefined;
  }

  #step(running: Running, input: BfdInput): void {
    const now = this.#edges.now();
    const { session, effects } = stepBfd(running.settings, running.session, input, now);
    running.session = session;
    for (const effect of effects) {
      if (effect.kind === 'send') {
        const failure = running.sender.send(encodePacket(effect.packet));
        count(running, failure === undefined ? 'packets-sent' : `errors.${failure}`);
        // A socket stays bound to the interface that it was bound to, also when another of that name comes.
        if (failure === 'ENODEV') this.#cutOff.add(running.settings.name);
        continue;
      }
      running.since = now;
      count(running, `to-${effect.to}`);
      const state = effect.to === 'up' ? 'up' : 'down';
      if (state === running.told) continue;
      running.told = state;
      this.#listener.stateChanged(running.settings.name, state, describeDiagnostic(effect.diagnostic));
    }
  }
}

/** Nothing differs but times and the multiplier. */
function isSamePath(a: BfdSessionSettings, b: BfdSessionSettings): boolean {
  return (
    a.neighbor === b.neighbor &&
    a.source === b.source &&
    a.interface === b.interface &&
    a.multihop === b.multihop &&
    a.maxHops === b.maxHops &&
    a.passive === b.passive
  );
}

function count({ counters }: Running, counter: string): void {
  counters[counter] = (counters[counter] ?? 0) + 1;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
