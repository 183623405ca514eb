/**
 * What resources say of each other: identifiers, addresses and interfaces that two would share on one node, members
 * without what they track, and what is declared and used by nothing.
 */
import type { Resource, VirtualRouterSpec } from '../gen/baton/v1/resources.js';
import { canonicalIp } from './compile-address.js';
import {
  advertisementIntervalOf,
  downTimerAdvertisementsOf,
  familyOfRouter,
  OWNER_PRIORITY,
  priorityOf,
} from './defaults.js';
import { durationToMicros, formatDuration } from './duration.js';
import { quote } from './field-rules.js';
import { formatIp, type IpAddress, parseIpPrefix } from './ip.js';
import { type CheckKinds, strippedTo, subjectOf } from './tracks.js';

/** Where findings go. */
export interface Findings {
  error(resource: Resource, path: string, message: string): void;
  warning(resource: Resource, path: string, message: string): void;
}

type SpecCase = NonNullable<Resource['spec']>['$case'];
type SpecOf<C extends SpecCase> = Extract<NonNullable<Resource['spec']>, { $case: C }>['value'];

interface Declared<C extends SpecCase> {
  readonly resource: Resource;
  readonly name: string;
  readonly spec: SpecOf<C>;
}

function declared<C extends SpecCase>(resources: readonly Resource[], kind: C): readonly Declared<C>[] {
  return resources.flatMap((resource) =>
    resource.spec?.$case === kind
      ? // The case was just compared; the compiler cannot narrow a union by a type parameter.
        [{ resource, name: resource.metadata?.name ?? '', spec: resource.spec.value as SpecOf<C> }]
      : [],
  );
}

export function judgeCluster(resources: readonly Resource[], kinds: CheckKinds, findings: Findings): void {
  const routers = declared(resources, 'virtualRouter');
  checkIdentifiers(routers, findings);
  checkSharedAddresses(routers, declared(resources, 'hostNetwork'), findings);
  checkMacNames(routers, findings);
  checkGroups(declared(resources, 'syncGroup'), routers, kinds, findings);
  checkSessions(declared(resources, 'bfdSession'), declared(resources, 'syncGroup'), routers, findings);
  checkHostNetworks(declared(resources, 'hostNetwork'), routers, findings);
}

type Router = Declared<'virtualRouter'>;
type Group = Declared<'syncGroup'>;
type HostNetwork = Declared<'hostNetwork'>;

/** RFC 9568 section 1.6: a VRID names one virtual router of a family on a LAN. */
function checkIdentifiers(routers: readonly Router[], findings: Findings): void {
  const users = new Map<string, Router>();
  for (const router of routers) {
    const { spec } = router;
    const family = familyOfRouter(spec);
    for (const [index, member] of spec.members.entries()) {
      const place = JSON.stringify([member.node, member.interface, spec.vrid, family]);
      const first = users.get(place);
      if (first !== undefined && first !== router) {
        const message =
          `VirtualRouter ${quote(first.name)} uses vrid ${spec.vrid} on ${member.interface} of ${member.node} already` +
          `${family === 6 ? ', for IPv6 too' : ''}; give another vrid`;
        findings.error(router.resource, `spec.members[${index}]`, message);
      } else {
        users.set(place, router);
      }
    }
  }
}

interface AddressUse {
  readonly owner: Router | HostNetwork;
  readonly kind: 'VirtualRouter' | 'HostNetwork';
  readonly path: string;
  readonly nodes: ReadonlySet<string>;
}

/** Two owners on one node cannot have the same address; on different nodes they can, if the networks are apart. */
function checkSharedAddresses(routers: readonly Router[], networks: readonly HostNetwork[], findings: Findings): void {
  const users = new Map<IpAddress, AddressUse[]>();
  const add = (text: string, use: AddressUse): void => {
    const address = parseIpPrefix(text)?.address;
    if (address === undefined) {
      return;
    }
    const all = users.get(address) ?? [];
    const reported = new Set<unknown>();
    for (const other of all) {
      if (other.owner === use.owner || reported.has(other.owner)) {
        continue;
      }
      reported.add(other.owner);
      const shared = [...use.nodes].find((node) => other.nodes.has(node));
      const taken = `${formatIp(address)} is an address of ${other.kind} ${quote(other.owner.name)}`;
      if (shared !== undefined) {
        findings.error(use.owner.resource, use.path, `${taken} already, and node ${shared} runs both`);
      } else if (other.kind === use.kind) {
        findings.warning(use.owner.resource, use.path, `${taken} too; right only if their networks are apart`);
      }
    }
    users.set(address, [...all, use]);
  };
  for (const owner of routers) {
    const nodes = new Set(owner.spec.members.map(({ node }) => node));
    for (const list of ['addresses', 'excludedAddresses'] as const) {
      for (const [index, { address }] of owner.spec[list].entries()) {
        add(address, { owner, kind: 'VirtualRouter', path: `spec.${list}[${index}]`, nodes });
      }
    }
  }
  for (const owner of networks) {
    for (const [index, { address }] of owner.spec.addresses.entries()) {
      const path = `spec.addresses[${index}]`;
      add(address, { owner, kind: 'HostNetwork', path, nodes: new Set(owner.spec.nodes) });
    }
  }
}

