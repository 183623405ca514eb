/**
 * Requests to the kernel about interfaces and addresses, synchronous: the kernel carries a request out while it is being
 * sent, so its answer can be read at once and nothing here waits.
 */
import { constants } from 'node:os';
import { type Family, formatIpPrefix } from '../../proto/rules/ip.js';
import { type Outcome, type Refusal, refusal } from '../net/system-error.js';
import type { NetlinkWriter } from '../wire/netlink-message.js';
import {
  type AddressKey,
  type AddressRequest,
  type AddressVerb,
  type InterfaceAddress,
  readAddress,
  writeAddressDump,
  writeAddressRequest,
} from '../wire/rtnetlink-address.js';
import {
  type Ipv4Conf,
  type Link,
  type LinkChange,
  MAX_ALIAS_LENGTH,
  MAX_NAME_LENGTH,
  type MacvlanRequest,
  readIpv4Conf,
  readLink,
  writeLinkChange,
  writeLinkDump,
  writeLinkQuestion,
  writeLinkRemoval,
  writeMacvlan,
} from '../wire/rtnetlink-link.js';
import {
  type Route,
  type RouteRequest,
  type RouteSelection,
  type RouteVerb,
  readRoute,
  routeSelector,
  writeRouteDump,
  writeRouteRequest,
} from '../wire/rtnetlink-route.js';
import {
  type Rule,
  type RuleRequest,
  type RuleVerb,
  readRule,
  writeRuleDump,
  writeRuleRequest,
} from '../wire/rtnetlink-rule.js';
import { NetlinkRequests, RtnetlinkError } from './netlink-requests.js';
import { NETLINK_ROUTE } from './netlink-socket.js';

export type { AddressKey, AddressRequest, InterfaceAddress, Lifetime } from '../wire/rtnetlink-address.js';
export { detectionOf } from '../wire/rtnetlink-address.js';
export type { Ipv4Conf, Link, LinkChange, MacvlanRequest } from '../wire/rtnetlink-link.js';
export type { NextHop, Route, RouteMetric, RouteRequest, RouteSelection } from '../wire/rtnetlink-route.js';
export { isRequestedRoute, routeDestination, routeKey } from '../wire/rtnetlink-route-key.js';
export type { NumberRange, Rule, RuleRequest } from '../wire/rtnetlink-rule.js';
export { isRequestedRule } from '../wire/rtnetlink-rule.js';
export { RtnetlinkError } from './netlink-requests.js';

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
  changeRoutes(change: RouteVerb, requests: readonly RouteRequest[]): readonly Outcome[];
  /** Of both families, or as asked for; without cached ones. Throws RtnetlinkError. */
  routes(of?: RouteSelection): readonly Route[];
  /** Adding: EEXIST if the same rule is there. Deleting: ENOENT if it is not. */
  changeRules(change: RuleVerb, requests: readonly RuleRequest[]): readonly Outcome[];
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

const FAMILIES: readonly Family[] = [4, 6];
const HARDWARE_ADDRESS_LENGTH = 6;
const { ENODEV, ENOENT } = constants.errno;

const DOING = {
  add: 'add address',
  renew: 'renew address',
  delete: 'delete address',
} as const satisfies Readonly<Record<AddressVerb, string>>;

export const openRtnetlink: OpenRtnetlink = () => new HostRtnetlink();

class HostRtnetlink implements Rtnetlink {
  readonly #requests = new NetlinkRequests(NETLINK_ROUTE, 'open a netlink socket');

  get portId(): number {
    return this.#requests.portId;
  }

  foreignMessages(): number {
    return this.#requests.foreignMessages();
  }

  addAddresses(requests: readonly AddressRequest[]): readonly Outcome[] {
    return this.#changeAddresses('add', requests);
  }

  renewAddresses(requests: readonly AddressRequest[]): readonly Outcome[] {
    return this.#changeAddresses('renew', requests);
  }

  deleteAddresses(keys: readonly AddressKey[]): readonly Outcome[] {
    return this.#changeAddresses('delete', keys);
  }

