/**
 * The smallest way from one configuration to the next. Pure.
 *
 * What a router is to everybody on the LAN is its family, VRID, version, interface and transport: one that keeps these is
 * the same router whatever it is called, and never drops an address that it keeps. One that does not is another router:
 * the old one stops and the new one starts.
 */
import type { RouterSettings } from './messages.js';

export interface ChangedRouter {
  /** The name that it has until now. */
  readonly name: string;
  readonly settings: RouterSettings;
}

export interface Change {
  /** Names of routers to stop. */
  readonly stop: readonly string[];
  /** Routers that go on, changed. */
  readonly change: readonly ChangedRouter[];
  readonly start: readonly RouterSettings[];
}

/** The way from what runs to what is wanted, which problemsOf has found no fault with. */
export function changeBetween(running: readonly RouterSettings[], wanted: readonly RouterSettings[]): Change {
  const left = new Map(running.map((settings) => [identityOf(settings), settings]));
  const change: ChangedRouter[] = [];
  const start: RouterSettings[] = [];
  for (const settings of wanted) {
    const identity = identityOf(settings);
    const former = left.get(identity);
    if (former === undefined) {
      start.push(settings);
      continue;
    }
    left.delete(identity);
    if (!isEqual(former, settings)) change.push({ name: former.router.name, settings });
  }
  return { stop: [...left.values()].map(({ router }) => router.name), change, start };
}

/** Equal for two settings of the same router (as keepalived matches instances when it reloads). */
export function identityOf({ router, family, interface: device, peers, sourceAddress, virtualMac }: RouterSettings) {
  const transport = peers === undefined ? 'multicast' : `unicast ${sourceAddress ?? ''}`;
  return `${family} ${router.vrid} ${router.version} ${device} ${transport} ${virtualMac?.name ?? ''}`;
}

/** Deep equality of plain data. Fields that are undefined and fields that are absent are the same. */
export function isEqual(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  const left = a as Readonly<Record<string, unknown>>;
  const right = b as Readonly<Record<string, unknown>>;
  for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
    if (!isEqual(left[key], right[key])) return false;
  }
  return true;
}
