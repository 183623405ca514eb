/**
 * One run of the agent's election thread on a simulated host: the production loop on virtual edges. Whatever comes in
 * waits in the queue of its descriptor while the process is paused, as in the kernel, and is lost with it when it dies.
 */
import type { LinkEvent } from '../../agent/link/link-monitor.js';
import type { Rtnetlink } from '../../agent/link/rtnetlink.js';
import type { AnnouncementSocketOptions } from '../../agent/net/claim.js';
import { OK, type Outcome, refusal, SocketOpenError } from '../../agent/net/system-error.js';
import type { VrrpSenderOptions } from '../../agent/net/vrrp-sender.js';
import type { VrrpSocketOptions } from '../../agent/net/vrrp-socket.js';
import type { DeadlineTimer, Edges } from '../../agent/runtime/edges.js';
import { type Election, startElection } from '../../agent/runtime/election.js';
import type { FromElection, ToElection } from '../../agent/runtime/messages.js';
import { type Family, familyOf, formatIp, type IpAddress, isMulticastIp } from '../../proto/rules/ip.js';
import type { Instant, Micros } from '../../proto/rules/time.js';
import type { Random } from '../sim/random.js';
import type { Timeline } from '../sim/timeline.js';
import type { SimKernel } from './kernel.js';
import type { Sabotage } from './sabotage.js';
import type { Frame } from './segment.js';

/** Packets that a socket's queue has room for. */
const SOCKET_QUEUE = 256;
/** A timer fires at most this late while the process runs. */
export const TIMER_LAG: Micros = 150;
const ENODEV = 19;
const ENETDOWN = 100;

/** What a process needs of its host. */
export interface ProcessHost {
  readonly label: string;
  readonly timeline: Timeline;
  readonly random: Random;
  readonly kernel: SimKernel;
  readonly sabotage: Sabotage;
  /** For how long its processes have been paused in all. */
  readonly pausedFor: Micros;
  wallMs(): number;
  /** Puts a frame on the network that the interface is on. */
  transmit(device: string, frame: Frame): void;
  /** An advertisement was accepted by the kernel. */
  advertised(bytes: Uint8Array, family: Family, device: string): void;
  /** The election thread says something to its worker. */
  told(message: FromElection): void;
  /** After everything that was let into the process. */
  settled(): void;
}

/** A descriptor that can be read: what has arrived waits here while the process is paused. */
interface Descriptor {
  readonly queue: (() => void)[];
  readonly room: number;
}

interface Hearing extends Descriptor {
  readonly options: VrrpSocketOptions;
  groups: readonly IpAddress[];
}

interface Announcing extends Descriptor {
  readonly options: AnnouncementSocketOptions;
  watched: ReadonlySet<IpAddress>;
}

type Port = (message: ToElection) => void;

export class SimProcess {
  readonly election: Election;
  state: 'running' | 'paused' | 'dead' = 'running';
  /** What is open and would have to be closed: sockets, timers, netlink. */
  open = 0;
  /** Adverts that were handed to the kernel. */
  adverts = 0;
  readonly #hearing = new Set<Hearing>();
  readonly #announcing = new Set<Announcing>();
  readonly #monitors = new Set<Descriptor>();
  readonly #port: Descriptor = { queue: [], room: Number.POSITIVE_INFINITY };
  readonly #deferred: (() => void)[] = [];
  #isTimerDue: (() => void) | undefined;
  #toElection: Port = () => undefined;
  #worker: object | undefined;

