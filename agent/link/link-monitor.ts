/**
 * Tells what happens to interfaces, addresses, routes and rules of this network namespace, whoever did it.
 */
import { constants } from 'node:os';
import type { IpPrefix } from '../../proto/rules/ip.js';
import { libc, type Poll, SO_ATTACH_FILTER, SOL_SOCKET } from '../net/libc.js';
import { withFilter } from '../net/packet-filter.js';
import { refusal, SocketOpenError } from '../net/system-error.js';
import { messagesOf, type NetlinkMessage, NLMSG_OVERRUN } from '../wire/netlink-message.js';
import { RTM_DELADDR, RTM_NEWADDR, readAddress } from '../wire/rtnetlink-address.js';
import { RTM_DELLINK, RTM_NEWLINK, readLink } from '../wire/rtnetlink-link.js';
import { RTM_DELROUTE, RTM_NEWROUTE, readRoute, routeSelector } from '../wire/rtnetlink-route.js';
import { RTM_DELRULE, RTM_NEWRULE, readRule } from '../wire/rtnetlink-rule.js';
import { notificationFilter } from './netlink-filter.js';
import { NETLINK_ROUTE, NetlinkSocket } from './netlink-socket.js';
import type { InterfaceAddress, Link, Route, Rule } from './rtnetlink.js';

export type LinkEvent =
  /** Made or changed. Repeats without a change are usual. */
  | { readonly kind: 'link'; readonly link: Link }
  | { readonly kind: 'linkRemoved'; readonly link: Link }
  /**
   * Added or changed by somebody else than `ignoreAdditionsBy`. Of IPv6 addresses the kernel does not say by whom: those
   * that `ignoreAdditionsBy` added with `noDad` are told of only if others change them (Linux before 5.18: always), those
   * without always, and once more when duplicate address detection has ended.
   */
  | { readonly kind: 'addressAdded'; readonly address: InterfaceAddress }
  /**
   * Removed by somebody, by the kernel at the end of its lifetime, or with its interface. `own`: by a request of
   * `ignoreAdditionsBy`, either because it was asked for, or as a secondary of the primary address that was; of IPv6
   * addresses the kernel does not say it, and it is always false.
   */
  | { readonly kind: 'addressRemoved'; readonly address: InterfaceAddress; readonly own: boolean }
  /** A route of a watched destination, in any table: added or replaced by somebody else. */
  | { readonly kind: 'routeAdded'; readonly route: Route }
  /**
   * Removed by somebody. The kernel does NOT tell of IPv4 routes that go when their interface is set down or removed, or
   * when their preferred source is: look at them anew after such events.
   */
  | { readonly kind: 'routeRemoved'; readonly route: Route; readonly own: boolean }
  /** By somebody else. */
  | { readonly kind: 'ruleAdded'; readonly rule: Rule }
  | { readonly kind: 'ruleRemoved'; readonly rule: Rule; readonly own: boolean };

export interface LinkMonitorOptions {
  /** Port id of the Rtnetlink whose own additions and renewals are not to be told: the kernel filters them out. */
  readonly ignoreAdditionsBy: number;
  readonly onEvent: (event: LinkEvent) => void;
  /** Events were lost: the owner must look at everything anew by dumps. */
  readonly onOverrun: () => void;
  /** Listening failed for good; the monitor is closed. */
  readonly onError: (error: Error) => void;
}

export interface LinkMonitor {
  /** Receive what is already there now, instead of at the next turn of the event loop. */
  drain(): void;
  /**
   * From now on tells of routes to exactly these destinations (not to what is within), and of no others, so that a host
   * with the whole internet in its tables costs nothing. A default route is 0.0.0.0/0 or ::/0. Nothing is told of what
   * was there before. Throws SocketOpenError.
   */
  watchRoutes(destinations: readonly IpPrefix[]): void;
  /** From now on tells of rules, of both families, or no more. Throws SocketOpenError. */
  watchRules(on: boolean): void;
  /** Messages that were ignored because another process than the kernel had sent them. */
  foreignMessages(): number;
  close(): void;
}

/** Throws SocketOpenError. */
export type OpenLinkMonitor = (options: LinkMonitorOptions) => LinkMonitor;

/** RTNLGRP_*. */
const GROUPS = { link: 1, ipv4Address: 5, ipv4Route: 7, ipv4Rule: 8, ipv6Address: 9, ipv6Route: 11, ipv6Rule: 19 };
const ROUTE_GROUPS = [GROUPS.ipv4Route, GROUPS.ipv6Route];
const RULE_GROUPS = [GROUPS.ipv4Rule, GROUPS.ipv6Rule];
const RECEIVE_BUFFER = 1 << 20;
/** Datagrams read per wake-up: a storm of changes must not hold the loop. */
const READ_BATCH = 256;
const DOING = 'watch interfaces, addresses and routes';

export const openLinkMonitor: OpenLinkMonitor = (options) => new HostLinkMonitor(options);

