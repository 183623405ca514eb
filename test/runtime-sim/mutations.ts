/**
 * Bugs put between the production loop and its surroundings: each makes the whole behave as if the loop had a fault. The
 * simulation must notice every one of them.
 */
import type { LinkEvent } from '../../agent/link/link-monitor.js';
import type { AddressRequest, Rtnetlink } from '../../agent/link/rtnetlink.js';
import { OK, type Outcome } from '../../agent/net/system-error.js';
import type { Edges, WorkerPort } from '../../agent/runtime/edges.js';
import type { ElectionOptions } from '../../agent/runtime/election.js';
import type { FromElection, ToElection } from '../../agent/runtime/messages.js';
import type { ProcessHost } from './process.js';
import type { Sabotage } from './sabotage.js';

type Spoil<Part> = (part: Part, host: ProcessHost) => Part;

export const MUTATIONS: Readonly<Record<string, Sabotage>> = {
  'leases are never renewed': kernel((netlink) => ({
    ...netlink,
    renewAddresses: (requests) => requests.map(() => OK),
  })),
  'addresses have no lifetime': kernel((netlink) => ({
    ...netlink,
    addAddresses: (requests) => netlink.addAddresses(requests.map(forever)),
    renewAddresses: (requests) => netlink.renewAddresses(requests.map(forever)),
  })),
  'addresses are not removed': kernel((netlink) => ({ ...netlink, deleteAddresses: (keys) => keys.map(() => OK) })),
  'only the first of several addresses is removed': kernel((netlink) => ({
    ...netlink,
    deleteAddresses: (keys) => [...netlink.deleteAddresses(keys.slice(0, 1)), ...keys.slice(1).map(() => OK)],
  })),
  'only the first of several addresses is added': kernel((netlink) => ({
    ...netlink,
    addAddresses: (requests) => [...netlink.addAddresses(requests.slice(0, 1)), ...requests.slice(1).map(() => OK)],
  })),
  'a refusal of the kernel is taken for success': kernel((netlink) => ({
    ...netlink,
    addAddresses: (requests) => netlink.addAddresses(requests).map(unlessExists),
    renewAddresses: (requests) => netlink.renewAddresses(requests).map(() => OK),
  })),
  'addresses are renewed after they were removed': kernel((netlink, { timeline }) => {
    const renewed = new Map<string, AddressRequest>();
    return {
      ...netlink,
      renewAddresses: (requests) => {
        for (const request of requests) renewed.set(`${request.address}`, request);
        return netlink.renewAddresses(requests);
      },
      deleteAddresses: (keys) => {
        const again = keys.flatMap((key) => renewed.get(`${key.address}`) ?? []);
        timeline.after(1_000, () => netlink.renewAddresses(again));
        return netlink.deleteAddresses(keys);
      },
    };
  }),
  'addresses are added after the advertisement': edges((real) => ({
    ...real,
    openRtnetlink: () => {
      const netlink = real.openRtnetlink();
      const addAddresses: Rtnetlink['addAddresses'] = (requests) => {
        real.defer(() => void netlink.addAddresses(requests));
        return requests.map(() => OK);
      };
      return { ...netlink, addAddresses };
    },
  })),
  'priority 0 is never sent': packets((_bytes, priority) => (priority === 0 ? 0 : 1)),
  'every advertisement is sent twice': packets(() => 2),
  'every third advertisement is forgotten': packets((_bytes, _priority, count) => (count % 3 === 2 ? 0 : 1)),
  'only one unicast peer is sent to': edges((real) => ({
    ...real,
    openVrrpSocket: (options) => {
      const socket = real.openVrrpSocket(options);
      const sent = new Set<unknown>();
      return {
        ...socket,
        send: (packet, to) => {
          if (sent.size === 0) sent.add(to);
          return sent.has(to) ? socket.send(packet, to) : OK;
        },
      };
    },
  })),
  'any time to live is accepted': edges((real) => ({
    ...real,
    openVrrpSocket: (options) =>
      real.openVrrpSocket({
        ...options,
        onPackets: (packets) => {
          const heard = packets.map((packet) => Uint8Array.from(packet));
          for (const packet of heard) packet[options.family === 6 ? 7 : 8] = 255;
          options.onPackets(heard);
        },
      }),
  })),
  'sockets are not closed': edges((real) => ({
    ...real,
    openVrrpSocket: (options) => ({ ...real.openVrrpSocket(options), close: () => undefined }),
  })),
  'takeovers are not announced': edges((real) => ({
    ...real,
    openArpSocket: (options) => ({ ...real.openArpSocket(options), announce: () => OK }),
    openNeighborSocket: (options) => ({ ...real.openNeighborSocket(options), announce: () => OK }),
  })),
  'the packet filter is not undone': edges((real) => ({
    ...real,
    openFirewall: () => ({ ...real.openFirewall(), allowTraffic: () => OK, close: () => undefined }),
  })),
  'interfaces that go down are not noticed': events((event) => event.kind !== 'link'),
  'addresses that go are not noticed': events((event) => event.kind !== 'addressRemoved'),
  'the timer is a tenth of a second late': edges((real) => ({
    ...real,
    startTimer: (onDue) => {
      const timer = real.startTimer(onDue);
      return { ...timer, arm: (at) => timer.arm(at + 100_000) };
    },
  })),
  'the clock stands still during a pause': {
    election: (options, host) => {
      const before = host.pausedFor;
      const lag = () => host.pausedFor - before;
      return {
        ...options,
        clock: { ...options.clock, now: () => options.clock.now() - lag() },
        edges: {
          ...options.edges,
          startTimer: (onDue) => {
            const timer = options.edges.startTimer(onDue);
            return { ...timer, arm: (at) => timer.arm(at + lag()) };
          },
        },
      };
    },
  },
  'the wall clock is taken for the monotonic one': {
    election: (options) => {
      const startedAt = options.clock.wallMs() * 1_000 - options.clock.now();
      return { ...options, clock: { ...options.clock, now: () => options.clock.wallMs() * 1_000 - startedAt } };
    },
  },
  'failing checks are not reported': toElection((message) => !(message.kind === 'track' && message.state === 'down')),
  'what a former process left is not gone on with': messages((message) =>
    message.kind === 'configure' ? { ...message, resumed: [] } : message,
  ),
  'another configuration is answered and not put in force': {
    election: (options) => {
      let isFirst = true;
      const spoilt = portOf(options.port, (message, answer) => {
        if (message.kind !== 'configure') return message;
        if (isFirst) {
          isFirst = false;
          return message;
        }
        answer({ kind: 'configured', nonce: message.nonce, problems: [] });
        return undefined;
      });
      return { ...options, port: spoilt };
    },
  },
  'faults are not told': fromElection(
    (message) =>
      !(message.kind === 'occurrence' && message.occurrence.kind === 'transition' && message.occurrence.to === 'fault'),
  ),
  'the first status is given for ever': {
    election: (options) => {
      let first: Extract<FromElection, { kind: 'status' }> | undefined;
      const { port } = options;
      const spoilt: WorkerPort = {
        on: (event, listener) => port.on(event, listener),
        postMessage: (message) => {
          if (message.kind === 'status') first ??= message;
          port.postMessage(message.kind === 'status' && first ? { ...first, id: message.id } : message);
        },
      };
      return { ...options, port: spoilt };
    },
  },
};

