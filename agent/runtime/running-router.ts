/** One virtual router as it runs on this node: its settings, the core's state of it, and what is counted of it. */
import type { Instant, Millis } from '../../proto/rules/time.js';
import { effectivePriority, type Ipv4, initialMember, type Member, type VirtualRouter } from '../vrrp/index.js';
import type { AdvertisementTemplate } from '../wire/advertisement.js';
import { parseIpv4 } from '../wire/ipv4-address.js';
import type { RouterSettings, VirtualAddress } from './messages.js';
import { PeerTable } from './peer-table.js';

/** A virtual address, parsed. */
export interface WantedAddress {
  /** Device, address and prefix length: what tells one address from another. */
  readonly key: string;
  readonly address: Ipv4;
  readonly prefixLength: number;
  readonly device: string;
  readonly label?: string;
  readonly broadcast?: Ipv4;
}

export class RunningRouter {
  member: Member;
  /** When the core wants its next tick. */
  deadline: Instant | undefined;
  wanted: readonly WantedAddress[];
  unicastPeers: readonly Ipv4[] | undefined;
  configuredSource: Ipv4 | undefined;
  /** The address that advertisements are sent from; undefined while there is none. */
  source: Ipv4 | undefined;
  /** Keys of the wanted addresses that we put into the kernel. */
  readonly held = new Set<string>();
  /** Why a wanted address could not be added, by key, so that it is told once. */
  readonly failing = new Map<string, string>();
  /** When it was last told that an address was put back, by key, and how often it has been since. */
  readonly restored = new Map<string, { readonly toldAt: Instant; untold: number }>();
  /** Keys of wanted addresses that are on this host though the router is not active, so that each is told once. */
  readonly foreign = new Set<string>();
  /** An address owner's (priority 255) addresses that the host had before us: never leased, never removed. */
  hostOwned: ReadonlySet<Ipv4> = new Set();
  readonly peers = new PeerTable();
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
  readonly announced = new Set<Ipv4>();
  lowerPriorityToldAt: Instant | undefined;
  /** Encoded advertisements, one for each destination; made anew after the settings or the source changed. */
  templates: readonly AdvertisementTemplate[] | undefined;

  constructor(
    public settings: RouterSettings,
    wallMs: Millis,
  ) {
    this.member = initialMember(settings.router);
    this.sinceWallMs = wallMs;
    this.wanted = settings.addresses.map(parseWanted);
    this.unicastPeers = settings.peers?.map(mustParse);
    this.configuredSource = settings.sourceAddress === undefined ? undefined : mustParse(settings.sourceAddress);
  }

  get router(): VirtualRouter {
    return this.settings.router;
  }

  get name(): string {
    return this.settings.router.name;
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
    this.wanted = settings.addresses.map(parseWanted);
    this.unicastPeers = settings.peers?.map(mustParse);
    this.configuredSource = settings.sourceAddress === undefined ? undefined : mustParse(settings.sourceAddress);
    this.templates = undefined;
    const keys = new Set(this.wanted.map(({ key }) => key));
    for (const key of this.failing.keys()) if (!keys.has(key)) this.failing.delete(key);
    for (const key of this.restored.keys()) if (!keys.has(key)) this.restored.delete(key);
    for (const key of this.foreign) if (!keys.has(key)) this.foreign.delete(key);
    return former.filter(({ key }) => !keys.has(key));
  }

  count(counter: string, by = 1): void {
    this.counters[counter] = (this.counters[counter] ?? 0) + by;
  }
}

function parseWanted({ address, prefixLength, device, label, broadcast }: VirtualAddress): WantedAddress {
  const parsedBroadcast = broadcast === undefined ? undefined : parseIpv4(broadcast);
  return {
    key: `${device} ${address}/${prefixLength}`,
    address: mustParse(address),
    prefixLength,
    device,
    ...(label === undefined ? {} : { label }),
    ...(parsedBroadcast === undefined ? {} : { broadcast: parsedBroadcast }),
  };
}

/** For text that problemsOf (configuration.ts) has accepted. */
function mustParse(text: string): Ipv4 {
  const address = parseIpv4(text);
  if (address === undefined) throw new TypeError(`${text} is not an IPv4 address`);
  return address;
}
