/**
 * Requests to the kernel about interfaces and addresses, synchronous: the kernel carries a request out while it is being
 * sent, so its answer can be read at once and nothing here waits.
 */
import { constants } from 'node:os';
import { type Family, formatIp } from '../../proto/rules/ip.js';
import { OK, type Outcome, type Refusal, refusal } from '../net/system-error.js';
import {
  messagesOf,
  type NetlinkMessage,
  NetlinkWriter,
  NLM_F_DUMP_INTR,
  NLMSG_DONE,
  NLMSG_ERROR,
  readError,
} from '../wire/netlink-message.js';
import {
  type AddressKey,
  type AddressRequest,
  type AddressVerb,
  type InterfaceAddress,
  RTM_NEWADDR,
  readAddress,
  writeAddressDump,
  writeAddressRequest,
} from '../wire/rtnetlink-address.js';
import {
  type Ipv4Conf,
  type Link,
  type LinkChange,
  MAX_NAME_LENGTH,
  type MacvlanRequest,
  RTM_NEWLINK,
  readLink,
  writeLinkDump,
  writeLinkQuestion,
} from '../wire/rtnetlink-link.js';
import type { Route, RouteRequest } from '../wire/rtnetlink-route.js';
import type { Rule, RuleRequest } from '../wire/rtnetlink-rule.js';
import { NETLINK_CAP_ACK, NETLINK_EXT_ACK, NetlinkSocket } from './netlink-socket.js';

export type { AddressKey, AddressRequest, InterfaceAddress, Lifetime } from '../wire/rtnetlink-address.js';
export { detectionOf } from '../wire/rtnetlink-address.js';
export type { Ipv4Conf, Link, LinkChange, MacvlanRequest } from '../wire/rtnetlink-link.js';
export type { NextHop, Route, RouteMetric, RouteRequest } from '../wire/rtnetlink-route.js';
export type { NumberRange, Rule, RuleRequest } from '../wire/rtnetlink-rule.js';

export interface Rtnetlink {
  /** Our address on the netlink bus: notifications caused by our requests carry it. */
  readonly portId: number;
  /** Messages that were ignored because another process than the kernel had sent them. */
  foreignMessages(): number;
  /**
   * Adds addresses, all in as few datagrams as can be. One outcome per request, in order. EEXIST means that the very
   * address (IPv4: with the same prefix length) is there already and untouched: adopt it with renewAddresses().
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
  /** All addresses of the network namespace, of both families. Throws RtnetlinkError. */
  addresses(): readonly InterfaceAddress[];

  /**
   * One outcome per request, in order. Adding: EEXIST if the destination has a route with this metric (and tos) in this
   * table, whatever it leads to. Deleting: ESRCH if there is none that is as the request has it.
   */
  changeRoutes(change: 'add' | 'replace' | 'delete', requests: readonly RouteRequest[]): readonly Outcome[];
  /** Of both families, or as asked for; without cached ones. Throws RtnetlinkError. */
  routes(of?: { readonly family?: Family; readonly table?: number }): readonly Route[];
  /** Adding: EEXIST if the same rule is there. Deleting: ENOENT if it is not. */
  changeRules(change: 'add' | 'delete', requests: readonly RuleRequest[]): readonly Outcome[];
  /** Of both families. Throws RtnetlinkError. */
  rules(): readonly Rule[];

  /** Makes a macvlan interface, down, in private mode, without an IPv6 address of its own. Nothing is left if refused. */
  createMacvlan(request: MacvlanRequest): LinkOutcome;
  setLink(index: number, change: LinkChange): Outcome;
  deleteLink(index: number): Outcome;
  /** Sets net.ipv4.conf.IFACE.* of an interface; what is absent stays. */
  setIpv4Conf(index: number, conf: Ipv4Conf): Outcome;
  /** net.ipv4.conf.IFACE.*; undefined if there is no such interface, or it has no IPv4. Throws RtnetlinkError. */
  ipv4Conf(index: number): Required<Ipv4Conf> | undefined;
  close(): void;
}

