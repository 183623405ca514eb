/** batonctl as a function: arguments and surroundings in, exit code out. */
import { Command, CommanderError } from 'commander';
import { printableLines } from '../../proto/rules/printable-text.js';
import { applyCommand } from './commands/apply.js';
import { checksCommand } from './commands/checks.js';
import { completionCommand } from './commands/completion.js';
import { contextCommand } from './commands/context.js';
import { deleteCommand } from './commands/delete.js';
import { eventsCommand } from './commands/events.js';
import { getCommand } from './commands/get.js';
import { importCommand } from './commands/import.js';
import { mailCommand } from './commands/mail.js';
import { nodesCommand } from './commands/nodes.js';
import { rotateKeyCommand } from './commands/rotate-key.js';
import { statusCommand } from './commands/status.js';
import { tokenCommand } from './commands/token.js';
import { versionCommand } from './commands/version.js';
import { watchCommand } from './commands/watch.js';
import { whatIfCommand } from './commands/whatif.js';
import { Failure, messageOf } from './failure.js';
import { addCommonOptions } from './invocation.js';
import { choosePaint } from './paint.js';
import type { Surroundings } from './surroundings.js';

/** 0: done. 1: failed. 2: called wrongly. 3: judged and refused. */
export type ExitCode = 0 | 1 | 2 | 3;

/** @param args Without the program's own name. */
export async function runBatonctl(args: readonly string[], surroundings: Surroundings): Promise<ExitCode> {
  const { stderr } = surroundings;
  try {
    await buildProgram(surroundings).parseAsync([...args], { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    const paint = choosePaint(stderr, surroundings, !args.includes('--no-color'));
    stderr.write(`${paint('red', 'batonctl:')} ${printableLines(messageOf(error))}\n`);
    return error instanceof Failure ? error.exitCode : 1;
  }
}

function buildProgram(surroundings: Surroundings): Command {
  const program = new Command('batonctl')
    .description('Talks to a Baton controller: declares virtual routers, shows their state, lets hosts join.')
    .version(`batonctl ${surroundings.version}`, '-V, --version', 'print the version')
    .enablePositionalOptions()
    .addHelpText('after', '\nExit codes: 0 done, 1 failed, 2 called wrongly, 3 judged and refused (files, or a node).');
  addCommonOptions(program, { format: true });
  for (const command of [
    statusCommand(surroundings),
    watchCommand(surroundings),
    eventsCommand(surroundings),
    nodesCommand(surroundings),
    checksCommand(surroundings),
    whatIfCommand(surroundings),
    importCommand(surroundings),
    applyCommand(surroundings),
    getCommand(surroundings),
    deleteCommand(surroundings),
    rotateKeyCommand(surroundings),
    tokenCommand(surroundings),
    mailCommand(surroundings),
    contextCommand(surroundings),
    completionCommand(surroundings, () => program),
    versionCommand(surroundings),
  ]) {
    program.addCommand(command);
  }
  settle(program, surroundings);
  return program;
}

/** commander neither ends the process nor writes by itself; for the whole tree, as added commands inherit nothing. */
function settle(command: Command, surroundings: Surroundings): void {
  const { stdout, stderr } = surroundings;
  command
    .exitOverride()
    .showHelpAfterError('(see --help)')
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(printableLines(text)),
      getOutHelpWidth: () => stdout.columns ?? 100,
      getErrHelpWidth: () => stderr.columns ?? 100,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    });
  for (const sub of command.commands) settle(sub, surroundings);
}
