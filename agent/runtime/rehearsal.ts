/**
 * A few takeovers, faults and steps down that nobody notices, before the first real one. V8 compiles a function when it is
 * first called, and interprets it for a while: the first takeover of a process took milliseconds where the tenth takes tenths.
 * The whole loop runs here, on an interface that does not exist, with a clock of its own. What goes to the kernel goes
 * there for real, so that its ways are known as well: requests for an interface that does not exist, which it refuses, and
 * announcements on the loopback interface, where nobody hears ARP.
 */
import { type Family, type IpAddress, parseIp } from '../../proto/rules/ip.js';
import { type Instant, MICROS_PER_SECOND } from '../../proto/rules/time.js';
import type { Firewall } from '../link/firewall.js';
import type { LinkEvent } from '../link/link-monitor.js';
import type { InterfaceAddress, Link, Rtnetlink } from '../link/rtnetlink.js';
import type { AnnouncementSocketOptions } from '../net/claim.js';
import { OK, type Outcome } from '../net/system-error.js';
import type { VrrpSender, VrrpSenderOptions } from '../net/vrrp-sender.js';
import { AdvertisementSet } from '../wire/advertisement-set.js';
import type { Edges, WorkerPort } from './edges.js';
import { type Election, startElection } from './election.js';
import type { RouterSettings, ToElection } from './messages.js';

/** So many takeovers of each family: enough for V8's first compiler to find the functions worth its while. */
const ROUNDS = 12;
const INTERVAL = MICROS_PER_SECOND;
/** The kernel gives no interface such an index. */
const INDEX = 0x7fff_fff0;
const NAME = 'rehearsal';
const LOOPBACK = 'lo';
const CHECK = `check ${NAME}`;
const RUNNING = 0x40;
/** IFF_UP and IFF_RUNNING. */
const UP = 0x01 | RUNNING;
const ETHERNET = 1;
const MTU = 1500;
/** Addresses for documentation (RFC 5737, RFC 3849), and link-local ones. */
const ROLES = [
  { family: 4, own: '192.0.2.1', other: '192.0.2.2', virtual: '192.0.2.100', prefixLength: 24, group: '224.0.0.18' },
  { family: 6, own: 'fe80::1', other: 'fe80::2', virtual: 'fe80::100', prefixLength: 64, group: 'ff02::12' },
] as const satisfies readonly Role[];

interface Role {
  readonly family: Family;
  readonly own: string;
  readonly other: string;
  readonly virtual: string;
  readonly prefixLength: number;
  readonly group: string;
}

/** What of the real world is needed; nothing else of it can be reached from here. */
export type RehearsalEdges = Pick<Edges, 'openRtnetlink' | 'openVrrpSocket' | 'openArpSocket' | 'openNeighborSocket'>;

/**
 * Blocks for some tens of milliseconds: to be called before anything is elected. Throws what the edges throw.
 *
 * @returns why there was a change of state, a sentence each
 */
export function rehearse(edges: RehearsalEdges): ReadonlySet<string> {
  const stage = new Stage(edges);
  try {
    return stage.play();
  } finally {
    stage.close();
  }
}

class Stage {
  readonly #kernel: Rtnetlink;
  readonly #opened: { close(): void }[] = [];
  readonly #others: readonly AdvertisementSet[];
  readonly #receivers: ((packets: readonly Uint8Array[]) => void)[] = [];
  #deferred: (() => void)[] = [];
  #now: Instant = MICROS_PER_SECOND;
  #dueAt: Instant | undefined;
  #onDue: () => void = () => undefined;
  #tell: (message: ToElection) => void = () => undefined;
  #tellOfLink: (event: LinkEvent) => void = () => undefined;

