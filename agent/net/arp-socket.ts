/**
 * Gratuitous ARP on one interface: sends our announcements, hears others'.
 */
import type { Ipv4 } from '../vrrp/virtual-router.js';
import type { Outcome } from './system-error.js';

export interface ArpSocketOptions {
  readonly interfaceName: string;
  readonly interfaceIndex: number;
  /** Six bytes: the interface's hardware address, which is announced. */
  readonly hardwareAddress: Uint8Array;
  /**
   * Somebody else announced `address` (gratuitous ARP request or reply). Only while listening.
   */
  readonly onAnnouncement: (address: Ipv4, hardwareAddress: Uint8Array) => void;
  /** Listening failed; it has been turned off. */
  readonly onError: (error: Error) => void;
}

export interface ArpSocket {
  readonly interfaceIndex: number;
  /**
   * Sends gratuitous ARP requests now, synchronously: `repeat` rounds over all addresses. Goes on after a failure; the
   * first one is returned.
   */
  announce(addresses: readonly Ipv4[], repeat: number): Outcome;
  /** Starts or stops hearing announcements. Doing what is already done is ok. */
  listen(on: boolean): Outcome;
  close(): void;
}

/** Throws SocketOpenError (EPERM, ...). */
export type OpenArpSocket = (options: ArpSocketOptions) => ArpSocket;
