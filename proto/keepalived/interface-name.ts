/** What can be the name of a network interface. */
export { isInterfaceName } from '../rules/names.js';

/** The rule in words, for messages. */
export const INTERFACE_RULE = "a name has 1 to 15 visible characters without '/' and ':'";
