/**
 * A process that holds the agent's real edges on one interface of its namespace and does what it is told.
 *
 *   node edge-main.js INTERFACE     standard input: {"id", "ask", ...} a line, see `answers`
 *                                   standard output: {"id", "answer"} or {"id", "error"}, and {"event", ...} in between
 */
import { spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import { type LinkMonitor, type LinkMonitorOptions, openLinkMonitor } from '../../agent/link/link-monitor.js';
import { openRtnetlink } from '../../agent/link/rtnetlink.js';
import { type ArpSocket, openArpSocket } from '../../agent/net/arp-socket.js';
import type { AnnouncementSocketOptions } from '../../agent/net/claim.js';
import { type Hmac, makeHmac } from '../../agent/net/hmac.js';
import { type NeighborSocket, openNeighborSocket } from '../../agent/net/neighbor-socket.js';
import { ReceiveRounds } from '../../agent/net/receive-rounds.js';
import { openTicker } from '../../agent/net/ticker.js';
import { openVrrpSender, type VrrpSender } from '../../agent/net/vrrp-sender.js';
import { type VrrpSocket, type VrrpSocketOptions, vrrpSockets } from '../../agent/net/vrrp-socket.js';
import { VRRP_GROUPS } from '../../agent/wire/advertisement.js';
import { AdvertisementSet } from '../../agent/wire/advertisement-set.js';
import type { ReplayGuard } from '../../agent/wire/hmac-signer.js';
import { decodeAdvertisement, type Expectations } from '../../agent/wire/reception.js';
import { type Family, formatIp, type IpAddress, parseIp } from '../../proto/rules/ip.js';

interface Question {
  readonly id: number;
  readonly ask: string;
  readonly on?: boolean;
  readonly family?: Family;
  readonly groups?: readonly string[];
  readonly version?: 2 | 3;
  readonly vrid?: number;
  readonly priority?: number;
  /** A key in hexadecimal digits: advertisements are signed with it as key 7, and must be. */
  readonly key?: string;
  readonly guard?: ReplayGuard;
  readonly source?: string;
  /** Hardware addresses that are ours. */
  readonly own?: readonly string[];
  readonly addresses?: readonly string[];
  readonly repeat?: number;
  readonly packet?: string;
  readonly destination?: string;
  readonly count?: number;
  readonly name?: string;
  readonly takesFrames?: boolean;
}

const name = process.argv[2] ?? '';
const rtnetlink = openRtnetlink();
const openVrrpSocket = vrrpSockets(new ReceiveRounds(openTicker));
let monitor: LinkMonitor | undefined;
let vrrp: VrrpSocket | undefined;
let sender: VrrpSender | undefined;
let arp: ArpSocket | undefined;
let neighbor: NeighborSocket | undefined;

const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);
const ip = (text: string): IpAddress => {
  const address = parseIp(text);
  if (address === undefined) throw new RangeError(`${text} is not an address`);
  return address;
};
const ipv4 = (text: string): number => {
  const address = ip(text);
  if (typeof address !== 'number') throw new RangeError(`${text} is not an IPv4 address`);
  return address;
};
const ipv6 = (text: string): bigint => {
  const address = ip(text);
  if (typeof address !== 'bigint') throw new RangeError(`${text} is not an IPv6 address`);
  return address;
};
const index = (): number => {
  const link = rtnetlink.link(name);
  if (link === undefined) throw new RangeError(`no interface ${name}`);
  return link.index;
};
/** VRID 10 listens to the usual group, 11 to a peer, 12 to a group of its own. */
function routersOf({ family = 4, version = 3 }: Question, hmac: Hmac | undefined): ReadonlyMap<number, Expectations> {
  const signed = hmac === undefined ? {} : { hmac: hmac.verifier };
  const multicast = (group: IpAddress): Expectations => ({
    version,
    interval: 1_000_000,
    transport: { kind: 'multicast', group },
    ownAddresses: new Set(),
    onLink: [],
    ...signed,
  });
  const range = { least: 10, greatest: 255 };
  const peers = new Map([ip('10.9.0.1'), ip('fe80::1')].map((peer) => [peer, range]));
  return new Map<number, Expectations>([
    [10, multicast(VRRP_GROUPS[family])],
    [11, { ...multicast(0), transport: { kind: 'unicast', peers } }],
    [12, multicast(ip(family === 6 ? 'ff02::abcd' : '239.1.2.3'))],
  ]);
}

