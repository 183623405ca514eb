/** Which route is which: knowing again in dumps and events what was asked for. Pure. */
import { formatIpPrefix, type IpPrefix, networkAddressOf } from '../../proto/rules/ip.js';
import { defaultScope, type NextHop, type Route, type RouteRequest } from './rtnetlink-route.js';

/** The kernel's metric of an IPv6 route that was given none. */
const IPV6_METRIC = 1024;

/**
 * What the kernel tells routes apart by, as text: a second one with the same key is refused with EEXIST, or is another
 * way to the same destination if it is appended.
 */
export function routeKey(route: Route | RouteRequest): string {
  const { family, destination, table, tos } = route;
  const to = destination === undefined ? 'default' : formatIpPrefix(networkOf(destination));
  // IPv6 has no tos, and takes metric 0 as none.
  return family === 6
    ? `6 ${to} table ${table} metric ${route.metric || IPV6_METRIC}`
    : `4 ${to} table ${table} tos ${tos} metric ${route.metric ?? 0}`;
}

/** The destination as a prefix, the default route's being 0.0.0.0/0 or ::/0. */
export function routeDestination({ family, destination }: Pick<Route, 'family' | 'destination'>): IpPrefix {
  if (destination !== undefined) return networkOf(destination);
  return { address: family === 6 ? 0n : 0, prefixLength: 0 };
}

/** Whether the kernel's route is the one that was asked for. What the request leaves open may be anything. */
export function isRequestedRoute(request: RouteRequest, route: Route): boolean {
  const { source, preference } = request;
  return (
    routeKey(request) === routeKey(route) &&
    request.type === route.type &&
    request.protocol === route.protocol &&
    (request.family === 6 || (request.scope ?? defaultScope(request)) === route.scope) &&
    (source === undefined || source === route.source) &&
    (preference ?? 0) === (route.preference ?? 0) &&
    haveSameMetrics(request, route) &&
    haveSameHops(request, route)
  );
}

function haveSameMetrics(request: RouteRequest, route: Route): boolean {
  return (
    request.metrics.length === route.metrics.length &&
    request.metrics.every(({ metric, value }) =>
      route.metrics.some((its) => its.metric === metric && its.value === value),
    ) &&
    request.lockedMetrics === route.lockedMetrics &&
    request.congestionControl === route.congestionControl
  );
}

/** The kernel keeps no order of the next hops of IPv6, and of one alone no weight. */
function haveSameHops(request: RouteRequest, route: Route): boolean {
  const wanted = hopsOf(request);
  const there = hopsOf(route);
  return (
    wanted.length === there.length &&
    wanted.every(({ gateway, interfaceIndex, weight }) =>
      there.some(
        (hop) =>
          hop.gateway === gateway &&
          (interfaceIndex === undefined || hop.interfaceIndex === interfaceIndex) &&
          (wanted.length === 1 || hop.weight === weight),
      ),
    )
  );
}

function hopsOf({ nextHops, gateway, interfaceIndex, onLink }: Route | RouteRequest): readonly NextHop[] {
  if (nextHops.length > 0) return nextHops;
  return [
    {
      ...(gateway === undefined ? {} : { gateway }),
      ...(interfaceIndex === undefined ? {} : { interfaceIndex }),
      weight: 1,
      onLink,
    },
  ];
}

function networkOf(prefix: IpPrefix): IpPrefix {
  return { address: networkAddressOf(prefix), prefixLength: prefix.prefixLength };
}
