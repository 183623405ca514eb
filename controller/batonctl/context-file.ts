/**
 * The operator's contexts: which controllers, and who we are to them. The file is a baton.v1.ClientConfig, as
 * "baton-controller init" writes one for the first operator.
 */
import { chmodSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { ClientConfig, ClientContext } from '../../proto/gen/baton/v1/config.js';
import { formatSourceProblem, messageToPlain, parseConfigFile, renderYaml } from '../../proto/manifest/index.js';
import { writeFileDurably } from '../../proto/process/durable-file.js';
import { suggestion } from '../../proto/rules/nearest-name.js';
import { printableLines, singleLine } from '../../proto/rules/printable-text.js';
import { Failure, messageOf } from './failure.js';
import type { Surroundings } from './surroundings.js';

/** --config, else BATON_CONFIG, else $XDG_CONFIG_HOME/baton/config.yaml, else ~/.config/baton/config.yaml. */
export function contextFilePath(option: string | undefined, { env, homeDirectory }: Surroundings): string {
  const named = option ?? env['BATON_CONFIG'];
  if (named !== undefined && named !== '') return named;
  const base = env['XDG_CONFIG_HOME'];
  return path.join(
    base !== undefined && base !== '' ? base : path.join(homeDirectory, '.config'),
    'baton',
    'config.yaml',
  );
}

/** undefined: there is no such file. @throws Failure when it cannot be read or understood */
export function readContextFile(file: string): ClientConfig | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new Failure(1, `cannot read the context file ${file}: ${messageOf(error)}`, { cause: error });
  }
  const { config, problems } = parseConfigFile(text, file, 'baton.v1.ClientConfig');
  if (config === undefined) {
    // Without the file's own text: it holds private keys.
    const details = problems.map((problem) => formatSourceProblem(problem)).join('\n');
    throw new Failure(1, printableLines(`the context file cannot be understood:\n${details}`));
  }
  return config;
}

/** Replaces the file, readable by its owner only. @throws Failure */
export function writeContextFile(file: string, config: ClientConfig): void {
  try {
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    writeFileDurably(file, renderYaml(messageToPlain('baton.v1.ClientConfig', config)), { mode: 0o600 });
    chmodSync(file, 0o600);
  } catch (error) {
    throw new Failure(1, `cannot write the context file ${file}: ${messageOf(error)}`, { cause: error });
  }
}

/** The context to use. @throws Failure that says how to get one */
export function chooseContext(
  file: string,
  config: ClientConfig | undefined,
  wanted: string | undefined,
): ClientContext {
  if (config === undefined || config.contexts.length === 0) {
    throw new Failure(
      1,
      `there is no context in ${file}: copy operator.yaml from the controller's data directory and run ` +
        '"batonctl context add --from operator.yaml"',
    );
  }
  const [only] = config.contexts;
  const name = wanted ?? config.currentContext;
  if (name === '') {
    if (config.contexts.length === 1 && only !== undefined) return only;
    throw new Failure(
      1,
      `${file} has ${config.contexts.length} contexts and none is current: "batonctl context use NAME"`,
    );
  }
  const found = config.contexts.find((context) => context.name === name);
  if (found !== undefined) return found;
  const names = config.contexts.map((context) => context.name);
  throw new Failure(
    wanted === undefined ? 1 : 2,
    singleLine(`there is no context "${name}" in ${file}${suggestion(name, names)}; there are: ${names.join(', ')}`),
  );
}

/** Puts a context in, in the place of one of the same name; the first one becomes current. */
export function withContext(config: ClientConfig | undefined, context: ClientContext): ClientConfig {
  const others = (config?.contexts ?? []).filter(({ name }) => name !== context.name);
  const current = config?.currentContext ?? '';
  return { currentContext: current === '' ? context.name : current, contexts: [...others, context] };
}
