/** Order statistics of small samples, and the slope of a line. Pure. */

/** What a list of samples is condensed to. */
export type Statistic = 'median' | 'p99' | 'max' | 'sum';

/**
 * The value below which this share of the samples lies, by linear interpolation between the two nearest ones; NaN of
 * nothing.
 *
 * @param share 0 to 1
 */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const below = sorted[Math.floor(at)] ?? Number.NaN;
  const above = sorted[Math.ceil(at)] ?? Number.NaN;
  return below + (above - below) * (at - Math.floor(at));
}

export function median(samples: readonly number[]): number {
  return quantile(samples, 0.5);
}

/** NaN of nothing, but for the sum. */
export function condense(samples: readonly number[], statistic: Statistic): number {
  switch (statistic) {
    case 'median':
      return median(samples);
    case 'p99':
      return quantile(samples, 0.99);
    case 'max':
      return quantile(samples, 1);
    case 'sum':
      return samples.reduce((sum, sample) => sum + sample, 0);
  }
}

/** Middle and range of what the rounds gave. */
export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** Undefined of nothing. */
export function spreadOf(values: readonly number[]): Spread | undefined {
  if (values.length === 0) return undefined;
  return { median: median(values), least: Math.min(...values), most: Math.max(...values) };
}

/** Least squares: how much `ys` grows when x grows by one; x counts the samples. 0 of fewer than two. */
export function slope(ys: readonly number[]): number {
  const middle = (ys.length - 1) / 2;
  const mean = ys.reduce((sum, y) => sum + y, 0) / ys.length;
  let products = 0;
  let squares = 0;
  for (const [x, y] of ys.entries()) {
    products += (x - middle) * (y - mean);
    squares += (x - middle) ** 2;
  }
  return squares === 0 ? 0 : products / squares;
}
