/**
 * Watches this host's interfaces and addresses: keeps the table, and calls back once for any number of changes, after all
 * that has arrived has been taken in.
 */
import type { LinkEvent, LinkMonitor } from '../link/link-monitor.js';
import type { Rtnetlink } from '../link/rtnetlink.js';
import type { Edges } from './edges.js';
import type { InterfaceTable } from './interface-table.js';

export interface HostWatchEvents {
  /** Something may have changed; `refresh` first, then look. Called from the event loop. */
  readonly onChanged: () => void;
  /** The watch broke; it is opened again by the next `refresh`, which is to be called in a while. */
  readonly onBroken: (error: Error) => void;
}

type Stale = 'nothing' | 'addresses' | 'everything';

export class HostWatch {
  #monitor: LinkMonitor | undefined;
  #stale: Stale = 'everything';
  #announced = false;
  #closed = false;

  constructor(
    private readonly edges: Edges,
    private readonly kernel: Rtnetlink,
    private readonly table: InterfaceTable,
    private readonly events: HostWatchEvents,
  ) {}

  /**
   * Brings the table up to date where events did not tell everything. Opens the watch if it is not open, before it
   * dumps: what changes in between is told twice, and never not at all. Throws SocketOpenError and RtnetlinkError.
   */
  refresh(): void {
    this.#monitor ??= this.#open();
    if (this.#stale === 'nothing') return;
    // What is queued is older than the dump and must not be applied after it.
    this.#monitor.drain();
    if (this.#stale === 'everything') this.table.replace(this.kernel.links(), this.kernel.addresses());
    else this.table.replaceAddresses(this.kernel.addresses());
    this.#stale = 'nothing';
  }

  close(): void {
    this.#closed = true;
    this.#monitor?.close();
    this.#monitor = undefined;
  }

  #open(): LinkMonitor {
    this.#stale = 'everything';
    return this.edges.openLinkMonitor({
      ignoreAdditionsBy: this.kernel.portId,
      onEvent: (event) => this.#onEvent(event),
      onOverrun: () => this.#changed('everything'),
      onError: (error) => {
        this.#monitor = undefined;
        this.events.onBroken(error);
      },
    });
  }

  #onEvent(event: LinkEvent): void {
    switch (event.kind) {
      case 'link':
        this.table.linkChanged(event.link);
        this.#changed('nothing');
        return;
      case 'linkRemoved':
        this.table.linkRemoved(event.link.index);
        this.#changed('nothing');
        return;
      case 'addressAdded':
        this.table.addressAdded(event.address);
        this.#changed('nothing');
        return;
      case 'addressRemoved':
        if (!event.own) {
          this.table.addressRemoved(event.address);
          this.#changed('nothing');
          return;
        }
        // Our own removals are in the table already, but not what the kernel removed along with them; and an address
        // that we have added again since must not be struck out by the news of its removal.
        if (this.table.has(event.address)) this.#changed('addresses');
    }
  }

  #changed(stale: Stale): void {
    if (stale === 'everything' || this.#stale === 'nothing') this.#stale = stale;
    if (this.#announced || this.#closed) return;
    this.#announced = true;
    this.edges.defer(() => {
      this.#announced = false;
      if (!this.#closed) this.events.onChanged();
    });
  }
}