/** A new interface as the kernel has it. */
export type LinkOutcome = { readonly ok: true; readonly link: Link } | Refusal;

/** Throws SocketOpenError. */
export type OpenRtnetlink = () => Rtnetlink;

/** A question to the kernel got no whole answer. `code` is the errno's name. */
export class RtnetlinkError extends Error {
  readonly code: string;
  readonly errno: number;

  constructor(errno: number, doing: string, detail?: string) {
    const refused = refusal(errno, doing, detail);
    super(refused.message);
    this.name = 'RtnetlinkError';
    this.code = refused.code;
    this.errno = refused.errno;
  }
}

/** Messages per datagram: even if every one is refused, the answers fit in the receive queue. */
const BATCH = 64;
const RECEIVE_BUFFER = 512 * 1024;
/** A dump that changes while it is being read is asked for again this many times. */
const DUMP_ATTEMPTS = 5;
const MAX_SEQUENCE = 0xffffffff;

const DOING: Readonly<Record<AddressVerb, string>> = {
  add: 'add address',
  renew: 'renew address',
  delete: 'delete address',
};

export const openRtnetlink: OpenRtnetlink = () => new HostRtnetlink();

class HostRtnetlink implements Rtnetlink {
  readonly #socket: NetlinkSocket;
  readonly #writer = new NetlinkWriter();
  #sequence = 0;

  constructor() {
    this.#socket = new NetlinkSocket(0, RECEIVE_BUFFER);
    // Refusals without the refused message, with the kernel's words.
    this.#socket.enable(NETLINK_CAP_ACK);
    this.#socket.enable(NETLINK_EXT_ACK);
  }

  get portId(): number {
    return this.#socket.portId;
  }

  addAddresses(requests: readonly AddressRequest[]): readonly Outcome[] {
    return this.#change('add', requests);
  }

  renewAddresses(requests: readonly AddressRequest[]): readonly Outcome[] {
    return this.#change('renew', requests);
  }

  deleteAddresses(keys: readonly AddressKey[]): readonly Outcome[] {
    return this.#change('delete', keys);
  }

  links(): readonly Link[] {
    const links: Link[] = [];
    this.#dump(
      'list interfaces',
      (sequence) => writeLinkDump(this.#writer, sequence),
      (message) => {
        const link = message.type === RTM_NEWLINK ? readLink(message) : undefined;
        if (link !== undefined) links.push(link);
      },
      () => links.splice(0),
    );
    return links;
  }

  addresses(): readonly InterfaceAddress[] {
    const addresses: InterfaceAddress[] = [];
    this.#dump(
      'list addresses',
      (sequence) => writeAddressDump(this.#writer, 4, sequence),
      (message) => {
        const address = message.type === RTM_NEWADDR ? readAddress(message) : undefined;
        if (address !== undefined) addresses.push(address);
      },
      () => addresses.splice(0),
    );
    return addresses;
  }

