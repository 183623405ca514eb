/**
 * What routes and rules have in common: a router (or a host network) has a list of them, each known by its text; they are
 * added and removed together, put back when somebody else removes them, and each failure is told and none thrown.
 */
import { type Instant, MICROS_PER_SECOND, type Micros } from '../../proto/rules/time.js';
import type { Outcome } from '../net/system-error.js';
import type { Outbox } from './outbox.js';

/** An item that something else keeps removing is put back each time, and told of at most this often. */
const RESTORED_TOLD_EVERY: Micros = 60 * MICROS_PER_SECOND;

export interface Item {
  readonly text: string;
  readonly noTrack: boolean;
}

/** Whose items they are. A running router is one. */
export interface ItemOwner {
  readonly name: string;
  count(counter: string, by?: number): void;
}

/** What the kernel is asked for, or why it cannot be. */
export type Asked<Request> =
  | { readonly ok: true; readonly request: Request }
  | { readonly ok: false; readonly reason: string };

/** What is done to the kernel; one outcome for each request. */
export interface ItemKernel<Settings extends Item, Request> {
  /** In counters and messages: "route" or "rule". */
  readonly kind: 'route' | 'rule';
  ask(settings: Settings): Asked<Request>;
  /** EEXIST: it is there. */
  add(requests: readonly Request[]): readonly Outcome[];
  /** As add, and where something is there already, that is made ours if it is the same. EEXIST: it is another one. */
  claim(requests: readonly Request[]): readonly Outcome[];
  /** Those that are not there are ok. */
  remove(requests: readonly Request[]): readonly Outcome[];
  /** Whether it is there, and the very same. */
  isThere(request: Request): boolean;
  /** Removes what is there; ok only for what was. */
  removeLeft(requests: readonly Request[]): readonly Outcome[];
}

interface Holding<Settings> {
  /** By text: what we have put into the kernel. */
  readonly held: Map<string, Settings>;
  /** Why one could not be added, by text, so that it is told once. */
  readonly failing: Map<string, string>;
  readonly restored: Map<string, { readonly toldAt: Instant; untold: number }>;
}

export class ItemKeeper<Settings extends Item, Request> {
  readonly #holdings = new Map<ItemOwner, Holding<Settings>>();

  constructor(
    private readonly kernel: ItemKernel<Settings, Request>,
    private readonly outbox: Outbox,
  ) {}

