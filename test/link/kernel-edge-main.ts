/**
 * A process that holds the agent's real link edges in its namespace and does what it is told, one JSON object a line.
 *
 *   node kernel-edge-main.js INTERFACE    in:  {"id", "on": "rtnetlink", "call": "links", "values": []}
 *                                         out: {"id", "answer"} or {"id", "error"}, and events of the monitor in between
 */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { openFirewall } from '../../agent/link/firewall.js';
import { type LinkEvent, type LinkMonitor, openLinkMonitor } from '../../agent/link/link-monitor.js';
import { type AddressRequest, openRtnetlink, routeKey } from '../../agent/link/rtnetlink.js';
import { hostSysctl } from '../../agent/link/sysctl.js';
import { AF_NETLINK, libc, SOCK_RAW } from '../../agent/net/libc.js';
import { formatIp } from '../../proto/rules/ip.js';
import { decode, encode } from './plain-text.js';

const rtnetlink = openRtnetlink();
const firewall = openFirewall();
let monitor: LinkMonitor | undefined;

const say = (line: object) => process.stdout.write(`${encode(line)}\n`);

function tell(event: LinkEvent): void {
  const own = 'own' in event ? { own: event.own } : {};
  switch (event.kind) {
    case 'link':
    case 'linkRemoved':
      say({ event: event.kind, name: event.link.name, isUp: event.link.isUp, alias: event.link.alias });
      return;
    case 'addressAdded':
    case 'addressRemoved': {
      const { address, prefixLength, validLifetime, flags } = event.address;
      say({
        event: event.kind,
        address: `${formatIp(address)}/${prefixLength}`,
        lifetime: validLifetime,
        flags,
        ...own,
      });
      return;
    }
    case 'routeAdded':
    case 'routeRemoved':
      say({ event: event.kind, route: routeKey(event.route), ...own });
      return;
    case 'ruleAdded':
    case 'ruleRemoved':
      say({ event: event.kind, family: event.rule.family, priority: event.rule.priority, ...own });
  }
}

const acts = {
  index: (name: string): number => rtnetlink.link(name)?.index ?? 0,
  openMonitor: (): boolean => {
    monitor?.close();
    monitor = openLinkMonitor({
      ignoreAdditionsBy: rtnetlink.portId,
      onEvent: tell,
      onOverrun: () => say({ event: 'overrun' }),
      onError: (error) => say({ event: 'monitorError', message: error.message }),
    });
    return true;
  },
  /** The monitor's address on the netlink bus: that of the socket in this namespace which is in groups. */
  monitorPort: (): number => {
    const sockets = readFileSync('/proc/self/net/netlink', 'latin1').split('\n');
    const columns = sockets.map((line) => line.trim().split(/\s+/));
    return Number(columns.find(([, protocol, , groups]) => protocol === '0' && groups !== '00000000')?.[2]);
  },
  dropPrivileges: (): boolean => {
    process.setgid?.(65534);
    process.setuid?.(65534);
    return true;
  },
  collectGarbage: (): boolean => {
    for (let i = 0; i < 10; i++) globalThis.gc?.();
    return true;
  },
  /** Sends bytes to another process' netlink socket, as if they came from the kernel. Bytes sent or -errno. */
  forge: (packet: Uint8Array, port: number): number => {
    const fd = libc().socket(AF_NETLINK, SOCK_RAW, 0);
    const to = new Uint8Array(12);
    new DataView(to.buffer).setUint16(0, AF_NETLINK, true);
    new DataView(to.buffer).setUint32(4, port, true);
    const sent = libc().sendto(fd, packet, packet.length, 0, to);
    libc().close(fd);
    return sent;
  },
  /** Microseconds of CPU and of time that renewing these takes, the median of `rounds`. */
  timeRenewals: (requests: readonly AddressRequest[], rounds: number): number => {
    const times: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const start = performance.now();
      rtnetlink.renewAddresses(requests);
      times.push((performance.now() - start) * 1000);
    }
    return times.sort((a, b) => a - b)[Math.floor(rounds / 2)] ?? 0;
  },
};
export type Acts = typeof acts;

interface Question {
  readonly id: number;
  readonly on: string;
  readonly call: string;
  readonly values: readonly unknown[];
}

function edge(on: string): unknown {
  if (on === 'monitor') return monitor;
  return { rtnetlink, firewall, sysctl: hostSysctl, acts }[on];
}

createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, on, call, values } = decode(line) as Question;
  try {
    const target = edge(on) as Readonly<Record<string, unknown>>;
    const member = target[call];
    const answer: unknown = typeof member === 'function' ? member.apply(target, values) : member;
    say({ id, answer });
  } catch (error) {
    const { name, code, message } = error as { name: string; code?: string; message: string };
    say({ id, error: { name, code, message } });
  }
});
say({ event: 'ready' });