  link(name: string): Link | undefined {
    // Longer names exist as alternative names only; nothing can be bound to them.
    if (name.length === 0 || name.length > MAX_NAME_LENGTH) return undefined;
    const doing = `look up interface ${name}`;
    const sequence = this.#takeSequences(1);
    this.#writer.clear();
    writeLinkQuestion(this.#writer, name, sequence);
    this.#send(doing);
    let link: Link | undefined;
    const isAnswered = this.#readAnswers(doing, (message) => {
      if (message.sequence !== sequence) return false;
      const error = readError(message);
      if (error !== undefined && error.errno !== constants.errno.ENODEV && error.errno !== 0) {
        throw new RtnetlinkError(error.errno, doing, error.message);
      }
      link = readLink(message);
      return true;
    });
    if (!isAnswered) throw new RtnetlinkError(constants.errno.EIO, doing, 'the kernel gave no answer');
    return link?.name === name ? link : undefined;
  }

  close(): void {
    this.#socket.close();
  }

  #change(verb: AddressVerb, requests: readonly (AddressRequest | AddressKey)[]): readonly Outcome[] {
    const outcomes: Outcome[] = [];
    for (let start = 0; start < requests.length; start += BATCH) {
      outcomes.push(...this.#changeBatch(verb, requests.slice(start, start + BATCH)));
    }
    return outcomes;
  }

  /**
   * Only the last message asks for an acknowledgement: the others are answered if refused, and the acknowledgement,
   * which is always the last answer, proves that all were looked at.
   */
  #changeBatch(verb: AddressVerb, requests: readonly (AddressRequest | AddressKey)[]): readonly Outcome[] {
    const doing = (request: AddressKey) =>
      `${DOING[verb]} ${formatIp(request.address)}/${request.prefixLength} on interface ${request.interfaceIndex}`;
    const last = requests.length - 1;
    const firstSequence = this.#takeSequences(requests.length);
    this.#writer.clear();
    for (const [i, request] of requests.entries()) {
      writeAddressRequest(this.#writer, verb, request, firstSequence + i, i === last);
    }
    const outcomes: Outcome[] = requests.map(() => OK);
    const failAll = (errno: number, detail?: string) =>
      requests.map((request) => refusal(errno, doing(request), detail));

    const sent = this.#socket.send(this.#writer.datagram());
    if (sent < 0) return failAll(-sent);
    try {
      const isAnswered = this.#readAnswers(DOING[verb], (message) => {
        const index = message.sequence - firstSequence;
        const request = requests[index];
        const error = readError(message);
        if (request === undefined || error === undefined) return false;
        if (error.errno !== 0) outcomes[index] = refusal(error.errno, doing(request), error.message);
        return index === last;
      });
      return isAnswered ? outcomes : failAll(constants.errno.EIO, 'the kernel gave no answer');
    } catch (error) {
      if (error instanceof RtnetlinkError) return failAll(error.errno);
      throw error;
    }
  }

  /** `restart` forgets what was taken; the dump begins again. */
  #dump(
    doing: string,
    write: (sequence: number) => void,
    take: (message: NetlinkMessage) => void,
    restart: () => void,
  ): void {
    for (let attempt = 0; attempt < DUMP_ATTEMPTS; attempt++) {
      const sequence = this.#takeSequences(1);
      this.#writer.clear();
      write(sequence);
      this.#send(doing);
      let isConsistent = true;
      const isAnswered = this.#readAnswers(doing, (message) => {
        if (message.sequence !== sequence) return false;
        if ((message.flags & NLM_F_DUMP_INTR) !== 0) isConsistent = false;
        const error = readError(message);
        if (error !== undefined && error.errno !== 0) throw new RtnetlinkError(error.errno, doing, error.message);
        if (message.type !== NLMSG_DONE && message.type !== NLMSG_ERROR) take(message);
        return message.type === NLMSG_DONE;
      });
      if (isAnswered && isConsistent) return;
      restart();
    }
    throw new RtnetlinkError(constants.errno.EIO, doing, 'it kept changing while being read');
  }

  /** Reserves consecutive sequence numbers and returns the first. */
  #takeSequences(count: number): number {
    if (this.#sequence + count > MAX_SEQUENCE) this.#sequence = 0;
    const first = this.#sequence + 1;
    this.#sequence += count;
    return first;
  }

  #send(doing: string): void {
    const sent = this.#socket.send(this.#writer.datagram());
    if (sent < 0) throw new RtnetlinkError(-sent, doing);
  }

  /** Reads answers until `isLast` says so (true) or there is none (false). Throws RtnetlinkError. */
  #readAnswers(doing: string, isLast: (message: NetlinkMessage) => boolean): boolean {
    for (;;) {
      const received = this.#socket.receive();
      if (received === 'empty') return false;
      if (typeof received === 'number') throw new RtnetlinkError(-received, doing);
      for (const message of messagesOf(received)) if (isLast(message)) return true;
    }
  }
}
