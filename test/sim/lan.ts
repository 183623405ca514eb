/** A virtual LAN: every frame goes to every other port, delayed, lost, doubled or cut in one direction. */
import type { Advertisement, Instant, IpAddress, Micros } from '../../agent/vrrp/index.js';
import type { Random } from './random.js';
import type { Timeline } from './timeline.js';

export type Frame =
  | { readonly kind: 'advertisement'; readonly source: IpAddress; readonly advertisement: Advertisement }
  /** Gratuitous ARP for all virtual addresses. */
  | { readonly kind: 'announcement' };

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

export class Lan {
  weather: Weather = CALM;
  readonly #cuts = new Set<string>();
  /** When the last frame of a path arrives. */
  readonly #latest = new Map<string, Instant>();
  readonly #ports: ((frame: Frame) => void)[] = [];
  readonly #timeline: Timeline;
  readonly #random: Random;

  constructor(timeline: Timeline, random: Random) {
    this.#timeline = timeline;
    this.#random = random;
  }

  /** Ports are numbered from 0. */
  attach(receive: (frame: Frame) => void): void {
    this.#ports.push(receive);
  }

  send(from: number, frame: Frame): void {
    for (const [to, receive] of this.#ports.entries()) {
      if (to === from || !this.hears(to, from) || this.#random.chance(this.weather.loss)) continue;
      const copies = this.#random.chance(this.weather.duplication) ? 2 : 1;
      for (let copy = 0; copy < copies; copy++) {
        this.#timeline.at(this.#arrival(`${from}>${to}`), () => receive(frame));
      }
    }
  }

  #arrival(path: string): Instant {
    const at = this.#timeline.now + this.#random.between(20, this.weather.longestDelay);
    const arrival = this.weather.reordering ? at : Math.max(at, this.#latest.get(path) ?? 0);
    this.#latest.set(path, arrival);
    return arrival;
  }

  /** Whether frames of one port reach another. Frames from outside (a negative port) reach all. */
  hears(to: number, from: number): boolean {
    return !this.#cuts.has(`${from}>${to}`);
  }

  cut(from: number, to: number): void {
    this.#cuts.add(`${from}>${to}`);
  }

  /** Splits the LAN in two, and heals every other cut. */
  partition(side: ReadonlySet<number>): void {
    this.heal();
    for (const from of this.#ports.keys()) {
      for (const to of this.#ports.keys()) if (side.has(from) !== side.has(to)) this.cut(from, to);
    }
  }

  heal(): void {
    this.#cuts.clear();
  }
}
