/**
 * Virtual hosts whose sockets and kernel are listened to: the packets and frames that leave, byte by byte, and what was
 * asked of the kernel beyond addresses.
 */
import type { AddressRequest, Ipv4Conf, MacvlanRequest, Rtnetlink } from '../../agent/link/rtnetlink.js';
import type { Edges } from '../../agent/runtime/edges.js';
import type { RouterSettings } from '../../agent/runtime/messages.js';
import { encodeGratuitousArp } from '../../agent/wire/arp.js';
import { encodeNeighborAdvertisement } from '../../agent/wire/neighbor.js';
import type { IpAddress } from '../../proto/rules/ip.js';
import { settings } from '../runtime/router-settings.js';
import { VirtualClock } from '../runtime/virtual-clock.js';
import { VirtualHost, VirtualLan } from '../runtime/virtual-host.js';
import { FilterInterpreter } from './filter-interpreter.js';

export const SECOND = 1_000_000;
/** At priority 100 and an interval of 1 s. */
export const SKEW_100 = 609_375;
export const DOWN_100 = 3_609_375;
export const VIP = '10.0.0.100';
export const VIP_6 = '2001:db8::100';
export const LINK_LOCAL_VIP = 'fe80::100';

interface Seen {
  /** Advertisements, with IP header. */
  readonly adverts: { readonly device: string; readonly packet: Uint8Array; readonly destination: IpAddress }[];
  /** Announcements, whole Ethernet frames. */
  readonly frames: { readonly device: string; readonly frame: Uint8Array }[];
  readonly macvlans: MacvlanRequest[];
  readonly ipv4Confs: { readonly interfaceIndex: number; readonly conf: Ipv4Conf }[];
  /** Of IPv6. */
  readonly sysctls: { readonly interfaceName: string; readonly key: string; readonly value: number }[];
  readonly filter: FilterInterpreter;
  /** Whoever listens for advertisements, by interface. */
  readonly ears: Map<string, (packets: readonly Uint8Array[]) => void>;
  readonly requests: AddressRequest[];
  readonly memberships: { readonly interfaceIndex: number; readonly group: IpAddress; readonly isJoin: boolean }[];
}

export class WatchedHost extends VirtualHost {
  /** Whether the host's own interfaces forward. */
  forwards = false;
  /** Made by `edges`, which runs before the fields of this class are there. */
  declare seen: Seen;

  /** What was set, the last of each. */
  ipv4ConfOf(index: number | undefined): Ipv4Conf {
    const confs = this.seen.ipv4Confs.filter(({ interfaceIndex }) => interfaceIndex === index);
    return Object.assign({}, ...confs.map(({ conf }) => conf));
  }

  override edges(): Edges {
    this.seen ??= {
      adverts: [],
      frames: [],
      macvlans: [],
      ipv4Confs: [],
      sysctls: [],
      memberships: [],
      filter: new FilterInterpreter(),
      ears: new Map(),
      requests: [],
    };
    const { seen } = this;
    const plain = super.edges();
    return {
      ...plain,
      openVrrpSocket: (options) => {
        const socket = plain.openVrrpSocket(options);
        seen.ears.set(options.interfaceName, options.onPackets);
        return {
          ...socket,
          send: (packet, destination) => {
            seen.adverts.push({ device: options.interfaceName, packet: packet.slice(), destination });
            return socket.send(packet, destination);
          },
        };
      },
      openVrrpSender: (options) => {
        const sender = plain.openVrrpSender(options);
        return {
          ...sender,
          send: (packet, destination) => {
            seen.adverts.push({ device: options.interfaceName, packet: packet.slice(), destination });
            return sender.send(packet, destination);
          },
        };
      },
      openArpSocket: (options) => {
        const socket = plain.openArpSocket(options);
        return {
          ...socket,
          announce: (addresses, repeat) => {
            for (const address of addresses) {
              seen.frames.push({
                device: options.interfaceName,
                frame: encodeGratuitousArp(options.hardwareAddress, address),
              });
            }
            return socket.announce(addresses, repeat);
          },
        };
      },
      openNeighborSocket: (options) => {
        const socket = plain.openNeighborSocket(options);
        return {
          ...socket,
          announce: (addresses, repeat, isRouter) => {
            for (const address of addresses) {
              seen.frames.push({
                device: options.interfaceName,
                frame: encodeNeighborAdvertisement(options.hardwareAddress, address, isRouter),
              });
            }
            return socket.announce(addresses, repeat, isRouter);
          },
        };
      },
      openGroupMembership: ({ interfaceIndex }) => ({
        interfaceIndex,
        change: (group, isJoin) => {
          seen.memberships.push({ interfaceIndex, group, isJoin });
          return { ok: true };
        },
        close: () => undefined,
      }),
      openFirewall: () => {
        const logged = plain.openFirewall();
        return {
          dropTraffic: (addresses) => {
            logged.dropTraffic(addresses);
            return seen.filter.firewall.dropTraffic(addresses);
          },
          allowTraffic: (addresses) => {
            logged.allowTraffic(addresses);
            return seen.filter.firewall.allowTraffic(addresses);
          },
          blockReports: (indexes) => seen.filter.firewall.blockReports(indexes),
          allowReports: (indexes) => seen.filter.firewall.allowReports(indexes),
          clear: () => seen.filter.firewall.clear(),
          leave: () => seen.filter.firewall.leave(),
          close: () => seen.filter.firewall.close(),
        };
      },
      openRtnetlink: () => watched(plain.openRtnetlink(), this),
      sysctl: {
        read: ({ interfaceName, key }) => {
          const set = seen.sysctls.findLast((each) => each.interfaceName === interfaceName && each.key === key);
          return { ok: true, value: set?.value ?? (this.forwards ? 1 : 0) };
        },
        write: ({ interfaceName, key }, value) => {
          seen.sysctls.push({ interfaceName, key, value });
          return { ok: true };
        },
      },
    };
  }
}

