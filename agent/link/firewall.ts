/**
 * The packet filter that virtual routers need, as one nftables table of our own ("baton", family inet), kept by netlink:
 * traffic to addresses that are not to be accepted (RFC 9568 section 6.1, Accept_Mode false) is dropped, and multicast
 * membership reports do not leave by certain interfaces.
 */
import type { IpAddress } from '../../proto/rules/ip.js';
import type { Outcome } from '../net/system-error.js';

export interface FilteredAddress {
  readonly address: IpAddress;
  /** Link-local addresses are an interface's own: required there, without meaning for others. */
  readonly interfaceIndex?: number;
}

/**
 * Nothing is done to the kernel until the first call that needs it, which replaces what a former run left in one step.
 * All calls may be repeated; each is one transaction: carried out whole or not at all. Never throws. Refused with
 * EOPNOTSUPP or EPROTONOSUPPORT: the kernel has no nftables, which the message says.
 */
export interface Firewall {
  /** Drops what comes in for these addresses, but IPv6 neighbour solicitations and advertisements. */
  dropTraffic(addresses: readonly FilteredAddress[]): Outcome;
  allowTraffic(addresses: readonly FilteredAddress[]): Outcome;
  /**
   * Keeps IGMP and MLD reports and IPv6 router solicitations from leaving by these interfaces: the kernel sends them by
   * itself, and with a virtual MAC address as their source switches would learn that a backup is where it is.
   */
  blockReports(interfaceIndexes: readonly number[]): Outcome;
  allowReports(interfaceIndexes: readonly number[]): Outcome;
  /** Removes what a former run left, or what we have; ok if there is nothing. */
  clear(): Outcome;
  /** Ends with the table in force, for the process that goes on with the addresses; its first call replaces it. */
  leave(): Outcome;
  /** Ends, and the table with it. */
  close(): void;
}

/** Opens nothing yet; never throws. */
export type OpenFirewall = () => Firewall;
