/** What a router that hears the captured packets expects of them, multicast. */
import type { Expectations } from '../../agent/wire/reception.js';
import { ip, ip6 } from './captured.js';

export const MULTICAST: Expectations = {
  version: 3,
  interval: 1_000_000,
  transport: { kind: 'multicast', group: ip('224.0.0.18') },
  ownAddresses: new Set([ip('10.9.0.2')]),
  onLink: [],
};

export const MULTICAST_IPV6: Expectations = {
  ...MULTICAST,
  transport: { kind: 'multicast', group: ip6('ff02::12') },
  ownAddresses: new Set([ip6('fe80::2')]),
};