/** The kernel, with what it was asked for kept. */
function watched(kernel: Rtnetlink, host: WatchedHost): Rtnetlink {
  return {
    ...kernel,
    addAddresses: (requests) => {
      host.seen.requests.push(...requests);
      return kernel.addAddresses(requests);
    },
    createMacvlan: (request) => {
      host.seen.macvlans.push(request);
      return kernel.createMacvlan(request);
    },
    setIpv4Conf: (interfaceIndex, conf) => {
      host.seen.ipv4Confs.push({ interfaceIndex, conf });
      return kernel.setIpv4Conf(interfaceIndex, conf);
    },
    ipv4Conf: (index) => ({
      forwarding: host.forwards ? 1 : 0,
      acceptRedirects: 1,
      sendRedirects: 1,
      rpFilter: 0,
      arpFilter: 0,
      arpAnnounce: 0,
      arpIgnore: 0,
      promoteSecondaries: 0,
      acceptLocal: 0,
      ...host.ipv4ConfOf(index),
    }),
  };
}

export interface Watch {
  readonly clock: VirtualClock;
  readonly host: (name: string, ...addresses: readonly string[]) => WatchedHost;
}

/** A LAN without hosts. */
export function watch(): Watch {
  const clock = new VirtualClock();
  const lan = new VirtualLan(clock);
  return { clock, host: (name, ...addresses) => new WatchedHost(name, lan, addresses) };
}

/** One host with fe80::1 and (unless said otherwise) 10.0.0.1, running one router as backup. */
export function alone(
  router: RouterSettings = settings(),
  address = '10.0.0.1',
): { readonly clock: VirtualClock; readonly a: WatchedHost } {
  const { clock, host } = watch();
  const a = host('a', `${address}/24`, 'fe80::1/64');
  a.configure(router);
  return { clock, a };
}

/** The same, active because nobody else was heard. */
export function activeAlone(router: RouterSettings = settings(), address = '10.0.0.1'): ReturnType<typeof alone> {
  const { clock, a } = alone(router, address);
  clock.advance(DOWN_100);
  if (a.router().state !== 'active') throw new Error(`${a.router().state}, not active`);
  return { clock, a };
}

/** An IPv6 router with a link-local address first. */
export function settings6(options: Parameters<typeof settings>[0] = {}): RouterSettings {
  return settings({ addresses: [LINK_LOCAL_VIP, VIP_6], ...options });
}

/** What makes a router one with a virtual MAC address. */
export function withVirtualMac(family: 4 | 6 = 4): Parameters<typeof settings>[0] {
  const name = family === 6 ? 'vrrp6.10' : 'vrrp.10';
  const address = `00:00:5e:00:0${family === 6 ? 2 : 1}:0a`;
  return {
    ...(family === 6 ? { addresses: [LINK_LOCAL_VIP, VIP_6] } : {}),
    tracks: [{ id: 'virtual mac', weight: 0, reverse: false }],
    more: { virtualMac: { name, address, transmitOnBase: false } },
  };
}