const vrrpOptions = (question: Question, interfaceIndex = index()): VrrpSocketOptions => {
  const { family = 4, groups, on = true, takesFrames = false } = question;
  hmac = hmacOf(question);
  const routers = routersOf(question, hmac);
  return {
    family,
    interfaceName: name,
    interfaceIndex,
    groups: on ? (groups?.map(ip) ?? [VRRP_GROUPS[family]]) : [],
    anyTtl: false,
    takesFrames,
    onPackets: (packets) => {
      for (const packet of packets) {
        const reception = decodeAdvertisement(family, packet, routers);
        const source = reception.source === undefined ? '' : formatIp(reception.source);
        if (reception.ok) {
          const { isSigned = false, advertisement } = reception;
          say({ event: 'advertisement', source, priority: advertisement.priority, isSigned });
        } else say({ event: 'dropped', source, reason: reception.reason, length: packet.length });
      }
    },
    onError: (error) => say({ event: 'vrrpError', message: error.message }),
  };
};

/** Signs what `advertise` sends and judges what is received. */
let hmac: Hmac | undefined;
function hmacOf({ key, guard = 'time' }: Question): Hmac | undefined {
  if (key === undefined) return undefined;
  const options = { activeKey: 7, replayGuard: guard, timeWindow: 5_000_000, mode: 'enforce' } as const;
  const clocks = { now: () => Math.floor(performance.now() * 1000), wallMs: () => Date.now() };
  return makeHmac({ ...options, keys: [{ id: 7, key: Buffer.from(key, 'hex') }] }, 1_000_000, clocks);
}

const announcementOptions = (): AnnouncementSocketOptions => ({
  interfaceName: name,
  interfaceIndex: index(),
  hardwareAddress: rtnetlink.link(name)?.hardwareAddress ?? new Uint8Array(0),
  onClaim: ({ address, hardwareAddress, kind }) =>
    say({
      event: 'claim',
      kind,
      address: formatIp(address),
      hardwareAddress: Buffer.from(hardwareAddress).toString('hex'),
    }),
  onError: (error) => say({ event: 'claimError', message: error.message }),
});
const hardwareAddresses = ({ own }: Question) => (own ?? []).map((text) => Buffer.from(text, 'hex'));

const monitorOptions = (): LinkMonitorOptions => ({
  ignoreAdditionsBy: rtnetlink.portId,
  onEvent: (event) => {
    if (event.kind === 'link' || event.kind === 'linkRemoved') {
      say({ event: event.kind, name: event.link.name, isUp: event.link.isUp });
    } else if (event.kind === 'addressAdded' || event.kind === 'addressRemoved') {
      const address = `${formatIp(event.address.address)}/${event.address.prefixLength}`;
      const own = event.kind === 'addressRemoved' ? { own: event.own } : {};
      say({ event: event.kind, address, lifetime: event.address.validLifetime, ...own });
    }
  },
  onOverrun: () => say({ event: 'overrun' }),
  onError: (error) => say({ event: 'monitorError', message: error.message }),
});

