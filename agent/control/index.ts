/** The agent's side of the wire: joining, and the link to the controllers. */
export { type ControlLink, type ControlLinkOptions, startControlLink } from './control-link.js';
export { JoinError, type Joined, type JoinRequest, join } from './join.js';
