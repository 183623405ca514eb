/**
 * baton-agent. Loads only what the command at hand needs: "run" keeps its main thread free of everything but elections.
 * Exit codes: 0 done, 1 failed, 2 the command line makes no sense, 4 the configuration has errors.
 */
import process from 'node:process';
import { type CommandSpec, helpOf, type ParsedCommand, parseCommand, UsageError } from './cli/command-line.js';

interface Command {
  readonly summary: string;
  load(): Promise<{ readonly spec: CommandSpec; execute(command: ParsedCommand): Promise<number> }>;
}

const COMMANDS: Readonly<Record<string, Command>> = {
  run: {
    summary: 'run the agent, joined to a controller or on its own',
    load: async () => {
      const { RUN, runCommand } = await import('./cli/run-command.js');
      return { spec: RUN, execute: runCommand };
    },
  },
  join: {
    summary: 'join this host to a controller',
    load: async () => {
      const { JOIN, joinCommand } = await import('./cli/join-command.js');
      return { spec: JOIN, execute: joinCommand };
    },
  },
  check: {
    summary: 'judge a configuration file',
    load: async () => {
      const { CHECK, check } = await import('./cli/check-command.js');
      return { spec: CHECK, execute: check };
    },
  },
  status: {
    summary: 'what the agent on this host does',
    load: async () => {
      const { STATUS, status } = await import('./cli/ask-commands.js');
      return { spec: STATUS, execute: status };
    },
  },
  explain: {
    summary: 'why a virtual router is as it is',
    load: async () => {
      const { EXPLAIN, explain } = await import('./cli/ask-commands.js');
      return { spec: EXPLAIN, execute: explain };
    },
  },
  whatif: {
    summary: 'what would become of a virtual router if something changed',
    load: async () => {
      const { WHATIF, whatif } = await import('./cli/whatif-command.js');
      return { spec: WHATIF, execute: whatif };
    },
  },
  checks: {
    summary: 'what the health checks on this host say',
    load: async () => {
      const { CHECKS, checks } = await import('./cli/checks-command.js');
      return { spec: CHECKS, execute: checks };
    },
  },
  preflight: {
    summary: 'what of this host stands in the way of its virtual routers',
    load: async () => {
      const { PREFLIGHT, preflightCommand } = await import('./cli/preflight-command.js');
      return { spec: PREFLIGHT, execute: preflightCommand };
    },
  },
  events: {
    summary: 'what happened on this host',
    load: async () => {
      const { EVENTS, events } = await import('./cli/ask-commands.js');
      return { spec: EVENTS, execute: events };
    },
  },
  restart: {
    summary: 'make room for the next agent, which keeps the addresses',
    load: async () => {
      const { RESTART, restart } = await import('./cli/restart-command.js');
      return { spec: RESTART, execute: restart };
    },
  },
  replay: {
    summary: 'run a recording again and compare what is decided',
    load: async () => {
      const { REPLAY, replay } = await import('./cli/replay-command.js');
      return { spec: REPLAY, execute: replay };
    },
  },
  version: {
    summary: 'the version of this program',
    load: async () => {
      const { VERSION, version } = await import('./cli/version-command.js');
      return { spec: VERSION, execute: version };
    },
  },
};

const EXIT_CODES = 'Exit codes: 0 done, 1 failed, 2 called wrongly, 4 the configuration has errors.';

function generalHelp(): string {
  const width = Math.max(...Object.keys(COMMANDS).map((name) => name.length));
  const lines = Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`);
  return `usage: baton-agent COMMAND [options]\n\n${lines.join('\n')}\n\n"baton-agent COMMAND --help" says more.\n${EXIT_CODES}\n`;
}

async function main([name, ...args]: readonly string[]): Promise<number> {
  if (name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(generalHelp());
    return 0;
  }
  if (name === '--version') return await main(['version']);
  const command = name !== undefined && Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) {
    const what = name === undefined ? 'say what to do' : `there is no command "${name}"`;
    throw new UsageError(`${what}: ${Object.keys(COMMANDS).join(', ')}`);
  }
  const { spec, execute } = await command.load();
  const parsed = parseCommand(spec, args);
  if (parsed !== undefined) return await execute(parsed);
  process.stdout.write(helpOf(spec));
  return 0;
}

// What the agent writes is nobody else's to read.
process.umask(0o077);
// Whoever read our output has gone, such as "head".
process.stdout.on('error', () => process.exit(0));
main(process.argv.slice(2)).then(
  (code) => {
    // Where standard output is a socket, a long answer may not have left yet.
    if (process.stdout.writableLength === 0) process.exit(code);
    process.stdout.write('', () => process.exit(code));
  },
  (error: unknown) => {
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`baton-agent: ${message}\n`);
    process.exit(error instanceof UsageError ? 2 : 1);
  },
);
