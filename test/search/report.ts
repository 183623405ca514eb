/** What a search has found, for people. */
import type { Counterexample, Found } from './search.js';

/** One line. */
export function summary({ scenario, states, transitions, depth, asked, longestWrong, bound, ...rest }: Found): string {
  const { name, members, quantum, budget, faults } = scenario;
  const number = budget === undefined ? 'any number of faults' : `${budget} fault${budget === 1 ? '' : 's'}`;
  const size = `${members.length} nodes, ${1_000_000 / quantum} quanta, ${number} (${[...faults].join(', ')})`;
  const counted = `${states} states, ${transitions} transitions, depth ${depth}, ${asked} steps of the core`;
  const verdict =
    rest.counterexample !== undefined
      ? `FAILED: ${rest.counterexample.wrong}`
      : rest.isCut
        ? 'FAILED: not searched to the end, too many states'
        : `holds; right at most ${longestWrong} quanta after the last fault (bound ${bound})`;
  return `${name}: ${size}: ${counted}: ${verdict}`;
}

/** What happens from the start to what is wrong; quanta in which nothing happens are counted. */
export function story({ wrong, trace, continuation }: Counterexample): string[] {
  const events = trace.length === 1 ? 'event' : 'events';
  return [
    `${wrong}; a shortest way there has ${trace.length} ${events}:`,
    ...counted(trace),
    ...(continuation.length === 0 ? [] : ['  no fault from here on:', ...counted(continuation)]),
  ];
}

const PASSES = '-- a quantum passes';

function counted(events: readonly (readonly string[])[]): string[] {
  const lines: string[] = [];
  let passed = 0;
  const flush = (): void => {
    if (passed > 0) lines.push(passed === 1 ? `  ${PASSES}` : `  -- ${passed} quanta pass`);
    passed = 0;
  };
  for (const line of events.flat()) {
    if (line === PASSES) {
      passed += 1;
      continue;
    }
    flush();
    lines.push(`  ${line}`);
  }
  flush();
  return lines;
}
