/** The cluster on one screen, and what is wrong with it. Pure. */
import type { Member, Resource } from '../../proto/gen/baton/v1/resources.js';
import { type GroupStatus, MemberState, type RouterStatus } from '../../proto/gen/baton/v1/status.js';
import type {
  ClusterStatus,
  GroupMember,
  GroupOverview,
  MailOverview,
  MemberOverview,
  NodeOverview,
  RouterOverview,
} from '../../proto/gen/baton/v1/status_service.js';
import { familyOfRouter, syncPolicyOf, virtualMacAddressOf } from '../../proto/rules/defaults.js';
import { compareText, groupsOf, type NamedGroup, type NamedRouter, routersOf } from '../../proto/rules/names.js';
import { singleLine } from '../../proto/rules/printable-text.js';
import type { NodeView } from '../agents/agent-hub.js';

const DEFAULT_PRIORITY = 100;
/** A stranger that answered for an address and was not heard since is a matter of the past. */
const CONFLICT_SHOWN_MS = 600_000;

export interface OverviewInput {
  readonly now: Date;
  readonly generation: number;
  readonly resources: Iterable<Resource>;
  /** By name. */
  readonly nodes: ReadonlyMap<string, NodeView>;
  readonly mail: MailOverview;
}

export function clusterStatus({ now, generation, resources, nodes, mail }: OverviewInput): ClusterStatus {
  // One pass over what every node reported, not one search per member.
  const reported = new Map<string, ReadonlyMap<string, RouterStatus>>();
  for (const node of nodes.values()) {
    reported.set(node.name, new Map((node.status?.routers ?? []).map((router) => [router.name, router])));
  }
  const all = [...resources];
  const routers = routersOf(all);
  const groups = groupsOf(all);
  const groupOf = new Map(groups.flatMap(({ name, spec }) => spec.routers.map((router) => [router, name] as const)));
  return {
    capturedAt: now,
    generation,
    routers: routers.map((router) => ({
      ...routerOverview(router, nodes, reported, now.getTime()),
      group: groupOf.get(router.name) ?? '',
    })),
    groups: groups.map((group) => groupOverview(group, routers, nodes)),
    nodes: [...nodes.values()].sort((a, b) => compareText(a.name, b.name)).map(nodeOverview),
    mail,
  };
}

function routerOverview(
  { name, spec }: NamedRouter,
  nodes: ReadonlyMap<string, NodeView>,
  reported: ReadonlyMap<string, ReadonlyMap<string, RouterStatus>>,
  now: number,
): Omit<RouterOverview, 'group'> {
  const members = spec.members.map((member) =>
    memberOverview(member, nodes.get(member.node), reported.get(member.node)?.get(name)),
  );
  return {
    name,
    vrid: spec.vrid,
    addresses: spec.addresses.map(({ address }) => address),
    members,
    problems: [...problemsOf(members, nodes), ...conflictsOf(name, members, reported, now)],
    family: familyOfRouter(spec),
    virtualMac: spec.virtualMac === undefined ? '' : virtualMacAddressOf(spec),
  };
}

/** Strangers that answer for the router's addresses, as connected members saw them; each once. */
function conflictsOf(
  router: string,
  members: readonly MemberOverview[],
  reported: ReadonlyMap<string, ReadonlyMap<string, RouterStatus>>,
  now: number,
): string[] {
  const seenBy = new Map<string, string[]>();
  for (const { node, connected } of members) {
    for (const { address, mac, last } of reported.get(node)?.get(router)?.conflicts ?? []) {
      if (!connected || now - (last?.getTime() ?? 0) > CONFLICT_SHOWN_MS) continue;
      const what = singleLine(`${mac} answers for ${address}`, 120);
      seenBy.set(what, [...new Set([...(seenBy.get(what) ?? []), node])]);
    }
  }
  return [...seenBy].map(([what, seers]) => `${what}, seen by ${seers.join(', ')}`);
}

function groupOverview(
  { name, spec }: NamedGroup,
  routers: readonly NamedRouter[],
  nodes: ReadonlyMap<string, NodeView>,
): GroupOverview {
  const ours = routers.filter((router) => spec.routers.includes(router.name));
  const names = new Set(ours.flatMap((router) => router.spec.members.map(({ node }) => node)));
  const members = [...names].sort(compareText).map((node) => groupMember(node, name, nodes.get(node)));
  return {
    name,
    routers: ours.map((router) => router.name),
    policy: syncPolicyOf(spec),
    members,
    problems: groupProblems(name, ours, members, nodes),
  };
}

function groupMember(node: string, group: string, view: NodeView | undefined): GroupMember {
  const status: GroupStatus | undefined = view?.status?.groups.find((one) => one.name === group);
  return {
    node,
    state: status?.state ?? MemberState.UNSPECIFIED,
    since: status?.since,
    reported: status !== undefined,
    connected: view?.connected ?? false,
  };
}

