/**
 * Static addresses, routes and rules: on the host whether or not a router is active, without leases, put back when
 * somebody removes them. What was there before is left there in the end; what was added here is removed when it is no
 * longer configured.
 */
import { type IpAddress, parseIp } from '../../proto/rules/ip.js';
import type { Instant } from '../../proto/rules/time.js';
import { type AddressRequest, detectionOf, type Rtnetlink } from '../link/rtnetlink.js';
import { addressRequest, areRenewable } from './address-request.js';
import type { InterfaceTable } from './interface-table.js';
import type { ItemOwner } from './item-keeper.js';
import type { ElectionItemStatus, HostNetworkSettings, VirtualAddress } from './messages.js';
import type { Outbox } from './outbox.js';
import type { RouteKeeper } from './route-keeper.js';
import type { RuleKeeper } from './rule-keeper.js';

export interface HostNetworkTools {
  readonly kernel: Pick<Rtnetlink, 'addAddresses' | 'deleteAddresses'>;
  readonly table: InterfaceTable;
  readonly routes: RouteKeeper;
  readonly rules: RuleKeeper;
  readonly outbox: Outbox;
}

/** A static address, parsed. */
interface StaticAddress {
  readonly text: string;
  readonly address: IpAddress;
  readonly settings: VirtualAddress;
  /** Added by us, and not found there. */
  isOurs: boolean;
  /** It has been there since it was configured. */
  wasThere: boolean;
  failure: string | undefined;
}

interface Network extends ItemOwner {
  settings: HostNetworkSettings;
  addresses: readonly StaticAddress[];
}

export class HostNetworks {
  readonly #networks = new Map<string, Network>();

  constructor(private readonly tools: HostNetworkTools) {}

  /** With every configuration: the smallest difference is added and removed. */
  configure(wanted: readonly HostNetworkSettings[], now: Instant): void {
    const names = new Set(wanted.map(({ name }) => name));
    for (const network of this.#networks.values()) {
      const settings = wanted.find(({ name }) => name === network.name);
      this.#removeGone(network, settings);
      if (!names.has(network.name)) this.#networks.delete(network.name);
    }
    for (const settings of wanted) {
      const network = this.#networkOf(settings);
      network.addresses = settings.addresses.flatMap((each) => this.#keepOrMake(network, each));
      network.settings = settings;
    }
    for (const network of this.#networks.values()) {
      this.#addAddresses(network);
      this.tools.routes.items.sync(network, network.settings.routes);
      this.tools.rules.items.sync(network, network.settings.rules);
    }
    this.restore(true, now);
  }

  /** After a change of the host: what is missing is put back. `areItemsSuspect`: routes or rules may have gone. */
  restore(areItemsSuspect: boolean, now: Instant): void {
    for (const network of this.#networks.values()) {
      this.#addAddresses(network);
      if (!areItemsSuspect) continue;
      this.tools.routes.items.restore(network, network.settings.routes, now);
      this.tools.rules.items.restore(network, network.settings.rules, now);
    }
  }

  /** Whether everything of it is there that is not to be done without (noTrack); undefined: there is no such host network. */
  isComplete(name: string): boolean | undefined {
    const network = this.#networks.get(name);
    if (network === undefined) return undefined;
    const { addresses, routes, rules } = network.settings;
    const untracked = [...addresses, ...routes, ...rules].map(({ noTrack }) => noTrack === true);
    return itemsOf(network, this.tools).every(({ present }, index) => present || untracked[index] === true);
  }

  get items(): readonly ElectionItemStatus[] {
    return [...this.#networks.values()].flatMap((network) => itemsOf(network, this.tools));
  }

  /** Removes what was added here, rules and routes first; `keep`: leaves it, for the process that goes on. */
  close(keep: boolean): void {
    if (!keep) for (const network of this.#networks.values()) this.#removeGone(network, undefined);
    this.#networks.clear();
  }

  #networkOf(settings: HostNetworkSettings): Network {
    const known = this.#networks.get(settings.name);
    if (known !== undefined) return known;
    // Failures are in each item's status; nothing counts them.
    const network: Network = { name: settings.name, settings, addresses: [], count: () => undefined };
    this.#networks.set(settings.name, network);
    return network;
  }

  #keepOrMake(network: Network, settings: VirtualAddress): readonly StaticAddress[] {
    const known = network.addresses.find((each) => areSame(each.settings, settings));
    if (known !== undefined) return [{ ...known, settings }];
    const address = parseIp(settings.address);
    if (address === undefined) return [];
    const text = `${settings.address}/${settings.prefixLength} dev ${settings.device}`;
    return [{ text, address, settings, isOurs: false, wasThere: false, failure: undefined }];
  }

  /** What `settings` no longer have; all of it without them. Routes and rules of a network that stays are synchronised later. */
  #removeGone(network: Network, settings: HostNetworkSettings | undefined): void {
    if (settings === undefined) {
      this.tools.rules.items.remove(network);
      this.tools.routes.items.remove(network);
    }
    const gone = network.addresses.filter(
      (each) => each.isOurs && settings?.addresses.some((wanted) => areSame(each.settings, wanted)) !== true,
    );
    const requests = gone.flatMap((each) => this.#request(each) ?? []);
    if (requests.length === 0) return;
    this.tools.kernel.deleteAddresses(requests);
    for (const request of requests) this.tools.table.addressRemoved(request);
  }

  #addAddresses(network: Network): void {
    for (const each of network.addresses) {
      const request = this.#request(each);
      if (request === undefined) {
        this.#failed(network, each, `the interface ${each.settings.device} does not exist`);
        continue;
      }
      const there = this.tools.table.get(request);
      if (there !== undefined) {
        each.wasThere = true;
        // The kernel goes on having it, and does not use it.
        if (detectionOf(there) === 'failed')
          this.#failed(network, each, 'another host has it (duplicate address detection)');
        else each.failure = undefined;
        continue;
      }
      this.#add(network, each, request);
    }
  }

