/** Tells what processes of this host begin, change and end, by the kernel's process connector (linux/cn_proc.h). */

export type ProcessEvent =
  /** A process, not a thread. */
  | { readonly kind: 'fork'; readonly parent: number; readonly process: number }
  | { readonly kind: 'exec'; readonly process: number }
  /** Its main thread has named itself; at most 15 bytes. */
  | { readonly kind: 'comm'; readonly process: number; readonly command: string }
  | { readonly kind: 'exit'; readonly process: number };

export interface ProcessConnectorOptions {
  readonly onEvent: (event: ProcessEvent) => void;
  /** Events were lost: the owner must look at /proc anew. */
  readonly onOverrun: () => void;
  /** Listening failed for good; the connector is closed. */
  readonly onError: (error: Error) => void;
}

export interface ProcessConnector {
  /** Events that were ignored because another process than the kernel had sent them. */
  foreignMessages(): number;
  close(): void;
}

/**
 * From any thread. Throws SocketOpenError: without CAP_NET_ADMIN, in a container (other than the initial user, process
 * or network namespace), or on a kernel without it; its message says which is likely.
 */
export type OpenProcessConnector = (options: ProcessConnectorOptions) => ProcessConnector;