  constructor(private readonly real: RehearsalEdges) {
    this.#kernel = real.openRtnetlink();
    this.#opened.push(this.#kernel);
    this.#others = ROLES.map(
      ({ family, other, virtual, group }) =>
        new AdvertisementSet(
          {
            version: 3,
            vrid: vridOf(family),
            interval: INTERVAL,
            addresses: [ip(virtual)],
            source: ip(other),
            checksum: 'pseudo_header',
          },
          [ip(group)],
        ),
    );
  }

  play(): ReadonlySet<string> {
    const sentences = new Set<string>();
    const port: WorkerPort = {
      postMessage: (message) => {
        if (message.kind !== 'occurrence' || message.occurrence.kind !== 'transition') return;
        sentences.add(message.occurrence.sentence);
      },
      on: (_event, listener) => {
        this.#tell = listener;
      },
    };
    const clock = { now: () => this.#now, wallMs: () => 0 };
    const election = startElection({ port, clock, edges: this.#edges() });
    this.#tell({ kind: 'workerReady' });
    this.#tell({ kind: 'track', id: CHECK, state: 'up' });
    this.#tell({
      kind: 'configure',
      nonce: 0,
      settings: { routers: ROLES.map(routerOf), groups: [], hostNetworks: [] },
    });
    for (let round = 0; round < ROUNDS; round++) {
      // A better one is heard for a while, falls silent, and is back.
      for (let count = 0; count < 3; count++) this.#hearAndWait(INTERVAL);
      for (let count = 0; count < 8; count++) this.#wait(INTERVAL);
      // What an active router is in fault for: a check, the interface.
      this.#tell({ kind: 'track', id: CHECK, state: 'down' });
      this.#wait(INTERVAL);
      this.#tell({ kind: 'track', id: CHECK, state: 'up' });
      for (let count = 0; count < 5; count++) this.#wait(INTERVAL);
      this.#tellOfLink({ kind: 'link', link: { ...LINK, isUp: false, flags: UP & ~RUNNING } });
      this.#wait(INTERVAL);
      this.#tellOfLink({ kind: 'link', link: LINK });
      this.#wait(INTERVAL);
    }
    this.#tell({ kind: 'statusRequest', id: 0 });
    this.#end(election);
    return sentences;
  }

  close(): void {
    for (const each of this.#opened) each.close();
  }

  #hearAndWait(span: Instant): void {
    for (const [index, receive] of this.#receivers.entries()) {
      receive((this.#others[index]?.packets(200) ?? []).map(({ bytes }) => bytes));
    }
    this.#wait(span);
  }

  #wait(span: Instant): void {
    const until = this.#now + span;
    for (;;) {
      this.#runDeferred();
      const at = this.#dueAt;
      if (at === undefined || at > until) break;
      this.#dueAt = undefined;
      this.#now = Math.max(this.#now, at);
      this.#onDue();
    }
    this.#now = until;
  }

  #runDeferred(): void {
    while (this.#deferred.length > 0) {
      const tasks = this.#deferred;
      this.#deferred = [];
      for (const task of tasks) task();
    }
  }

  #end(election: Election): void {
    election.shutdown(true);
    this.#wait(2 * INTERVAL);
    election.shutdown(false);
    this.#runDeferred();
  }

  #edges(): Edges {
    return {
      startTimer: (onDue) => {
        this.#onDue = onDue;
        return {
          arm: (at) => {
            this.#dueAt = at;
          },
          disarm: () => {
            this.#dueAt = undefined;
          },
          close: () => {
            this.#dueAt = undefined;
          },
        };
      },
      defer: (task) => void this.#deferred.push(task),
      openVrrpSocket: (options) => {
        this.#receivers[ROLES.findIndex(({ family }) => family === options.family)] = options.onPackets;
        const sender = this.#sender(options, this.#openSocket(options.family));
        return { ...sender, setGroups: () => OK, setAnyTtl: () => OK, overruns: () => 0, uncountedRefuse: () => 0 };
      },
      openVrrpSender: (options) => this.#sender(options, this.#openSocket(options.family)),
      openArpSocket: (options) => this.#onLoopback(options, (there) => this.real.openArpSocket(there)),
      openNeighborSocket: (options) => this.#onLoopback(options, (there) => this.real.openNeighborSocket(there)),
      openGroupMembership: ({ interfaceIndex }) => ({ interfaceIndex, change: () => OK, close: () => undefined }),
      openRtnetlink: () => this.#rtnetlink(),
      openLinkMonitor: ({ onEvent }) => {
        this.#tellOfLink = onEvent;
        return {
          drain: () => undefined,
          watchRoutes: () => undefined,
          watchRules: () => undefined,
          foreignMessages: () => 0,
          close: () => undefined,
        };
      },
      openFirewall: () => NO_FIREWALL,
      sysctl: { read: () => ({ ok: true, value: 0 }), write: () => OK },
    };
  }

  /** Joins no group: hears nothing. */
  #openSocket(family: Family): VrrpSender {
    const { index, name } = this.#loopback;
    const socket = this.real.openVrrpSocket({
      family,
      interfaceName: name,
      interfaceIndex: index,
      groups: [],
      anyTtl: false,
      takesFrames: false,
      onPackets: () => undefined,
      onError: () => undefined,
    });
    this.#opened.push(socket);
    return socket;
  }

  /** The kernel refuses what has no length; the election does not learn of it. */
  #sender({ family, interfaceName, interfaceIndex }: VrrpSenderOptions, real: VrrpSender): VrrpSender {
    return {
      family,
      interfaceName,
      interfaceIndex,
      send: (packet, destination) => {
        real.send(packet.subarray(0, 0), destination);
        return OK;
      },
      close: () => undefined,
    };
  }

  #onLoopback<Socket extends { readonly interfaceIndex: number; close(): void }>(
    options: AnnouncementSocketOptions,
    open: (options: AnnouncementSocketOptions) => Socket,
  ): Socket {
    const { index, name } = this.#loopback;
    const socket = open({ ...options, interfaceIndex: index, interfaceName: name });
    this.#opened.push(socket);
    return socket;
  }

  get #loopback(): { readonly index: number; readonly name: string } {
    return { index: this.#kernel.link(LOOPBACK)?.index ?? 1, name: LOOPBACK };
  }

  #rtnetlink(): Rtnetlink {
    const real = this.#kernel;
    const asked = (outcomes: readonly Outcome[]): readonly Outcome[] => outcomes.map(() => OK);
    return {
      portId: real.portId,
      foreignMessages: () => 0,
      addAddresses: (requests) => asked(real.addAddresses(requests)),
      renewAddresses: (requests) => asked(real.renewAddresses(requests)),
      deleteAddresses: (keys) => asked(real.deleteAddresses(keys)),
      links: () => [LINK],
      link: (name) => (name === NAME ? LINK : undefined),
      addresses: () => ROLES.map(addressOf),
      changeRoutes: (_change, requests) => requests.map(() => OK),
      routes: () => [],
      changeRules: (_change, requests) => requests.map(() => OK),
      rules: () => [],
      createMacvlan: () => ({ ok: true, link: LINK }),
      setLink: () => OK,
      deleteLink: () => OK,
      setIpv4Conf: () => OK,
      ipv4Conf: () => undefined,
      close: () => undefined,
    };
  }
}

