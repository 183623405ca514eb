/** Both programs measured in turn, several rounds, the one that begins alternating. A round that fails is told, not hidden. */
import { type Figure, KINDS, type Kind, type Measured } from './figure.js';
import type { Goal } from './goal.js';
import { condense, type Statistic } from './statistics.js';

/** Raw samples of one round of one program, by quantity. */
export type Samples = Readonly<Record<string, readonly number[]>>;

export type Turn =
  | { readonly round: number; readonly kind: Kind; readonly samples: Samples }
  | { readonly round: number; readonly kind: Kind; readonly failure: string };

/** How a row is to be run. */
export interface Conduct {
  readonly rounds: number;
  /** Shorter, for a look whether it works. */
  readonly quick: boolean;
  /** Adverts at 10 ms for ten minutes. */
  readonly long: boolean;
  /** Tells whoever waits at the terminal how far it is. */
  say(sentence: string): void;
}

export class Contest {
  private constructor(readonly turns: readonly Turn[]) {}

  /** `measure` may reject: that turn then has no samples, and a reason. */
  static async hold(
    { rounds, say }: Pick<Conduct, 'rounds' | 'say'>,
    measure: (kind: Kind, round: number) => Promise<Samples>,
  ): Promise<Contest> {
    const turns: Turn[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      for (const kind of round % 2 === 1 ? KINDS : KINDS.toReversed()) {
        try {
          const samples = await measure(kind, round);
          turns.push({ round, kind, samples });
          say(`round ${round} of ${rounds}, ${kind}: ${summaryOf(samples)}`);
        } catch (error) {
          const failure = error instanceof Error ? error.message : String(error);
          turns.push({ round, kind, failure });
          say(`round ${round} of ${rounds}, ${kind}: not measured: ${failure}`);
        }
      }
    }
    return new Contest(turns);
  }

  /** One value a round: the statistic of that round's samples of a quantity. */
  figure(what: string, unit: string, quantity: string, statistic: Statistic, goal: Goal): Figure {
    const measured = (kind: Kind) => this.#measured(kind, quantity, statistic);
    return { what, unit, keepalived: measured('keepalived'), baton: measured('baton'), goal };
  }

  /** Sentences on the turns that gave nothing. */
  get failures(): readonly string[] {
    return this.turns.flatMap((turn) =>
      'failure' in turn ? [`round ${turn.round}, ${turn.kind}: not measured: ${turn.failure}`] : [],
    );
  }

  #measured(kind: Kind, quantity: string, statistic: Statistic): Measured {
    const own = this.turns.filter((turn) => turn.kind === kind);
    const values = own.flatMap((turn) => {
      const samples = 'samples' in turn ? turn.samples[quantity] : undefined;
      return samples === undefined || samples.length === 0 ? [] : [condense(samples, statistic)];
    });
    if (values.length > 0) return { values };
    const failed = own.find((turn) => 'failure' in turn);
    return { reason: failed !== undefined && 'failure' in failed ? failed.failure : 'no round gave a sample' };
  }
}

function summaryOf(samples: Samples): string {
  return Object.entries(samples)
    .map(([quantity, values]) => {
      const [middle, most] = [condense(values, 'median'), condense(values, 'max')];
      return values.length === 1
        ? `${quantity} ${middle.toFixed(2)}`
        : `${quantity} ${middle.toFixed(2)}, at most ${most.toFixed(2)} (${values.length})`;
    })
    .join('; ');
}
