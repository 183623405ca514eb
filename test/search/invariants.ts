/** What must hold in every state, and what must come true and stay true once there are no more faults. */
import type { NodeState } from './node-machine.js';
import type { Scenario } from './scenario.js';
import type { SearchWorld, WorldState } from './world.js';

/** What does not hold in this very state. */
export function wrongAtOnce(scenario: Scenario, world: SearchWorld, state: WorldState): string | undefined {
  for (const [index, { name }] of scenario.members.entries()) {
    const { process, member, lease } = world.node(state, index);
    if (process === 'dead' || lease === 0 || member.phase.name === 'active') continue;
    const invariant = member.phase.name === 'fault' ? 'I-5' : 'I-4';
    return `${invariant}: ${name} is in ${member.phase.name} and holds the addresses`;
  }
  return undefined;
}

/**
 * What does not hold of the nodes that run, where it must by then: exactly one of those that can be is active and holds
 * the addresses, the best one if they preempt, and nobody else holds them.
 */
export function wrongAfterAll(scenario: Scenario, world: SearchWorld, state: WorldState): string | undefined {
  const nodes = scenario.members.map((member, index) => ({ ...member, state: world.node(state, index) }));
  const able = nodes.filter(({ state: each }) => each.process === 'running' && each.isHealthy && !isLeaving(each));
  const active = nodes.filter(({ state: each }) => isActive(each));
  if (active.length > 1) return `I-1: ${namesOf(active)} are active`;
  const [only] = active;
  if (only === undefined && able.length > 0) return `I-2: ${namesOf(able)} could be active, and nobody is`;
  if (only !== undefined && !able.includes(only)) return `I-5: ${only.name} is active although its check fails`;
  if (only !== undefined && only.state.lease === 0) return `I-2: ${only.name} is active without the addresses`;
  const stranger = nodes.find((node) => node !== only && node.state.lease > 0);
  if (stranger !== undefined) return `I-4: ${stranger.name} holds the addresses and is not active`;
  const isPreempting = scenario.members.every(({ router }) => router.preemptMode);
  const better = able.find((node) => only !== undefined && isPreempting && isBetter(node, only));
  if (better !== undefined) return `I-3: ${only?.name} is active, and ${better.name} is better`;
  return undefined;
}

function isActive({ process, member }: NodeState): boolean {
  return process === 'running' && member.phase.name === 'active' && member.phase.handover === undefined;
}

function isLeaving({ member }: NodeState): boolean {
  return member.phase.name === 'active' && member.phase.handover !== undefined;
}

type Ranked = Scenario['members'][number];

/** Among equals whoever was first stays: only two that are both active are told apart by their addresses. */
function isBetter(one: Ranked, other: Ranked): boolean {
  return one.router.priority > other.router.priority;
}

function namesOf(nodes: readonly { readonly name: string }[]): string {
  return nodes.map(({ name }) => name).join(', ');
}
