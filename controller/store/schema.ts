/**
 * The tables, as the code sees them. Instants are milliseconds of Unix time; messages are encoded protocol buffers;
 * every integer is below 2^53. Sealed columns hold what SealedBox made and are unreadable without the key file.
 */
import type { AlertTables } from '../notify/index.js';

/** Numbers given out one after the other and never twice: `generation`, `event`. */
export interface CounterTable {
  name: string;
  value: number;
}

/** What is accepted now. */
export interface ResourceTable {
  kind: string;
  name: string;
  /** Generation in which it last changed. */
  generation: number;
  created_at: number;
  updated_at: number;
  /** baton.v1.Resource without output-only fields; sealed when it is a Secret. */
  content: Uint8Array;
}

/** One accepted set of resources. */
export interface GenerationTable {
  generation: number;
  created_at: number;
  /** Who made it: "operator NAME", "enrolment of NODE". */
  actor: string;
}

/** What each generation changed; the state at a generation is the newest row of each resource up to it. */
export interface ResourceChangeTable {
  generation: number;
  kind: string;
  name: string;
  /** A baton.v1.ChangeKind. */
  change: string;
  /** As in ResourceTable; empty when deleted. */
  content: Uint8Array;
}

/** Join tokens. */
export interface TokenTable {
  id: string;
  /** Lower-case hexadecimal SHA-256 of the token. */
  hash: string;
  /** The only node name that it is good for; empty: any new name. */
  node: string;
  created_at: number;
  expires_at: number;
  /** 0: not used. */
  used_at: number;
  /** Name of the node that used it. */
  used_by: string;
  /** 0: not revoked. */
  revoked_at: number;
}

/** Everybody who ever got a certificate as a node. */
export interface NodeTable {
  /** UUID, never used twice. */
  id: string;
  /** Unique among those that are not deleted. */
  name: string;
  created_at: number;
  /** 0: still a node. */
  deleted_at: number;
}

/** Certificates that were issued to nodes and operators. */
export interface CertificateTable {
  /** Lower-case hexadecimal. */
  serial: string;
  /** "agent" or "operator". */
  role: string;
  /** The UUID in the certificate's URI. */
  subject: string;
  name: string;
  not_before: number;
  not_after: number;
  /** 0: good. */
  revoked_at: number;
}

/** Last known state of each node. */
export interface NodeStatusTable {
  /** Id of the node. */
  node: string;
  last_seen: number;
  remote_address: string;
  /** baton.v1.NodeStatus. */
  content: Uint8Array;
}

/** What each node is to run. */
export interface BundleTable {
  /** Name of the node. */
  node: string;
  /** Generation in which this content came about. */
  generation: number;
  /** Lower-case hexadecimal SHA-256 of the content. */
  hash: string;
  /** baton.v1.Bundle, sealed: it carries passwords. */
  content: Uint8Array;
}

/** Why a node refused a bundle; a row lives until the node accepts one. */
export interface BundleRefusalTable {
  /** Id of the node. */
  node: string;
  hash: string;
  refused_at: number;
  /** baton.v1.BundleResult. */
  content: Uint8Array;
}

/** Events as the nodes sent them. */
export interface EventTable {
  id: number;
  /** Id of the node. */
  node_id: string;
  /** Name that it had. */
  node: string;
  journal: string;
  sequence: number;
  received_at: number;
  /** 0 unspecified, 1 info, 2 warning, 3 error. */
  severity: number;
  router: string;
  /** baton.v1.Event. */
  content: Uint8Array;
}

export interface Database extends AlertTables {
  counters: CounterTable;
  resources: ResourceTable;
  generations: GenerationTable;
  resource_changes: ResourceChangeTable;
  tokens: TokenTable;
  nodes: NodeTable;
  certificates: CertificateTable;
  node_statuses: NodeStatusTable;
  bundles: BundleTable;
  bundle_refusals: BundleRefusalTable;
  events: EventTable;
}
