/** Blocks to count: four in the first function, one in the second as long as nobody calls it. */
export function classify(value: number): string {
  if (value > 10) {
    return 'large';
  }
  const parity = value % 2 === 0 ? 'even' : 'odd';
  return parity;
}

/** @public Nobody may call it. */
export function unused(value: number): number {
  if (value > 0) return 1;
  return 0;
}
