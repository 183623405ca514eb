/** How far the nodes have got with a generation: what `apply --wait` waits for. Pure. */
import type { ClusterStatus, NodeOverview } from '../../proto/gen/baton/v1/status_service.js';
import { singleLine } from '../../proto/rules/printable-text.js';
import { ago } from './ages.js';

export interface RolloutNode {
  readonly node: string;
  /** `done`: the wanted bundle is in force. `gone`: no such node any more, or it never enrolled. */
  readonly state: 'waiting' | 'done' | 'refused' | 'gone';
  /** One line for the operator. */
  readonly text: string;
}

/**
 * The nodes concerned, and any other that refuses what is wanted of it, from whatever generation that is.
 * undefined: the status is older than the generation and says nothing of it.
 */
export function judgeRollout(
  status: ClusterStatus,
  generation: number,
  nodes: readonly string[],
): readonly RolloutNode[] | undefined {
  if (status.generation < generation) return undefined;
  const now = status.capturedAt?.getTime() ?? 0;
  const refusing = status.nodes.filter(({ refusals }) => refusals.length > 0).map(({ name }) => name);
  return [...new Set([...nodes, ...refusing])].map((name) =>
    judge(
      name,
      status.nodes.find((node) => node.name === name),
      generation,
      now,
    ),
  );
}

function judge(name: string, node: NodeOverview | undefined, generation: number, now: number): RolloutNode {
  const told = (state: RolloutNode['state'], text: string): RolloutNode => ({
    node: name,
    state,
    text: singleLine(`${name}: ${text}`),
  });
  if (node === undefined) return told('gone', 'is not enrolled; it gets its part when it joins');
  const wanted = node.bundleWanted;
  const inForce = node.bundleInForce;
  const runsNothing = inForce === undefined || inForce.hash === '';
  if (wanted === undefined || wanted.hash === '' ? runsNothing : !runsNothing && inForce.hash === wanted.hash) {
    return told('done', `generation ${generation} in force`);
  }
  if (node.refusals.length > 0) {
    const reasons = node.refusals.map(({ path, reason }) => (path === '' ? reason : `${path}: ${reason}`)).join('; ');
    return told('refused', `refused: ${reasons}`);
  }
  return told(
    'waiting',
    node.connected ? 'has not answered yet' : `not connected, last seen ${ago(node.lastSeen, now)}`,
  );
}
