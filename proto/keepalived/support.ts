/** How a keyword of keepalived is treated, and the reasons that several of them share. */
import type { Severity } from './remark.js';

/** `read`: has its meaning in Baton. `reported`: has none; the meaning says what that changes. */
export type KeywordSupport =
  | { readonly support: 'read' }
  | { readonly support: 'reported'; readonly severity: Severity; readonly meaning: string };

export type KeywordTable = Readonly<Record<string, KeywordSupport>>;

export const READ: KeywordSupport = { support: 'read' };

const reported =
  (severity: Severity) =>
  (meaning: string): KeywordSupport => ({ support: 'reported', severity, meaning });
/** What runs would not be what the file asks for. */
export const missing = reported('error');
/** Runs without it; the meaning says what is different. */
export const without = reported('warning');
/** Nothing is lost. */
export const nothing = reported('note');

/** All of them are read. */
export function readAll(...words: readonly string[]): KeywordTable {
  return Object.fromEntries(words.map((word) => [word, READ]));
}

export const LVS = without(
  'belongs to the load balancer (LVS), which is out of Baton\'s scope; keep running "keepalived --check" for it',
);
export const CHECKER = nothing("belongs to keepalived's load balancer half, which is out of Baton's scope");
export const BFD_PROCESS = nothing("tunes keepalived's BFD process; Baton's agent runs BFD itself");
export const LINK_POLLING = without(
  "not supported: Baton takes the link state from the kernel's notices only, and polls no driver",
);
