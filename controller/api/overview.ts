/** The cluster on one screen, and what is wrong with it. Pure. */
import type { Member, Resource, VirtualRouterSpec } from '../../proto/gen/baton/v1/resources.js';
import { MemberState, type RouterStatus } from '../../proto/gen/baton/v1/status.js';
import type {
  ClusterStatus,
  MailOverview,
  MemberOverview,
  NodeOverview,
  RouterOverview,
} from '../../proto/gen/baton/v1/status_service.js';
import { compareText, routersOf } from '../../proto/rules/names.js';
import type { NodeView } from '../agents/agent-hub.js';

const DEFAULT_PRIORITY = 100;

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
  return {
    capturedAt: now,
    generation,
    routers: routersOf([...resources]).map(({ name, spec }) => routerOverview(name, spec, nodes, reported)),
    nodes: [...nodes.values()].sort((a, b) => compareText(a.name, b.name)).map(nodeOverview),
    mail,
  };
}

function routerOverview(
  name: string,
  spec: VirtualRouterSpec,
  nodes: ReadonlyMap<string, NodeView>,
  reported: ReadonlyMap<string, ReadonlyMap<string, RouterStatus>>,
): RouterOverview {
  const members = spec.members.map((member) =>
    memberOverview(member, nodes.get(member.node), reported.get(member.node)?.get(name)),
  );
  return {
    name,
    vrid: spec.vrid,
    addresses: spec.addresses.map(({ address }) => address),
    members,
    problems: problemsOf(members, nodes),
  };
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
      router.addresses.length > 0 &&
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
