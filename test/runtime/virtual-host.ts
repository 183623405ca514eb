/**
 * A host made of plain data: interfaces, addresses with leases and routes, sockets on a virtual LAN, and an election
 * running on it. What the kernel was asked for is kept in order.
 */
import type { LinkEvent, LinkMonitorOptions } from '../../agent/link/link-monitor.js';
import type {
  AddressKey,
  AddressRequest,
  InterfaceAddress,
  Link,
  MacvlanRequest,
  Route,
  RouteRequest,
  Rtnetlink,
} from '../../agent/link/rtnetlink.js';
import type { AnnouncementSocketOptions } from '../../agent/net/claim.js';
import { OK, type Outcome, refusal, SocketOpenError } from '../../agent/net/system-error.js';
import type { VrrpSenderOptions } from '../../agent/net/vrrp-sender.js';
import type { VrrpSocketOptions } from '../../agent/net/vrrp-socket.js';
import type { StartRecorder } from '../../agent/record/recorder.js';
import type { DeadlineTimer, Edges } from '../../agent/runtime/edges.js';
import { type Election, startElection } from '../../agent/runtime/election.js';
import type {
  ElectionRouterStatus,
  ElectionSettings,
  ElectionStatus,
  FromElection,
  Occurrence,
  Problem,
  ResumedRouter,
  RouterSettings,
  ToElection,
} from '../../agent/runtime/messages.js';
import { type Family, formatIp, formatIpPrefix, type IpAddress, parseIpPrefix } from '../../proto/rules/ip.js';
import { electionSettings, ip } from './router-settings.js';
import type { VirtualClock } from './virtual-clock.js';

const ENODEV = 19;
const EEXIST = 17;
const EADDRNOTAVAIL = 99;
const LATENCY = 100;

const ESRCH = 3;
const MACVLAN_MTU = 1500;
/** IFF_UP and IFF_RUNNING. */
const UP = 0x41;

type Announcing = AnnouncementSocketOptions & { readonly family: Family; watched: ReadonlySet<IpAddress> };

export class VirtualLan {
  readonly hosts: VirtualHost[] = [];
  constructor(readonly clock: VirtualClock) {}

  /** Every other connected host receives what is sent, a moment later. */
  send(from: VirtualHost, deliver: (to: VirtualHost) => void): void {
    for (const to of this.hosts) {
      if (to === from || !from.isPlugged || !to.isPlugged) continue;
      this.clock.alarm(this.clock.now() + LATENCY, () => deliver(to));
    }
  }
}

export class VirtualHost {
  /** What was done, in order: "add 10.0.0.9/32 3s", "advert 100", "arp 10.0.0.9", ... */
  readonly log: string[] = [];
  readonly messages: FromElection[] = [];
  readonly links = new Map<string, Link>();
  readonly addresses: InterfaceAddress[] = [];
  readonly routes: Route[] = [];
  /** Each request to the kernel so far, by kind, with the number of addresses in it. */
  readonly requests: { readonly kind: string; readonly count: number }[] = [];
  isPlugged = true;
  /** Answers no questions for its addresses. */
  isSilent = false;
  /** What the next sends and additions fail with. */
  sendFails: number | undefined;
  addFails: number | undefined;
  openFails: number | undefined;
  multicastFails: number | undefined;
  /** Called whenever the kernel is asked for all interfaces. */
  onDump: () => void = () => undefined;
  /** Announcements throw, as a fault of the program would. */
  announceBreaks = false;
  election: Election;
  #indexes = 1;
  #monitor: LinkMonitorOptions | undefined;
  #vrrp = new Set<VrrpSocketOptions>();
  #senders = new Set<VrrpSenderOptions>();
  #announcing = new Set<Announcing>();
  #toElection: (message: ToElection) => void = () => undefined;
  readonly #timers: DeadlineTimer[] = [];
  #numbers = 0;

  constructor(
    readonly name: string,
    readonly lan: VirtualLan,
    addresses: readonly string[],
    options: {
      readonly ready?: boolean;
      readonly withLink?: boolean;
      readonly recording?: StartRecorder;
    } = {},
  ) {
    lan.hosts.push(this);
    if (options.withLink !== false) {
      this.addLink('em1');
      for (const address of addresses) this.addAddress('em1', address);
    }
    this.election = startElection({
      port: this.port(),
      clock: lan.clock,
      edges: this.edges(),
      recording: options.recording,
    });
    if (options.ready !== false) this.tell({ kind: 'workerReady' });
  }