function edges(spoil: Spoil<Edges>): Sabotage {
  return { election: (options, host) => ({ ...options, edges: spoil(options.edges, host) }) };
}

function kernel(spoil: Spoil<Rtnetlink>): Sabotage {
  return edges((real, host) => ({ ...real, openRtnetlink: () => spoil(real.openRtnetlink(), host) }));
}

/** How often a packet is really sent. */
function packets(copies: (bytes: Uint8Array, priority: number, count: number) => number): Sabotage {
  return edges((real) => ({
    ...real,
    openVrrpSocket: (options) => {
      const socket = real.openVrrpSocket(options);
      let count = 0;
      return {
        ...socket,
        send: (packet, to) => {
          const times = copies(packet, packet[options.family === 6 ? 42 : 22] ?? 0, count);
          count += 1;
          let outcome: Outcome = OK;
          for (let copy = 0; copy < times; copy++) outcome = socket.send(packet, to);
          return outcome;
        },
      };
    },
  }));
}

function events(isHeard: (event: LinkEvent) => boolean): Sabotage {
  return edges((real) => ({
    ...real,
    openLinkMonitor: (options) =>
      real.openLinkMonitor({ ...options, onEvent: (event) => isHeard(event) && options.onEvent(event) }),
  }));
}

function portOf(
  port: WorkerPort,
  change: (message: ToElection, answer: WorkerPort['postMessage']) => ToElection | undefined,
): WorkerPort {
  return {
    postMessage: (message) => port.postMessage(message),
    on: (event, listener) =>
      port.on(event, (message) => {
        const changed = change(message, (answer) => port.postMessage(answer));
        if (changed !== undefined) listener(changed);
      }),
  };
}

function messages(change: (message: ToElection) => ToElection): Sabotage {
  return { election: (options: ElectionOptions) => ({ ...options, port: portOf(options.port, change) }) };
}

function toElection(isHeard: (message: ToElection) => boolean): Sabotage {
  return {
    election: (options) => ({
      ...options,
      port: portOf(options.port, (message) => (isHeard(message) ? message : undefined)),
    }),
  };
}

function fromElection(isTold: (message: FromElection) => boolean): Sabotage {
  return {
    election: (options) => {
      const { port } = options;
      const spoilt: WorkerPort = {
        on: (event, listener) => port.on(event, listener),
        postMessage: (message) => {
          if (isTold(message)) port.postMessage(message);
        },
      };
      return { ...options, port: spoilt };
    },
  };
}

function forever(request: AddressRequest): AddressRequest {
  return { ...request, lifetime: 'forever' };
}

function unlessExists(outcome: Outcome): Outcome {
  return !outcome.ok && outcome.code === 'EEXIST' ? outcome : OK;
}
