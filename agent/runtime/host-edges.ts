/** The real world of the election loop: the clock, a precise timer, and the host's sockets. */
import { createRequire } from 'node:module';
import { endianness } from 'node:os';
import type { Micros } from '../../proto/rules/time.js';
import { openFirewall } from '../link/firewall.js';
import { openLinkMonitor } from '../link/link-monitor.js';
import { openRtnetlink } from '../link/rtnetlink.js';
import { hostSysctl } from '../link/sysctl.js';
import { openArpSocket } from '../net/arp-socket.js';
import { openGroupMembership } from '../net/group-member.js';
import { openNeighborSocket } from '../net/neighbor-socket.js';
import { ReceiveRounds } from '../net/receive-rounds.js';
import { openTicker } from '../net/ticker.js';
import { openVrrpSender } from '../net/vrrp-sender.js';
import { vrrpSockets } from '../net/vrrp-socket.js';
import { BootClock } from './boot-clock.js';
import type { Edges, ElectionClock } from './edges.js';
import { startPreciseTimer } from './precise-timer.js';

const CLOCK_BOOTTIME = 7;

/** The clock of the elections; one for each call, all of them the same. */
export function openBootClock(): ElectionClock {
  return new BootClock({ counted: () => performance.now() * 1_000, wallMs: () => Date.now(), boot: bootTime() });
}

export function openHostEdges(clock: ElectionClock): Edges {
  const rounds = new ReceiveRounds(openTicker);
  return {
    startTimer: (onDue) => startPreciseTimer(() => clock.now(), onDue),
    defer: (task) =>
      void setImmediate(() => {
        // What came to a busy socket may wait for its round.
        rounds.read();
        task();
      }),
    openVrrpSocket: vrrpSockets(rounds),
    openVrrpSender,
    openArpSocket,
    openNeighborSocket,
    openGroupMembership,
    openRtnetlink,
    openLinkMonitor,
    openFirewall,
    sysctl: hostSysctl,
  };
}

/** Reads CLOCK_BOOTTIME in microseconds. */
function bootTime(): () => Micros {
  const koffi: typeof import('koffi') = createRequire(import.meta.url)('koffi');
  const read = koffi.load(null).func('int clock_gettime(int, _Out_ void*)') as (
    clock: number,
    into: Uint8Array,
  ) => number;
  const time = new DataView(new ArrayBuffer(16));
  const bytes = new Uint8Array(time.buffer);
  const isLittleEndian = endianness() === 'LE';
  return () => {
    read(CLOCK_BOOTTIME, bytes);
    // struct timespec: seconds and nanoseconds, 64 bits each.
    return (
      Number(time.getBigInt64(0, isLittleEndian)) * 1_000_000 + Number(time.getBigInt64(8, isLittleEndian)) / 1_000
    );
  };
}
