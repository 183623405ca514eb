/**
 * Whether several casts' performances of one scenario agree. Pure. What no difference is named for must be the same in
 * all casts; what one is named for must be exactly what it says, in each. So a difference that does not occur fails, and
 * so does one more.
 */
import type { Observation, Performance } from './performance.js';
import { type Cast, type Difference, playerOf, type Scenario, type Step } from './scenario.js';

/** What a cast was seen to do otherwise than it should have. */
export interface Disagreement {
  /** Number of the step, from 0. */
  readonly step: number;
  readonly key: string;
  readonly cast: Cast;
  readonly seen: string;
  readonly expected: string;
  /** Why that was expected: "as KK", "holders of the scenario", the name of a difference. */
  readonly because: string;
}

/** What was not seen. */
export const NOTHING = '-';

export function disagreements(scenario: Scenario, performances: readonly Performance[]): readonly Disagreement[] {
  const whole = performances.filter(({ failure }) => failure === undefined);
  return scenario.steps.flatMap((step, number) => {
    const keys = new Set(whole.flatMap(({ observations }) => [...(observations[number]?.keys() ?? [])]));
    for (const difference of step.differences) for (const key of keysOf(scenario, difference)) keys.add(key);
    return [...keys].sort().flatMap((key) => {
      const difference = step.differences.find((each) => keysOf(scenario, each).includes(key));
      return judge(step, number, key, difference, whole);
    });
  });
}

function judge(
  step: Step,
  number: number,
  key: string,
  difference: Difference | undefined,
  performances: readonly Performance[],
): readonly Disagreement[] {
  const [first] = performances;
  const holders = expectedHolders(step, key);
  return performances.flatMap(({ cast, observations }) => {
    const seen = textOf(observations[number], key);
    const [expected, because] =
      difference !== undefined
        ? [difference[playerOf(cast, difference.by)], `difference "${difference.decision}"`]
        : holders !== undefined
          ? [holders, 'holders of the scenario']
          : [textOf(first?.observations[number], key), `as ${first?.cast}`];
    return seen === expected ? [] : [{ step: number, key, cast, seen, expected, because }];
  });
}

function expectedHolders(step: Step, key: string): string | undefined {
  const [, router] = /^LAN holders (.*)$/.exec(key) ?? [];
  if (router === undefined) return undefined;
  const holders = typeof step.holders === 'string' ? step.holders : (step.holders[router] ?? '');
  return holders === '' ? NOTHING : holders;
}

export function textOf(observation: Observation | undefined, key: string): string {
  const text = observation?.get(key);
  return text === undefined || text === '' ? NOTHING : text;
}

/** What a difference is about; a difference without a router is about all of the scenario. */
function keysOf(scenario: Scenario, { of, aspect, router }: Difference): readonly string[] {
  return (router === undefined ? scenario.routers.map(({ name }) => name) : [router]).map(
    (name) => `${of} ${aspect} ${name}`,
  );
}

/** Mistakes of a scenario itself; a difference that is none, for example. Empty for a good one. */
export function mistakes(scenario: Scenario): readonly string[] {
  const names = new Set([...scenario.routers.map(({ name }) => name), ...(scenario.group.length > 0 ? ['G'] : [])]);
  return scenario.steps.flatMap(({ differences }, number) => {
    const keys = differences.flatMap((difference) => keysOf(scenario, difference));
    return [
      ...differences
        .filter(({ keepalived, baton }) => keepalived === baton)
        .map(({ of, aspect }) => `step ${number + 1}: the difference of ${of} ${aspect} is none`),
      ...differences
        .filter(({ router }) => router !== undefined && !names.has(router))
        .map(({ router }) => `step ${number + 1}: there is no router ${router}`),
      ...keys.filter((key, at) => keys.indexOf(key) !== at).map((key) => `step ${number + 1}: ${key} is named twice`),
    ];
  });
}
