/** Kinds of resources as people type them. */
import { findKind, KINDS } from '../../proto/rules/names.js';
import { suggestion } from '../../proto/rules/nearest-name.js';
import { Failure } from './failure.js';

/** Besides each kind in any case and its plural. */
const SHORT_NAMES: Readonly<Record<string, string>> = {
  vr: 'VirtualRouter',
  vrs: 'VirtualRouter',
  router: 'VirtualRouter',
  routers: 'VirtualRouter',
  group: 'SyncGroup',
  groups: 'SyncGroup',
  bfd: 'BfdSession',
};

/** @throws Failure (2) that names the kinds */
export function readKind(text: string): string {
  const short = SHORT_NAMES[text.toLowerCase()];
  const kind = short ?? findKind(text);
  if (kind !== undefined) return kind;
  const known = [...KINDS, ...KINDS.map((name) => name.toLowerCase()), ...Object.keys(SHORT_NAMES)];
  throw new Failure(
    2,
    `"${text}" is not a kind of resource${suggestion(text, known)}; kinds are: ${KINDS.join(', ')} (vr for VirtualRouter)`,
  );
}
