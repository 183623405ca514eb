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
import { lowerPriorityNotification, type Notification, notificationOf, priorityLine } from '../hooks/notification.js';
import { Flood, type Repeated } from '../journal/flood.js';
import type { Journal } from '../journal/journal.js';
import {
  addressConflictEvent,
  addressEvent,
  groupTransitionEvent,
  hookEvent,
  itemEvent,
  leaseLostEvent,
  lowerPriorityEvent,
  noticeEvent,
  rejectedEvent,
  transitionEvent,
  unknownVridEvent,
} from '../journal/occurrence-event.js';
import type { Occurrence } from '../runtime/messages.js';
import type { CancelTimer, Clock } from './clock.js';

/** What the hooks of a router or group are and what they call it. */
export interface Notified {
  readonly displayName: string;
  readonly hooks: Hooks | undefined;
}

/** By name. */
export interface NotifiedSet {
  readonly routers: ReadonlyMap<string, Notified>;
  readonly groups: ReadonlyMap<string, Notified>;
}

const NOBODY: NotifiedSet = { routers: new Map(), groups: new Map() };

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
  /** What may still change its state: also what is no longer configured, until it has stopped. */
  readonly #routers = new Map<string, Notified>();
  readonly #groups = new Map<string, Notified>();
  #inForce: NotifiedSet = NOBODY;
  /** The configuration that is being put in force now. */
  #expected: NotifiedSet | undefined;
  #cancelFlood: CancelTimer | undefined;

  constructor(edges: OccurrenceEdges) {
    this.#edges = edges;
  }

  /** By router, or by "group NAME": the result of the last hook that ended. */
  get lastHooks(): ReadonlyMap<string, HookRun> {
    return this.#lastHooks;
  }

  /** A configuration that is being put in force: what is new in it may start at any moment, what is not in it stops. */
  expect(wanted: NotifiedSet): void {
    this.#expected = wanted;
    for (const [name, router] of wanted.routers) if (!this.#routers.has(name)) this.#routers.set(name, router);
    for (const [name, group] of wanted.groups) if (!this.#groups.has(name)) this.#groups.set(name, group);
  }

  /** It is in force. */
  configure(wanted: NotifiedSet): void {
    this.#expected = undefined;
    this.#inForce = wanted;
    for (const [name, router] of wanted.routers) this.#routers.set(name, router);
    this.#groups.clear();
    for (const [name, group] of wanted.groups) this.#groups.set(name, group);
  }

  /** It was refused: what is in force stays. */
  refused(): void {
    this.#expected = undefined;
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
        const { router, source, effectivePriority } = occurrence;
        const known = this.#routers.get(router);
        if (known?.hooks !== undefined) {
          const name = known.displayName || router;
          this.#carryOut(router, lowerPriorityNotification(name, effectivePriority, known.hooks));
        }
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
      case 'unknownVrid': {
        const { vrid, source } = occurrence;
        log.info(
          { interface: occurrence.interface, vrid, peer: source },
          'a virtual router that this host has no part in was heard',
        );
        journal.add(unknownVridEvent(occurrence));
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
      case 'item': {
        const { owner, item, change, detail } = occurrence;
        log.warn({ router: owner, path: item, code: change, detail }, 'route or rule changed');
        journal.add(itemEvent(occurrence));
        break;
      }
      case 'addressConflict': {
        const { router, address, interface: device, mac, sentence } = occurrence;
        log.error({ router, address, interface: device, peer: mac, detail: sentence }, 'somebody else has an address');
        journal.add(addressConflictEvent(occurrence));
        break;
      }
      case 'groupTransition': {
        const { group, from, to, cause, sentence } = occurrence;
        const level = to === 'fault' ? 'warn' : 'info';
        log[level]({ group, from, to, cause, detail: sentence }, 'group changed its state');
        journal.add(groupTransitionEvent(occurrence));
        this.#notifyGroup(occurrence);
        break;
      }
      case 'priorityChanged': {
        const { router, state, effectivePriority: priority } = occurrence;
        log.info({ router, priority }, 'effective priority changed');
        const known = this.#routers.get(router);
        if (known?.hooks === undefined) break;
        const line = priorityLine(known.displayName || router, state, priority, known.hooks);
        if (line !== undefined) this.#fifo(line.path).write(line.line);
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
    const isDeleted = !(this.#expected ?? this.#inForce).routers.has(router);
    const name = known?.displayName || router;
    const notification = notificationOf(
      { subject: 'INSTANCE', name, to, cause, effectivePriority, isDeleted },
      known?.hooks,
    );
    if (isDeleted && to === 'initialize') this.#routers.delete(router);
    if (notification !== undefined) this.#carryOut(router, notification);
  }

  #notifyGroup(change: Extract<Occurrence, { kind: 'groupTransition' }>): void {
    const { group, to, cause } = change;
    const known = this.#groups.get(group);
    const name = known?.displayName || group;
    // keepalived knows no deletion of a group: its members are told of theirs.
    const notification = notificationOf(
      { subject: 'GROUP', name, to, cause, effectivePriority: 0, isDeleted: false },
      known?.hooks,
    );
    if (notification !== undefined) this.#carryOut(`group ${group}`, notification);
  }

  /** @param turn what is run one after the other: a router's name, or "group NAME" */
  #carryOut(turn: string, { commands, fifo }: Notification): void {
    if (fifo !== undefined) this.#fifo(fifo.path).write(fifo.line);
    this.#edges.hooks.run(turn, commands);
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
