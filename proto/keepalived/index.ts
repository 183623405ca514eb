/** The keepalived.conf dialect: reading one host's file and importing several hosts' files into one set of resources. */
export type { KeepalivedConfig, VrrpInstance, VrrpScript } from './config.js';
export type { FileContent, SourceEdges } from './edges.js';
export { type ImportedHost, importKeepalived } from './import.js';
export { type Context, KEYWORDS, type KeywordSupport } from './keywords.js';
export { looksLikeKeepalived } from './looks-like.js';
export { findProgram, nodeEdges } from './node-edges.js';
export { readKeepalived } from './read.js';
export type { Located, Origin, Remark, Severity } from './remark.js';