/** The real one would remove what a former run has left in force for us. */
const NO_FIREWALL: Firewall = {
  dropTraffic: () => OK,
  allowTraffic: () => OK,
  blockReports: () => OK,
  allowReports: () => OK,
  clear: () => OK,
  leave: () => OK,
  close: () => undefined,
};

const LINK: Link = {
  index: INDEX,
  name: NAME,
  isUp: true,
  flags: UP,
  operationalState: 6,
  type: ETHERNET,
  mtu: MTU,
  hardwareAddress: Uint8Array.of(2, 0, 0, 0, 0, 1),
};

function vridOf(family: Family): number {
  return family;
}

function ip(text: string): IpAddress {
  const address = parseIp(text);
  if (address === undefined) throw new TypeError(`${text} is not an IP address`);
  return address;
}

function addressOf({ family, own, prefixLength }: Role): InterfaceAddress {
  return {
    interfaceIndex: INDEX,
    address: ip(own),
    prefixLength,
    // RT_SCOPE_LINK and RT_SCOPE_UNIVERSE; IFA_F_PERMANENT.
    scope: family === 6 ? 253 : 0,
    flags: 0x80,
    validLifetime: 'forever',
    preferredLifetime: 'forever',
  };
}

function routerOf({ family, virtual, prefixLength, group }: Role): RouterSettings {
  return {
    router: {
      name: `${NAME}-${family}`,
      vrid: vridOf(family),
      version: 3,
      priority: 100,
      advertisementInterval: INTERVAL,
      preemptMode: true,
      preemptDelay: 0,
      strictRfc: false,
      addresses: [ip(virtual)],
      tracks: [
        { id: `interface ${NAME}`, weight: 0, reverse: false },
        { id: 'source address', weight: 0, reverse: false },
        { id: CHECK, weight: 0, reverse: false },
      ],
      announcements: {
        repeat: 5,
        delay: INTERVAL,
        refresh: 0,
        refreshRepeat: 1,
        lowerPriorityRepeat: 5,
        lowerPriorityDelay: 0,
      },
      leased: true,
      downTimerAdvertisements: 3,
      lowerPriorityNoAdvertisement: false,
      higherPrioritySendAdvertisement: false,
      ownerIgnoresAdvertisements: false,
      timerExpiredBackup: 0,
      duplicateProbe: 'warn',
    },
    interface: NAME,
    checksum: 'pseudo_header',
    addresses: [{ address: virtual, prefixLength, device: NAME }],
    family,
    excludedAddresses: [],
    routes: [],
    rules: [],
    multicastGroup: group,
    accept: true,
    unicast: { ttl: 255, minTtl: 0, maxTtl: 255, peerTtl: [] },
    startupDelay: 0,
    bootDelay: 0,
    promoteSecondaries: false,
    spacing: { arp: 0, neighbor: 0 },
    extraRefresh: 0,
    extraRefreshAll: false,
    routeTracks: [],
    trackDelays: [],
    knownSources: [],
    verifyInterval: 0,
  };
}
