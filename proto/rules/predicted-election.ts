/**
 * Where an election ends when nothing changes any more: who is active once every member has heard the others for long
 * enough (RFC 9568 section 6.4, and keepalived's rules of sync groups). It predicts and takes no part. Pure.
 */
import { OWNER_PRIORITY } from './effective-priority.js';
import type { IpAddress } from './ip.js';

/** One member of one router. */
export interface Standing {
  /** Effective priority, 1..255. */
  readonly priority: number;
  /** Source address of its advertisements; absent: not known. */
  readonly address?: IpAddress | undefined;
  readonly preempts: boolean;
  /** In the election: not in fault, and not waiting for anything by itself. */
  readonly takesPart: boolean;
  /** Now. */
  readonly isActive: boolean;
}

/** One node with its members, by router. */
export interface Contender {
  readonly node: string;
  readonly standings: ReadonlyMap<string, Standing>;
}

/** What one member in fault means for the others of its sync group. */
export type GroupPolicy = 'all' | 'any';

export interface Prediction {
  /** By router, the node that is active; a router that nobody is active for is missing. */
  readonly active: ReadonlyMap<string, string>;
  /** Nodes of which no router takes part. */
  readonly out: ReadonlySet<string>;
  /**
   * Nodes of which each is the better one for another router of the group. Who ends up active is a matter of moments,
   * and it may not end at all.
   */
  readonly contested: readonly string[];
}

/**
 * @param routers one router, or all of one sync group
 * @param policy absent: no group
 */
export function predictElection(
  routers: readonly string[],
  policy: GroupPolicy | undefined,
  contenders: readonly Contender[],
): Prediction {
  const ready = contenders.map((contender) => participation(contender, policy));
  const active = new Map<string, Ready>();
  const contested = new Set<string>();
  for (const router of routers) {
    const claimants = ready.filter((one) => one.standings.get(router)?.isActive);
    const best = claimants.sort(byRank([router])).at(0);
    if (best !== undefined) active.set(router, best);
  }
  for (const one of ready) joinOwn(one, routers, active);
  // Each round one node takes over; a group whose priorities contradict each other need not come to rest.
  for (let round = 0; round < 2 * (ready.length + 1) * routers.length; round += 1) {
    const takers = ready.filter((one) => isTaker(one, routers, active));
    const taker = takers.sort(byRank(routers)).at(0);
    if (taker === undefined) break;
    for (const rival of takers.slice(1)) {
      if (!routers.some((router) => isBetter(rival, taker, router))) continue;
      contested.add(taker.node).add(rival.node);
    }
    const taken = routers.filter((router) => taker.standings.has(router));
    // Who yields one of them yields all that it has.
    const losers = new Set(taken.map((router) => active.get(router)).filter((holder) => holder !== taker));
    for (const router of routers) {
      if (taken.includes(router)) active.set(router, taker);
      else if (losers.has(active.get(router))) active.delete(router);
    }
  }
  return {
    active: new Map([...active].map(([router, { node }]) => [router, node])),
    out: new Set(ready.filter(({ standings }) => standings.size === 0).map(({ node }) => node)),
    contested: [...contested],
  };
}

/** A node with the members that take part alone. */
interface Ready {
  readonly node: string;
  readonly standings: ReadonlyMap<string, Standing>;
}

function participation({ node, standings }: Contender, policy: GroupPolicy | undefined): Ready {
  const taking = [...standings].filter(([, { takesPart }]) => takesPart);
  const isHeld = policy === 'all' && taking.length < standings.size;
  return { node, standings: new Map(isHeld ? [] : taking) };
}

/** Whether the node becomes active for something: alone by its timer, in a group when all of its timers agree. */
function isTaker(one: Ready, routers: readonly string[], active: ReadonlyMap<string, Ready>): boolean {
  let gains = false;
  for (const router of routers) {
    const standing = one.standings.get(router);
    const holder = active.get(router);
    if (standing === undefined || holder === one) continue;
    const held = holder?.standings.get(router);
    const wins = held === undefined || (preempts(standing) && standing.priority > held.priority);
    if (!wins) return false;
    gains = true;
  }
  return gains;
}

/**
 * A member that takes part again becomes active with those of its group that are, and then meets who is active for it:
 * the better one stays, and the other yields all that it has.
 */
function joinOwn(one: Ready, routers: readonly string[], active: Map<string, Ready>): void {
  const yieldAll = (loser: Ready): void => {
    for (const router of routers) if (active.get(router) === loser) active.delete(router);
  };
  if (!routers.some((router) => active.get(router) === one)) return;
  for (const router of routers) {
    const holder = active.get(router);
    if (holder === one || !one.standings.has(router)) continue;
    if (holder !== undefined && isBetter(holder, one, router)) {
      yieldAll(one);
      return;
    }
    if (holder !== undefined) yieldAll(holder);
    active.set(router, one);
  }
}

function isBetter(one: Ready, other: Ready, router: string): boolean {
  return one.standings.has(router) && other.standings.has(router) && byRank([router])(one, other) < 0;
}

/** The owner always preempts (RFC 9568 section 6.1, Preempt_Mode). */
function preempts({ preempts: does, priority }: Standing): boolean {
  return does || priority === OWNER_PRIORITY;
}

/**
 * Who is there first: the higher priority has the shorter timer, a group waits for its longest one, and of two that came
 * at once the greater address stays.
 */
function byRank(routers: readonly string[]): (one: Ready, other: Ready) => number {
  const least = ({ standings }: Ready): number =>
    Math.min(...routers.map((router) => standings.get(router)?.priority ?? OWNER_PRIORITY));
  const address = ({ standings }: Ready): IpAddress => {
    for (const router of routers) {
      const found = standings.get(router)?.address;
      if (found !== undefined) return found;
    }
    return 0;
  };
  return (one, other) => {
    const difference = least(other) - least(one);
    if (difference !== 0) return difference;
    const [mine, its] = [address(one), address(other)];
    return mine === its ? 0 : mine > its ? -1 : 1;
  };
}
