/** The programs' own configuration files: one document, no apiVersion, the same strictness. */
import { AgentConfig, ClientConfig, ControllerConfig } from '../gen/baton/v1/config.js';
import { Decoder } from './decoder.js';
import { readDocuments } from './document-reader.js';
import { messageDescriptor } from './schema.js';
import { ProblemList, type SourceProblem, SourceText } from './source-text.js';

export interface ConfigTypes {
  'baton.v1.AgentConfig': AgentConfig;
  'baton.v1.ControllerConfig': ControllerConfig;
  'baton.v1.ClientConfig': ClientConfig;
}

export interface ParsedConfig<Config> {
  /** Absent if there is any problem. An empty file is a configuration with nothing set. */
  readonly config: Config | undefined;
  readonly problems: SourceProblem[];
}

const FROM_PARTIAL: { readonly [Name in keyof ConfigTypes]: (decoded: ConfigTypes[Name]) => ConfigTypes[Name] } = {
  'baton.v1.AgentConfig': AgentConfig.fromPartial,
  'baton.v1.ControllerConfig': ControllerConfig.fromPartial,
  'baton.v1.ClientConfig': ClientConfig.fromPartial,
};

/** @param file How problems call the file. */
export function parseConfigFile<Name extends keyof ConfigTypes>(
  text: string,
  file: string,
  typeName: Name,
): ParsedConfig<ConfigTypes[Name]> {
  const source = new SourceText(text, file);
  const problems = new ProblemList(source);
  const [document, second] = readDocuments(source, problems);
  if (second !== undefined) {
    problems.add(second.offset, '', 'the file must hold one document only');
  }
  const tree = document ?? { kind: 'mapping', offset: 0, entries: [] };
  const decoded = new Decoder(problems, new Map()).message(messageDescriptor(typeName), tree, '');
  // The decoder built exactly what the descriptor of this message says; fromPartial gives it its type.
  const config = FROM_PARTIAL[typeName]((decoded ?? {}) as unknown as ConfigTypes[Name]);
  return { config: problems.isEmpty ? config : undefined, problems: problems.inOrder() };
}