/** One interface has one name on a node. Names that nobody chose are made so that they differ. */
function checkMacNames(routers: readonly Router[], findings: Findings): void {
  const users = new Map<string, Router>();
  const bases = new Map<string, Router>();
  for (const router of routers) {
    for (const { node, interface: device } of router.spec.members) {
      bases.set(JSON.stringify([node, device]), router);
    }
  }
  for (const router of routers) {
    const name = router.spec.virtualMac?.name ?? '';
    if (name === '') {
      continue;
    }
    for (const { node } of router.spec.members) {
      const place = JSON.stringify([node, name]);
      const first = users.get(place) ?? bases.get(place);
      if (first !== undefined && first !== router) {
        const message = `VirtualRouter ${quote(first.name)} uses the interface ${name} on ${node} already; choose another name`;
        findings.error(router.resource, 'spec.virtualMac.name', message);
        break;
      }
      users.set(place, router);
    }
  }
}

function checkGroups(
  groups: readonly Group[],
  routers: readonly Router[],
  kinds: CheckKinds,
  findings: Findings,
): void {
  const groupOf = new Map<string, Group>();
  for (const group of groups) {
    for (const [index, name] of group.spec.routers.entries()) {
      const first = groupOf.get(name);
      if (first !== undefined && first !== group) {
        const message = `${quote(name)} is in SyncGroup ${quote(first.name)} already; a router is in one group only`;
        findings.error(group.resource, `spec.routers[${index}]`, message);
      } else {
        groupOf.set(name, group);
      }
    }
    const members = group.spec.routers.flatMap((name) => routers.find((router) => router.name === name) ?? []);
    lintGroup(group, members, kinds, findings);
  }
}

function lintGroup(group: Group, members: readonly Router[], kinds: CheckKinds, findings: Findings): void {
  if (group.spec.routers.length === 1) {
    findings.warning(group.resource, 'spec.routers', 'has one router only, which moves alone');
  }
  const nodes = new Set(members.flatMap(({ spec }) => spec.members.map(({ node }) => node)));
  for (const { name, spec } of members) {
    const missing = [...nodes].filter((node) => !spec.members.some((member) => member.node === node)).sort();
    if (missing.length > 0) {
      const index = group.spec.routers.indexOf(name);
      findings.warning(
        group.resource,
        `spec.routers[${index}]`,
        `${quote(name)} has no member on ${missing.join(', ')}, where others of the group run: there they move without it`,
      );
    }
  }
  for (const node of [...nodes].sort()) {
    const here = members.flatMap(({ spec }) => spec.members.filter((member) => member.node === node));
    const owners = here.filter((member) => priorityOf(member) === OWNER_PRIORITY).length;
    if (owners > 0 && owners < here.length) {
      const message = `on ${node} some routers own their addresses (priority 255) and some do not: all of them start as backup`;
      findings.warning(group.resource, 'spec.routers', message);
    }
  }
  for (const member of members) {
    lintGroupTracks(group, member, kinds, findings);
  }
}

/** A group's own tracks count for all of its members alike; a member's would pull the group apart. */
function lintGroupTracks(group: Group, { resource, spec }: Router, kinds: CheckKinds, findings: Findings): void {
  const places = [
    ...spec.track.map((track, index) => ({ track, path: `spec.track[${index}]` })),
    ...spec.members.flatMap((member, at) =>
      member.track.map((track, index) => ({ track, path: `spec.members[${at}].track[${index}]` })),
    ),
  ];
  const shared = new Set(group.spec.track.map(subjectOf));
  for (const { track, path } of places) {
    if (track.weight !== 0 && !group.spec.trackingWeight) {
      const becomes =
        strippedTo(track, kinds) === 'fault' ? 'counts as weight 0, so that it puts the group in fault' : 'is left out';
      findings.warning(
        resource,
        `${path}.weight`,
        `${subjectOf(track)} ${becomes}: SyncGroup ${quote(group.name)} lets no weights of its routers count; ` +
          'track it in the group, or set trackingWeight there',
      );
    } else if (shared.has(subjectOf(track))) {
      const message = `${subjectOf(track)} is tracked by SyncGroup ${quote(group.name)} too; this one counts here`;
      findings.warning(resource, path, message);
    }
  }
}