  /** Adds what the owner wants and does not hold, and removes what it holds and no longer wants. */
  sync(owner: ItemOwner, wanted: readonly Settings[]): void {
    const holding = this.#holdings.get(owner);
    if (holding === undefined && wanted.length === 0) return;
    const { held, failing } = holding ?? this.#holdingOf(owner);
    const texts = new Set(wanted.map(({ text }) => text));
    this.#remove(
      owner,
      [...held.values()].filter(({ text }) => !texts.has(text)),
    );
    for (const text of failing.keys()) if (!texts.has(text)) failing.delete(text);
    this.#add(
      owner,
      wanted.filter(({ text }) => !held.has(text)),
      'claim',
    );
  }

  /** Removes all that the owner holds. */
  remove(owner: ItemOwner): void {
    const holding = this.#holdings.get(owner);
    if (holding === undefined) return;
    this.#remove(owner, [...holding.held.values()].reverse());
    this.#holdings.delete(owner);
  }

  /**
   * Puts back what the kernel no longer has. True: one that was held could not be put back, and its loss is to be
   * answered (noTrack).
   */
  restore(owner: ItemOwner, wanted: readonly Settings[], now: Instant): boolean {
    if (wanted.length === 0) return false;
    const { held, restored } = this.#holdingOf(owner);
    const heldBefore = new Set(held.keys());
    let isLost = false;
    const outcomes = this.#add(owner, wanted, 'add');
    for (const [settings, outcome] of outcomes) {
      const { text } = settings;
      if (outcome.ok) {
        this.#tellRestored(
          owner,
          text,
          heldBefore.has(text)
            ? 'something else, or the kernel along with something else, removed it; it was put back'
            : 'it could not be added before',
          restored,
          now,
        );
      } else if (heldBefore.has(text)) {
        this.#tell(owner, text, 'removed-by-other', `it could not be put back: ${outcome.message}`);
        if (!settings.noTrack) isLost = true;
      }
    }
    return isLost;
  }

  /** Removes what a former run left of an owner's items that it does not hold. */
  removeLeftovers(owner: ItemOwner, wanted: readonly Settings[]): void {
    const held = this.#holdings.get(owner)?.held;
    const left: { readonly text: string; readonly request: Request }[] = [];
    for (const settings of wanted) {
      const asked = held?.has(settings.text) === true ? undefined : this.kernel.ask(settings);
      if (asked?.ok === true) left.push({ text: settings.text, request: asked.request });
    }
    const outcomes = left.length === 0 ? [] : this.kernel.removeLeft(left.map(({ request }) => request));
    for (const [index, { text }] of left.entries()) {
      if (outcomes[index]?.ok === true) {
        this.#tell(owner, text, 'leftover-removed', 'a former run left it, and this router does not start as active');
      }
    }
  }

  isHeld(owner: ItemOwner, text: string): boolean {
    return this.#holdings.get(owner)?.held.has(text) === true;
  }

  /** Why the owner does not have the item; undefined if it has, or has not asked for it. */
  failureOf(owner: ItemOwner, text: string): string | undefined {
    return this.#holdings.get(owner)?.failing.get(text);
  }

  #add(owner: ItemOwner, items: readonly Settings[], how: 'add' | 'claim'): readonly (readonly [Settings, Outcome])[] {
    const { held } = this.#holdingOf(owner);
    const asked: { readonly settings: Settings; readonly request: Request }[] = [];
    const results: (readonly [Settings, Outcome])[] = [];
    for (const settings of items) {
      const question = this.kernel.ask(settings);
      if (question.ok) asked.push({ settings, request: question.request });
      else results.push([settings, { ok: false, code: 'ENODEV', errno: 0, message: question.reason }]);
    }
    const outcomes = asked.length === 0 ? [] : this.kernel[how](asked.map(({ request }) => request));
    for (const [index, { settings, request }] of asked.entries()) {
      const outcome = outcomes[index];
      if (outcome === undefined) continue;
      // What is held is added again only to see whether it is there. The kernel may refuse it for another reason, such as a
      // gateway that cannot be reached any more, and have it nevertheless.
      if (!outcome.ok && how === 'add' && held.has(settings.text)) {
        if (outcome.code === 'EEXIST' || this.kernel.isThere(request)) continue;
      }
      results.push([settings, outcome]);
    }
    for (const [settings, outcome] of results) {
      if (outcome.ok) this.#held(owner, settings);
      else this.#failed(owner, settings.text, outcome.message);
    }
    return results;
  }

  #remove(owner: ItemOwner, items: readonly Settings[]): void {
    if (items.length === 0) return;
    const { held, failing } = this.#holdingOf(owner);
    const asked: { readonly text: string; readonly request: Request }[] = [];
    for (const settings of items) {
      held.delete(settings.text);
      failing.delete(settings.text);
      const question = this.kernel.ask(settings);
      // Without its interface it is not there any more.
      if (question.ok) asked.push({ text: settings.text, request: question.request });
    }
    const outcomes = asked.length === 0 ? [] : this.kernel.remove(asked.map(({ request }) => request));
    for (const [index, { text }] of asked.entries()) {
      const outcome = outcomes[index];
      if (outcome === undefined || outcome.ok) continue;
      owner.count(`errors.${this.kernel.kind}-remove`);
      this.outbox.tell({
        kind: 'log',
        level: 'error',
        message: `a ${this.kernel.kind} could not be removed`,
        fields: { router: owner.name, item: text, detail: outcome.message },
      });
    }
  }

  #holdingOf(owner: ItemOwner): Holding<Settings> {
    let holding = this.#holdings.get(owner);
    if (holding === undefined) {
      holding = { held: new Map(), failing: new Map(), restored: new Map() };
      this.#holdings.set(owner, holding);
    }
    return holding;
  }

  #held(owner: ItemOwner, settings: Settings): void {
    const { held, failing } = this.#holdingOf(owner);
    held.set(settings.text, settings);
    failing.delete(settings.text);
  }

  /** Told once until it succeeds. */
  #failed(owner: ItemOwner, text: string, detail: string): void {
    const { held, failing } = this.#holdingOf(owner);
    held.delete(text);
    owner.count(`errors.${this.kernel.kind}-add`);
    if (failing.get(text) === detail) return;
    failing.set(text, detail);
    this.#tell(owner, text, 'add-failed', detail);
  }

  #tellRestored(
    owner: ItemOwner,
    text: string,
    why: string,
    restored: Holding<Settings>['restored'],
    now: Instant,
  ): void {
    owner.count('restorations');
    const told = restored.get(text);
    if (told !== undefined && now - told.toldAt < RESTORED_TOLD_EVERY) {
      told.untold += 1;
      return;
    }
    const more = told !== undefined && told.untold > 0 ? `; ${told.untold} times more since this was last told` : '';
    restored.set(text, { toldAt: now, untold: 0 });
    this.#tell(owner, text, 'restored', `${why}${more}`);
  }

  #tell(
    owner: ItemOwner,
    item: string,
    change: 'restored' | 'removed-by-other' | 'add-failed' | 'leftover-removed',
    detail: string,
  ): void {
    this.outbox.tell({ kind: 'item', owner: owner.name, item, change, detail });
  }
}
