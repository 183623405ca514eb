/** Reading and writing resources and configuration files. */

export { parseConfigFile } from './config-file.js';
export { type ParsedManifest, parseManifest } from './manifest.js';
export { messageToPlain, type PlainObject, toPlain, toPlainList } from './plain.js';
export { renderManifest, renderYaml } from './renderer.js';
export { formatSourceProblem } from './source-text.js';
