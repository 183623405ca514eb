/**
 * What a program started and left behind becomes a child of this process when its parent ends, and is a zombie from its
 * own end until it is waited for. The programs that were started here are waited for elsewhere; another zombie that is
 * still there on a second look is nobody else's, so it is ours.
 */
import { readdirSync, readFileSync } from 'node:fs';
import type { Millis } from '../../proto/rules/time.js';

/** Not after a whole second: a program that is run every second would end just while this thread looks. */
const ZOMBIE_LOOK_MS = 430;
const ORPHAN_LOOK_MS = 5_000;

export interface OrphanEdges {
  /** Children of this process that have not been waited for. */
  children(): readonly { readonly id: number; readonly isZombie: boolean }[];
  reap(child: number): void;
  /** Calls back once after so long, unless the process ends before. */
  later(delay: Millis, callback: () => void): void;
}

export class Orphans {
  readonly #edges: OrphanEdges;
  /** Whether a child was started here and has not been seen to end. */
  readonly #isOwn: (child: number) => boolean;
  #isDue = false;
  #zombies = new Set<number>();

  constructor(edges: OrphanEdges, isOwn: (child: number) => boolean) {
    this.#edges = edges;
    this.#isOwn = isOwn;
  }

  /** A program has ended; it may have left some. */
  mayBe(): void {
    this.#lookAfter(ZOMBIE_LOOK_MS);
  }

  #lookAfter(delay: Millis): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#edges.later(delay, () => {
      this.#isDue = false;
      this.#look();
    });
  }

  #look(): void {
    const orphans = this.#edges.children().filter(({ id }) => !this.#isOwn(id));
    const zombies = orphans.filter(({ isZombie }) => isZombie).map(({ id }) => id);
    for (const id of zombies) if (this.#zombies.has(id)) this.#edges.reap(id);
    const left = zombies.filter((id) => !this.#zombies.has(id));
    this.#zombies = new Set(left);
    if (left.length > 0) this.#lookAfter(ZOMBIE_LOOK_MS);
    else if (orphans.length > zombies.length) this.#lookAfter(ORPHAN_LOOK_MS);
  }
}

/** Each thread of this process has its own list of children. */
export function childrenOfThisProcess(): { readonly id: number; readonly isZombie: boolean }[] {
  const ids = new Set<number>();
  for (const thread of readdirSync('/proc/self/task')) {
    for (const id of readOr(`/proc/self/task/${thread}/children`).split(' ')) if (id !== '') ids.add(Number(id));
  }
  return [...ids].map((id) => {
    const stat = readOr(`/proc/${id}/stat`);
    return { id, isZombie: stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) === 'Z' };
  });
}

function readOr(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    // The thread or process has ended meanwhile.
    return '';
  }
}
