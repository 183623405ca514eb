/** What an alert is about: a virtual router, or a sync group as a whole. Pure. */

export interface AlertSubject {
  readonly kind: 'router' | 'group';
  readonly name: string;
}

/** No router is called so: names of resources have no "/". */
const GROUP = 'group/';

/** The subject as the alert tables hold it, in their columns "router". */
export function subjectKey({ kind, name }: AlertSubject): string {
  return kind === 'group' ? `${GROUP}${name}` : name;
}

export function subjectOfKey(key: string): AlertSubject {
  return key.startsWith(GROUP) ? { kind: 'group', name: key.slice(GROUP.length) } : { kind: 'router', name: key };
}