/** A track of a session that a node has no end of would never have a result. */
function checkSessions(
  sessions: readonly Declared<'bfdSession'>[],
  groups: readonly Group[],
  routers: readonly Router[],
  findings: Findings,
): void {
  const ends = new Map(sessions.map(({ name, spec }) => [name, new Set(spec.endpoints.map(({ node }) => node))]));
  const used = new Set<string>();
  const judge = (resource: Resource, path: string, bfd: string, nodes: readonly string[]): void => {
    const here = ends.get(bfd);
    if (bfd === '' || here === undefined) {
      return;
    }
    used.add(bfd);
    const missing = nodes.filter((node) => !here.has(node));
    if (missing.length > 0) {
      const message = `BfdSession ${quote(bfd)} has no endpoint on ${missing.join(', ')}; add it there, or track it in members`;
      findings.error(resource, `${path}.bfd`, message);
    }
  };
  const nodesOf = (spec: VirtualRouterSpec): string[] => spec.members.map(({ node }) => node);
  for (const { resource, spec } of routers) {
    for (const [index, { bfd }] of spec.track.entries()) {
      judge(resource, `spec.track[${index}]`, bfd, nodesOf(spec));
    }
    for (const [at, member] of spec.members.entries()) {
      for (const [index, { bfd }] of member.track.entries()) {
        judge(resource, `spec.members[${at}].track[${index}]`, bfd, [member.node]);
      }
    }
  }
  for (const { resource, spec } of groups) {
    const nodes = routers.filter(({ name }) => spec.routers.includes(name)).flatMap((router) => nodesOf(router.spec));
    for (const [index, { bfd }] of spec.track.entries()) {
      judge(resource, `spec.track[${index}]`, bfd, [...new Set(nodes)].sort());
    }
  }
  checkSessionTwins(sessions, findings);
  for (const { resource, name } of sessions) {
    if (!used.has(name)) {
      findings.warning(resource, '', 'no router tracks this session, so it never runs');
    }
  }
}

/** RFC 5881 section 3: one session between two systems over one interface. */
function checkSessionTwins(sessions: readonly Declared<'bfdSession'>[], findings: Findings): void {
  const users = new Map<string, string>();
  for (const { resource, name, spec } of sessions) {
    for (const [index, end] of spec.endpoints.entries()) {
      const key = JSON.stringify([end.node, canonicalIp(end.neighbor), end.interface, spec.multihop]);
      const first = users.get(key);
      if (first !== undefined && first !== name) {
        const message = `BfdSession ${quote(first)} is with ${end.neighbor} on ${end.node} already; track that one`;
        findings.error(resource, `spec.endpoints[${index}].neighbor`, message);
      }
      users.set(key, name);
    }
  }
}

function checkHostNetworks(networks: readonly HostNetwork[], routers: readonly Router[], findings: Findings): void {
  const limits = new Map<string, string>();
  const delays = new Map<string, string>();
  for (const { resource, name, spec } of networks) {
    for (const node of spec.nodes) {
      const claim = (taken: Map<string, string>, device: string, path: string): void => {
        const key = JSON.stringify([node, device]);
        const first = taken.get(key);
        if (first !== undefined && first !== name) {
          const message = `HostNetwork ${quote(first)} says this of ${device} on ${node} already; remove one`;
          findings.error(resource, path, message);
        }
        taken.set(key, name);
      };
      for (const [index, limit] of spec.announcementLimits.entries()) {
        for (const [position, device] of limit.interfaces.entries()) {
          claim(limits, device, `spec.announcementLimits[${index}].interfaces[${position}]`);
        }
      }
      for (const [index, delay] of spec.interfaceDelays.entries()) {
        claim(delays, delay.interface, `spec.interfaceDelays[${index}].interface`);
      }
    }
    for (const [index, wanted] of spec.requiredBy.entries()) {
      const router = routers.find((one) => one.name === wanted);
      if (router !== undefined && !router.spec.members.some(({ node }) => spec.nodes.includes(node))) {
        const message = `VirtualRouter ${quote(wanted)} runs on none of the nodes, so this has no effect`;
        findings.warning(resource, `spec.requiredBy[${index}]`, message);
      }
    }
    lintDelays({ resource, name, spec }, routers, findings);
  }
}

/**
 * A router that does not believe for long that its interface is down goes on as active while another takes over:
 * keepalived shortens the delay to (down_timer_adverts - 1) intervals less a 256th.
 */
function lintDelays(network: HostNetwork, routers: readonly Router[], findings: Findings): void {
  for (const [index, delay] of network.spec.interfaceDelays.entries()) {
    const down = durationToMicros(delay.down);
    for (const { name, spec } of routers) {
      const isConcerned = spec.members.some(
        (member) => member.interface === delay.interface && network.spec.nodes.includes(member.node),
      );
      const interval = advertisementIntervalOf(spec);
      const most = (downTimerAdvertisementsOf(spec) - 1) * interval - Math.floor(interval / 256);
      if (isConcerned && down > most) {
        const message =
          `is longer than the ${formatDuration(Math.max(0, most))} after which the others of VirtualRouter ` +
          `${quote(name)} may take over; two could be active for that long`;
        findings.warning(network.resource, `spec.interfaceDelays[${index}].down`, message);
      }
    }
  }
}