  port() {
    return {
      postMessage: (message: FromElection) => void this.messages.push(structuredClone(message)),
      on: (_event: 'message', listener: (message: ToElection) => void) => {
        this.#toElection = listener;
      },
    };
  }

  tell(message: ToElection): void {
    this.#toElection(structuredClone(message));
    this.lan.clock.settle();
  }

  configure(...routers: readonly RouterSettings[]): readonly Problem[] {
    return this.configureWith(electionSettings(routers));
  }

  /** The same with groups, host networks, and what a former process left. */
  configureWith(settings: ElectionSettings, resumed?: readonly ResumedRouter[]): readonly Problem[] {
    this.#numbers += 1;
    this.tell({ kind: 'configure', nonce: this.#numbers, settings, ...(resumed === undefined ? {} : { resumed }) });
    const answer = this.messages.findLast((message) => message.kind === 'configured');
    if (answer?.kind !== 'configured' || answer.nonce !== this.#numbers) throw new Error('configure was not answered');
    return answer.problems;
  }

  status(): ElectionStatus {
    this.#numbers += 1;
    this.tell({ kind: 'statusRequest', id: this.#numbers });
    const answer = this.messages.findLast((message) => message.kind === 'status');
    if (answer?.kind !== 'status' || answer.id !== this.#numbers) throw new Error('no status was given');
    return answer.status;
  }

  router(name = 'r'): ElectionRouterStatus {
    const found = this.status().routers.find((router) => router.name === name);
    if (found === undefined) throw new Error(`${name} does not run on ${this.name}`);
    return found;
  }

  occurrences<Kind extends Occurrence['kind']>(kind: Kind): readonly Extract<Occurrence, { kind: Kind }>[] {
    return this.messages.flatMap((message) =>
      message.kind === 'occurrence' && message.occurrence.kind === kind
        ? [message.occurrence as Extract<Occurrence, { kind: Kind }>]
        : [],
    );
  }

  holds(address: string): boolean {
    return this.addresses.some((held) => held.address === ip(address));
  }

  /** The log since the last call. */
  takeLog(): readonly string[] {
    return this.log.splice(0);
  }

  // What others do to the host

  addLink(name: string, isUp = true): void {
    const link: Link = {
      index: this.#indexes++,
      name,
      isUp,
      flags: isUp ? UP : 0,
      operationalState: isUp ? 6 : 2,
      type: 1,
      mtu: 1500,
      hardwareAddress: Uint8Array.of(2, 0, 0, 0, 0, this.#indexes),
    };
    this.links.set(name, link);
    this.#tellEvent({ kind: 'link', link });
  }

  setLink(name: string, isUp: boolean): void {
    const link = this.links.get(name);
    if (link === undefined) throw new Error(name);
    const changed = { ...link, isUp, flags: isUp ? UP : 0 };
    this.links.set(name, changed);
    if (!isUp)
      this.routes.splice(0, this.routes.length, ...this.routes.filter((route) => route.interfaceIndex !== link.index));
    this.#tellEvent({ kind: 'link', link: changed });
  }

  renameLink(from: string, to: string): void {
    const link = this.links.get(from);
    if (link === undefined) throw new Error(from);
    this.links.delete(from);
    this.links.set(to, { ...link, name: to });
    this.#tellEvent({ kind: 'link', link: { ...link, name: to } });
  }

  removeLink(name: string): void {
    const link = this.links.get(name);
    if (link === undefined) throw new Error(name);
    for (const address of this.addresses.filter(({ interfaceIndex }) => interfaceIndex === link.index)) {
      this.#remove(address, false);
    }
    this.links.delete(name);
    this.#tellEvent({ kind: 'linkRemoved', link });
  }

  addAddress(device: string, text: string, lifetime: number | 'forever' = 'forever', flags = 0): void {
    const [address = '', prefixLength = '32'] = text.split('/');
    const added = this.#store({
      interfaceIndex: this.links.get(device)?.index ?? 0,
      address: ip(address),
      prefixLength: Number(prefixLength),
      lifetime,
      flags,
    });
    this.#tellEvent({ kind: 'addressAdded', address: added });
  }

  removeAddress(address: string, own = false): void {
    const found = this.addresses.find((held) => held.address === ip(address));
    if (found === undefined) throw new Error(`${address} is not on ${this.name}`);
    this.#remove(found, own);
  }

  addRoute(prefix: string, device: string, table = 254): void {
    const destination = parseIpPrefix(prefix);
    if (destination === undefined) throw new TypeError(prefix);
    const route: Route = {
      family: prefix.includes(':') ? 6 : 4,
      type: 1,
      destination,
      interfaceIndex: this.links.get(device)?.index ?? 0,
      table,
      metric: 0,
      scope: 0,
      protocol: 3,
      tos: 0,
      onLink: false,
      nextHops: [],
      metrics: [],
      lockedMetrics: 0,
      isDead: false,
    };
    this.routes.push(route);
    this.#tellEvent({ kind: 'routeAdded', route });
  }

  removeRoute(prefix: string, from = 254): void {
    const at = this.routes.findIndex(
      ({ destination, table }) => table === from && destination && formatIpPrefix(destination) === prefix,
    );
    const [route] = this.routes.splice(at, 1);
    if (at < 0 || route === undefined) throw new Error(`${prefix} has no route on ${this.name}`);
    this.#tellEvent({ kind: 'routeRemoved', route, own: false });
  }

  /** Puts packets into the host's sockets now, all at once; of one family. */
  receive(...packets: readonly Uint8Array[]): void {
    const family = (packets[0]?.[0] ?? 0) >>> 4;
    for (const socket of [...this.#vrrp]) if (socket.family === family) socket.onPackets(packets);
  }

  /** Another station on the LAN says that it has an address. */
  claim(address: string, hardwareAddress: Uint8Array, kind: 'announcement' | 'answer' = 'announcement'): void {
    this.#hear(ip(address), hardwareAddress, kind);
  }

  /** Every VRRP socket fails while receiving. */
  breakSockets(): void {
    for (const socket of [...this.#vrrp]) socket.onError(new Error('the socket broke'));
  }

  /** The process dies: nothing of it runs any more. Its addresses stay until their leases end. */
  crash(): void {
    this.isPlugged = false;
    for (const timer of this.#timers) timer.close();
    this.#vrrp.clear();
    this.#monitor = undefined;
  }

  /** The process ends and another one starts on the host, which is told nothing yet. */
  restart(): void {
    for (const timer of this.#timers) timer.close();
    this.#vrrp.clear();
    this.#senders.clear();
    this.#announcing.clear();
    this.#monitor = undefined;
    this.messages.length = 0;
    this.election = startElection({ port: this.port(), clock: this.lan.clock, edges: this.edges() });
    this.tell({ kind: 'workerReady' });
  }

  get openSockets(): number {
    return this.#vrrp.size + this.#senders.size + this.#announcing.size + (this.#monitor === undefined ? 0 : 1);
  }

  overrun(): void {
    this.#monitor?.onOverrun();
  }

  breakWatch(): void {
    this.#monitor?.onError(new Error('netlink is broken'));
    this.#monitor = undefined;
  }

  // The edges of its election

  edges(): Edges {
    const { clock } = this.lan;
    return {
      startTimer: (onDue) => {
        const timer = clock.startTimer(onDue);
        this.#timers.push(timer);
        return timer;
      },
      defer: (task) => clock.defer(task),
      openVrrpSocket: (options) => {
        if (this.openFails !== undefined) throw new SocketOpenError(refusal(this.openFails, 'open a socket'));
        this.#vrrp.add(options);
        return {
          ...this.#sender(options),
          setGroups: () => (this.multicastFails === undefined ? OK : refusal(this.multicastFails, 'join the group')),
          setAnyTtl: () => OK,
          overruns: () => 0,
          uncountedRefuse: () => 0,
          close: () => void this.#vrrp.delete(options),
        };
      },
      openVrrpSender: (options) => {
        this.#senders.add(options);
        return { ...this.#sender(options), close: () => void this.#senders.delete(options) };
      },
      openArpSocket: (options) => this.#announcer(4, options, 'arp'),
      openNeighborSocket: (options) => this.#announcer(6, options, 'na'),
      openGroupMembership: ({ interfaceIndex }) => ({ interfaceIndex, change: () => OK, close: () => undefined }),
      openRtnetlink: () => this.#rtnetlink(),
      openLinkMonitor: (options) => {
        this.#monitor = options;
        return {
          drain: () => undefined,
          watchRoutes: () => undefined,
          watchRules: () => undefined,
          foreignMessages: () => 0,
          close: () => {
            this.#monitor = undefined;
          },
        };
      },
      openFirewall: () => ({
        dropTraffic: (addresses) => this.#logged(`drop ${addresses.map(({ address }) => formatIp(address)).join(' ')}`),
        allowTraffic: (addresses) =>
          this.#logged(`allow ${addresses.map(({ address }) => formatIp(address)).join(' ')}`),
        blockReports: () => OK,
        allowReports: () => OK,
        clear: () => OK,
        leave: () => OK,
        close: () => undefined,
      }),
      sysctl: { read: () => ({ ok: true, value: 0 }), write: () => OK },
    };
  }

  #logged(line: string): Outcome {
    this.log.push(line);
    return OK;
  }

  #sender({ family, interfaceName, interfaceIndex }: VrrpSenderOptions) {
    return {
      family,
      interfaceName,
      interfaceIndex,
      send: (packet: Uint8Array): Outcome => {
        if (this.sendFails !== undefined) return refusal(this.sendFails, 'send');
        const on = interfaceName === 'em1' ? '' : ` on ${interfaceName}`;
        this.log.push(`advert ${packet[family === 6 ? 42 : 22]}${on}`);
        const copy = Uint8Array.from(packet);
        this.lan.send(this, (to) => to.receive(copy));
        return OK;
      },
    };
  }

  #announcer<Address extends IpAddress>(family: Family, options: AnnouncementSocketOptions, verb: string) {
    const socket: Announcing = { ...options, family, watched: new Set() };
    this.#announcing.add(socket);
    return {
      interfaceIndex: options.interfaceIndex,
      announce: (addresses: readonly Address[], repeat: number): Outcome => {
        if (this.announceBreaks) throw new TypeError('a fault of the program');
        for (const address of addresses) {
          this.log.push(`${verb} ${formatIp(address)} x${repeat}`);
          this.lan.send(this, (to) => to.#hear(address, options.hardwareAddress, 'announcement'));
        }
        return OK;
      },
      probe: (addresses: readonly Address[]): Outcome => {
        for (const address of addresses) this.#ask('probe', address);
        return OK;
      },
      solicit: (addresses: readonly Address[], source: bigint): Outcome => {
        for (const address of addresses) this.#ask(`from ${formatIp(source)} ask`, address);
        return OK;
      },
      watch: (addresses: readonly Address[]): Outcome => {
        socket.watched = new Set(addresses);
        return OK;
      },
      close: () => void this.#announcing.delete(socket),
    };
  }

  /** Whoever has the address answers. */
  #ask(doing: string, address: IpAddress): void {
    this.log.push(`${doing} ${formatIp(address)}`);
    this.lan.send(this, (to) => {
      const held = to.isSilent ? undefined : to.addresses.find((each) => each.address === address);
      const link = [...to.links.values()].find(({ index }) => index === held?.interfaceIndex);
      const mac = link?.hardwareAddress;
      if (mac !== undefined) this.lan.send(to, (asker) => asker === this && this.#hear(address, mac, 'answer'));
    });
  }

  #hear(address: IpAddress, hardwareAddress: Uint8Array, kind: 'announcement' | 'answer'): void {
    for (const socket of [...this.#announcing]) {
      if (socket.watched.has(address)) socket.onClaim({ address, hardwareAddress, kind });
    }
  }

  #rtnetlink(): Rtnetlink {
    const has = (key: AddressKey) => this.addresses.find((held) => isSame(held, key));
    const hasLink = (index: number) => [...this.links.values()].some((link) => link.index === index);
    const put = (verb: string, replace: boolean) => (requests: readonly AddressRequest[]) => {
      this.requests.push({ kind: verb, count: requests.length });
      return requests.map((request): Outcome => {
        if (this.addFails !== undefined) return refusal(this.addFails, 'add an address');
        if (!hasLink(request.interfaceIndex)) return refusal(ENODEV, 'add an address');
        if (has(request) !== undefined && !replace) return refusal(EEXIST, 'add an address');
        this.log.push(`${verb} ${formatIp(request.address)}/${request.prefixLength} ${request.lifetime}`);
        this.#store(request);
        return OK;
      });
    };
    return {
      portId: 1,
      addAddresses: put('add', false),
      renewAddresses: put('renew', true),
      deleteAddresses: (keys) =>
        keys.map((key): Outcome => {
          const held = has(key);
          if (held === undefined) return refusal(EADDRNOTAVAIL, 'delete an address');
          this.log.push(`delete ${formatIp(key.address)}/${key.prefixLength}`);
          this.#remove(held, true);
          return OK;
        }),
      links: () => {
        this.onDump();
        return [...this.links.values()];
      },
      link: (name) => this.links.get(name),
      addresses: () => [...this.addresses],
      foreignMessages: () => 0,
      changeRoutes: (change, requests) => requests.map((request) => this.#changeRoute(change, request)),
      routes: () => [...this.routes],
      changeRules: (change, requests) => requests.map(() => this.#logged(`rule ${change}`)),
      rules: () => [],
      createMacvlan: (request) => ({ ok: true, link: this.#createMacvlan(request) }),
      setLink: (index, { up }) => {
        const link = [...this.links.values()].find((candidate) => candidate.index === index);
        if (link === undefined) return refusal(ENODEV, 'set an interface');
        if (up !== undefined) this.setLink(link.name, up);
        return OK;
      },
      deleteLink: (index) => {
        const link = [...this.links.values()].find((candidate) => candidate.index === index);
        if (link === undefined) return refusal(ENODEV, 'delete an interface');
        this.log.push(`delete link ${link.name}`);
        this.removeLink(link.name);
        return OK;
      },
      setIpv4Conf: () => OK,
      ipv4Conf: () => undefined,
      close: () => undefined,
    };
  }

  #createMacvlan({ name, baseIndex, address, alias }: MacvlanRequest): Link {
    const link: Link = {
      index: this.#indexes++,
      name,
      isUp: false,
      flags: 0,
      operationalState: 2,
      type: 1,
      mtu: MACVLAN_MTU,
      hardwareAddress: address,
      kind: 'macvlan',
      parentIndex: baseIndex,
      alias,
    };
    this.log.push(`make link ${name}`);
    this.links.set(name, link);
    this.#tellEvent({ kind: 'link', link });
    return link;
  }

  #changeRoute(change: 'add' | 'replace' | 'delete', request: RouteRequest): Outcome {
    const text = request.destination === undefined ? 'default' : formatIpPrefix(request.destination);
    const isSame = (route: Route) =>
      route.table === request.table &&
      (route.destination === undefined ? 'default' : formatIpPrefix(route.destination)) === text;
    const at = this.routes.findIndex(isSame);
    if (change === 'add' && at >= 0) return refusal(EEXIST, 'add a route');
    if (change === 'delete' && at < 0) return refusal(ESRCH, 'delete a route');
    this.log.push(`route ${change} ${text}`);
    if (at >= 0) this.routes.splice(at, 1);
    if (change !== 'delete') this.routes.push({ metric: 0, scope: 0, isDead: false, ...request });
    return OK;
  }

  #store(request: AddressRequest & { readonly flags?: number }): InterfaceAddress {
    const { interfaceIndex, address, prefixLength, lifetime, flags = 0 } = request;
    const stored: InterfaceAddress = {
      interfaceIndex,
      address,
      prefixLength,
      scope: 0,
      flags,
      validLifetime: lifetime,
      preferredLifetime: lifetime,
    };
    const at = this.addresses.findIndex((held) => isSame(held, stored));
    if (at < 0) this.addresses.push(stored);
    else this.addresses[at] = stored;
    if (lifetime !== 'forever') {
      this.lan.clock.alarm(this.lan.clock.now() + lifetime * 1_000_000, () => {
        if (this.addresses.includes(stored)) this.#remove(stored, false);
      });
    }
    return stored;
  }

  #remove(address: InterfaceAddress, own: boolean): void {
    this.addresses.splice(this.addresses.indexOf(address), 1);
    this.#tellEvent({ kind: 'addressRemoved', address, own });
  }

  /** Events arrive after the request that caused them has returned. */
  #tellEvent(event: LinkEvent): void {
    this.lan.clock.defer(() => this.#monitor?.onEvent(event));
  }
}

function isSame(a: AddressKey, b: AddressKey): boolean {
  return a.address === b.address && a.prefixLength === b.prefixLength && a.interfaceIndex === b.interfaceIndex;
}
