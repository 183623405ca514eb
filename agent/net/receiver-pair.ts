/**
 * A VRRP socket of two receivers that go through libc, and a sender: what looks like an advertisement is received by one,
 * the rest by the other (vrrp-socket.ts). What they receive from is the receivers' business.
 */
import type { Family, IpAddress } from '../../proto/rules/ip.js';
import { formatIp } from '../../proto/rules/ip.js';
import { changeGroups } from './group-membership.js';
import type { FilterInstruction } from './packet-filter.js';
import type { ReceiveRounds } from './receive-rounds.js';
import { RECEIVE_BUFFER, REFUSE_BUFFER, RefusePace } from './refuse-pace.js';
import { OK, type Outcome, SocketOpenError } from './system-error.js';
import { openVrrpSender, type VrrpSender } from './vrrp-sender.js';
import type { VrrpSocket, VrrpSocketOptions } from './vrrp-socket.js';

export interface ReceiverOptions {
  readonly interfaceName: string;
  readonly interfaceIndex: number;
  readonly filter: readonly FilterInstruction[];
  /** Bytes of queue. */
  readonly room: number;
  /** At least one, each with IP header; only valid during the call. */
  readonly onPackets: (packets: readonly Uint8Array[]) => void;
  /** With those of all other receivers of this process. */
  readonly rounds: ReceiveRounds;
  /** Receiving failed; nothing more is received. */
  readonly onError: (error: Error) => void;
}

export interface Receiver {
  /** Replaces the filter; nothing is lost or seen twice by this socket. */
  attach(filter: readonly FilterInstruction[]): Outcome;
  /** `doing` is for the message of a refusal. */
  setMembership(group: IpAddress, isJoin: boolean, doing: string): Outcome;
  /** Packets thrown away for want of room. */
  drops(): number;
  pause(): void;
  resume(): void;
  close(): void;
}

export interface ReceiverKind {
  readonly family: Family;
  /** Throws SocketOpenError. */
  open(options: ReceiverOptions): Receiver;
  filter(take: 'like' | 'unlike', anyTtl: boolean): readonly FilterInstruction[];
}

export class ReceiverPair implements VrrpSocket {
  readonly family: Family;
  readonly interfaceName: string;
  readonly interfaceIndex: number;
  readonly #receiver: Receiver;
  readonly #refuse: Receiver;
  readonly #sender: VrrpSender;
  readonly #pace: RefusePace;
  #groups: ReadonlySet<IpAddress> = new Set();
  #anyTtl: boolean;
  #isClosed = false;

  /** Throws SocketOpenError. */
  constructor(
    options: VrrpSocketOptions,
    private readonly kind: ReceiverKind,
    rounds: ReceiveRounds,
  ) {
    this.family = kind.family;
    const { interfaceName, interfaceIndex, anyTtl } = options;
    this.interfaceName = interfaceName;
    this.interfaceIndex = interfaceIndex;
    this.#anyTtl = anyTtl;
    const shared = {
      interfaceName,
      interfaceIndex,
      rounds,
      onError: (error: Error) => {
        if (!this.#isClosed) options.onError(error);
      },
    };
    const opened: { close(): void }[] = [];
    try {
      this.#receiver = kind.open({
        ...shared,
        filter: kind.filter('like', anyTtl),
        room: RECEIVE_BUFFER,
        onPackets: options.onPackets,
      });
      opened.push(this.#receiver);
      const refuse = kind.open({
        ...shared,
        filter: kind.filter('unlike', anyTtl),
        room: REFUSE_BUFFER,
        onPackets: (packets) => {
          this.#pace.read(packets.length);
          options.onPackets(packets);
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
      return this.#receiver.setMembership(group, isJoin, `${isJoin ? 'join' : 'leave'} ${formatIp(group)}`);
    });
    this.#groups = joined;
    return outcome;
  }

  setAnyTtl(on: boolean): Outcome {
    if (on === this.#anyTtl) return OK;
    // Between the two calls a packet may be seen by both sockets, never by none: widen before narrowing.
    const like = () => this.#receiver.attach(this.kind.filter('like', on));
    const unlike = () => this.#refuse.attach(this.kind.filter('unlike', on));
    for (const attach of on ? [like, unlike] : [unlike, like]) {
      const outcome = attach();
      if (!outcome.ok) return outcome;
    }
    this.#anyTtl = on;
    return OK;
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
