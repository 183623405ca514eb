/** Instants and spans as an operator wants them: short, and never negative. */

/** "0s", "47s", "5m 3s", "2h 10m", "3d 4h", "212d". A clock that is ahead counts as now. */
export function formatAge(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3_600) return both(Math.floor(seconds / 60), 'm', seconds % 60, 's');
  if (seconds < 86_400) return both(Math.floor(seconds / 3_600), 'h', Math.floor((seconds % 3_600) / 60), 'm');
  if (seconds < 100 * 86_400) {
    return both(Math.floor(seconds / 86_400), 'd', Math.floor((seconds % 86_400) / 3_600), 'h');
  }
  return `${Math.floor(seconds / 86_400)}d`;
}

/** The age of an instant; "-" for none. */
export function ageOf(instant: Date | undefined, now: number): string {
  return isSet(instant) ? formatAge(now - instant.getTime()) : '-';
}

/** "3s ago", "now", "never". */
export function ago(instant: Date | undefined, now: number): string {
  if (!isSet(instant)) return 'never';
  const age = now - instant.getTime();
  return age < 1_000 ? 'now' : `${formatAge(age)} ago`;
}

/** "in 6d 2h", "3h ago"; "-" for none. */
export function until(instant: Date | undefined, now: number): string {
  if (!isSet(instant)) return '-';
  const left = instant.getTime() - now;
  return left > 0 ? `in ${formatAge(left)}` : ago(instant, now);
}

/** "2026-11-22 16:50:35.123Z"; "-" for none. */
export function formatInstant(instant: Date | undefined): string {
  return isSet(instant) ? instant.toISOString().replace('T', ' ') : '-';
}

function isSet(instant: Date | undefined): instant is Date {
  return instant !== undefined && !Number.isNaN(instant.getTime()) && instant.getTime() !== 0;
}

function both(greater: number, unit: string, lesser: number, lesserUnit: string): string {
  return lesser === 0 ? `${greater}${unit}` : `${greater}${unit} ${lesser}${lesserUnit}`;
}
