/**
 * What becomes of the election thread's occurrences: log lines, events, hooks and FIFO lines. The only place where an
 * occurrence is looked at on the worker.
 */

import type { Hooks } from '../../proto/gen/baton/v1/resources.js';
import type { HookRun } from '../../proto/gen/baton/v1/status.js';
import type { Logger } from '../../proto/process/logger.js';
import { assertNever } from '../../proto/rules/assert-never.js';
import { FifoWriter, type OpenFifo } from '../hooks/fifo.js';
import type { HookRunner } from '../hooks/hook-runner.js';
import { notificationOf } from '../hooks/notification.js';
import { Flood, type Repeated } from '../journal/flood.js';
import type { Journal } from '../journal/journal.js';
import {
  addressEvent,
  hookEvent,
  leaseLostEvent,
  lowerPriorityEvent,
  noticeEvent,
  rejectedEvent,
  transitionEvent,
} from '../journal/occurrence-event.js';
import type { Occurrence } from '../runtime/messages.js';
import type { CancelTimer, Clock } from './clock.js';

/** What a router's hooks are and what they call it. */
export interface NotifiedRouter {
  readonly displayName: string;
  readonly hooks: Hooks | undefined;
}

export interface OccurrenceEdges {
  readonly clock: Clock;
  readonly log: Logger;
  readonly journal: Journal;
  readonly hooks: HookRunner;
  readonly openFifo: OpenFifo;
}

export class Occurrences {
  readonly #edges: OccurrenceEdges;
  readonly #fifos = new Map<string, FifoWriter>();
  readonly #lowerPriorities = new Flood();
  readonly #lastHooks = new Map<string, HookRun>();
  #routers: ReadonlyMap<string, NotifiedRouter> = new Map();
  #cancelFlood: CancelTimer | undefined;

  constructor(edges: OccurrenceEdges) {
    this.#edges = edges;
  }

  /** By router: the result of the last hook that ended. */
  get lastHooks(): ReadonlyMap<string, HookRun> {
    return this.#lastHooks;
  }

  /** Routers that may start before `configure` is called with them; known ones stay as they are until then. */
  expect(routers: ReadonlyMap<string, NotifiedRouter>): void {
    this.#routers = new Map([...routers, ...this.#routers]);
  }

  /** By the routers' names. One that is gone keeps its hooks for its stop, which comes after this. */
  configure(routers: ReadonlyMap<string, NotifiedRouter>): void {
    const gone = [...this.#routers].filter(([name]) => !routers.has(name));
    this.#routers = new Map([...gone, ...routers]);
  }

  received(occurrence: Occurrence): void {
    const { journal, log } = this.#edges;
    switch (occurrence.kind) {
      case 'transition': {
        const { router, vrid, from, to, cause, sentence, effectivePriority: priority, peer } = occurrence;
        const level = to === 'fault' ? 'warn' : 'info';
        log[level]({ router, vrid, from, to, cause, detail: sentence, priority, peer }, 'state changed');
        journal.add(transitionEvent(occurrence));
        this.#notify(occurrence);
        break;
      }
      case 'rejected': {
        const { router, source, reason, count } = occurrence;
        log.warn({ router, peer: source, code: reason, count }, 'advertisements refused');
        journal.add(rejectedEvent(occurrence));
        break;
      }
      case 'lowerPriorityHeard': {
        const { router, source } = occurrence;
        const told = this.#lowerPriorities.add({ router, source, count: 1 }, occurrence.at);
        if (told !== undefined) this.#tellLowerPriority(told);
        this.#planFlood();
        break;
      }
      case 'notice': {
        const { router, notice, sentence, source } = occurrence;
        log.warn({ router, code: notice, peer: source, detail: sentence }, 'protocol notice');
        journal.add(noticeEvent(occurrence));
        break;
      }
      case 'leaseLost': {
        const { router, away } = occurrence;
        log.error({ router, durationMs: away / 1_000 }, 'stepped down after a pause longer than the lease');
        journal.add(leaseLostEvent(occurrence));
        break;
      }
      case 'address': {
        const { router, address, interface: device, change, detail } = occurrence;
        log.warn({ router, address, interface: device, code: change, detail }, 'address changed');
        journal.add(addressEvent(occurrence));
        break;
      }
      case 'log': {
        const { level, message, fields } = occurrence;
        log[level]({ detail: fields }, message);
        break;
      }
      default:
        assertNever(occurrence);
    }
  }

  /** A hook ended. */
  hookFinished(router: string, run: HookRun): void {
    const { clock, journal, log } = this.#edges;
    this.#lastHooks.set(router, run);
    const { hook, result, exitCode, output } = run;
    const fields = { router, hook, path: run.command[0] ?? '', result, exitCode, output };
    if (run.result === 'CHECK_RESULT_OK') log.info(fields, 'hook ended');
    else log.warn(fields, 'hook failed');
    journal.add(hookEvent({ at: clock.now(), wallMs: clock.wallMs() }, router, run));
  }

  /** Tells what has been counted so far and lets go of the FIFOs. */
  close(): void {
    this.#cancelFlood?.();
    this.#tellFlood(Number.POSITIVE_INFINITY);
    for (const fifo of this.#fifos.values()) fifo.close();
  }

  #notify(change: Extract<Occurrence, { kind: 'transition' }>): void {
    const { router, to, cause, effectivePriority } = change;
    const known = this.#routers.get(router);
    const name = known?.displayName || router;
    const notification = notificationOf({ router: name, to, cause, effectivePriority }, known?.hooks);
    if (notification === undefined) return;
    if (notification.fifo !== undefined) this.#fifo(notification.fifo.path).write(notification.fifo.line);
    this.#edges.hooks.run(router, notification.commands);
  }

  #fifo(path: string): FifoWriter {
    const present = this.#fifos.get(path);
    if (present !== undefined) return present;
    const { clock, log, openFifo } = this.#edges;
    const writer = new FifoWriter(
      path,
      { open: openFifo, clock },
      {
        lost: (at, count) => log.warn({ path: at, count }, 'notification lines are lost: nobody reads the FIFO'),
        failed: (at, err) => log.error({ path: at, err }, 'cannot write to the FIFO'),
      },
    );
    this.#fifos.set(path, writer);
    return writer;
  }

  #planFlood(): void {
    this.#cancelFlood?.();
    this.#cancelFlood = undefined;
    const deadline = this.#lowerPriorities.nextDeadline();
    if (deadline === undefined) return;
    const { clock } = this.#edges;
    this.#cancelFlood = clock.after((deadline - clock.now()) / 1_000, () => {
      this.#tellFlood(clock.now());
      this.#planFlood();
    });
  }

  #tellFlood(now: number): void {
    for (const repeated of this.#lowerPriorities.due(now)) this.#tellLowerPriority(repeated);
  }

  #tellLowerPriority(repeated: Repeated): void {
    const { clock, journal, log } = this.#edges;
    const { router, source, count } = repeated;
    log.warn({ router, peer: source, count }, 'a lower priority is advertised');
    journal.add(lowerPriorityEvent({ at: clock.now(), wallMs: clock.wallMs() }, repeated));
  }
}
