/** A virtual LAN: every frame goes to every other port, delayed, lost, doubled or cut in one direction. */
import type { Advertisement, Instant, IpAddress, Micros } from '../../agent/vrrp/index.js';
import type { Random } from './random.js';
import type { Timeline } from './timeline.js';

export type Frame =
  | { readonly kind: 'advertisement'; readonly source: IpAddress; readonly advertisement: Advertisement }
  /** Gratuitous ARP for all virtual addresses of one virtual router. */
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
/** Of whom frames come that no host of the simulation sent. */
export const STRANGER = -1;
/** What any LAN has at most; a path from one port to another is a number. */
const MOST_PORTS = 8;

interface Receiver {
  readonly port: number;
  readonly receive: (frame: Frame) => void;
}

export class Lan {
  weather: Weather = CALM;
  readonly #cuts = new Set<number>();
  /** When the last frame of a path arrives. */
  readonly #latest: Instant[] = new Array<Instant>((MOST_PORTS + 1) * MOST_PORTS).fill(0);
  /** Of each virtual router. */
  readonly #receivers = new Map<number, Receiver[]>();
  readonly #ports = new Set<number>();
  readonly #timeline: Timeline;
  readonly #random: Random;

  constructor(timeline: Timeline, random: Random) {
    this.#timeline = timeline;
    this.#random = random;
  }

  /** A port hears frames of the virtual routers that it has attached; ports are numbered as their hosts are. */
  attach(port: number, vrid: number, receive: (frame: Frame) => void): void {
    if (port < 0 || port >= MOST_PORTS) throw new RangeError(`no LAN has a port ${port}`);
    this.#ports.add(port);
    const receivers = this.#receivers.get(vrid);
    if (receivers === undefined) this.#receivers.set(vrid, [{ port, receive }]);
    else receivers.push({ port, receive });
  }

  send(from: number, vrid: number, frame: Frame): void {
    const random = this.#random;
    const { loss, duplication } = this.weather;
    for (const { port, receive } of this.#receivers.get(vrid) ?? []) {
      if (port === from || !this.hears(port, from) || (loss > 0 && random.chance(loss))) continue;
      const copies = duplication > 0 && random.chance(duplication) ? 2 : 1;
      for (let copy = 0; copy < copies; copy++) {
        this.#timeline.at(this.#arrival(path(from, port)), () => receive(frame));
      }
    }
  }

  #arrival(along: number): Instant {
    const at = this.#timeline.now + this.#random.between(20, this.weather.longestDelay);
    const arrival = this.weather.reordering ? at : Math.max(at, this.#latest[along] ?? 0);
    this.#latest[along] = arrival;
    return arrival;
  }

  /** Whether frames of one port reach another. Frames from outside reach all. */
  hears(to: number, from: number): boolean {
    return this.#cuts.size === 0 || !this.#cuts.has(path(from, to));
  }

  cut(from: number, to: number): void {
    this.#cuts.add(path(from, to));
  }

  /** Splits the LAN in two, and heals every other cut. */
  partition(side: ReadonlySet<number>): void {
    this.heal();
    for (const from of this.#ports) {
      for (const to of this.#ports) if (side.has(from) !== side.has(to)) this.cut(from, to);
    }
  }

  heal(): void {
    this.#cuts.clear();
  }
}

function path(from: number, to: number): number {
  return (from + 1) * MOST_PORTS + to;
}
