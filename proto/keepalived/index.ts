/** The keepalived.conf dialect: reading one host's file and importing several hosts' files into one set of resources. */
export type { KeepalivedConfig } from './config.js';
export type { HostEdges, SourceEdges } from './edges.js';
export { type ImportedHost, importKeepalived } from './import.js';
export { KEYWORDS } from './keywords.js';
export { looksLikeKeepalived } from './looks-like.js';
export { findProgram, nodeEdges, ownHostEdges } from './node-edges.js';
export { type HostIdentity, readKeepalived } from './read.js';
export type { Remark } from './remark.js';
