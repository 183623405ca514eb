/** Two hosts for routers and one that watches the wire, on one LAN; and the configurations that the rows use. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Host } from '../lab/host.js';
import { keepalivedFile, vrrpInstance } from '../lab/keepalived.js';
import { type HostOptions, Lab } from '../lab/lab.js';

export const VIRTUAL_ADDRESS = '10.9.0.100';
export const VRID = 9;

export interface Stage {
  readonly lab: Lab;
  /** 10.9.0.1 */
  readonly one: Host;
  /** 10.9.0.2 */
  readonly two: Host;
  /** 10.9.0.3; sees everything that is sent to the VRRP group. */
  readonly observer: Host;
}

export type Pair = Omit<Stage, 'observer'>;

/** Runs `act` on a new stage, which is removed afterwards. */
export async function onStage<T>(act: (stage: Stage) => Promise<T>): Promise<T> {
  return await onPair(async (pair) => await act({ ...pair, observer: await pair.lab.host('three', hostOptions(3)) }));
}

/** The same without anybody who watches, to whom every packet would have to be copied. */
export async function onPair<T>(act: (pair: Pair) => Promise<T>): Promise<T> {
  const lab = await Lab.open();
  try {
    return await act({ lab, one: await lab.host('one', hostOptions(1)), two: await lab.host('two', hostOptions(2)) });
  } finally {
    await lab.close();
  }
}

function hostOptions(number: number): HostOptions {
  return { addresses: [`10.9.0.${number}/16`] };
}

export interface RouterWanted {
  readonly priority: number;
  /** Milliseconds, a multiple of ten. */
  readonly intervalMs: number;
  /** Further lines of the vrrp_instance block. */
  readonly more?: readonly string[];
  /** Further blocks of the file. */
  readonly blocks?: readonly string[];
}

/** A keepalived.conf with one virtual router. */
export function oneRouter({ priority, intervalMs, more = [], blocks = [] }: RouterWanted): string {
  const instance = vrrpInstance('VI_1', {
    vrid: VRID,
    priority,
    interval: intervalMs / 1000,
    interface: 'em1',
    addresses: [`${VIRTUAL_ADDRESS}/32`],
    more,
  });
  return keepalivedFile(...blocks, instance);
}

/** RFC 9568 section 6.1: Active_Down_Interval, of a backup that has learned this interval. */
export function activeDownMs(intervalMs: number, priority: number): number {
  return 3 * intervalMs + ((256 - priority) * intervalMs) / 256;
}

/** Some time between nothing and this, so that nothing is in step with anything. */
export async function pauseUpTo(mostMs: number): Promise<void> {
  await pause(Math.random() * mostMs);
}
