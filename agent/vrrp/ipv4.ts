/** IPv4 addresses as text. */
export { formatIpv4 } from '../../proto/rules/ipv4.js';
