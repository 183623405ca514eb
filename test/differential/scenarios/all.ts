/** All scenarios, family by family. */
import type { Scenario } from '../scenario.js';
import { BOOT_ORDERS } from './boot-orders.js';
import { CHECKS } from './checks.js';
import { KILLS } from './kills.js';
import { LINKS } from './links.js';
import { PARTITIONS } from './partitions.js';
import { PAUSES } from './pauses.js';
import { PREEMPTION } from './preemption.js';
import { PRIORITIES } from './priorities.js';
import { REMOVED_ADDRESSES } from './removed-addresses.js';
import { STOPS } from './stops.js';
import { SYNC_GROUPS } from './sync-groups.js';
import { THREE_MEMBERS } from './three-members.js';

export const SCENARIOS: readonly Scenario[] = [
  ...BOOT_ORDERS,
  ...KILLS,
  ...PAUSES,
  ...STOPS,
  ...PRIORITIES,
  ...CHECKS,
  ...LINKS,
  ...REMOVED_ADDRESSES,
  ...PARTITIONS,
  ...PREEMPTION,
  ...SYNC_GROUPS,
  ...THREE_MEMBERS,
];