const answers: Readonly<Record<string, (question: Question) => unknown>> = {
  openVrrp: (question) => {
    vrrp?.close();
    vrrp = openVrrpSocket(vrrpOptions(question));
    return true;
  },
  openVrrpOnMacvlan: (question) => {
    vrrp?.close();
    const { name: interfaceName = '' } = question;
    const interfaceIndex = rtnetlink.link(interfaceName)?.index ?? 0;
    vrrp = openVrrpSocket({ ...vrrpOptions({ ...question, takesFrames: true }, interfaceIndex), interfaceName });
    return true;
  },
  openVrrpOn: (question) => {
    openVrrpSocket({ ...vrrpOptions(question, 1), interfaceName: question.name ?? '' });
  },
  /** Nobody but the edges themselves refers to these. */
  openAndForget: (question) => {
    openVrrpSocket(vrrpOptions(question));
    openLinkMonitor(monitorOptions());
    return true;
  },
  dropPrivileges: () => {
    process.setgid?.(65534);
    process.setuid?.(65534);
    return true;
  },
  /** What a program that we start finds open, but for its own output. */
  inheritedSockets: () => {
    const listing = spawnSync('ls', ['-l', '/proc/self/fd'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    return listing.stdout.split('\n').filter((line) => / (?!1 )\d+ -> socket:/.test(line));
  },
  groups: ({ groups }) => vrrp?.setGroups((groups ?? []).map(ip)),
  anyTtl: ({ on }) => vrrp?.setAnyTtl(on ?? true),
  closeVrrp: () => {
    vrrp?.close();
    return true;
  },
  drops: () => ({ overruns: vrrp?.overruns(), refuse: vrrp?.uncountedRefuse() }),
  send: ({ packet, destination, count }) => {
    const bytes = Buffer.from(packet ?? '', 'hex');
    let last: unknown;
    for (let i = 0; i < (count ?? 1); i++) last = vrrp?.send(bytes, ip(destination ?? '224.0.0.18'));
    return last;
  },
  /** At an interval of one second. */
  advertise: ({ version = 3, vrid = 10, priority = 100, addresses, source, destination }) => {
    const set = new AdvertisementSet(
      {
        version,
        vrid,
        interval: 1_000_000,
        addresses: (addresses ?? []).map(ip),
        source: ip(source ?? ''),
        checksum: 'pseudo_header',
      },
      [ip(destination ?? '')],
      hmac?.signer,
    );
    return set.packets(priority).map((packet) => vrrp?.send(packet.bytes, packet.destination));
  },
  openSender: ({ family = 4, name: other }) => {
    const link = rtnetlink.link(other ?? name);
    sender?.close();
    sender = openVrrpSender({ family, interfaceName: link?.name ?? '', interfaceIndex: link?.index ?? 0 });
    return true;
  },
  sendAlone: ({ packet, destination }) => sender?.send(Buffer.from(packet ?? '', 'hex'), ip(destination ?? '')),
  collectGarbage: () => {
    if (globalThis.gc === undefined) throw new RangeError('start node with --expose-gc');
    for (let i = 0; i < 10; i++) globalThis.gc();
    return true;
  },
  openArp: () => {
    arp?.close();
    arp = openArpSocket(announcementOptions());
    return true;
  },
  announce: ({ addresses, repeat }) => arp?.announce((addresses ?? []).map(ipv4), repeat ?? 1),
  probe: ({ addresses }) => arp?.probe((addresses ?? []).map(ipv4)),
  watch: (question) => arp?.watch((question.addresses ?? []).map(ipv4), hardwareAddresses(question)),
  closeArp: () => {
    arp?.close();
    return true;
  },
  openNeighbor: () => {
    neighbor?.close();
    neighbor = openNeighborSocket(announcementOptions());
    return true;
  },
  announceNeighbor: ({ addresses, repeat, on }) =>
    neighbor?.announce((addresses ?? []).map(ipv6), repeat ?? 1, on ?? false),
  probeNeighbor: ({ addresses }) => neighbor?.probe((addresses ?? []).map(ipv6)),
  watchNeighbor: (question) => neighbor?.watch((question.addresses ?? []).map(ipv6), hardwareAddresses(question)),
  closeNeighbor: () => {
    neighbor?.close();
    return true;
  },
  monitor: () => {
    monitor?.close();
    monitor = openLinkMonitor(monitorOptions());
    return true;
  },
  quit: () => {
    monitor?.close();
    vrrp?.close();
    sender?.close();
    arp?.close();
    neighbor?.close();
    rtnetlink.close();
    input.close();
    process.stdin.destroy();
    return true;
  },
};

const input = createInterface({ input: process.stdin });
input.on('line', (line) => {
  const question = JSON.parse(line) as Question;
  try {
    const answer = answers[question.ask];
    if (answer === undefined) throw new RangeError(`no question ${question.ask}`);
    say({ id: question.id, answer: answer(question) ?? null });
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    say({ id: question.id, error: { code, message } });
  }
});
say({ event: 'ready' });
