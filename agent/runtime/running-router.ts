/** One virtual router as it runs on this node: its settings, the core's state of it, and what is counted of it. */
import { formatIp, type IpAddress, parseIp } from '../../proto/rules/ip.js';
import type { Instant, Millis } from '../../proto/rules/time.js';
import type { Hmac } from '../net/hmac.js';
import { effectivePriority, initialMember, type Member, type VirtualRouter } from '../vrrp/index.js';
import { AdvertisementSet } from '../wire/advertisement-set.js';
import type { Waiting } from './deadlines.js';
import { ForeignRouters } from './foreign-routers.js';
import type { RouterSettings, VirtualAddress } from './messages.js';
import { PeerTable } from './peer-table.js';
import { deviceOf } from './placement.js';
import { RejectedSenders } from './rejected-senders.js';
import type { RunningGroup } from './roster.js';

/** A virtual address, parsed and placed. */
export interface WantedAddress {
  /** Device, address and prefix length: what tells one address from another. */
  readonly key: string;
  readonly address: IpAddress;
  readonly prefixLength: number;
  /** Where the kernel has it: with a virtual MAC the macvlan. */
  readonly device: string;
  /** False: moves with the router and is not advertised. */
  readonly isAdvertised: boolean;
  /** How the kernel is to have it. */
  readonly settings: VirtualAddress;
}

/** Somebody else who answers for one of the router's addresses. */
export interface Conflict {
  readonly address: string;
  readonly mac: string;
  lastAt: Instant;
}

/** Who answers for one of the router's addresses while another router is active. */
export interface Sighting {
  /** As aa:bb:cc:dd:ee:ff, sorted. */
  readonly macs: readonly string[];
  readonly lastAt: Instant;
  readonly isExpected: boolean;
}

export class RunningRouter implements Waiting {
  member: Member;
  /** The sync group that it moves with. */
  group: RunningGroup | undefined;
  /** When the core wants its next tick. */
  deadline: Instant | undefined;
  queuedAt: Instant | undefined;
  /** Advertised addresses in their order, then the others. */
  wanted: readonly WantedAddress[];
  unicastPeers: readonly IpAddress[] | undefined;
  /** Undefined with unicast peers. */
  multicastGroup: IpAddress | undefined;
  configuredSource: IpAddress | undefined;
  /** The address that advertisements are sent from; undefined while there is none. */
  source: IpAddress | undefined;
  /** Keys of the wanted addresses that we put into the kernel. */
  readonly held = new Set<string>();
  /** Texts of the routes and of the rules that we put into the kernel. */
  readonly heldRoutes = new Set<string>();
  readonly heldRules = new Set<string>();
  /** Why a wanted address could not be added, by key, so that it is told once. */
  readonly failing = new Map<string, string>();
  /** When it was last told that an address was put back, by key, and how often it has been since. */
  readonly restored = new Map<string, { readonly toldAt: Instant; untold: number }>();
  /** Keys of wanted addresses that are on this host though the router is not active, so that each is told once. */
  readonly foreign = new Set<string>();
  /** A former run has left a permanent address, which was kept because the host had no other. */
  hasSparedLeftovers = false;
  /** An address owner's (priority 255) addresses that the host had before us: never leased, never removed. */
  hostOwned: ReadonlySet<IpAddress> = new Set();
  /** All that may advertise it; undefined: not known. */
  knownSources: ReadonlySet<IpAddress> | undefined;
  /** Who else does. */
  readonly strangers = new ForeignRouters();
  /** By address: who answered for it when it was last asked for. */
  readonly sightings = new Map<IpAddress, Sighting>();
  /** When it last changed its state. */
  movedAt: Instant = 0;
  readonly peers = new PeerTable();
  readonly rejected = new RejectedSenders();
  /** By address and MAC. */
  readonly conflicts = new Map<string, Conflict>();
  readonly counters: Record<string, number> = {
    'advertisements-sent': 0,
    'advertisements-received': 0,
    transitions: 0,
    renewals: 0,
    announcements: 0,
  };
  sinceWallMs: Millis;
  cause = 'not-started';
  sentence = 'not started yet';
  /** Addresses that a successor has announced during a handover. */
  readonly announced = new Set<IpAddress>();
  /** It goes on as active where a former process was suspended: a startup delay does not hold it. */
  isResuming = false;
  lowerPriorityToldAt: Instant | undefined;
  /** Signs and verifies advertisements. */
  authentication: Hmac | undefined;
  /** Encoded advertisements; undefined after the settings or the source changed. */
  adverts: AdvertisementSet | undefined;

