/** What the declarations say of an alert's subject, and who is to be told of it. */
import type { SyncGroupSpec, VirtualRouterSpec } from '../../proto/gen/baton/v1/resources.js';
import { SyncPolicy } from '../../proto/gen/baton/v1/resources.js';
import type { AlertKind } from './alert.js';
import type { TrackedChecks } from './cause.js';
import type { MailDirectory } from './directory.js';
import type { AlertSubject } from './subject.js';

export interface SubjectFacts {
  /** 0: none, or not known. */
  readonly vrid: number;
  readonly addresses: readonly string[];
  /** undefined: the subject is not declared any more. */
  readonly tracked: TrackedChecks;
  /** undefined: the subject is not declared any more. */
  readonly nodes: ReadonlySet<string> | undefined;
  readonly receivers: readonly string[];
  /** Receivers that the router's sync group tells of this sort of alert already. */
  readonly toldByGroup: (kind: AlertKind) => ReadonlySet<string>;
}

const NOBODY: ReadonlySet<string> = new Set();
const UNKNOWN: SubjectFacts = {
  vrid: 0,
  addresses: [],
  tracked: undefined,
  nodes: undefined,
  receivers: [],
  toldByGroup: () => NOBODY,
};

export async function factsOf({ kind, name }: AlertSubject, directory: MailDirectory): Promise<SubjectFacts> {
  return kind === 'group' ? await groupFacts(name, directory) : await routerFacts(name, directory);
}

async function routerFacts(name: string, directory: MailDirectory): Promise<SubjectFacts> {
  const spec = await directory.virtualRouter(name);
  if (spec === undefined) return UNKNOWN;
  const group = await directory.groupOf(name);
  return {
    vrid: spec.vrid,
    addresses: spec.addresses.map(({ address }) => address),
    tracked: trackedChecks([spec], group),
    nodes: new Set(spec.members.map(({ node }) => node)),
    receivers: [...new Set(spec.receivers)],
    toldByGroup: (kind) => (group === undefined || !isOfWholeGroup(kind, group) ? NOBODY : new Set(group.receivers)),
  };
}

/** With policy any, a member in fault is no matter of its group. */
function isOfWholeGroup(kind: AlertKind, { policy }: SyncGroupSpec): boolean {
  return policy !== SyncPolicy.ANY || (kind !== 'fault' && kind !== 'recovered');
}

async function groupFacts(name: string, directory: MailDirectory): Promise<SubjectFacts> {
  const group = await directory.syncGroup(name);
  if (group === undefined) return UNKNOWN;
  const routers: VirtualRouterSpec[] = [];
  for (const router of group.routers) {
    const spec = await directory.virtualRouter(router);
    if (spec !== undefined) routers.push(spec);
  }
  return {
    vrid: 0,
    addresses: routers.flatMap(({ addresses }) => addresses.map(({ address }) => address)),
    tracked: trackedChecks(routers, group),
    nodes: new Set(routers.flatMap(({ members }) => members.map(({ node }) => node))),
    receivers: [...new Set(group.receivers)],
    toldByGroup: () => NOBODY,
  };
}

function trackedChecks(routers: readonly VirtualRouterSpec[], group: SyncGroupSpec | undefined): TrackedChecks {
  const checks = new Map<string, Set<string>>();
  for (const spec of routers) {
    for (const { node, track } of spec.members) {
      const here = checks.get(node) ?? new Set();
      for (const { check } of [...spec.track, ...track, ...(group?.track ?? [])]) {
        if (check !== '') here.add(check);
      }
      checks.set(node, here);
    }
  }
  return checks;
}
