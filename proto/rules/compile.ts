/**
 * Resources to bundles: what one node must run, with nothing left to decide. Deterministic: the same resources in any
 * order give the same bytes, so that the hash of a bundle changes only if the node's work does.
 */
import type { Bundle, BundleBfdSession, BundleCheck, BundleGroup, BundleHostNetwork } from '../gen/baton/v1/bundle.js';
import type { Resource } from '../gen/baton/v1/resources.js';
import { canonicalIp, compileAddress, compileRoute, compileRule } from './compile-address.js';
import { compileRouter } from './compile-router.js';
import { bfdWithDefaults, checkWithDefaults, hooksWithDefaults, syncPolicyOf } from './defaults.js';
import { durationToMicros, microsToDuration } from './duration.js';
import { bfdSessionsOf, compareText, groupsOf, hostNetworksOf, routersOf } from './names.js';
import { checkKindsOf, groupOfRouter, tracksOfMember } from './tracks.js';
import { virtualMacNames } from './virtual-mac-names.js';

/**
 * What a node must run. A node that no router and no host network names has an empty bundle.
 * @param resources All of them, free of validateResources' errors.
 */
export function compileBundle(resources: readonly Resource[], nodeName: string): Bundle {
  const secrets = new Map<string, string>();
  for (const { metadata, spec } of resources) {
    if (spec?.$case === 'secret') {
      secrets.set(metadata?.name ?? '', spec.value.value);
    }
  }
  const named = routersOf(resources);
  const macNames = virtualMacNames(named, nodeName);
  const groups = groupOfRouter(resources);
  const kinds = checkKindsOf(resources);
  const routers = named.flatMap((router) => {
    const member = router.spec.members.find(({ node }) => node === nodeName);
    if (member === undefined) {
      return [];
    }
    const track = tracksOfMember(router.spec, member, groups.get(router.name), kinds);
    return [compileRouter(router, member, { secrets, virtualMacName: macNames.get(router.name), track })];
  });
  const here = new Set(routers.map(({ name }) => name));
  const checks = new Set(routers.flatMap(({ track }) => track.map(({ check }) => check)));
  const sessions = new Set(routers.flatMap(({ track }) => track.map(({ bfd }) => bfd)));
  return {
    node: nodeName,
    routers,
    checks: compileChecks(resources, checks),
    groups: compileGroups(resources, here),
    bfdSessions: compileSessions(resources, sessions, nodeName),
    hostNetworks: compileHostNetworks(resources, here, nodeName),
  };
}

/** Names of every node that is declared or has something to run, sorted. */
export function nodesOf(resources: readonly Resource[]): string[] {
  const names = new Set<string>();
  for (const { metadata, spec } of resources) {
    if (spec?.$case === 'node') {
      names.add(metadata?.name ?? '');
    } else if (spec?.$case === 'virtualRouter') {
      for (const { node } of spec.value.members) {
        names.add(node);
      }
    } else if (spec?.$case === 'hostNetwork') {
      for (const node of spec.value.nodes) {
        names.add(node);
      }
    }
  }
  return [...names].sort(compareText);
}

function compileChecks(resources: readonly Resource[], tracked: ReadonlySet<string>): BundleCheck[] {
  return resources
    .flatMap(({ metadata, spec }): BundleCheck[] => {
      const name = metadata?.name ?? '';
      return spec?.$case === 'check' && tracked.has(name) ? [{ name, spec: checkWithDefaults(spec.value) }] : [];
    })
    .sort((a, b) => compareText(a.name, b.name));
}

/** A group of which nothing runs here is none of this node's business. */
function compileGroups(resources: readonly Resource[], here: ReadonlySet<string>): BundleGroup[] {
  return groupsOf(resources).flatMap(({ name, displayName, spec }) => {
    const routers = [...new Set(spec.routers)].filter((router) => here.has(router)).sort(compareText);
    return routers.length === 0
      ? []
      : [{ name, routers, policy: syncPolicyOf(spec), hooks: hooksWithDefaults(spec.hooks), displayName }];
  });
}

function compileSessions(
  resources: readonly Resource[],
  tracked: ReadonlySet<string>,
  nodeName: string,
): BundleBfdSession[] {
  return bfdSessionsOf(resources).flatMap(({ name, spec }) => {
    const endpoint = spec.endpoints.find(({ node }) => node === nodeName);
    if (endpoint === undefined || !tracked.has(name)) {
      return [];
    }
    return [
      {
        name,
        neighbor: canonicalIp(endpoint.neighbor),
        source: canonicalIp(endpoint.source),
        interface: endpoint.interface,
        ...bfdWithDefaults(spec),
      },
    ];
  });
}

function compileHostNetworks(
  resources: readonly Resource[],
  here: ReadonlySet<string>,
  nodeName: string,
): BundleHostNetwork[] {
  return hostNetworksOf(resources).flatMap(({ name, spec }) => {
    if (!spec.nodes.includes(nodeName)) {
      return [];
    }
    return [
      {
        name,
        spec: {
          nodes: [nodeName],
          addresses: spec.addresses.map((address) => compileAddress(address, '')),
          routes: spec.routes.map((route) => compileRoute(route, '', 4)),
          rules: spec.rules.map((rule) => compileRule(rule, 4)),
          requiredBy: [...new Set(spec.requiredBy)].filter((router) => here.has(router)).sort(compareText),
          announcementLimits: spec.announcementLimits.map((limit) => ({
            interfaces: [...new Set(limit.interfaces)].sort(compareText),
            arpInterval: filledIn(limit.arpInterval),
            neighborInterval: filledIn(limit.neighborInterval),
          })),
          interfaceDelays: spec.interfaceDelays
            .map((delay) => ({ interface: delay.interface, down: filledIn(delay.down), up: filledIn(delay.up) }))
            .sort((a, b) => compareText(a.interface, b.interface)),
        },
      },
    ];
  });
}

function filledIn(duration: Parameters<typeof durationToMicros>[0]): ReturnType<typeof microsToDuration> {
  return microsToDuration(durationToMicros(duration));
}