class HostLinkMonitor implements LinkMonitor {
  readonly #options: LinkMonitorOptions;
  readonly #socket: NetlinkSocket;
  readonly #poll: Poll;
  /** What the kernel's filter may have let pass besides. */
  #isWatchedRoute: (message: NetlinkMessage) => boolean = () => false;
  #isClosed = false;

  constructor(options: LinkMonitorOptions) {
    this.#options = options;
    this.#socket = new NetlinkSocket(NETLINK_ROUTE, RECEIVE_BUFFER, DOING);
    try {
      this.#filter([]);
      this.#subscribe([GROUPS.link, GROUPS.ipv4Address, GROUPS.ipv6Address], true);
    } catch (error) {
      this.#socket.close();
      throw error;
    }
    this.#poll = libc().poll(this.#socket.fd, () => this.drain());
  }

  watchRoutes(destinations: readonly IpPrefix[]): void {
    this.#isWatchedRoute = routeSelector({ destinations });
    this.#filter(destinations);
    this.#subscribe(ROUTE_GROUPS, destinations.length > 0);
  }

  watchRules(on: boolean): void {
    this.#subscribe(RULE_GROUPS, on);
  }

  foreignMessages(): number {
    return this.#socket.foreignMessages();
  }

  #filter(destinations: readonly IpPrefix[]): void {
    const attached = withFilter(notificationFilter(this.#options.ignoreAdditionsBy, destinations), (option) =>
      libc().setsockopt(this.#socket.fd, SOL_SOCKET, SO_ATTACH_FILTER, option),
    );
    if (attached < 0) throw new SocketOpenError(refusal(-attached, DOING));
  }

  #subscribe(groups: readonly number[], on: boolean): void {
    for (const group of groups) {
      const result = this.#socket.subscribe(group, on);
      if (result < 0) throw new SocketOpenError(refusal(-result, DOING));
    }
  }

  drain(): void {
    for (let i = 0; i < READ_BATCH && !this.#isClosed; i++) {
      const received = this.#socket.receive();
      if (received === 'empty') return;
      if (typeof received === 'number') {
        if (received === -constants.errno.ENOBUFS) this.#recover();
        else this.#fail(-received);
        return;
      }
      // Collected first: the owner may call drain() again, which uses the same buffer.
      const events: LinkEvent[] = [];
      let isOverrun = false;
      for (const message of messagesOf(received)) {
        if (message.type === NLMSG_OVERRUN) isOverrun = true;
        const event = this.#eventOf(message);
        if (event !== undefined) events.push(event);
      }
      for (const event of events) if (!this.#isClosed) this.#options.onEvent(event);
      if (isOverrun) this.#options.onOverrun();
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#poll.close();
    this.#socket.close();
  }

  /**
   * After an overrun the kernel goes on dropping, without another word, until the queue is empty. So the queue is emptied
   * first, and only then is the owner told to look at everything: what happens from there on is queued again.
   */
  #recover(): void {
    let received = this.#socket.receive();
    while (received !== 'empty') {
      if (typeof received === 'number' && received !== -constants.errno.ENOBUFS) {
        this.#fail(-received);
        return;
      }
      received = this.#socket.receive();
    }
    this.#options.onOverrun();
  }

  #fail(errno: number): void {
    if (this.#isClosed) return;
    this.close();
    this.#options.onError(new SocketOpenError(refusal(errno, DOING)));
  }

  #eventOf(message: NetlinkMessage): LinkEvent | undefined {
    switch (message.type) {
      case RTM_NEWLINK:
      case RTM_DELLINK: {
        const link = readLink(message);
        if (link === undefined) return undefined;
        return { kind: message.type === RTM_NEWLINK ? 'link' : 'linkRemoved', link };
      }
      case RTM_NEWADDR:
      case RTM_DELADDR: {
        const address = readAddress(message);
        if (address === undefined) return undefined;
        if (message.type === RTM_NEWADDR) return { kind: 'addressAdded', address };
        return { kind: 'addressRemoved', address, own: this.#isOwn(message) };
      }
      case RTM_NEWROUTE:
      case RTM_DELROUTE: {
        const route = this.#isWatchedRoute(message) ? readRoute(message) : undefined;
        if (route === undefined) return undefined;
        if (message.type === RTM_NEWROUTE) return { kind: 'routeAdded', route };
        return { kind: 'routeRemoved', route, own: this.#isOwn(message) };
      }
      case RTM_NEWRULE:
      case RTM_DELRULE: {
        const rule = readRule(message);
        if (rule === undefined) return undefined;
        if (message.type === RTM_NEWRULE) return { kind: 'ruleAdded', rule };
        return { kind: 'ruleRemoved', rule, own: this.#isOwn(message) };
      }
      default:
        return undefined;
    }
  }

  #isOwn({ portId }: NetlinkMessage): boolean {
    return portId === this.#options.ignoreAdditionsBy;
  }
}