  constructor(
    public settings: RouterSettings,
    wallMs: Millis,
  ) {
    this.member = initialMember(settings.router);
    this.sinceWallMs = wallMs;
    this.wanted = wantedOf(settings);
    this.#parse(settings);
  }

  get router(): VirtualRouter {
    return this.settings.router;
  }

  get name(): string {
    return this.settings.router.name;
  }

  get family(): 4 | 6 {
    return this.settings.family;
  }

  /**
   * The interface that advertisements are received on. A macvlan of private mode takes every multicast frame that comes
   * with its own MAC address as the source, which is the other routers', from the interface below it; the others reach both.
   */
  get hearingDevice(): string {
    const { virtualMac, interface: device } = this.settings;
    return virtualMac === undefined || this.unicastPeers !== undefined ? device : virtualMac.name;
  }

  /** The interface that advertisements leave from: with a virtual MAC its macvlan. */
  get sendingDevice(): string {
    const { virtualMac, interface: device } = this.settings;
    return virtualMac === undefined || virtualMac.transmitOnBase ? device : virtualMac.name;
  }

  get isActive(): boolean {
    return this.member.phase.name === 'active';
  }

  get isStopped(): boolean {
    return this.member.phase.name === 'initialize' && !this.member.phase.started;
  }

  get effectivePriority(): number {
    return effectivePriority(this.router, this.member.tracks).priority;
  }

  /** Puts changed settings in the place of the former ones. Gives the addresses that are no longer wanted. */
  replaceSettings(settings: RouterSettings): readonly WantedAddress[] {
    const former = this.wanted;
    this.settings = settings;
    this.wanted = wantedOf(settings);
    this.#parse(settings);
    this.adverts = undefined;
    const keys = new Set(this.wanted.map(({ key }) => key));
    for (const key of this.failing.keys()) if (!keys.has(key)) this.failing.delete(key);
    for (const key of this.restored.keys()) if (!keys.has(key)) this.restored.delete(key);
    for (const key of this.foreign) if (!keys.has(key)) this.foreign.delete(key);
    return former.filter(({ key }) => !keys.has(key));
  }

  /** Undefined without a source address. To be called in time: encoding for the first time takes as long as sending. */
  encodedAdverts(): AdvertisementSet | undefined {
    const { source, settings, unicastPeers, multicastGroup } = this;
    if (this.adverts !== undefined || source === undefined) return this.adverts;
    const { version, vrid, advertisementInterval, addresses } = settings.router;
    this.adverts = new AdvertisementSet(
      {
        version,
        vrid,
        interval: advertisementInterval,
        addresses,
        source,
        ...(unicastPeers === undefined ? {} : { ttl: settings.unicast.ttl }),
        ...(settings.password === undefined ? {} : { password: settings.password }),
        checksum: settings.checksum,
      },
      unicastPeers ?? (multicastGroup === undefined ? [] : [multicastGroup]),
      this.authentication?.signer,
    );
    return this.adverts;
  }

  count(counter: string, by = 1): void {
    this.counters[counter] = (this.counters[counter] ?? 0) + by;
  }

  #parse({ peers, multicastGroup, sourceAddress, knownSources }: RouterSettings): void {
    this.unicastPeers = peers?.map(mustParse);
    this.multicastGroup = peers === undefined ? mustParse(multicastGroup) : undefined;
    this.configuredSource = sourceAddress === undefined ? undefined : mustParse(sourceAddress);
    this.knownSources = knownSources.length === 0 ? undefined : new Set(knownSources.map(mustParse));
  }
}

function wantedOf(settings: RouterSettings): readonly WantedAddress[] {
  const place = (isAdvertised: boolean) => (address: VirtualAddress) => parseWanted(settings, address, isAdvertised);
  return [...settings.addresses.map(place(true)), ...settings.excludedAddresses.map(place(false))];
}

function parseWanted(router: RouterSettings, settings: VirtualAddress, isAdvertised: boolean): WantedAddress {
  const device = deviceOf(router, settings);
  const { prefixLength } = settings;
  const address = mustParse(settings.address);
  return {
    key: `${device} ${formatIp(address)}/${prefixLength}`,
    address,
    prefixLength,
    device,
    isAdvertised,
    settings,
  };
}

/** For text that problemsOf (configuration.ts) has accepted. */
function mustParse(text: string): IpAddress {
  const address = parseIp(text);
  if (address === undefined) throw new TypeError(`${text} is not an IP address`);
  return address;
}
