/** Reception of IPv6 packets of protocol 112 through libc, and sending; see vrrp-socket.ts. */
import { constants } from 'node:os';
import { formatIp, type IpAddress } from '../../proto/rules/ip.js';
import { IPV6_ADDRESS_LENGTH, writeIpv6Address } from '../wire/ipv6-header.js';
import { changeGroups } from './group-membership.js';
import { Ipv6Receiver } from './ipv6-receiver.js';
import { advertisementFilter } from './packet-filter.js';
import { RECEIVE_BUFFER, REFUSE_BUFFER, RefusePace } from './refuse-pace.js';
import { type Outcome, refusal, SocketOpenError } from './system-error.js';
import { openVrrpSender, type VrrpSender } from './vrrp-sender.js';
import type { OpenVrrpSocket, VrrpSocket, VrrpSocketOptions } from './vrrp-socket.js';

export const openIpv6VrrpSocket: OpenVrrpSocket = (options) => new Ipv6VrrpSocket(options);

class Ipv6VrrpSocket implements VrrpSocket {
  readonly family = 6;
  readonly interfaceName: string;
  readonly interfaceIndex: number;
  readonly #receiver: Ipv6Receiver;
  readonly #refuse: Ipv6Receiver;
  readonly #sender: VrrpSender;
  readonly #pace: RefusePace;
  #groups: ReadonlySet<IpAddress> = new Set();
  #anyTtl: boolean;
  #isClosed = false;

  constructor(options: VrrpSocketOptions) {
    const { interfaceName, interfaceIndex, anyTtl } = options;
    this.interfaceName = interfaceName;
    this.interfaceIndex = interfaceIndex;
    this.#anyTtl = anyTtl;
    const shared = {
      interfaceName,
      interfaceIndex,
      onError: (error: Error) => {
        if (!this.#isClosed) options.onError(error);
      },
    };
    const opened: { close(): void }[] = [];
    try {
      this.#receiver = new Ipv6Receiver({
        ...shared,
        filter: advertisementFilter(6, 'like', anyTtl),
        room: RECEIVE_BUFFER,
        onPacket: options.onPacket,
      });
      opened.push(this.#receiver);
      const refuse = new Ipv6Receiver({
        ...shared,
        filter: advertisementFilter(6, 'unlike', anyTtl),
        room: REFUSE_BUFFER,
        onPacket: (packet) => {
          this.#pace.read();
          options.onPacket(packet);
        },
      });
      this.#refuse = refuse;
      opened.push(refuse);
      this.#sender = openVrrpSender(options);
      opened.push(this.#sender);
      const outcome = this.setGroups(options.groups);
      if (!outcome.ok) throw new SocketOpenError(outcome);
      this.#pace = new RefusePace(
        () => refuse.pause(),
        () => refuse.resume(),
      );
    } catch (error) {
      for (const socket of opened) socket.close();
      throw error;
    }
  }

  send(packet: Uint8Array, destination: IpAddress): Outcome {
    return this.#sender.send(packet, destination);
  }

  setGroups(groups: readonly IpAddress[]): Outcome {
    const { joined, outcome } = changeGroups(this.#groups, groups, (group, isJoin) => {
      const doing = `${isJoin ? 'join' : 'leave'} ${formatIp(group)}`;
      if (typeof group !== 'bigint') return refusal(constants.errno.EAFNOSUPPORT, doing);
      const bytes = new Uint8Array(IPV6_ADDRESS_LENGTH);
      writeIpv6Address(new DataView(bytes.buffer), 0, group);
      return this.#receiver.setMembership(bytes, isJoin, doing);
    });
    this.#groups = joined;
    return outcome;
  }

  setAnyTtl(on: boolean): Outcome {
    if (on === this.#anyTtl) return { ok: true };
    // Between the two calls a packet may be seen by both sockets, never by none: widen before narrowing.
    const like = () => this.#receiver.attach(advertisementFilter(6, 'like', on));
    const unlike = () => this.#refuse.attach(advertisementFilter(6, 'unlike', on));
    for (const attach of on ? [like, unlike] : [unlike, like]) {
      const outcome = attach();
      if (!outcome.ok) return outcome;
    }
    this.#anyTtl = on;
    return { ok: true };
  }

  overruns(): number {
    return this.#isClosed ? 0 : this.#receiver.drops();
  }

  uncountedRefuse(): number {
    return this.#isClosed ? 0 : this.#refuse.drops();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#pace.close();
    this.#receiver.close();
    this.#refuse.close();
    this.#sender.close();
  }
}
