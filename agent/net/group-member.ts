/**
 * Joins multicast groups on an interface without receiving anything: the kernel takes their frames in, and tells switches
 * that listen to membership reports of them.
 */
import { constants } from 'node:os';
import { type Family, familyOf, formatIp, type IpAddress } from '../../proto/rules/ip.js';
import type { Ipv4 } from '../vrrp/virtual-router.js';
import { writeIpv6Address } from '../wire/ipv6-header.js';
import { AF_INET, AF_INET6, intOption, libc } from './libc.js';
import { OK, type Outcome, refusal } from './system-error.js';

const SOCK_DGRAM = 2;
const IPPROTO_IP = 0;
const IPPROTO_IPV6 = 41;
export const IP_ADD_MEMBERSHIP = 35;
export const IP_DROP_MEMBERSHIP = 36;
export const IPV6_ADD_MEMBERSHIP = 20;
export const IPV6_DROP_MEMBERSHIP = 21;

export interface GroupMemberOptions {
  readonly interfaceName: string;
  readonly interfaceIndex: number;
}

export interface GroupMembership {
  readonly interfaceIndex: number;
  /** Joins or leaves one group. ENODEV: the interface is gone, or IPv6 is off on it. */
  change(group: IpAddress, isJoin: boolean): Outcome;
  /** Leaves all. */
  close(): void;
}

export type OpenGroupMembership = (options: GroupMemberOptions) => GroupMembership;

export const openGroupMembership: OpenGroupMembership = (options) => new GroupMember(options);

export class GroupMember implements GroupMembership {
  /** A socket that is bound to no port hears nothing. Open while there is a group. */
  readonly #fds = new Map<Family, number>();
  #isClosed = false;

  constructor(private readonly options: GroupMemberOptions) {}

  get interfaceIndex(): number {
    return this.options.interfaceIndex;
  }

  change(group: IpAddress, isJoin: boolean): Outcome {
    const { interfaceName, interfaceIndex } = this.options;
    const doing = `${isJoin ? 'join' : 'leave'} ${formatIp(group)} on ${interfaceName}`;
    const fd = this.#open(familyOf(group));
    if (fd < 0) return refusal(-fd, doing);
    const result =
      typeof group === 'number'
        ? libc().setsockopt(
            fd,
            IPPROTO_IP,
            isJoin ? IP_ADD_MEMBERSHIP : IP_DROP_MEMBERSHIP,
            ipv4Membership(interfaceIndex, group),
          )
        : libc().setsockopt(
            fd,
            IPPROTO_IPV6,
            isJoin ? IPV6_ADD_MEMBERSHIP : IPV6_DROP_MEMBERSHIP,
            ipv6Membership(interfaceIndex, group),
          );
    return result < 0 ? refusal(-result, doing) : OK;
  }

  close(): void {
    this.#isClosed = true;
    for (const fd of this.#fds.values()) libc().close(fd);
    this.#fds.clear();
  }

  #open(family: Family): number {
    if (this.#isClosed) return -constants.errno.EBADF;
    const known = this.#fds.get(family);
    if (known !== undefined) return known;
    const fd = libc().socket(family === 4 ? AF_INET : AF_INET6, SOCK_DGRAM, 0);
    if (fd >= 0) this.#fds.set(family, fd);
    return fd;
  }
}

/** struct ip_mreqn: group, local address (none), interface index. */
export function ipv4Membership(interfaceIndex: number, group: Ipv4): Uint8Array {
  const request = new Uint8Array(12);
  new DataView(request.buffer).setUint32(0, group);
  request.set(intOption(interfaceIndex), 8);
  return request;
}

/** struct ipv6_mreq: group, interface index. */
export function ipv6Membership(interfaceIndex: number, group: bigint): Uint8Array {
  const request = new Uint8Array(20);
  writeIpv6Address(new DataView(request.buffer), 0, group);
  request.set(intOption(interfaceIndex), 16);
  return request;
}