/** What the routers' own problems do not tell: that they are active on different nodes. */
function groupProblems(
  group: string,
  routers: readonly NamedRouter[],
  members: readonly GroupMember[],
  nodes: ReadonlyMap<string, NodeView>,
): string[] {
  const problems: string[] = [];
  const activeOn = new Map<string, string>();
  for (const { node, connected } of members) {
    if (!connected) continue;
    for (const router of routers) {
      const status = nodes.get(node)?.status?.routers.find(({ name }) => name === router.name);
      if (status?.state === MemberState.ACTIVE) activeOn.set(router.name, node);
    }
  }
  if (new Set(activeOn.values()).size > 1) {
    const where = [...activeOn].map(([router, node]) => `${router} on ${node}`).join(', ');
    problems.push(`its routers are active on different nodes: ${where}`);
  }
  for (const { node, connected, reported, state } of members) {
    if (connected && reported && state === MemberState.FAULT) problems.push(`${group} is in fault on ${node}`);
  }
  return problems;
}

function memberOverview(member: Member, node: NodeView | undefined, router: RouterStatus | undefined): MemberOverview {
  return {
    node: member.node,
    interface: router?.interface ?? member.interface,
    state: router?.state ?? MemberState.UNSPECIFIED,
    basePriority: member.priority === 0 ? DEFAULT_PRIORITY : member.priority,
    effectivePriority: router?.effectivePriority ?? 0,
    since: router?.since,
    cause: router?.cause ?? '',
    holdsAddresses:
      router !== undefined &&
      // An election without addresses has nothing to hold but the role.
      (router.addresses.length > 0 || router.state === MemberState.ACTIVE) &&
      router.addresses.every((address) => router.heldAddresses.includes(address)),
    reported: router !== undefined,
    connected: node?.connected ?? false,
    lastSeen: node === undefined || node.lastSeen === 0 ? undefined : new Date(node.lastSeen),
    bundleCurrent: node?.wanted !== undefined && node.status?.bundle?.hash === node.wanted.hash,
  };
}

/** Worst first. Only what connected nodes say now counts as knowledge. */
function problemsOf(members: readonly MemberOverview[], nodes: ReadonlyMap<string, NodeView>): string[] {
  const problems: string[] = [];
  const unknown = members.filter((member) => !member.connected || !member.reported);
  const known = members.filter((member) => member.connected && member.reported);
  const active = known.filter((member) => member.state === MemberState.ACTIVE);
  const backup = known.filter((member) => member.state === MemberState.BACKUP);
  const holders = known.filter((member) => member.holdsAddresses && member.state !== MemberState.ACTIVE);
  if (active.length > 1) {
    problems.push(`${active.length === 2 ? 'two' : active.length} active routers: ${listOf(active)}`);
  }
  if (active.length === 0) {
    problems.push(
      unknown.length === 0
        ? 'no active router'
        : `no active router is known; nothing is reported by ${listOf(unknown)}`,
    );
  }
  for (const member of active.filter(({ holdsAddresses }) => !holdsAddresses)) {
    problems.push(`${member.node} is active but does not have all of the addresses`);
  }
  for (const member of holders) problems.push(`${member.node} has the addresses but is not active`);
  for (const member of known.filter(({ state }) => state === MemberState.FAULT)) {
    problems.push(`${member.node} is in fault${member.cause === '' ? '' : `: ${member.cause}`}`);
  }
  for (const member of members) {
    const node = nodes.get(member.node);
    const [first] = node?.refusals ?? [];
    if (first !== undefined) {
      const why = first.path === '' ? first.reason : `${first.path}: ${first.reason}`;
      problems.push(`${member.node} refused its bundle: ${why}`);
    }
  }
  for (const member of unknown) problems.push(whyUnknown(member, nodes.get(member.node)));
  if (members.length > 1 && active.length === 1 && backup.length === 0 && unknown.length === 0) {
    problems.push('no standby');
  }
  return problems;
}

function whyUnknown(member: MemberOverview, node: NodeView | undefined): string {
  if (node === undefined) return `${member.node} has not joined`;
  if (node.lastSeen === 0) return `${member.node} has joined but never connected`;
  if (!node.connected) return `${member.node} is not connected; what is shown of it is old`;
  return `${member.node} has not reported this router yet`;
}

function listOf(members: readonly MemberOverview[]): string {
  return members.map(({ node }) => node).join(', ');
}

function nodeOverview(node: NodeView): NodeOverview {
  return {
    name: node.name,
    id: node.id,
    connected: node.connected,
    lastSeen: node.lastSeen === 0 ? undefined : new Date(node.lastSeen),
    agentVersion: node.status?.agentVersion ?? '',
    remoteAddress: node.remoteAddress,
    bundleInForce: node.status?.bundle,
    bundleWanted: node.wanted,
    refusals: [...node.refusals],
    certificateExpiresAt: node.certificateExpiresAt === 0 ? undefined : new Date(node.certificateExpiresAt),
  };
}
