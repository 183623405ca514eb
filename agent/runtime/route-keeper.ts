/**
 * Keeps virtual routes in the kernel: added after the addresses that they may need, removed before them. A route that is
 * there already becomes ours only if it is the very same, by whatever process; another one to the same destination is left
 * alone and told of.
 */
import { type IpPrefix, parseIp } from '../../proto/rules/ip.js';
import type { Instant } from '../../proto/rules/time.js';
import {
  isRequestedRoute,
  type NextHop,
  type RouteRequest,
  type Rtnetlink,
  RtnetlinkError,
  routeDestination,
} from '../link/rtnetlink.js';
import { OK, type Outcome } from '../net/system-error.js';
import type { InterfaceTable } from './interface-table.js';
import { type Asked, ItemKeeper, type ItemKernel } from './item-keeper.js';
import type { RouteSettings } from './messages.js';
import type { Outbox } from './outbox.js';
import type { RunningRouter } from './running-router.js';

type RouteCalls = Pick<Rtnetlink, 'changeRoutes' | 'routes'>;

export class RouteKeeper {
  readonly items: ItemKeeper<RouteSettings, RouteRequest>;

  constructor(kernel: RouteCalls, table: InterfaceTable, outbox: Outbox) {
    this.items = new ItemKeeper(new RouteKernel(kernel, table), outbox);
  }

  /** Adds a router's routes, or after a change of its settings what is new; what it no longer wants is removed. */
  sync(router: RunningRouter): void {
    this.items.sync(router, router.settings.routes);
    this.#mirror(router);
  }

  remove(router: RunningRouter): void {
    this.items.remove(router);
    router.heldRoutes.clear();
  }

  /** Puts back what is no longer there. True: one is lost, as ItemKeeper.restore says. */
  restore(router: RunningRouter, now: Instant): boolean {
    const isLost = this.items.restore(router, router.settings.routes, now);
    this.#mirror(router);
    return isLost;
  }

  removeLeftovers(router: RunningRouter): void {
    this.items.removeLeftovers(router, router.settings.routes);
  }

  #mirror(router: RunningRouter): void {
    router.heldRoutes.clear();
    for (const { text } of router.settings.routes) if (this.items.isHeld(router, text)) router.heldRoutes.add(text);
  }
}

class RouteKernel implements ItemKernel<RouteSettings, RouteRequest> {
  readonly kind = 'route';

  constructor(
    private readonly kernel: RouteCalls,
    private readonly table: InterfaceTable,
  ) {}

  ask(settings: RouteSettings): Asked<RouteRequest> {
    const missing = [settings.device, ...settings.nextHops.map(({ device }) => device)].find(
      (device) => device !== undefined && this.table.link(device) === undefined,
    );
    if (missing !== undefined) return { ok: false, reason: `the interface ${missing} does not exist` };
    return { ok: true, request: routeRequest(settings, (name) => this.table.link(name)?.index) };
  }

  add(requests: readonly RouteRequest[]): readonly Outcome[] {
    return this.kernel.changeRoutes('add', requests);
  }

  claim(requests: readonly RouteRequest[]): readonly Outcome[] {
    const outcomes = [...this.add(requests)];
    for (const [index, request] of requests.entries()) {
      const outcome = outcomes[index];
      if (outcome === undefined || outcome.ok || outcome.code !== 'EEXIST') continue;
      // The kernel does not say which one is there: only the very same can be deleted.
      const [deleted] = this.kernel.changeRoutes('delete', [request]);
      const [added] = deleted?.ok === true ? this.kernel.changeRoutes('add', [request]) : [];
      outcomes[index] = added ?? {
        ...outcome,
        message: `${outcome.message}; another route to the same destination with the same metric is there: remove it, or give one of them another metric`,
      };
    }
    return outcomes;
  }

  remove(requests: readonly RouteRequest[]): readonly Outcome[] {
    return this.removeLeft(requests).map((outcome) =>
      !outcome.ok && (outcome.code === 'ESRCH' || outcome.code === 'ENODEV') ? OK : outcome,
    );
  }

  isThere(request: RouteRequest): boolean {
    const { family, table, protocol } = request;
    try {
      const routes = this.kernel.routes({ family, table, protocol, destinations: [routeDestination(request)] });
      return routes.some((route) => isRequestedRoute(request, route));
    } catch (error) {
      if (!(error instanceof RtnetlinkError)) throw error;
      return false;
    }
  }

  removeLeft(requests: readonly RouteRequest[]): readonly Outcome[] {
    return this.kernel.changeRoutes('delete', requests);
  }
}

/** @param indexOf of an interface by name; all of the route's are there */
function routeRequest(settings: RouteSettings, indexOf: (name: string) => number | undefined): RouteRequest {
  const { to, via, device, source } = settings;
  const destination = prefixOf(to);
  const gateway = via === undefined ? undefined : parseIp(via);
  const interfaceIndex = device === undefined ? undefined : indexOf(device);
  const preferred = source === undefined ? undefined : parseIp(source);
  return {
    family: settings.family,
    type: settings.type,
    ...(destination === undefined ? {} : { destination }),
    ...(gateway === undefined ? {} : { gateway }),
    ...(interfaceIndex === undefined ? {} : { interfaceIndex }),
    ...(preferred === undefined ? {} : { source: preferred }),
    table: settings.table,
    ...(settings.metric === undefined ? {} : { metric: settings.metric }),
    ...(settings.scope === undefined ? {} : { scope: settings.scope }),
    protocol: settings.protocol,
    tos: settings.tos,
    onLink: settings.onLink,
    nextHops: settings.nextHops.map((hop): NextHop => {
      const hopGateway = hop.via === undefined ? undefined : parseIp(hop.via);
      const hopIndex = hop.device === undefined ? undefined : indexOf(hop.device);
      return {
        ...(hopGateway === undefined ? {} : { gateway: hopGateway }),
        ...(hopIndex === undefined ? {} : { interfaceIndex: hopIndex }),
        weight: hop.weight,
        onLink: hop.onLink,
      };
    }),
    metrics: settings.metrics,
    lockedMetrics: settings.lockedMetrics,
    ...(settings.congestionControl === undefined ? {} : { congestionControl: settings.congestionControl }),
    ...(settings.preference === undefined ? {} : { preference: settings.preference }),
    append: settings.append,
  };
}

/** For text that problemsOf (configuration.ts) has accepted. */
export function prefixOf(
  prefix: { readonly address: string; readonly prefixLength: number } | undefined,
): IpPrefix | undefined {
  const address = prefix === undefined ? undefined : parseIp(prefix.address);
  return prefix === undefined || address === undefined ? undefined : { address, prefixLength: prefix.prefixLength };
}
