/**
 * What the reader and the importer have to say about a keepalived.conf. Everything that is met and not carried over
 * becomes a remark; nothing is dropped silently.
 */

/** A place in a file; lines count from 1. */
export interface Origin {
  readonly file: string;
  readonly line: number;
  /** Where the template is used in which this is written; absent: it is no line of a template. */
  readonly usedAt?: { readonly file: string; readonly line: number };
}

/**
 * - `error`: what would run is not what the file asks for; nothing should run before somebody has looked at it.
 * - `warning`: a setting is not carried over or keepalived itself ignores it; elections and addresses are as in the file.
 * - `note`: worth knowing.
 */
export type Severity = 'error' | 'warning' | 'note';

export interface Remark {
  readonly file: string;
  readonly line: number;
  readonly severity: Severity;
  /** One sentence or two: what was met and what that means. Never contains a password. */
  readonly message: string;
}

/** A value with the place where it was set. */
export interface Located<T> {
  readonly value: T;
  readonly origin: Origin;
}