  #add(network: Network, each: StaticAddress, request: AddressRequest): void {
    const [outcome] = this.tools.kernel.addAddresses([request]);
    if (outcome === undefined) return;
    if (!outcome.ok && outcome.code !== 'EEXIST') {
      this.#failed(network, each, outcome.message);
      return;
    }
    if (outcome.ok) {
      each.isOurs = true;
      if (each.wasThere) this.#tell(network, each, 'restored', 'something else removed it; it was put back');
    }
    each.wasThere = true;
    each.failure = undefined;
    this.tools.table.addressAdded({
      ...request,
      scope: request.scope ?? 0,
      flags: 0,
      validLifetime: 'forever',
      preferredLifetime: request.preferredLifetime ?? 'forever',
    });
  }

  #request({ settings, address }: StaticAddress): AddressRequest | undefined {
    const link = this.tools.table.link(settings.device);
    return link === undefined ? undefined : addressRequest(settings, address, link.index, 'forever', true);
  }

  /** Told once until it succeeds. */
  #failed(network: Network, each: StaticAddress, detail: string): void {
    if (each.failure === detail) return;
    each.failure = detail;
    this.#tell(network, each, 'add-failed', detail);
  }

  #tell(network: Network, { text }: StaticAddress, change: 'restored' | 'add-failed', detail: string): void {
    this.tools.outbox.tell({ kind: 'item', owner: network.name, item: text, change, detail });
  }
}

function itemsOf(network: Network, { table, routes, rules }: HostNetworkTools): readonly ElectionItemStatus[] {
  const status = (
    item: string,
    kind: ElectionItemStatus['kind'],
    present: boolean,
    error: string | undefined,
  ): ElectionItemStatus => ({ item, kind, present, ...(error === undefined ? {} : { error }) });
  return [
    ...network.addresses.map(({ text, address, settings, failure }) => {
      const link = table.link(settings.device);
      const isThere = link !== undefined && table.hasOn(link.index, address);
      return status(text, 'address', isThere && failure === undefined, failure);
    }),
    ...network.settings.routes.map(({ text }) =>
      status(text, 'route', routes.items.isHeld(network, text), routes.items.failureOf(network, text)),
    ),
    ...network.settings.rules.map(({ text }) =>
      status(text, 'rule', rules.items.isHeld(network, text), rules.items.failureOf(network, text)),
    ),
  ];
}

/** The same to the kernel: what is not removed and added again. */
function areSame(a: VirtualAddress, b: VirtualAddress): boolean {
  return a.address === b.address && a.prefixLength === b.prefixLength && a.device === b.device && areRenewable(a, b);
}
