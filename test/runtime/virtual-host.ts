/**
 * A host made of plain data: interfaces and addresses with leases, sockets on a virtual LAN, and an election running on
 * it. What the kernel was asked for is kept in order.
 */
import type { LinkEvent, LinkMonitorOptions } from '../../agent/link/link-monitor.js';
import type { AddressKey, AddressRequest, InterfaceAddress, Link, Rtnetlink } from '../../agent/link/rtnetlink.js';
import type { ArpSocketOptions } from '../../agent/net/arp-socket.js';
import { OK, type Outcome, refusal, SocketOpenError } from '../../agent/net/system-error.js';
import type { VrrpSocketOptions } from '../../agent/net/vrrp-socket.js';
import type { DeadlineTimer, Edges } from '../../agent/runtime/edges.js';
import { type Election, startElection } from '../../agent/runtime/election.js';
import type {
  ElectionRouterStatus,
  ElectionStatus,
  FromElection,
  Occurrence,
  Problem,
  RouterSettings,
  ToElection,
} from '../../agent/runtime/messages.js';
import { formatIpv4, parseIpv4 } from '../../agent/wire/ipv4-address.js';
import type { VirtualClock } from './virtual-clock.js';

const ENODEV = 19;
const EEXIST = 17;
const EADDRNOTAVAIL = 99;
const LATENCY = 100;

export function ipv4(text: string): number {
  const address = parseIpv4(text);
  if (address === undefined) throw new TypeError(text);
  return address;
}

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
  /** Each request to the kernel so far, by kind, with the number of addresses in it. */
  readonly requests: { readonly kind: string; readonly count: number }[] = [];
  isPlugged = true;
  /** What the next sends and additions fail with. */
  sendFails: number | undefined;
  addFails: number | undefined;
  openFails: number | undefined;
  multicastFails: number | undefined;
  /** Announcements throw, as a fault of the program would. */
  announceBreaks = false;
  election: Election;
  #indexes = 1;
  #monitor: LinkMonitorOptions | undefined;
  #vrrp = new Set<VrrpSocketOptions>();
  #arp = new Set<ArpSocketOptions & { listening: boolean }>();
  #toElection: (message: ToElection) => void = () => undefined;
  readonly #timers: DeadlineTimer[] = [];
  #numbers = 0;

  constructor(
    readonly name: string,
    readonly lan: VirtualLan,
    addresses: readonly string[],
    options: { readonly ready?: boolean; readonly withLink?: boolean } = {},
  ) {
    lan.hosts.push(this);
    if (options.withLink !== false) {
      this.addLink('em1');
      for (const address of addresses) this.addAddress('em1', address);
    }
    this.election = startElection({ port: this.port(), clock: lan.clock, edges: this.edges() });
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
    this.#numbers += 1;
    this.tell({ kind: 'configure', nonce: this.#numbers, routers });
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
    return this.addresses.some((held) => held.address === ipv4(address));
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
      flags: isUp ? 0x41 : 0,
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
    const changed = { ...link, isUp };
    this.links.set(name, changed);
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

  addAddress(device: string, text: string, lifetime: number | 'forever' = 'forever'): void {
    const [address = '', prefixLength = '32'] = text.split('/');
    const added = this.#store({
      interfaceIndex: this.links.get(device)?.index ?? 0,
      address: ipv4(address),
      prefixLength: Number(prefixLength),
      lifetime,
    });
    this.#tellEvent({ kind: 'addressAdded', address: added });
  }

  removeAddress(address: string, own = false): void {
    const found = this.addresses.find((held) => held.address === ipv4(address));
    if (found === undefined) throw new Error(`${address} is not on ${this.name}`);
    this.#remove(found, own);
  }

  /** Puts a packet into the host's sockets now. */
  receive(packet: Uint8Array): void {
    for (const socket of [...this.#vrrp]) socket.onPacket(packet);
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

  get openSockets(): number {
    return this.#vrrp.size + this.#arp.size + (this.#monitor === undefined ? 0 : 1);
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
          interfaceName: options.interfaceName,
          interfaceIndex: options.interfaceIndex,
          send: (packet) => {
            if (this.sendFails !== undefined) return refusal(this.sendFails, 'send');
            this.log.push(`advert ${packet[22]}`);
            const copy = Uint8Array.from(packet);
            this.lan.send(this, (to) => to.receive(copy));
            return OK;
          },
          setMulticast: () => (this.multicastFails === undefined ? OK : refusal(this.multicastFails, 'join the group')),
          setAnyTtl: () => OK,
          overruns: () => 0,
          uncountedRefuse: () => 0,
          close: () => void this.#vrrp.delete(options),
        };
      },
      openArpSocket: (options) => {
        const socket = { ...options, listening: false };
        this.#arp.add(socket);
        return {
          interfaceIndex: options.interfaceIndex,
          announce: (addresses, repeat) => {
            if (this.announceBreaks) throw new TypeError('a fault of the program');
            for (const address of addresses) {
              this.log.push(`arp ${formatIpv4(address)} x${repeat}`);
              this.lan.send(this, (to) => {
                for (const other of to.#arp) {
                  if (other.listening) other.onAnnouncement(address, options.hardwareAddress);
                }
              });
            }
            return OK;
          },
          listen: (on) => {
            socket.listening = on;
            return OK;
          },
          close: () => void this.#arp.delete(socket),
        };
      },
      openRtnetlink: () => this.#rtnetlink(),
      openLinkMonitor: (options) => {
        this.#monitor = options;
        return {
          drain: () => undefined,
          close: () => {
            this.#monitor = undefined;
          },
        };
      },
    };
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
        this.log.push(`${verb} ${formatIpv4(request.address)}/${request.prefixLength} ${request.lifetime}`);
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
          this.log.push(`delete ${formatIpv4(key.address)}/${key.prefixLength}`);
          this.#remove(held, true);
          return OK;
        }),
      links: () => [...this.links.values()],
      link: (name) => this.links.get(name),
      addresses: () => [...this.addresses],
      close: () => undefined,
    };
  }

  #store({ interfaceIndex, address, prefixLength, lifetime }: AddressRequest): InterfaceAddress {
    const stored: InterfaceAddress = {
      interfaceIndex,
      address,
      prefixLength,
      scope: 0,
      flags: 0,
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
