/**
 * The language of scenarios: who the members are and what happens to them, in which order. What is then observed is not
 * said here, since it is to be the same whoever plays the members; but who holds the addresses in the end is, and every
 * difference that is wanted.
 *
 *   scenario('stops', 'the active one stops and comes back', V3, {
 *     routers: [router({ A: 150, B: 100 })],
 *     steps: [step(start('A'), 'A'), step(start('B'), 'A'), step(stop('A'), 'B', handover('A')), step(start('A'), 'A')],
 *   })
 */
import type { Kind } from '../interop/contender.js';
import type { Form } from './form.js';

export type MemberName = 'A' | 'B' | 'C';
export const MEMBERS: readonly MemberName[] = ['A', 'B', 'C'];

export const FAMILIES = [
  'boot orders',
  'kills',
  'pauses',
  'stops',
  'priorities',
  'checks',
  'links',
  'removed addresses',
  'partitions',
  'preemption',
  'sync groups',
  'three members',
] as const;
export type Family = (typeof FAMILIES)[number];

/** One virtual router of a scenario. */
export interface RouterPlan {
  readonly name: string;
  readonly vrid: number;
  /** 1: interface em1 of every member; 2: em2, a LAN of its own. */
  readonly lan: 1 | 2;
  readonly priorities: Readonly<Partial<Record<MemberName, number>>>;
  /** Further lines of every member's vrrp_instance block. */
  readonly lines: readonly string[];
  /** Further lines of one member's. */
  readonly linesOf: Readonly<Partial<Record<MemberName, readonly string[]>>>;
}

/** What happens. Links are by LAN number, 1 unless said otherwise. */
export type Action =
  | { readonly kind: 'start' | 'stop' | 'kill' | 'freeze' | 'thaw'; readonly member: MemberName }
  /** The cables of all members that are named are pulled out, or in, at the same time. */
  | { readonly kind: 'cut' | 'mend'; readonly members: readonly MemberName[]; readonly lan: 1 | 2 }
  /** The switch loses what comes from one member to another; `both`: and back. */
  | { readonly kind: 'lose'; readonly from: MemberName; readonly to: MemberName; readonly both: boolean }
  /** The switch loses nothing any more. */
  | { readonly kind: 'heal' }
  /** The script of check `healthy` fails, or succeeds, on one member. */
  | { readonly kind: 'fail' | 'recover'; readonly member: MemberName }
  /** The file that `track_file number` reads says this. */
  | { readonly kind: 'write'; readonly member: MemberName; readonly number: number }
  /** The member's configuration is another one from now on, and read. */
  | { readonly kind: 'reload'; readonly member: MemberName; readonly priority: number }
  /** Somebody removes the virtual address of a router by hand. */
  | { readonly kind: 'removeAddress'; readonly member: MemberName; readonly router: string };

/** What the observations are about; see observation.ts. */
export type Aspect = 'states' | 'adverts' | 'addresses' | 'holders' | 'answers' | 'gap';

/** A deliberate difference: in this step, depending on who plays a member, that is observed. */
export interface Difference {
  /** The member whose player makes the difference. */
  readonly by: MemberName;
  /** A member, or LAN for what is seen of all together. */
  readonly of: MemberName | 'LAN';
  readonly aspect: Aspect;
  /** All routers unless said. */
  readonly router?: string;
  readonly keepalived: string;
  readonly baton: string;
  readonly decision: DecisionName;
}

/** One row of the written list of differences: docs/differential.md. */
export interface Decision {
  /** Number of the decision record; a section of docs/keepalived.md where there is none. */
  readonly record: string;
  readonly what: string;
}
export type DecisionName = keyof typeof DECISIONS;

/** Every deliberate difference that any scenario may name. */
export const DECISIONS = {
  lease: {
    record: '0002',
    what: 'a dead Baton loses its addresses when their lease ends; a dead keepalived leaves them, until it is started again',
  },
  pause: {
    record: '0002',
    what: 'a Baton that comes back from a pause longer than its lease or down interval is backup first; a keepalived goes on as if nothing had been',
  },
  handover: {
    record: '0004',
    what: 'a Baton that is stopped answers until its successor has announced; a keepalived is gone at once and nobody answers meanwhile',
  },
  owner: {
    record: '0030',
    what: 'a Baton of priority 255 is active at once, a keepalived that says `state BACKUP` with it waits one down interval',
  },
  putBack: {
    record: '0009',
    what: 'Baton puts an address that was removed by hand back at once; keepalived says priority 0 and elects anew',
  },
} as const satisfies Readonly<Record<string, Decision>>;

export interface Step {
  readonly action: Action;
  /** Names of those who hold the addresses afterwards, e.g. "A", "A B", "" ; or by router. */
  readonly holders: string | Readonly<Record<string, string>>;
  readonly differences: readonly Difference[];
}

