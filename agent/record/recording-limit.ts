/** How long a recording may become: what the command line says of it. */

/** Bytes: default and bounds of what may be asked for. */
export const RECORDING_LIMIT = { standard: 16 << 20, least: 1 << 20, most: 1 << 30 } as const;

const UNITS: Readonly<Record<string, number>> = { '': 1, K: 1 << 10, M: 1 << 20, G: 1 << 30 };

/** "64M", "1048576". Undefined for anything else. */
export function parseByteCount(text: string): number | undefined {
  const [, digits, unit = ''] = /^(\d{1,12})([KMG]?)$/i.exec(text) ?? [];
  const factor = UNITS[unit.toUpperCase()];
  return digits === undefined || factor === undefined ? undefined : Number(digits) * factor;
}

/** In the greatest unit that divides it. */
export function formatByteCount(bytes: number): string {
  const [unit, factor] = Object.entries(UNITS).findLast(([, each]) => bytes % each === 0) ?? ['', 1];
  return `${bytes / factor}${unit}`;
}
