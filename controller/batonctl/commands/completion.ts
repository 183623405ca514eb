/** `batonctl completion`: scripts that make a shell complete commands, options and a few values. */
import { type Argument, Command, type Option } from 'commander';
import { KINDS } from '../../../proto/rules/names.js';
import { addCommonOptions } from '../invocation.js';
import { FORMATS } from '../output.js';
import type { Surroundings } from '../surroundings.js';

const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

/** @param program answers the finished tree of commands */
export function completionCommand(surroundings: Surroundings, program: () => Command): Command {
  const command = new Command('completion').description('print a completion script for a shell').addHelpText(
    'after',
    `
For now:     source <(batonctl completion bash)
For always:  batonctl completion bash > /etc/bash_completion.d/batonctl
             batonctl completion zsh > "\${fpath[1]}/_batonctl"
             batonctl completion fish > ~/.config/fish/completions/batonctl.fish`,
  );
  command.addArgument(command.createArgument('<shell>', SHELLS.join(', ')).choices(SHELLS));
  return addCommonOptions(command, { format: false }).action((shell: Shell) => {
    surroundings.stdout.write(completionScript(shell, program()));
  });
}

/** A command with everything that can follow it. */
interface Place {
  /** "batonctl token create". */
  readonly path: string;
  readonly description: string;
  readonly commands: readonly { readonly name: string; readonly description: string }[];
  readonly options: readonly Option[];
  /** Values of the first argument, where they are known. */
  readonly values: readonly string[];
  readonly takesFiles: boolean;
}

export function completionScript(shell: Shell, program: Command): string {
  const places = placesOf(program, program.name());
  switch (shell) {
    case 'bash':
      return bashScript(places);
    case 'zsh':
      // zsh runs bash completions, which keeps one script right instead of two.
      return `#compdef batonctl\nautoload -U +X bashcompinit && bashcompinit\n${bashScript(places)}`;
    case 'fish':
      return fishScript(places);
  }
}

function placesOf(command: Command, path: string): Place[] {
  const visible = command.commands.filter((one) => one.name() !== 'help');
  return [
    {
      path,
      description: command.description(),
      commands: visible.map((one) => ({ name: one.name(), description: one.description() })),
      options: command.options.filter((option) => !option.hidden),
      values: command.registeredArguments[0] === undefined ? [] : valuesOf(command.registeredArguments[0]),
      takesFiles: command.registeredArguments[0]?.name() === 'file',
    },
    ...visible.flatMap((one) => placesOf(one, `${path} ${one.name()}`)),
  ];
}

function valuesOf(argument: Argument): readonly string[] {
  return argument.name() === 'kind' ? ['vr', ...KINDS.map((kind) => kind.toLowerCase())] : (argument.argChoices ?? []);
}

/** Values of an option; undefined: free text; "files": names of files. */
function optionValues(option: Option): readonly string[] | 'files' | undefined {
  if (!option.required) return undefined;
  if (option.attributeName() === 'severity') return ['info', 'warning', 'error'];
  if (/<(?:file)>/u.test(option.flags)) return 'files';
  return option.attributeName() === 'output' ? FORMATS : undefined;
}

function bashScript(places: readonly Place[]): string {
  const cases = places.map(({ path, commands, options, values, takesFiles }) => {
    const words = [...commands.map(({ name }) => name), ...values, ...options.flatMap(flagsOf)];
    const withValues = options.filter((option) => option.required);
    const branches = withValues.map((option) => {
      const known = optionValues(option);
      const reply =
        known === 'files'
          ? 'COMPREPLY=($(compgen -f -- "$word"))'
          : `COMPREPLY=($(compgen -W '${(known ?? []).join(' ')}' -- "$word"))`;
      return `        ${flagsOf(option).join('|')}) ${reply}; return ;;`;
    });
    return [
      `    '${path}')`,
      '      case "$before" in',
      ...branches,
      '      esac',
      `      COMPREPLY=($(compgen -W '${words.join(' ')}' -- "$word")${takesFiles ? ' $(compgen -f -- "$word")' : ''})`,
      '      ;;',
    ].join('\n');
  });
  const paths = places.map(({ path }) => `'${path}'`).join('|');
  return `# Completion of batonctl for bash.
_batonctl() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" place=batonctl i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$place \${COMP_WORDS[i]}" in
      ${paths}) place="$place \${COMP_WORDS[i]}" ;;
    esac
  done
  case "$place" in
${cases.join('\n')}
  esac
}
complete -o filenames -F _batonctl batonctl
`;
}

function fishScript(places: readonly Place[]): string {
  const lines = places.flatMap(({ path, commands, options, values, takesFiles }) => {
    const [, ...words] = path.split(' ');
    const leaves = commands.map(({ name }) => name).join(' ');
    const seen = words.map((word) => `__fish_seen_subcommand_from ${word}`);
    const none = leaves === '' ? [] : [`not __fish_seen_subcommand_from ${leaves}`];
    const condition = [...seen, ...none].join('; and ');
    const when = condition === '' ? '' : ` -n '${condition}'`;
    return [
      ...commands.map(({ name, description }) => `complete -c batonctl${when} -a ${name} -d ${fishQuote(description)}`),
      ...(values.length === 0 ? [] : [`complete -c batonctl${when} -a '${values.join(' ')}'`]),
      ...(takesFiles ? [`complete -c batonctl${when} -F`] : []),
      ...options.map((option) => fishOption(option, when)),
    ];
  });
  return `# Completion of batonctl for fish.\ncomplete -c batonctl -f\n${[...new Set(lines)].join('\n')}\n`;
}

function fishOption(option: Option, when: string): string {
  const known = optionValues(option);
  const value = !option.required
    ? ''
    : known === 'files'
      ? ' -rF'
      : known === undefined
        ? ' -x'
        : ` -xa '${known.join(' ')}'`;
  const short = option.short === undefined ? '' : ` -s ${option.short.slice(1)}`;
  const long = option.long === undefined ? '' : ` -l ${option.long.slice(2)}`;
  return `complete -c batonctl${when}${short}${long}${value} -d ${fishQuote(option.description)}`;
}

function flagsOf(option: Option): string[] {
  return [option.short, option.long].filter((flag) => flag !== undefined);
}

function fishQuote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
