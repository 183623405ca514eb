/** Reading and writing resources and configuration files. */

export { splitCommandLine } from './command-line.js';
export { type ConfigTypes, type ParsedConfig, parseConfigFile } from './config-file.js';
export { API_VERSION, type ParsedManifest, parseManifest } from './manifest.js';
export { messageToPlain, type PlainObject, type PlainValue, toPlain, toPlainList } from './plain.js';
export { renderManifest, renderYaml } from './renderer.js';
export { formatSourceProblem, type SourceProblem } from './source-text.js';
