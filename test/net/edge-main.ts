/**
 * A process that holds the agent's real edges on one interface of its namespace and does what it is told.
 *
 *   node edge-main.js INTERFACE     standard input: {"id", "ask", ...} a line, see `answers`
 *                                   standard output: {"id", "answer"} or {"id", "error"}, and {"event", ...} in between
 */
import { spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import { type LinkMonitor, type LinkMonitorOptions, openLinkMonitor } from '../../agent/link/link-monitor.js';
import { type AddressRequest, openRtnetlink } from '../../agent/link/rtnetlink.js';
import { type ArpSocket, openArpSocket } from '../../agent/net/arp-socket.js';
import { AF_NETLINK, libc, SOCK_RAW } from '../../agent/net/libc.js';
import { openVrrpSocket, type VrrpSocket, type VrrpSocketOptions } from '../../agent/net/vrrp-socket.js';
import { formatIpv4, parseIpv4, VRRP_GROUP } from '../../agent/wire/ipv4-address.js';
import { decodeAdvertisement, type Expectations } from '../../agent/wire/reception.js';

interface Question {
  readonly id: number;
  readonly ask: string;
  readonly on?: boolean;
  readonly addresses?: readonly string[];
  readonly requests?: readonly (Omit<AddressRequest, 'address' | 'broadcast' | 'interfaceIndex'> & {
    readonly address: string;
    readonly broadcast?: string;
    readonly interfaceIndex?: number;
  })[];
  readonly repeat?: number;
  readonly packet?: string;
  readonly destination?: string;
  readonly count?: number;
  readonly port?: number;
  readonly name?: string;
}

const name = process.argv[2] ?? '';
const rtnetlink = openRtnetlink();
let monitor: LinkMonitor | undefined;
let vrrp: VrrpSocket | undefined;
let arp: ArpSocket | undefined;

const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);
const ip = (text: string): number => {
  const address = parseIpv4(text);
  if (address === undefined) throw new RangeError(`${text} is not an IPv4 address`);
  return address;
};
const index = (): number => {
  const link = rtnetlink.link(name);
  if (link === undefined) throw new RangeError(`no interface ${name}`);
  return link.index;
};
const requestsOf = (question: Question): readonly AddressRequest[] =>
  (question.requests ?? []).map(({ address, broadcast, ...rest }) => ({
    interfaceIndex: index(),
    ...rest,
    address: ip(address),
    ...(broadcast === undefined ? {} : { broadcast: ip(broadcast) }),
  }));

const expected: Expectations = {
  version: 3,
  interval: 1_000_000,
  transport: { kind: 'multicast', group: VRRP_GROUP },
  ownAddresses: new Set(),
  onLink: [],
};
const routers = new Map<number, Expectations>([
  [10, expected],
  [11, { ...expected, transport: { kind: 'unicast', peers: new Set([ip('10.9.0.1')]) } }],
]);

const vrrpOptions = (multicast: boolean): VrrpSocketOptions => ({
  interfaceName: name,
  interfaceIndex: index(),
  multicast,
  anyTtl: false,
  onPacket: (packet) => {
    const reception = decodeAdvertisement(packet, routers);
    const source = reception.source === undefined ? '' : formatIpv4(reception.source);
    if (reception.ok) say({ event: 'advertisement', source, priority: reception.advertisement.priority });
    else say({ event: 'dropped', source, reason: reception.reason, length: packet.length });
  },
  onError: (error) => say({ event: 'vrrpError', message: error.message }),
});

const monitorOptions = (): LinkMonitorOptions => ({
  ignoreAdditionsBy: rtnetlink.portId,
  onEvent: (event) => {
    if (event.kind === 'link' || event.kind === 'linkRemoved') {
      say({ event: event.kind, name: event.link.name, isUp: event.link.isUp });
    } else {
      const address = `${formatIpv4(event.address.address)}/${event.address.prefixLength}`;
      const own = event.kind === 'addressRemoved' ? { own: event.own } : {};
      say({ event: event.kind, address, lifetime: event.address.validLifetime, ...own });
    }
  },
  onOverrun: () => say({ event: 'overrun' }),
  onError: (error) => say({ event: 'monitorError', message: error.message }),
});

const answers: Readonly<Record<string, (question: Question) => unknown>> = {
  openVrrp: ({ on }) => {
    vrrp?.close();
    vrrp = openVrrpSocket(vrrpOptions(on ?? true));
    return true;
  },
  openVrrpOn: ({ name: other }) => {
    openVrrpSocket({
      interfaceName: other ?? '',
      interfaceIndex: 1,
      multicast: true,
      anyTtl: false,
      onPacket: () => {},
      onError: () => {},
    });
  },
  /** Nobody but the edges themselves refers to these. */
  openAndForget: () => {
    openVrrpSocket(vrrpOptions(true));
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
  multicast: ({ on }) => vrrp?.setMulticast(on ?? true),
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
  collectGarbage: () => {
    if (globalThis.gc === undefined) throw new RangeError('start node with --expose-gc');
    for (let i = 0; i < 10; i++) globalThis.gc();
    return true;
  },
  openArp: () => {
    const link = rtnetlink.link(name);
    arp?.close();
    arp = openArpSocket({
      interfaceName: name,
      interfaceIndex: index(),
      hardwareAddress: link?.hardwareAddress ?? new Uint8Array(0),
      onAnnouncement: (address, hardwareAddress) =>
        say({
          event: 'announcement',
          address: formatIpv4(address),
          hardwareAddress: Buffer.from(hardwareAddress).toString('hex'),
        }),
      onError: (error) => say({ event: 'arpError', message: error.message }),
    });
    return true;
  },
  announce: ({ addresses, repeat }) => arp?.announce((addresses ?? []).map(ip), repeat ?? 1),
  listen: ({ on }) => arp?.listen(on ?? true),
  closeArp: () => {
    arp?.close();
    return true;
  },
  add: (question) => rtnetlink.addAddresses(requestsOf(question)),
  renew: (question) => rtnetlink.renewAddresses(requestsOf(question)),
  delete: (question) => rtnetlink.deleteAddresses(requestsOf(question)),
  addresses: () => rtnetlink.addresses().map((address) => ({ ...address, address: formatIpv4(address.address) })),
  links: () => rtnetlink.links().map((link) => link.name),
  link: ({ name: other }) => rtnetlink.link(other ?? name) ?? null,
  portId: () => rtnetlink.portId,
  monitor: () => {
    monitor?.close();
    monitor = openLinkMonitor(monitorOptions());
    return true;
  },
  drain: () => {
    monitor?.drain();
    return true;
  },
  /** Sends a message to another process' netlink socket, as if it were the kernel. */
  forge: ({ packet, port }) => {
    const fd = libc().socket(AF_NETLINK, SOCK_RAW, 0);
    const to = new Uint8Array(12);
    new DataView(to.buffer).setUint16(0, AF_NETLINK, true);
    new DataView(to.buffer).setUint32(4, port ?? 0, true);
    const bytes = Buffer.from(packet ?? '', 'hex');
    const sent = libc().sendto(fd, bytes, bytes.length, 0, to);
    libc().close(fd);
    return sent;
  },
  quit: () => {
    monitor?.close();
    vrrp?.close();
    arp?.close();
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
