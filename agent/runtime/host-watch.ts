/**
 * Watches this host's interfaces, addresses, and the routes and rules that somebody here wants to know of: keeps the
 * tables, and calls back once for any number of changes, after all that has arrived has been taken in.
 */
import type { IpPrefix } from '../../proto/rules/ip.js';
import type { LinkEvent, LinkMonitor } from '../link/link-monitor.js';
import type { Link, Rtnetlink } from '../link/rtnetlink.js';
import type { Edges } from './edges.js';
import type { InterfaceTable } from './interface-table.js';
import type { RouteTable, WatchedRoute } from './route-table.js';

export interface HostWatchEvents {
  /** Something may have changed; `refresh` first, then look. Called from the event loop. */
  readonly onChanged: () => void;
  /** The watch broke; it is opened again by the next `refresh`, which is to be called in a while. */
  readonly onBroken: (error: Error) => void;
}

/** What events did not tell of. */
type Stale = 'nothing' | 'addresses' | 'everything';

export class HostWatch {
  #monitor: LinkMonitor | undefined;
  #stale: Stale = 'everything';
  #areRoutesStale = false;
  #areItemsSuspect = false;
  #watchesRules = false;
  #alsoWatched: readonly IpPrefix[] = [];
  #announced = false;
  #closed = false;

  constructor(
    private readonly edges: Edges,
    private readonly kernel: Rtnetlink,
    private readonly table: InterfaceTable,
    private readonly routes: RouteTable,
    private readonly events: HostWatchEvents,
  ) {}

  /**
   * Brings the tables up to date where events did not tell everything. Opens the watch if it is not open, before it
   * dumps: what changes in between is told twice, and never not at all. Throws SocketOpenError and RtnetlinkError.
   */
  refresh(): void {
    this.#monitor ??= this.#open();
    if (this.#stale === 'nothing' && !this.#areRoutesStale) return;
    // What is queued is older than the dump and must not be applied after it.
    this.#monitor.drain();
    if (this.#stale === 'everything') this.table.replace(this.kernel.links(), this.kernel.addresses());
    else if (this.#stale === 'addresses') this.table.replaceAddresses(this.kernel.addresses());
    if (this.#stale === 'everything' || this.#areRoutesStale) {
      this.routes.replace(this.routes.dumps.flatMap((of) => this.kernel.routes(of)));
    }
    this.#stale = 'nothing';
    this.#areRoutesStale = false;
  }

  /**
   * What is told of besides interfaces and addresses from now on: the tracked routes, which the route table knows, routes
   * to further destinations, and rules. Throws SocketOpenError and RtnetlinkError.
   */
  watch(tracked: readonly WatchedRoute[], destinations: readonly IpPrefix[], rules: boolean): void {
    const hasChanged = this.routes.watch(tracked);
    this.#alsoWatched = destinations;
    this.#watchesRules = rules;
    this.#monitor ??= this.#open();
    this.#subscribe(this.#monitor);
    if (!hasChanged) return;
    this.#areRoutesStale = true;
    this.refresh();
  }

  /** True once after routes or rules may have gone, or may be possible again: those of ours are to be looked at. */
  takeSuspicion(): boolean {
    const areSuspect = this.#areItemsSuspect;
    this.#areItemsSuspect = false;
    return areSuspect;
  }

  close(): void {
    this.#closed = true;
    this.#monitor?.close();
    this.#monitor = undefined;
  }

  #open(): LinkMonitor {
    this.#stale = 'everything';
    this.#areItemsSuspect = true;
    const monitor = this.edges.openLinkMonitor({
      ignoreAdditionsBy: this.kernel.portId,
      onEvent: (event) => this.#onEvent(event),
      onOverrun: () => {
        this.#areItemsSuspect = true;
        this.#changed('everything');
      },
      onError: (error) => {
        this.#monitor = undefined;
        this.events.onBroken(error);
      },
    });
    this.#subscribe(monitor);
    return monitor;
  }

  #subscribe(monitor: LinkMonitor): void {
    monitor.watchRoutes([...this.routes.destinations, ...this.#alsoWatched]);
    monitor.watchRules(this.#watchesRules);
  }

  #onEvent(event: LinkEvent): void {
    switch (event.kind) {
      case 'link':
        if (isNoNews(this.table.linkOf(event.link.index), event.link)) return;
        this.#areItemsSuspect = true;
        this.table.linkChanged(event.link);
        this.routes.linkChanged(event.link);
        this.#changed('nothing');
        return;
      case 'linkRemoved':
        this.#areItemsSuspect = true;
        this.table.linkRemoved(event.link.index);
        this.routes.linkRemoved(event.link.index);
        this.#changed('nothing');
        return;
      case 'addressAdded':
        // With the subnet that it brings, a gateway may be reached that could not be before.
        if (!this.table.has(event.address)) this.#areItemsSuspect = true;
        this.table.addressAdded(event.address);
        this.#changed('nothing');
        return;
      case 'addressRemoved':
        this.#areItemsSuspect = true;
        this.routes.addressRemoved(event.address.address);
        if (!event.own) {
          this.table.addressRemoved(event.address);
          this.#changed('nothing');
          return;
        }
        // Our own removals are in the table already, but not what the kernel removed along with them; and an address
        // that we have added again since must not be struck out by the news of its removal.
        if (this.table.has(event.address)) this.#changed('addresses');
        return;
      case 'routeAdded':
        this.routes.added(event.route);
        this.#changed('nothing');
        return;
      case 'routeRemoved':
        this.routes.removed(event.route);
        if (!event.own) this.#areItemsSuspect = true;
        this.#changed('nothing');
        return;
      case 'ruleAdded':
        return;
      case 'ruleRemoved':
        if (event.own) return;
        this.#areItemsSuspect = true;
        this.#changed('nothing');
        return;
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

/** The kernel repeats interfaces for much that concerns nobody here, such as counters of wireless ones. */
function isNoNews(known: Link | undefined, told: Link): boolean {
  return (
    known !== undefined &&
    known.name === told.name &&
    known.isUp === told.isUp &&
    known.flags === told.flags &&
    known.mtu === told.mtu &&
    known.kind === told.kind &&
    known.parentIndex === told.parentIndex &&
    known.masterIndex === told.masterIndex &&
    known.alias === told.alias &&
    known.hardwareAddress?.join() === told.hardwareAddress?.join()
  );
}
