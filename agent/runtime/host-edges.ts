/** The real world of the election loop: the monotonic clock, a precise timer, and the host's sockets. */
import { openLinkMonitor } from '../link/link-monitor.js';
import { openRtnetlink } from '../link/rtnetlink.js';
import { openArpSocket } from '../net/arp-socket.js';
import { openVrrpSocket } from '../net/vrrp-socket.js';
import type { Edges, ElectionClock } from './edges.js';
import { startPreciseTimer } from './precise-timer.js';

/** CLOCK_MONOTONIC in microseconds: the clock of process.hrtime, read in a cheaper way. */
export const monotonicClock: ElectionClock = {
  now: () => Math.floor(performance.now() * 1_000 + sinceBoot()),
  wallMs: () => Date.now(),
};

let offset: number | undefined;

/** What CLOCK_MONOTONIC said, in microseconds, when this thread's performance.now began to count. */
function sinceBoot(): number {
  if (offset !== undefined) return offset;
  let least = Number.POSITIVE_INFINITY;
  // The two clocks are read one after the other: the closest pair is the truest.
  for (let sample = 0; sample < 20; sample += 1) {
    const counted = performance.now() * 1_000;
    least = Math.min(least, Number(process.hrtime.bigint()) / 1_000 - counted);
  }
  offset = least;
  return least;
}

export const hostEdges: Edges = {
  startTimer: (onDue) => startPreciseTimer(monotonicClock.now, onDue),
  defer: (task) => void setImmediate(task),
  openVrrpSocket,
  openArpSocket,
  openRtnetlink,
  openLinkMonitor,
};
