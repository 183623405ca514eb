/** What hosts have whether or not a router is active, as HostNetwork resources. */
import { HostNetworkSpec, type Resource } from '../gen/baton/v1/resources.js';
import { microsToDuration } from '../rules/duration.js';
import type { HostItems } from './config.js';
import { importAddress } from './import-addresses.js';
import type { ImportedRouters } from './import-groups.js';
import type { NamedHost } from './import-host.js';
import { joinedName, NameBook, resourceName } from './names.js';
import type { Origin } from './remark.js';
import { quoted, type Remarks } from './remarks.js';

export interface ImportedNetworks {
  readonly resources: readonly Resource[];
  /** "HostNetwork NAME" to the first item of it. */
  readonly origins: ReadonlyMap<string, Origin>;
}

interface Found {
  readonly base: string;
  readonly content: string;
  readonly spec: HostNetworkSpec;
  readonly origin: Origin;
  readonly node: string;
}

const BASE_NAME = 'host-network';

/** One for what nothing depends on, and one for each track_group; hosts with the same content share theirs. */
export function importNetworks(
  hosts: readonly NamedHost[],
  routers: ImportedRouters,
  remarks: Remarks,
): ImportedNetworks {
  const found: Found[] = [];
  for (const host of hosts) {
    for (const { base, spec, origin } of networksOf(host, routers, remarks)) {
      const content = JSON.stringify(HostNetworkSpec.toJSON(spec));
      const same = found.find((other) => other.base === base && other.content === content);
      if (same === undefined) {
        spec.nodes = [host.node];
        found.push({ base, content, spec, origin, node: host.node });
      } else same.spec.nodes.push(host.node);
    }
  }
  const book = new NameBook();
  const origins = new Map<string, Origin>();
  const resources = found.map(({ base, spec, origin, node }): Resource => {
    const isOnly = found.filter((other) => other.base === base).length === 1;
    const name = book.take(isOnly ? base : joinedName(base, node));
    origins.set(`HostNetwork ${name}`, origin);
    return {
      metadata: { name, labels: {}, generation: 0, createdAt: undefined, updatedAt: undefined },
      spec: { $case: 'hostNetwork', value: spec },
    };
  });
  return { resources, origins };
}

type Network = Pick<Found, 'base' | 'spec' | 'origin'>;

function networksOf(host: NamedHost, routers: ImportedRouters, remarks: Remarks): readonly Network[] {
  const { network } = host.config;
  const networks: Network[] = [];
  const rest = itemsOf(network, undefined);
  const [limit] = network.limits;
  const [delay] = network.delays;
  const origin = rest?.origin ?? limit?.origin ?? delay?.origin;
  if (origin !== undefined) {
    networks.push({
      base: BASE_NAME,
      origin,
      spec: HostNetworkSpec.create({
        ...rest?.spec,
        announcementLimits: network.limits.map(({ interfaces, arpInterval, neighborInterval }) => ({
          interfaces: [...interfaces],
          ...(arpInterval === 0 ? {} : { arpInterval: microsToDuration(arpInterval) }),
          ...(neighborInterval === 0 ? {} : { neighborInterval: microsToDuration(neighborInterval) }),
        })),
        interfaceDelays: network.delays.map(({ interface: name, down, up }) => ({
          interface: name,
          ...(down === 0 ? {} : { down: microsToDuration(down) }),
          ...(up === 0 ? {} : { up: microsToDuration(up) }),
        })),
      }),
    });
  }
  for (const group of network.trackGroups) {
    const items = itemsOf(network, group.name);
    const requiredBy = group.members.flatMap(({ value }) => routers.nameOf(host, value) ?? []);
    if (items === undefined) {
      remarks.note(group.origin, `track_group ${quoted(group.name)} is named by no static item; it has no effect`);
    } else {
      networks.push({
        base: resourceName(group.name, 'track-group'),
        origin: items.origin,
        spec: HostNetworkSpec.create({ ...items.spec, requiredBy }),
      });
    }
  }
  return networks;
}

/** The items of one track_group, or of none; undefined when there are none. */
function itemsOf(
  network: HostItems,
  trackGroup: string | undefined,
): { readonly spec: Pick<HostNetworkSpec, 'addresses' | 'routes' | 'rules'>; readonly origin: Origin } | undefined {
  const isIn = (item: { readonly trackGroup: string | undefined }): boolean => item.trackGroup === trackGroup;
  const addresses = network.addresses.filter(isIn);
  const routes = network.routes.filter(isIn);
  const rules = network.rules.filter(isIn);
  const origin = addresses[0]?.origin ?? routes[0]?.origin ?? rules[0]?.origin;
  if (origin === undefined) return undefined;
  return {
    origin,
    spec: {
      addresses: addresses.map(importAddress),
      routes: routes.map(({ value }) => value),
      rules: rules.map(({ value }) => value),
    },
  };
}
