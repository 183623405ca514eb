/** The election core, as the rest of the agent sees it. */
export type * from './state.js';
export type * from './virtual-router.js';
