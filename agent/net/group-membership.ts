/** Which multicast groups a socket has joined, and how that changes. */
import type { IpAddress } from '../../proto/rules/ip.js';
import { OK, type Outcome } from './system-error.js';

/**
 * Joins what is wanted and leaves what is not, joining first. Gives the groups that are joined then, and the first
 * refusal: what was refused stays as it was.
 *
 * @param change joins or leaves one group
 */
export function changeGroups(
  joined: ReadonlySet<IpAddress>,
  wanted: readonly IpAddress[],
  change: (group: IpAddress, isJoin: boolean) => Outcome,
): { readonly joined: ReadonlySet<IpAddress>; readonly outcome: Outcome } {
  const now = new Set(joined);
  let outcome: Outcome = OK;
  const attempt = (group: IpAddress, isJoin: boolean) => {
    const result = change(group, isJoin);
    if (!result.ok) {
      if (outcome.ok) outcome = result;
    } else if (isJoin) now.add(group);
    else now.delete(group);
  };
  for (const group of new Set(wanted)) if (!joined.has(group)) attempt(group, true);
  for (const group of joined) if (!wanted.includes(group)) attempt(group, false);
  return { joined: now, outcome };
}