  #changeAddresses(verb: AddressVerb, requests: readonly (AddressRequest | AddressKey)[]): readonly Outcome[] {
    return this.#requests.change(
      requests,
      (writer, request, sequence, acknowledge) => writeAddressRequest(writer, verb, request, sequence, acknowledge),
      (request) => `${DOING[verb]} ${formatIpPrefix(request)} on interface ${request.interfaceIndex}`,
    );
  }

  links(): readonly Link[] {
    return this.#requests.dump('list interfaces', writeLinkDump, readLink);
  }

  addresses(): readonly InterfaceAddress[] {
    return FAMILIES.flatMap((family) =>
      this.#requests.dump(
        `list IPv${family} addresses`,
        (writer, sequence) => writeAddressDump(writer, family, sequence),
        readAddress,
      ),
    );
  }

  link(name: string): Link | undefined {
    // Longer names exist as alternative names only; nothing can be bound to them.
    if (name.length === 0 || name.length > MAX_NAME_LENGTH) return undefined;
    const link = this.#requests.ask(
      `look up interface ${name}`,
      (writer, sequence) => writeLinkQuestion(writer, name, sequence),
      readLink,
      ENODEV,
    );
    return link?.name === name ? link : undefined;
  }

  changeRoutes(change: RouteVerb, requests: readonly RouteRequest[]): readonly Outcome[] {
    return this.#requests.change(
      requests,
      (writer, request, sequence, acknowledge) => writeRouteRequest(writer, change, request, sequence, acknowledge),
      (request) => `${change} route ${describeRoute(request)}`,
    );
  }

  routes(of: RouteSelection = {}): readonly Route[] {
    return FAMILIES.flatMap((family) =>
      of.family === undefined || of.family === family ? this.#routesOf(family, of) : [],
    );
  }

  #routesOf(family: Family, of: RouteSelection): readonly Route[] {
    const isWanted = routeSelector(of);
    try {
      return this.#requests.dump(
        `list IPv${family} routes`,
        (writer, sequence) => writeRouteDump(writer, family, of, sequence),
        (message) => (isWanted(message) ? readRoute(message) : undefined),
      );
    } catch (error) {
      // No such table is a table without routes.
      if (of.table !== undefined && error instanceof RtnetlinkError && error.errno === ENOENT) return [];
      throw error;
    }
  }

  changeRules(change: RuleVerb, requests: readonly RuleRequest[]): readonly Outcome[] {
    return this.#requests.change(
      requests,
      (writer, request, sequence, acknowledge) => writeRuleRequest(writer, change, request, sequence, acknowledge),
      (request) => `${change} IPv${request.family} rule ${request.priority ?? 'without priority'}`,
    );
  }

  rules(): readonly Rule[] {
    return FAMILIES.flatMap((family) =>
      this.#requests.dump(
        `list IPv${family} rules`,
        (writer, sequence) => writeRuleDump(writer, family, sequence),
        readRule,
      ),
    );
  }

  createMacvlan(request: MacvlanRequest): LinkOutcome {
    const { name, alias, ipv4Conf, address } = request;
    const doing = `make macvlan interface ${name}`;
    const wrong = wrongMacvlan(name, alias, address);
    if (wrong !== undefined) return refusal(constants.errno.EINVAL, doing, wrong);
    const made = this.#one(doing, (writer, sequence) => writeMacvlan(writer, request, sequence));
    if (!made.ok) return made;
    const set = this.#settle(doing, name, { alias, ...(ipv4Conf === undefined ? {} : { ipv4Conf }) });
    try {
      const link = set.ok ? this.link(name) : undefined;
      if (link !== undefined) return { ok: true, link };
    } catch (error) {
      if (!(error instanceof RtnetlinkError)) throw error;
    }
    this.#one(doing, (writer, sequence) => writeLinkRemoval(writer, name, sequence));
    return set.ok ? refusal(ENODEV, doing, 'it is gone again') : set;
  }

  /** What the kernel does not take while it makes an interface. Without IPv6 there is nothing to keep it from doing. */
  #settle(doing: string, name: string, change: LinkChange): Outcome {
    const noLinkLocal = this.#one(doing, (writer, sequence) =>
      writeLinkChange(writer, name, { noLinkLocal: true }, sequence),
    );
    if (!noLinkLocal.ok && noLinkLocal.errno !== constants.errno.EAFNOSUPPORT) return noLinkLocal;
    return this.#one(doing, (writer, sequence) => writeLinkChange(writer, name, change, sequence));
  }

  setLink(index: number, change: LinkChange): Outcome {
    const doing = `change interface ${index}`;
    if (change.alias !== undefined && change.alias.length > MAX_ALIAS_LENGTH) {
      return refusal(constants.errno.EINVAL, doing, LONG_ALIAS);
    }
    return this.#one(doing, (writer, sequence) => writeLinkChange(writer, index, change, sequence));
  }

  deleteLink(index: number): Outcome {
    return this.#one(`delete interface ${index}`, (writer, sequence) => writeLinkRemoval(writer, index, sequence));
  }

  setIpv4Conf(index: number, ipv4Conf: Ipv4Conf): Outcome {
    return this.#one(`set net.ipv4.conf of interface ${index}`, (writer, sequence) =>
      writeLinkChange(writer, index, { ipv4Conf }, sequence),
    );
  }

  ipv4Conf(index: number): Required<Ipv4Conf> | undefined {
    return this.#requests.ask(
      `read net.ipv4.conf of interface ${index}`,
      (writer, sequence) => writeLinkQuestion(writer, index, sequence),
      readIpv4Conf,
      ENODEV,
    );
  }

  close(): void {
    this.#requests.close();
  }

  #one(doing: string, write: (writer: NetlinkWriter, sequence: number) => void): Outcome {
    return this.#requests.transact(doing, (writer, sequence) => {
      write(writer, sequence);
      return 1;
    });
  }
}

const LONG_ALIAS = `an alias has at most ${MAX_ALIAS_LENGTH} characters`;

function wrongMacvlan(name: string, alias: string, address: Uint8Array): string | undefined {
  if (name.length === 0 || name.length > MAX_NAME_LENGTH) return `a name has 1 to ${MAX_NAME_LENGTH} characters`;
  if (alias.length > MAX_ALIAS_LENGTH) return LONG_ALIAS;
  return address.length === HARDWARE_ADDRESS_LENGTH ? undefined : 'a hardware address has 6 bytes';
}

function describeRoute(request: RouteRequest): string {
  const { destination, table, interfaceIndex } = request;
  const to = destination === undefined ? 'default' : formatIpPrefix(destination);
  return `${to} in table ${table}${interfaceIndex === undefined ? '' : ` on interface ${interfaceIndex}`}`;
}
