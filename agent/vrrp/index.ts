/** The election core, as the rest of the agent sees it. */
export { describeNotice, describeReason } from './describe.js';
export { currentPriority, effectivePriority } from './priority.js';
export type * from './state.js';
export { nextDeadline, step } from './step.js';
export { type GroupMember, type GroupStep, groupState, type SyncGroup, stepGroup } from './sync-group.js';
export { activeDownInterval, learnedInterval, leaseDuration, pauseLimit, skewTime } from './timers.js';
export { initialMember, type Outcome } from './transitions.js';
export type * from './virtual-router.js';
