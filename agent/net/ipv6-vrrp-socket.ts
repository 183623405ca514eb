/** Reception of IPv6 packets of protocol 112 through libc, and sending; see vrrp-socket.ts. */
import { Ipv6Receiver } from './ipv6-receiver.js';
import { advertisementFilter } from './packet-filter.js';
import { ReceiverPair } from './receiver-pair.js';
import type { OpenVrrpSocket } from './vrrp-socket.js';

export const openIpv6VrrpSocket: OpenVrrpSocket = (options) =>
  new ReceiverPair(options, {
    family: 6,
    open: (receiver) => new Ipv6Receiver(receiver),
    filter: (take, anyTtl) => advertisementFilter(6, take, anyTtl),
  });
