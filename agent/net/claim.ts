/** What is heard on a link of who has an address: by ARP or by neighbour discovery. */
import type { IpAddress } from '../../proto/rules/ip.js';

/** A message of another station that says it has an address. */
export interface Claim {
  readonly address: IpAddress;
  /** Six bytes, of Ethernet. */
  readonly hardwareAddress: Uint8Array;
  /**
   * An announcement tells everybody (gratuitous ARP, unsolicited neighbour advertisement); an answer, or the sender of a
   * question, only shows that it has the address.
   */
  readonly kind: 'announcement' | 'answer' | 'question';
}

/** What makes a socket for announcements on one interface. */
export interface AnnouncementSocketOptions {
  readonly interfaceName: string;
  readonly interfaceIndex: number;
  /** Six bytes: what is announced; the interface's hardware address, on a macvlan the virtual router's. */
  readonly hardwareAddress: Uint8Array;
  /** Another station says that it has a watched address. Only while watching. */
  readonly onClaim: (claim: Claim) => void;
  /** Watching failed; it has been turned off. */
  readonly onError: (error: Error) => void;
}
