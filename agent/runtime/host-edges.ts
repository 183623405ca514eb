/** The real world of the election loop: the monotonic clock, a timer, and the host's sockets. */
import { openLinkMonitor } from '../link/link-monitor.js';
import { openRtnetlink } from '../link/rtnetlink.js';
import { openArpSocket } from '../net/arp-socket.js';
import { openVrrpSocket } from '../net/vrrp-socket.js';
import type { DeadlineTimer, Edges, ElectionClock } from './edges.js';

/** CLOCK_MONOTONIC in microseconds: the clock of process.hrtime, read in the cheaper way. */
export const monotonicClock: ElectionClock = {
  now: () => Math.floor(performance.now() * 1_000) + CLOCK_OFFSET,
  wallMs: () => Date.now(),
};

/** performance.now counts from the start of this thread. */
const CLOCK_OFFSET = Number(process.hrtime.bigint() / 1_000n) - Math.floor(performance.now() * 1_000);

export const hostEdges: Edges = {
  startTimer,
  defer: (task) => void setImmediate(task),
  openVrrpSocket,
  openArpSocket,
  openRtnetlink,
  openLinkMonitor,
};

/** Node's timer: whole milliseconds, rounded up. */
function startTimer(onDue: () => void): DeadlineTimer {
  let timer: NodeJS.Timeout | undefined;
  return {
    arm(at) {
      clearTimeout(timer);
      timer = setTimeout(onDue, Math.max(1, Math.ceil((at - monotonicClock.now()) / 1_000)));
    },
    disarm() {
      clearTimeout(timer);
    },
    close() {
      clearTimeout(timer);
    },
  };
}