  constructor(private readonly host: ProcessHost) {
    const { sabotage, timeline } = host;
    const clock = { now: () => timeline.now, wallMs: () => host.wallMs() };
    const port = this.#newPort();
    this.election = startElection(sabotage.election({ port, clock, edges: this.#edges() }, host));
  }

  // From outside

  pause(): void {
    if (this.state === 'running') this.state = 'paused';
  }

  /** Everything that is queued is read: the order of the descriptors is the kernel's, which is to say anybody's. */
  resume(): void {
    if (this.state !== 'paused') return;
    this.state = 'running';
    const { random } = this.host;
    const descriptors = random.shuffle<Descriptor>([
      ...this.#hearing,
      ...this.#announcing,
      ...this.#monitors,
      this.#port,
    ]);
    const timer = this.#isTimerDue;
    this.#isTimerDue = undefined;
    const readTimer = () => timer !== undefined && this.#enter(timer);
    const isTimerFirst = random.chance(0.5);
    if (isTimerFirst) readTimer();
    for (const { queue } of descriptors) for (const task of queue.splice(0)) this.#enter(task);
    if (!isTimerFirst) readTimer();
    for (const task of this.#deferred.splice(0)) this.#enter(task);
  }

  /** Nothing of it runs any more, and the kernel closes what it had open. */
  die(): void {
    this.state = 'dead';
    this.open = 0;
    this.#hearing.clear();
    this.#announcing.clear();
    this.#monitors.clear();
    this.host.kernel.listeners.delete(this.#onKernel);
  }

  /** A message of the worker. */
  tell(message: ToElection): void {
    this.#deliver(this.#port, () => this.#toElection(structuredClone(message)));
  }

  /** SIGTERM, and what else comes from the main thread itself. */
  act(action: (election: Election) => void): void {
    this.#deliver(this.#port, () => action(this.election));
  }

  /** The worker ends; another one is attached by `newWorker`. */
  loseWorker(): void {
    this.act((election) => {
      if (this.#worker !== undefined) election.detach(this.#worker as Parameters<Election['detach']>[0]);
    });
  }

  newWorker(): void {
    this.act((election) => election.attach(this.#newPort()));
  }

  /** A frame from the network. */
  receive(frame: Frame, device: string): void {
    const link = this.host.kernel.links.get(device);
    if (this.state === 'dead' || link?.isUp !== true) return;
    if (frame.kind === 'packet') {
      const family = (frame.bytes[0] ?? 0) >>> 4 === 6 ? 6 : 4;
      for (const socket of [...this.#hearing]) {
        const { options } = socket;
        if (options.family !== family || options.interfaceIndex !== link.index) continue;
        if (isMulticastIp(frame.destination) && !socket.groups.includes(frame.destination)) continue;
        this.#deliver(socket, () => this.#hearing.has(socket) && options.onPackets([frame.bytes]));
      }
      return;
    }
    if (frame.kind === 'question') return;
    const { address, hardwareAddress, kind } = frame;
    for (const socket of [...this.#announcing]) {
      const { options } = socket;
      if (!socket.watched.has(address) || options.interfaceIndex !== link.index) continue;
      this.#deliver(socket, () => this.#announcing.has(socket) && options.onClaim({ address, hardwareAddress, kind }));
    }
  }

  /** Every receiving socket fails. */
  breakSockets(): void {
    for (const socket of [...this.#hearing]) {
      this.#deliver(socket, () => this.#hearing.has(socket) && socket.options.onError(new Error('the socket broke')));
    }
  }

  // Into the process

  #enter(task: () => void): void {
    if (this.state !== 'running') return;
    task();
    this.host.settled();
  }

  #deliver(descriptor: Descriptor, task: () => void): void {
    if (this.state === 'running') this.#enter(task);
    else if (this.state === 'paused' && descriptor.queue.length < descriptor.room) descriptor.queue.push(task);
  }

  #newPort() {
    const port = {
      postMessage: (message: FromElection) => {
        if (this.#worker === port) this.host.told(message);
      },
      on: (_event: 'message', listener: Port) => {
        this.#toElection = listener;
      },
    };
    this.#worker = port;
    return port;
  }

  // The edges

  #edges(): Edges {
    return {
      startTimer: (onDue) => this.#startTimer(onDue),
      defer: (task) => {
        this.host.timeline.at(this.host.timeline.now, () => {
          if (this.state === 'paused') this.#deferred.push(task);
          else this.#enter(task);
        });
      },
      openVrrpSocket: (options) => {
        this.#mustExist(options);
        const socket: Hearing = { options, groups: options.groups, queue: [], room: SOCKET_QUEUE };
        this.#hearing.add(socket);
        return {
          ...this.#sender(options),
          setGroups: (groups) => {
            socket.groups = groups;
            return OK;
          },
          setAnyTtl: () => OK,
          overruns: () => 0,
          uncountedRefuse: () => 0,
          close: this.#closing(() => this.#hearing.delete(socket)),
        };
      },
      openVrrpSender: (options) => {
        this.#mustExist(options);
        return { ...this.#sender(options), close: this.#closing(() => undefined) };
      },
      openArpSocket: (options) => this.#announcer<number>(options),
      openNeighborSocket: (options) => this.#announcer<bigint>(options),
      openGroupMembership: ({ interfaceIndex }) => ({
        interfaceIndex,
        change: () => OK,
        close: this.#closing(() => undefined),
      }),
      openRtnetlink: () => this.#rtnetlink(),
      openLinkMonitor: (options) => this.#monitor(options),
      openFirewall: () => this.#firewall(),
      sysctl: { read: () => ({ ok: true, value: 0 }), write: () => OK },
    };
  }

  /** The first call replaces what a former process left. */
  #firewall(): ReturnType<Edges['openFirewall']> {
    const { filtered } = this.host.kernel;
    let isFirst = true;
    const change = (how: () => void): Outcome => {
      if (isFirst) filtered.clear();
      isFirst = false;
      how();
      return OK;
    };
    return {
      dropTraffic: (all) => change(() => all.forEach(({ address }) => void filtered.add(formatIp(address)))),
      allowTraffic: (all) => change(() => all.forEach(({ address }) => void filtered.delete(formatIp(address)))),
      blockReports: () => OK,
      allowReports: () => OK,
      clear: () => change(() => filtered.clear()),
      leave: () => OK,
      close: () => filtered.clear(),
    };
  }

  #startTimer(onDue: () => void): DeadlineTimer {
    const { timeline, random } = this.host;
    let armed = 0;
    const arm = (at: Instant): void => {
      armed += 1;
      const token = armed;
      this.#isTimerDue = undefined;
      timeline.at(Math.max(at, timeline.now) + random.between(1, TIMER_LAG), () => {
        if (token !== armed || this.state === 'dead') return;
        if (this.state === 'paused') this.#isTimerDue = onDue;
        else this.#enter(onDue);
      });
    };
    const disarm = (): void => {
      armed += 1;
      this.#isTimerDue = undefined;
    };
    return { arm, disarm, close: this.#closing(disarm) };
  }

  #sender({ family, interfaceName, interfaceIndex }: VrrpSenderOptions) {
    return {
      family,
      interfaceName,
      interfaceIndex,
      send: (packet: Uint8Array, destination: IpAddress): Outcome => {
        const link = this.host.kernel.links.get(interfaceName);
        if (link?.index !== interfaceIndex) return refusal(ENODEV, 'send an advertisement');
        if (!link.isUp) return refusal(ENETDOWN, 'send an advertisement');
        this.adverts += 1;
        const bytes = Uint8Array.from(packet);
        this.host.advertised(bytes, family, interfaceName);
        this.host.transmit(interfaceName, { kind: 'packet', bytes, destination });
        return OK;
      },
    };
  }

  #announcer<Address extends IpAddress>(options: AnnouncementSocketOptions) {
    this.#mustExist(options);
    const { interfaceName, interfaceIndex, hardwareAddress } = options;
    const socket: Announcing = { options, watched: new Set(), queue: [], room: SOCKET_QUEUE };
    this.#announcing.add(socket);
    const say = (frames: readonly Frame[]): Outcome => {
      const link = this.host.kernel.links.get(interfaceName);
      if (link?.index !== interfaceIndex) return refusal(ENODEV, 'announce');
      if (!link.isUp) return refusal(ENETDOWN, 'announce');
      for (const frame of frames) this.host.transmit(interfaceName, frame);
      return OK;
    };
    const ask = (addresses: readonly Address[]) => say(addresses.map((address) => ({ kind: 'question', address })));
    return {
      interfaceIndex,
      announce: (addresses: readonly Address[], _repeat: number) =>
        say(addresses.map((address) => ({ kind: 'announcement', address, hardwareAddress }))),
      probe: ask,
      solicit: ask,
      watch: (addresses: readonly Address[]): Outcome => {
        socket.watched = new Set<IpAddress>(addresses);
        return OK;
      },
      close: this.#closing(() => this.#announcing.delete(socket)),
    };
  }

  #rtnetlink(): Rtnetlink {
    const { kernel } = this.host;
    const portId = kernel.newPortId();
    return {
      portId,
      addAddresses: (requests) => kernel.change('add', requests, portId),
      renewAddresses: (requests) => kernel.change('renew', requests, portId),
      deleteAddresses: (keys) => kernel.change('delete', keys, portId),
      links: () => [...kernel.links.values()],
      link: (name) => kernel.links.get(name),
      addresses: () => [...kernel.addresses],
      foreignMessages: () => 0,
      changeRoutes: (_change, requests) => requests.map(() => OK),
      routes: () => [],
      changeRules: (_change, requests) => requests.map(() => OK),
      rules: () => [],
      createMacvlan: () => refusal(ENODEV, 'make a macvlan'),
      setLink: () => OK,
      deleteLink: () => refusal(ENODEV, 'delete an interface'),
      setIpv4Conf: () => OK,
      ipv4Conf: () => undefined,
      close: this.#closing(() => undefined),
    };
  }

  #onKernel: (event: LinkEvent, requester: number | undefined) => void = () => undefined;

  #monitor({ ignoreAdditionsBy, onEvent }: Parameters<Edges['openLinkMonitor']>[0]) {
    const { kernel, timeline } = this.host;
    const descriptor: Descriptor = { queue: [], room: Number.POSITIVE_INFINITY };
    this.#monitors.add(descriptor);
    this.#onKernel = (event, requester) => {
      const isOwn = requester === ignoreAdditionsBy;
      if (event.kind === 'addressAdded' && isOwn) return;
      // Of IPv6 addresses the kernel does not say who removed them.
      const isToldOwn = isOwn && event.kind === 'addressRemoved' && familyOf(event.address.address) === 4;
      const told: LinkEvent = isToldOwn ? { ...event, own: true } : event;
      // After the request that caused it has returned.
      timeline.at(timeline.now, () => this.#deliver(descriptor, () => this.#monitors.has(descriptor) && onEvent(told)));
    };
    kernel.listeners.add(this.#onKernel);
    return {
      drain: () => {
        for (const task of descriptor.queue.splice(0)) task();
      },
      watchRoutes: () => undefined,
      watchRules: () => undefined,
      foreignMessages: () => 0,
      close: this.#closing(() => {
        this.#monitors.delete(descriptor);
        kernel.listeners.delete(this.#onKernel);
      }),
    };
  }

  #mustExist({ interfaceName, interfaceIndex }: { readonly interfaceName: string; readonly interfaceIndex: number }) {
    if (this.host.kernel.links.get(interfaceName)?.index !== interfaceIndex) {
      throw new SocketOpenError(refusal(ENODEV, `open a socket on ${interfaceName}`));
    }
  }

  /** Counts what was opened until it is closed; closing twice counts once. */
  #closing(close: () => void): () => void {
    this.open += 1;
    let isOpen = true;
    return () => {
      if (!isOpen) return;
      isOpen = false;
      if (this.state !== 'dead') this.open -= 1;
      close();
    };
  }
}
