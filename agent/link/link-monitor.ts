/**
 * Tells what happens to interfaces and IPv4 addresses of this network namespace, whoever did it.
 */
import type { InterfaceAddress, Link } from './rtnetlink.js';

export type LinkEvent =
  /** Made or changed. Repeats without a change are usual. */
  | { readonly kind: 'link'; readonly link: Link }
  | { readonly kind: 'linkRemoved'; readonly link: Link }
  /** Added or renewed by somebody else than `ignoreAdditionsBy`. */
  | { readonly kind: 'addressAdded'; readonly address: InterfaceAddress }
  /**
   * Removed by somebody, by the kernel at the end of its lifetime, or with its interface. `own`: by a request of
   * `ignoreAdditionsBy`, either because it was asked for, or as a secondary of the primary address that was.
   */
  | { readonly kind: 'addressRemoved'; readonly address: InterfaceAddress; readonly own: boolean };

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
  close(): void;
}

/** Throws SocketOpenError. */
export type OpenLinkMonitor = (options: LinkMonitorOptions) => LinkMonitor;
