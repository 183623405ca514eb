/**
 * The exhaustive search as a program: every virtual router that it knows, at the size that is asked for. Its last line is
 * "N passed, N failed"; with something failed it exits with 1.
 */
import process from 'node:process';
import { BUGS, bugNamed } from '../sim/bugs.js';
import { runProgram, UsageError, wholeNumber } from '../sim/command-line.js';
import { PRODUCTION_CORE } from '../sim/core.js';
import { Unmodelled } from './node-machine.js';
import { story, summary } from './report.js';
import { ANY_NUMBER_OF, type Scenario, scenarios } from './scenario.js';
import { search } from './search.js';

const USAGE = `usage: npm run search -- [--nodes 2|3] [--faults N] [--quanta 2|4] [--core NAME] [--list]

Searches every state that the election core can be brought into, breadth first: docs/search.md.

  --nodes 2|3     only so many nodes (default: two, then three)
  --faults N      faults in all (default: any number with two nodes, 2 with three)
  --quanta 2|4    quanta of an advertisement interval (default 2)
  --core NAME     a broken core in the place of the real one; it ends with the first shortest counterexample
  --list          names of the broken cores`;

/** With three nodes. */
const FAULTS = 2;

const OPTIONS = {
  nodes: { type: 'string' },
  faults: { type: 'string' },
  quanta: { type: 'string' },
  core: { type: 'string' },
  list: { type: 'boolean' },
} as const;

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function among<Choice extends number>(name: string, text: string, choices: readonly Choice[]): Choice {
  const choice = choices.find((each) => String(each) === text);
  if (choice === undefined) throw new UsageError(`${name} is "${text}" and ought to be ${choices.join(' or ')}`);
  return choice;
}

function wanted(nodes: readonly (2 | 3)[], quanta: 2 | 4, budget: number | undefined): readonly Scenario[] {
  return nodes.flatMap((count) => {
    if (count === 3) return scenarios({ nodes: 3, quanta, budget: budget ?? FAULTS });
    if (budget !== undefined) return scenarios({ nodes: 2, quanta, budget });
    return ANY_NUMBER_OF.flatMap((faults) => scenarios({ nodes: 2, quanta, faults }));
  });
}

await runProgram(USAGE, OPTIONS, async (values, [operand]) => {
  if (operand !== undefined) throw new UsageError(`"${operand}" is no option`);
  if (values.list === true) {
    for (const name of Object.keys(BUGS)) print(name);
    return 0;
  }
  const nodes = values.nodes === undefined ? ([2, 3] as const) : [among('--nodes', values.nodes, [2, 3] as const)];
  const quanta = among('--quanta', values.quanta ?? '2', [2, 4] as const);
  const budget = values.faults === undefined ? undefined : wholeNumber('--faults', values.faults, 0);
  const name = values.core;
  if (name !== undefined && !Object.hasOwn(BUGS, name)) {
    throw new UsageError(`there is no broken core "${name}": --list names them`);
  }
  let passed = 0;
  let failed = 0;
  for (const scenario of wanted(nodes, quanta, budget)) {
    const core = name === undefined ? PRODUCTION_CORE : bugNamed(name)();
    const startedAt = performance.now();
    try {
      const found = search(scenario, { core });
      const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
      print(`${summary(found)}; ${seconds} s`);
      if (found.counterexample !== undefined) for (const line of story(found.counterexample)) print(line);
      if (found.counterexample === undefined && !found.isCut) passed += 1;
      else failed += 1;
      // One is enough.
      if (name !== undefined && found.counterexample !== undefined) break;
    } catch (error) {
      if (!(error instanceof Unmodelled)) throw error;
      print(`${scenario.name}: FAILED: the core came to what this search has no number for: ${error.message}`);
      failed += 1;
    }
  }
  print(`${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
});
