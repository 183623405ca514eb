/**
 * A virtual network: every frame of a port goes to every other port, delayed, lost, doubled, overtaken, or cut in one
 * direction. Ports are hosts; a host has the same port on every segment.
 */
import type { IpAddress } from '../../proto/rules/ip.js';
import type { Instant, Micros } from '../../proto/rules/time.js';
import type { Random } from '../sim/random.js';
import type { Timeline } from '../sim/timeline.js';

export type Frame =
  /** A whole IP packet of protocol 112, as it was sent. */
  | { readonly kind: 'packet'; readonly bytes: Uint8Array; readonly destination: IpAddress }
  /** Gratuitous ARP or an unsolicited neighbour advertisement. */
  | { readonly kind: 'announcement'; readonly address: IpAddress; readonly hardwareAddress: Uint8Array }
  | { readonly kind: 'question'; readonly address: IpAddress }
  | { readonly kind: 'answer'; readonly address: IpAddress; readonly hardwareAddress: Uint8Array };

export interface Weather {
  /** Probability that one port does not get a frame. */
  readonly loss: number;
  /** Probability that one port gets it twice. */
  readonly duplication: number;
  readonly longestDelay: Micros;
  /** Whether a frame may overtake another of the same sender. */
  readonly reordering: boolean;
}

/** The longest that a frame travels in calm weather. */
export const CALM_DELAY: Micros = 300;
export const CALM: Weather = { loss: 0, duplication: 0, longestDelay: CALM_DELAY, reordering: false };

export class Segment {
  weather: Weather = CALM;
  readonly #receivers: ((frame: Frame, from: number) => void)[] = [];
  readonly #cuts = new Set<number>();
  /** When the last frame of a path arrives, by path. */
  readonly #latest = new Map<number, Instant>();

  constructor(
    private readonly timeline: Timeline,
    private readonly random: Random,
  ) {}

  attach(receive: (frame: Frame, from: number) => void): void {
    this.#receivers.push(receive);
  }

  /** To all other ports. A negative port is a stranger's, whom everybody hears. */
  broadcast(from: number, frame: Frame): void {
    for (const to of this.#receivers.keys()) if (to !== from) this.send(from, to, frame);
  }

  send(from: number, to: number, frame: Frame): void {
    const { loss, duplication } = this.weather;
    if (this.#cuts.has(pathOf(from, to)) || (loss > 0 && this.random.chance(loss))) return;
    const copies = duplication > 0 && this.random.chance(duplication) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      this.timeline.at(this.#arrival(from, to), () => this.#receivers[to]?.(frame, from));
    }
  }

  cut(from: number, to: number): void {
    this.#cuts.add(pathOf(from, to));
  }

  /** Splits the network by a side per port, and heals every other cut. */
  partition(sides: readonly number[]): void {
    this.heal();
    for (const [from, side] of sides.entries()) {
      for (const [to, other] of sides.entries()) if (side !== other) this.cut(from, to);
    }
  }

  heal(): void {
    this.#cuts.clear();
  }

  #arrival(from: number, to: number): Instant {
    const { longestDelay, reordering } = this.weather;
    const at = this.timeline.now + this.random.between(20, longestDelay);
    const path = pathOf(from, to);
    const arrival = reordering ? at : Math.max(at, this.#latest.get(path) ?? 0);
    this.#latest.set(path, arrival);
    return arrival;
  }
}

function pathOf(from: number, to: number): number {
  return from * 64 + to;
}
