/**
 * Requests to the kernel about interfaces and addresses, synchronous: the kernel answers within the call.
 */
import type { Outcome } from '../net/system-error.js';
import type { Ipv4 } from '../vrrp/virtual-router.js';

/** Kernel lifetime of an address: whole seconds, 1..4294967294, after which the kernel removes it. */
export type Lifetime = number | 'forever';

/** Identifies an address: the kernel distinguishes by all three. */
export interface AddressKey {
  readonly interfaceIndex: number;
  readonly address: Ipv4;
  readonly prefixLength: number;
}

export interface AddressRequest extends AddressKey {
  readonly lifetime: Lifetime;
  /** Such as "eth0:1"; at most 15 bytes, must begin with the interface's name. Absent: the interface's name. */
  readonly label?: string;
  readonly broadcast?: Ipv4;
  /** rtnetlink(7) scope; absent: 0, global. */
  readonly scope?: number;
}

/** An address as the kernel has it. */
export interface InterfaceAddress extends AddressKey {
  readonly label?: string;
  readonly broadcast?: Ipv4;
  readonly scope: number;
  readonly flags: number;
  /** Remaining when the kernel wrote the message. */
  readonly validLifetime: Lifetime;
  readonly preferredLifetime: Lifetime;
}

/** An interface as the kernel has it. */
export interface Link {
  readonly index: number;
  readonly name: string;
  /** IFF_UP and IFF_RUNNING: administratively up and with carrier. */
  readonly isUp: boolean;
  /** IFF_* bits. */
  readonly flags: number;
  /** IF_OPER_*: 0 unknown, 1 not present, 2 down, 3 lower layer down, 4 testing, 5 dormant, 6 up. */
  readonly operationalState: number;
  /** ARPHRD_*: 1 is Ethernet. */
  readonly type: number;
  readonly mtu: number;
  /** Absent for interfaces without one. */
  readonly hardwareAddress?: Uint8Array;
}

export interface Rtnetlink {
  /** Our address on the netlink bus: notifications caused by our requests carry it. */
  readonly portId: number;
  /**
   * Adds addresses, all in as few datagrams as can be. One outcome per request, in order. EEXIST means that the very
   * address (same prefix length) is there already and untouched: adopt it with renewAddresses().
   */
  addAddresses(requests: readonly AddressRequest[]): readonly Outcome[];
  /**
   * Sets the lifetimes anew. An address that is not there any more is added again with the label and broadcast of the
   * request (the kernel makes no difference).
   */
  renewAddresses(requests: readonly AddressRequest[]): readonly Outcome[];
  /** EADDRNOTAVAIL: it was not there. */
  deleteAddresses(keys: readonly AddressKey[]): readonly Outcome[];
  /** Throws RtnetlinkError. */
  links(): readonly Link[];
  /** One interface by name; undefined if there is none. Throws RtnetlinkError. */
  link(name: string): Link | undefined;
  /** All IPv4 addresses of the network namespace. Throws RtnetlinkError. */
  addresses(): readonly InterfaceAddress[];
  close(): void;
}

/** Throws SocketOpenError. */
export type OpenRtnetlink = () => Rtnetlink;
