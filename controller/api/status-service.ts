/** StatusService: the cluster now, its changes, and the events. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerWritableStream } from '@grpc/grpc-js';
import type {
  ClusterStatus,
  FollowEventsRequest,
  FollowEventsResponse,
  MailOverview,
  StatusServiceServer,
  WatchStatusRequest,
  WatchStatusResponse,
} from '../../proto/gen/baton/v1/status_service.js';
import type { Logger } from '../../proto/process/logger.js';
import type { AgentHub } from '../agents/agent-hub.js';
import type { Signal } from '../agents/signal.js';
import type { Store } from '../store/database.js';
import { listEvents, listEventsAfter } from '../store/event-store.js';
import { CallError, toCallStatus } from './call-error.js';
import type { Declarations } from './declarations.js';
import { clusterStatus } from './overview.js';
import { Wakeup, writeAndWait } from './server-stream.js';
import { unary } from './unary.js';

const DEFAULT_EVENTS = 100;
const MOST_EVENTS = 10_000;
/** Events read from the store at a time for one follower. */
const FOLLOW_PAGE = 200;
/** The first change is told at once; those that follow it within this time together. In milliseconds. */
const WATCH_INTERVAL_MS = 100;

export interface StatusServiceOptions {
  readonly store: Store;
  readonly declarations: Declarations;
  readonly hub: AgentHub;
  readonly mail: () => Promise<MailOverview>;
  readonly now: () => Date;
  /** Aborted when the controller stops: streams end. */
  readonly stopping: AbortSignal;
  readonly log: Logger;
}

export function statusService(options: StatusServiceOptions): StatusServiceServer {
  const { store, declarations, hub, mail, now, log } = options;
  const status = async (): Promise<ClusterStatus> => {
    const mailOverview = await mail();
    const { generation, inventory } = declarations.current;
    const resources = inventory.values();
    return clusterStatus({ now: now(), generation, resources, nodes: hub.nodes(), mail: mailOverview });
  };
  return {
    getStatus: unary(log, async () => ({ status: await status() })),
    getNodeStatus: unary(log, async ({ node: name }) => {
      const node = hub.node(name);
      if (node === undefined) throw new CallError('not-found', `there is no node ${name.slice(0, 80)}`);
      const lastSeen = node.lastSeen === 0 ? undefined : new Date(node.lastSeen);
      return { status: node.status, connected: node.connected, lastSeen };
    }),
    listEvents: unary(log, async ({ filter, limit }) => ({
      events: await listEvents(store, filter, eventLimit(limit, DEFAULT_EVENTS)),
    })),
    watchStatus: (call) => {
      void stream(call, options, [hub.changed, declarations.changed], (wakeup) => watch(call, wakeup, status));
    },
    followEvents: (call) => {
      void stream(call, options, [hub.eventsStored], (wakeup) => follow(call, wakeup, store));
    },
  };
}

/** Runs a stream until its client leaves, it fails, or the controller stops. */
async function stream<Request, Response>(
  call: ServerWritableStream<Request, Response>,
  { log, stopping }: StatusServiceOptions,
  signals: readonly Signal[],
  work: (wakeup: Wakeup) => Promise<void>,
): Promise<void> {
  const wakeup = new Wakeup();
  const leave = signals.map((signal) => signal.listen(() => wakeup.wake()));
  const stop = (): void => {
    const error = new CallError('unavailable', 'the controller is stopping');
    call.emit('error', toCallStatus(error, log));
    wakeup.wake();
  };
  call.once('cancelled', () => wakeup.wake());
  stopping.addEventListener('abort', stop, { once: true });
  try {
    await work(wakeup);
    if (!call.cancelled && !call.writableEnded) call.end();
  } catch (error) {
    if (!call.cancelled) call.emit('error', toCallStatus(error, log));
  } finally {
    stopping.removeEventListener('abort', stop);
    for (const remove of leave) remove();
  }
}

function isOver(call: { readonly cancelled: boolean; readonly writableEnded: boolean }): boolean {
  return call.cancelled || call.writableEnded;
}

/** Sends the newest state after every change, never an old one, and none while the client does not read. */
async function watch(
  call: ServerWritableStream<WatchStatusRequest, WatchStatusResponse>,
  wakeup: Wakeup,
  status: () => Promise<ClusterStatus>,
): Promise<void> {
  while (!isOver(call)) {
    const startedAt = performance.now();
    if (!(await writeAndWait(call, { status: await status() }))) return;
    const took = performance.now() - startedAt;
    // A cluster whose overview takes long to make is told of less often: at most a fifth of the time goes into it.
    await sleep(Math.max(WATCH_INTERVAL_MS - took, took * 4), undefined, { ref: false });
    await wakeup.wait();
  }
}

/** Works from the store, by number: nothing is lost or told twice, however slowly the client reads. */
async function follow(
  call: ServerWritableStream<FollowEventsRequest, FollowEventsResponse>,
  wakeup: Wakeup,
  store: Store,
): Promise<void> {
  const { filter, limit } = call.request;
  const first = await listEvents(store, filter, Math.max(1, eventLimit(limit, 0)));
  let last = first.at(-1)?.id ?? 0;
  if (limit > 0) {
    for (const event of first) if (!(await writeAndWait(call, { event }))) return;
  }
  while (!isOver(call)) {
    const events = await listEventsAfter(store, filter, last, FOLLOW_PAGE);
    for (const event of events) {
      if (!(await writeAndWait(call, { event }))) return;
      last = event.id;
    }
    if (events.length < FOLLOW_PAGE) await wakeup.wait();
  }
}

function eventLimit(limit: number, whenUnset: number): number {
  if (limit === 0) return whenUnset;
  if (limit > MOST_EVENTS) throw new CallError('invalid', `limit: at most ${MOST_EVENTS} events`);
  return limit;
}
