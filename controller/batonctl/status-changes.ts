/** What changed between two looks at the cluster, a line each: what `watch` prints where it cannot redraw. Pure. */
import type { ClusterStatus, MemberOverview } from '../../proto/gen/baton/v1/status_service.js';
import { singleLine } from '../../proto/rules/printable-text.js';
import { problemsOf, stateWord } from './status-screen.js';

/** @param before undefined: the first look, of which everything is told. */
export function describeChanges(before: ClusterStatus | undefined, after: ClusterStatus): string[] {
  const lines: string[] = [];
  if (before !== undefined && before.generation !== after.generation) {
    lines.push(`generation ${before.generation} -> ${after.generation}`);
  }
  const membersBefore = membersOf(before);
  const membersAfter = membersOf(after);
  for (const [key, member] of membersAfter) {
    const was = membersBefore.get(key);
    if (was === undefined || was.state !== member.state || was.reported !== member.reported) {
      const from = was?.reported ? `${stateWord(was.state)} -> ` : '';
      const why = member.cause === '' ? '' : `: ${member.cause}`;
      lines.push(`${key}: ${from}${member.reported ? stateWord(member.state) : 'nothing reported yet'}${why}`);
    } else if (was.effectivePriority !== member.effectivePriority) {
      lines.push(`${key}: priority ${was.effectivePriority} -> ${member.effectivePriority}`);
    }
  }
  for (const key of membersBefore.keys()) {
    if (!membersAfter.has(key)) lines.push(`${key}: no longer a member`);
  }
  const groupsBefore = groupStatesOf(before);
  for (const [key, state] of groupStatesOf(after)) {
    const was = groupsBefore.get(key);
    if (was !== state) lines.push(`group ${key}: ${was === undefined ? '' : `${was} -> `}${state}`);
  }
  const nodesBefore = new Map(before?.nodes.map((node) => [node.name, node]));
  for (const node of after.nodes) {
    const was = nodesBefore.get(node.name);
    if (was?.connected !== node.connected)
      lines.push(`${node.name}: ${node.connected ? 'connected' : 'not connected'}`);
  }
  const told = (status: ClusterStatus | undefined): Set<string> =>
    // Ages in a problem's text would make it new at every look.
    new Set(
      status === undefined
        ? []
        : problemsOf({ ...status, nodes: status.nodes.filter(({ connected }) => connected) }, 0).map(
            ({ text }) => text,
          ),
    );
  const problemsBefore = told(before);
  const problemsAfter = told(after);
  for (const text of problemsAfter) if (!problemsBefore.has(text)) lines.push(`problem: ${text}`);
  for (const text of problemsBefore) if (!problemsAfter.has(text)) lines.push(`solved: ${text}`);
  return lines.map((line) => singleLine(line));
}

function groupStatesOf(status: ClusterStatus | undefined): ReadonlyMap<string, string> {
  return new Map(
    status?.groups.flatMap(({ name, members }) =>
      members
        .filter(({ reported }) => reported)
        .map(({ node, state }) => [`${name} on ${node}`, stateWord(state)] as const),
    ),
  );
}

function membersOf(status: ClusterStatus | undefined): ReadonlyMap<string, MemberOverview> {
  return new Map(
    status?.routers.flatMap((router) =>
      router.members.map((member) => [`${router.name} on ${member.node}`, member] as const),
    ),
  );
}
