/**
 * What the election loop needs from the world: passed in, so that tests own time, interfaces and packets. The real
 * edges are in host-edges.ts.
 */
import type { Instant, Millis } from '../../proto/rules/time.js';
import type { OpenFirewall } from '../link/firewall.js';
import type { OpenLinkMonitor } from '../link/link-monitor.js';
import type { OpenRtnetlink } from '../link/rtnetlink.js';
import type { Sysctl } from '../link/sysctl.js';
import type { OpenArpSocket } from '../net/arp-socket.js';
import type { OpenGroupMembership } from '../net/group-member.js';
import type { OpenNeighborSocket } from '../net/neighbor-socket.js';
import type { OpenVrrpSender } from '../net/vrrp-sender.js';
import type { OpenVrrpSocket } from '../net/vrrp-socket.js';
import type { FromElection, ToElection } from './messages.js';

export interface ElectionClock {
  /** Monotonic, whole microseconds; goes on while the machine is suspended. */
  now(): Instant;
  /** Wall clock, milliseconds since 1970; only ever reported, never computed with. */
  wallMs(): Millis;
}

/** The one timer. */
export interface DeadlineTimer {
  /** Calls back once at `at` or as soon after as can be; never before. Replaces what was armed. */
  arm(at: Instant): void;
  disarm(): void;
  close(): void;
}

export interface Edges {
  /** `onDue` is called from the event loop, never from within `arm`. */
  readonly startTimer: (onDue: () => void) => DeadlineTimer;
  /** Runs the task once, after what the kernel has ready by now has been received. */
  readonly defer: (task: () => void) => void;
  readonly openVrrpSocket: OpenVrrpSocket;
  readonly openVrrpSender: OpenVrrpSender;
  readonly openArpSocket: OpenArpSocket;
  readonly openNeighborSocket: OpenNeighborSocket;
  readonly openGroupMembership: OpenGroupMembership;
  readonly openRtnetlink: OpenRtnetlink;
  readonly openLinkMonitor: OpenLinkMonitor;
  readonly openFirewall: OpenFirewall;
  readonly sysctl: Sysctl;
}

/** The worker thread, as the election sees it: a MessagePort or a Worker. */
export interface WorkerPort {
  postMessage(message: FromElection): void;
  on(event: 'message', listener: (message: ToElection) => void): unknown;
}