export interface Scenario {
  readonly family: Family;
  readonly title: string;
  readonly form: Form;
  readonly name: string;
  readonly members: readonly MemberName[];
  readonly routers: readonly RouterPlan[];
  /** Names of routers that move together, as group "G". */
  readonly group: readonly string[];
  readonly groupLines: readonly string[];
  /** Further lines of global_defs. */
  readonly globalLines: readonly string[];
  readonly steps: readonly Step[];
  /** Added to the time without events after which it has settled, for what takes longer than two down intervals. */
  readonly patienceMs: number;
  /** Part of what `npm test` runs. */
  readonly isRepresentative: boolean;
}

type Plan = Pick<Scenario, 'routers' | 'steps'> &
  Partial<Pick<Scenario, 'group' | 'groupLines' | 'globalLines' | 'patienceMs'>> & {
    readonly representative?: boolean;
  };

export function scenario(family: Family, title: string, form: Form, plan: Plan): Scenario {
  const { representative = false, ...given } = plan;
  const members = MEMBERS.filter((member) => given.routers.some(({ priorities }) => priorities[member] !== undefined));
  return {
    group: [],
    groupLines: [],
    globalLines: [],
    patienceMs: 0,
    ...given,
    family,
    title,
    form,
    name: `${family}: ${title} (${form.title})`,
    members,
    isRepresentative: representative,
  };
}

type RouterOptions = Partial<Omit<RouterPlan, 'priorities'>>;

/** VI_1, VRID 51, on LAN 1, unless said otherwise. */
export function router(priorities: RouterPlan['priorities'], options: RouterOptions = {}): RouterPlan {
  return { name: 'VI_1', vrid: 51, lan: 1, lines: [], linesOf: {}, ...options, priorities };
}

export function step(
  action: Action,
  holders: Step['holders'],
  ...differences: readonly (Difference | readonly Difference[])[]
): Step {
  return { action, holders, differences: differences.flat() };
}

export const start = (member: MemberName): Action => ({ kind: 'start', member });
/** Planned: SIGTERM. */
export const stop = (member: MemberName): Action => ({ kind: 'stop', member });
/** SIGKILL of all its processes. */
export const kill = (member: MemberName): Action => ({ kind: 'kill', member });
/** SIGSTOP. */
export const freeze = (member: MemberName): Action => ({ kind: 'freeze', member });
/** SIGCONT. */
export const thaw = (member: MemberName): Action => ({ kind: 'thaw', member });
export const cut = (...members: readonly MemberName[]): Action => ({ kind: 'cut', members, lan: 1 });
export const mend = (...members: readonly MemberName[]): Action => ({ kind: 'mend', members, lan: 1 });
export const cutSecond = (...members: readonly MemberName[]): Action => ({ kind: 'cut', members, lan: 2 });
export const mendSecond = (...members: readonly MemberName[]): Action => ({ kind: 'mend', members, lan: 2 });
export const mute = (from: MemberName, to: MemberName): Action => ({ kind: 'lose', from, to, both: false });
export const part = (from: MemberName, to: MemberName): Action => ({ kind: 'lose', from, to, both: true });
export const heal: Action = { kind: 'heal' };
export const fail = (member: MemberName): Action => ({ kind: 'fail', member });
export const recover = (member: MemberName): Action => ({ kind: 'recover', member });
export const write = (member: MemberName, number: number): Action => ({ kind: 'write', member, number });
export const reload = (member: MemberName, priority: number): Action => ({ kind: 'reload', member, priority });
export const removeAddress = (member: MemberName, name = 'VI_1'): Action => ({
  kind: 'removeAddress',
  member,
  router: name,
});

/** An action in words, as tables and lists have it. */
export function actionText(action: Action): string {
  switch (action.kind) {
    case 'start':
    case 'stop':
    case 'kill':
    case 'freeze':
    case 'thaw':
    case 'fail':
    case 'recover':
      return `${action.kind} ${action.member}`;
    case 'cut':
    case 'mend':
      return `${action.kind} ${action.members.join(' ')}${action.lan === 2 ? ' on LAN 2' : ''}`;
    case 'lose':
      return action.both ? `part ${action.from} from ${action.to}` : `mute ${action.from} to ${action.to}`;
    case 'heal':
      return 'heal';
    case 'write':
      return `write ${action.number} at ${action.member}`;
    case 'reload':
      return `reload ${action.member} with priority ${action.priority}`;
    case 'removeAddress':
      return `remove the address of ${action.router} at ${action.member}`;
  }
}

/** Which program plays A, and which B: K keepalived, B Baton. */
export type Cast = 'KK' | 'BB' | 'KB' | 'BK';
export const CASTS: readonly Cast[] = ['KK', 'BB', 'KB', 'BK'];

/** The third member is as the first. */
export function playerOf(cast: Cast, member: MemberName): Kind {
  return cast[member === 'B' ? 1 : 0] === 'K' ? 'keepalived' : 'baton';
}
