/**
 * Routes to the destinations that somebody here wants to know of, as last known: filled by a dump, kept by the link
 * monitor's events.
 */
import { familyOf, formatIpPrefix, type IpAddress, type IpPrefix, networkAddressOf } from '../../proto/rules/ip.js';
import type { Link, Route } from '../link/rtnetlink.js';

/** IFF_UP of linux/if.h. */
const IFF_UP = 0x1;

export interface WatchedRoute {
  readonly prefix: IpPrefix;
  readonly table: number;
}

export class RouteTable {
  /** By destination and table. */
  readonly #routes = new Map<string, Route[]>();
  #watched = new Map<string, WatchedRoute>();
  /** Whether interfaces are up and have carrier, as told since the dump. */
  readonly #up = new Map<number, boolean>();

  /** What is wanted from now on; what is known of it is to be dumped. True: it differs from before. */
  watch(routes: readonly WatchedRoute[]): boolean {
    const watched = new Map(routes.map((route) => [keyOf(route.prefix, route.table), route]));
    const isSame = watched.size === this.#watched.size && [...watched.keys()].every((key) => this.#watched.has(key));
    this.#watched = watched;
    for (const key of this.#routes.keys()) if (!watched.has(key)) this.#routes.delete(key);
    return !isSame;
  }

  get destinations(): readonly IpPrefix[] {
    return [...new Map([...this.#watched.values()].map(({ prefix }) => [formatIpPrefix(prefix), prefix])).values()];
  }

  /** Family and table of everything that is watched, each pair once. */
  get dumps(): readonly { readonly family: 4 | 6; readonly table: number }[] {
    const dumps = new Map<string, { readonly family: 4 | 6; readonly table: number }>();
    for (const { prefix, table } of this.#watched.values()) {
      const family = familyOf(prefix.address);
      dumps.set(`${family} ${table}`, { family, table });
    }
    return [...dumps.values()];
  }

  /** Everything anew. */
  replace(routes: Iterable<Route>): void {
    this.#routes.clear();
    this.#up.clear();
    for (const route of routes) this.added(route);
  }

  added(route: Route): void {
    const key = keyOf(destinationOf(route), route.table);
    if (!this.#watched.has(key)) return;
    const others = (this.#routes.get(key) ?? []).filter((other) => !isSame(other, route));
    this.#routes.set(key, [...others, route]);
  }

  removed(route: Route): void {
    this.#map((other) => (isSame(other, route) ? undefined : other));
  }

  /**
   * The kernel removes IPv4 routes over an interface that goes down without telling of them, and does not tell either
   * that those over one without carrier lead nowhere, or lead somewhere again.
   */
  linkChanged(link: Link): void {
    if ((link.flags & IFF_UP) === 0) this.linkRemoved(link.index);
    this.#up.set(link.index, link.isUp);
  }

  linkRemoved(index: number): void {
    this.#up.delete(index);
    this.#map((route) => {
      const { nextHops } = route;
      if (nextHops.length === 0) return route.interfaceIndex === index ? undefined : route;
      // What is left when the last of its interfaces goes is nothing.
      const left = nextHops.filter((hop) => hop.interfaceIndex !== index);
      if (left.length === nextHops.length) return route;
      return left.length === 0 ? undefined : { ...route, nextHops: left };
    });
  }

  /** So it does with those that prefer an address that goes as their source. */
  addressRemoved(address: IpAddress): void {
    this.#map((route) => (route.source === address ? undefined : route));
  }

  /** Whether there is a route to exactly this destination in the table, that leads somewhere. */
  has({ prefix, table }: WatchedRoute): boolean {
    return this.#routes.get(keyOf(prefix, table))?.some((route) => this.#leads(route)) === true;
  }

  #leads({ nextHops, interfaceIndex, isDead }: Route): boolean {
    const indexes = nextHops.length > 0 ? nextHops.map((hop) => hop.interfaceIndex) : [interfaceIndex];
    return indexes.some((index) => (index === undefined ? undefined : this.#up.get(index)) ?? !isDead);
  }

  /** Undefined: it is gone. */
  #map(leftOf: (route: Route) => Route | undefined): void {
    for (const [key, routes] of this.#routes) {
      const left = routes.flatMap((route) => leftOf(route) ?? []);
      if (left.length > 0) this.#routes.set(key, left);
      else this.#routes.delete(key);
    }
  }
}

/** The kernel has at most one with these. */
function isSame(a: Route, b: Route): boolean {
  return (
    a.table === b.table &&
    a.metric === b.metric &&
    a.tos === b.tos &&
    a.interfaceIndex === b.interfaceIndex &&
    a.gateway === b.gateway &&
    formatIpPrefix(destinationOf(a)) === formatIpPrefix(destinationOf(b))
  );
}

function destinationOf({ destination, family }: Route): IpPrefix {
  return destination ?? { address: family === 6 ? 0n : 0, prefixLength: 0 };
}

function keyOf(prefix: IpPrefix, table: number): string {
  return `${formatIpPrefix({ address: networkAddressOf(prefix), prefixLength: prefix.prefixLength })} ${table}`;
}
