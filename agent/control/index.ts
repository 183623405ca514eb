/** The agent's side of the wire: joining, and the link to the controllers. */
export { type ControlLink, startControlLink } from './control-link.js';
export { JoinError, join } from './join.js';
