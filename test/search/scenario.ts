/**
 * What is searched: virtual routers whose every interval is a small whole number of quanta, so that time can pass in steps
 * of one. Skew times are rounded up to whole quanta: with four quanta to an advertisement interval, priorities 192, 128
 * and 64 wait one, two and three; with two, 128 waits one, 64 and 1 two.
 */
import type { IpAddress, Micros, VirtualRouter } from '../../agent/vrrp/index.js';
import { FATAL_CHECK } from '../sim/cluster.js';

export const INTERVAL: Micros = 1_000_000;

/** Its failure is a fault. The broken cores know it by this name. */
export const CHECK = FATAL_CHECK;

/** A fault that may happen at any moment. `loss` and `delay` are of one advertisement to one receiver. */
export const FAULTS = ['loss', 'delay', 'crash', 'pause', 'check', 'stop'] as const;
export type Fault = (typeof FAULTS)[number];

export interface Member {
  readonly name: string;
  readonly source: IpAddress;
  readonly router: VirtualRouter;
}

export interface Scenario {
  readonly name: string;
  readonly says: string;
  readonly members: readonly Member[];
  /** The step in which time passes; an interval is a whole number of them. */
  readonly quantum: Micros;
  readonly faults: ReadonlySet<Fault>;
  /** How many faults may happen in all; undefined: any number. */
  readonly budget: number | undefined;
}

const NAMES = ['A', 'B', 'C'];
/** On both sides of the middle of the number range, where a signed comparison turns around. */
const SOURCES: readonly IpAddress[] = [0x0a00_0001, 0xc0a8_0002, 0x7f00_0003];

function router(priority: number, more: Partial<VirtualRouter>): VirtualRouter {
  return {
    name: 'r',
    vrid: 1,
    version: 3,
    priority,
    advertisementInterval: INTERVAL,
    preemptMode: true,
    preemptDelay: 0,
    strictRfc: false,
    addresses: [0x0a00_0064],
    tracks: [{ id: CHECK, weight: 0, reverse: false }],
    announcements: {
      repeat: 0,
      delay: 0,
      refresh: 0,
      refreshRepeat: 0,
      lowerPriorityRepeat: 0,
      lowerPriorityDelay: 0,
    },
    leased: true,
    downTimerAdvertisements: 3,
    lowerPriorityNoAdvertisement: false,
    higherPrioritySendAdvertisement: false,
    ownerIgnoresAdvertisements: false,
    timerExpiredBackup: 0,
    duplicateProbe: 'off',
    ...more,
  };
}

interface Kind {
  readonly name: string;
  readonly says: string;
  /** All have one priority; otherwise A has the greatest, then B. */
  readonly isEqual?: boolean;
  readonly more?: Partial<VirtualRouter>;
}

const KINDS: readonly Kind[] = [
  { name: 'preempt', says: 'different priorities' },
  { name: 'no-preempt', says: 'different priorities, nobody preempts', more: { preemptMode: false } },
  {
    name: 'equal',
    says: 'equal priorities, where two that are active are told apart by their addresses',
    isEqual: true,
  },
  {
    name: 'no-answer',
    says: 'different priorities, a lower one is not answered',
    more: { lowerPriorityNoAdvertisement: true },
  },
];

/** Priorities by quanta of an interval. */
const PRIORITIES: Readonly<Record<number, readonly number[]>> = { 2: [128, 64, 1], 4: [192, 128, 64] };

/** With any number of faults: the numbers of states multiply, so planned stops are searched apart from checks. */
export const ANY_NUMBER_OF: readonly (readonly Fault[])[] = [
  ['loss', 'delay', 'crash', 'pause', 'check'],
  ['loss', 'crash', 'pause', 'stop'],
];

export interface Size {
  readonly nodes: 2 | 3;
  /** Quanta of an advertisement interval. */
  readonly quanta: 2 | 4;
  readonly budget?: number | undefined;
  /** Absent: all. */
  readonly faults?: readonly Fault[] | undefined;
}

/** Every kind of virtual router at this size. */
export function scenarios({ nodes, quanta, budget, faults = FAULTS }: Size): readonly Scenario[] {
  const different = PRIORITIES[quanta] ?? [];
  return KINDS.map(({ name, says, isEqual, more = {} }) => ({
    name,
    says,
    members: NAMES.slice(0, nodes).map((member, index) => ({
      name: member,
      source: SOURCES[index] ?? index,
      router: router((isEqual ? different[0] : different[index]) ?? 1, more),
    })),
    quantum: INTERVAL / quanta,
    faults: new Set(faults),
    budget,
  }));
}
