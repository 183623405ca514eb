/** The differences that several scenarios name, each as what is seen of it. */
import type { Difference, MemberName } from './scenario.js';

interface Left {
  readonly dead: MemberName;
  /** Who has taken over, if anybody. */
  readonly others?: string;
  /** Answered by, where everybody answers with the virtual MAC address. */
  readonly virtually?: boolean;
}

/** The active one was killed, or frozen: its addresses end with their lease, or stay. */
export function lease({ dead, others = '', virtually = false }: Left): readonly Difference[] {
  const list = (names: string) => names.split(' ').filter((name) => name !== '');
  const shown = (names: readonly string[]) => [...names].sort().join(' ') || '-';
  const answers = (names: readonly string[]) => shown(names.map((name) => (virtually ? `${name} virtually` : name)));
  const [rest, both] = [list(others), [dead, ...list(others)]];
  const common = { by: dead, decision: 'lease' } as const;
  return [
    { ...common, of: dead, aspect: 'addresses', keepalived: '-', baton: 'lost' },
    { ...common, of: 'LAN', aspect: 'holders', keepalived: shown(both), baton: shown(rest) },
    { ...common, of: 'LAN', aspect: 'answers', keepalived: answers(both), baton: answers(rest) },
  ];
}

/** The one that was killed is started again, and is active in the end: it finds what it left, or nothing. */
export function leftovers(dead: MemberName): Difference {
  return { by: dead, of: dead, aspect: 'addresses', keepalived: 'lost, held', baton: 'held', decision: 'lease' };
}

/** The one that was frozen goes on, and is active in the end: it takes the role back, or never knew that it had lost it. */
export function wokenUp(frozen: MemberName, priority: number): readonly Difference[] {
  const common = { by: frozen, of: frozen, keepalived: '-', decision: 'pause' } as const;
  return [
    { ...common, aspect: 'states', baton: `BACKUP ${priority}, MASTER ${priority}` },
    { ...common, aspect: 'addresses', baton: 'held' },
  ];
}

/** A planned stop of the active one with somebody of a low priority, and so of a long skew time, to take over. */
export function handover(stopped: MemberName): Difference {
  return { by: stopped, of: 'LAN', aspect: 'gap', keepalived: 'yes', baton: 'no', decision: 'handover' };
}

/** Somebody removed the address of the active one by hand: it is put back, or given up and elected anew. */
export function putBack(active: MemberName, priority: number): readonly Difference[] {
  const common = { by: active, of: active, decision: 'putBack' } as const;
  return [
    {
      ...common,
      aspect: 'states',
      keepalived: `BACKUP ${priority}, MASTER ${priority}`,
      baton: '-',
    },
    { ...common, aspect: 'adverts', keepalived: `0, ${priority}`, baton: '-' },
  ];
}

/** An owner that is told to begin as backup. */
export function ownerAtOnce(owner: MemberName): Difference {
  const keepalived = 'BACKUP 255, MASTER 255';
  return { by: owner, of: owner, aspect: 'states', keepalived, baton: 'MASTER 255', decision: 'owner' };
}
