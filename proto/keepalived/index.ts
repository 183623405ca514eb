/** The keepalived.conf dialect: reading one host's file and importing several hosts' files into one set of resources. */
import type { Resource } from '../gen/baton/v1/resources.js';
import type { KeepalivedConfig } from './config.js';
import type { SourceEdges } from './edges.js';
import type { Remark } from './remark.js';

export type { KeepalivedConfig, VrrpInstance, VrrpScript } from './config.js';
export type { FileContent, SourceEdges } from './edges.js';
export type { Located, Origin, Remark, Severity } from './remark.js';

/** One host's file. */
export interface ImportedHost {
  /** Name of the Node; absent: the file's router_id. */
  readonly name?: string;
  readonly config: KeepalivedConfig;
}

/** `readKeepalived(path, edges)`; never throws. `path` as it shall appear in remarks. */
export type ReadKeepalived = (
  path: string,
  edges: SourceEdges,
) => { readonly config: KeepalivedConfig; readonly remarks: readonly Remark[] };

/** `importKeepalived(hosts)`; remarks are those of the import only, readKeepalived's come with the config. */
export type ImportKeepalived = (hosts: readonly ImportedHost[]) => {
  readonly resources: Resource[];
  readonly remarks: readonly Remark[];
};

/** `looksLikeKeepalived(text)`: true for a keepalived.conf, false for YAML or JSON. */
export type LooksLikeKeepalived = (text: string) => boolean;
