/** Builders for notify tests: a database in memory, events, a clock turned by hand, a mail server made of a function. */

import { Kysely, SqliteDialect } from 'kysely';
import { pino } from 'pino';
import type { Attempt } from '../../controller/notify/delivery.js';
import type { Clock, MailDirectory, Notifier, NotifierOptions } from '../../controller/notify/index.js';
import { createNotifier, record } from '../../controller/notify/index.js';
import type { SmtpSettings } from '../../controller/notify/smtp-settings.js';
import type { OutgoingMail } from '../../controller/notify/smtp-transport.js';
import type { AlertTables } from '../../controller/notify/tables.js';
import { outbox } from '../../controller/store/migrations/002-outbox.js';
import { openSqlite } from '../../controller/store/sqlite.js';
import { Event } from '../../proto/gen/baton/v1/events.js';
import { EmailReceiver, MailSecurity, SyncGroupSpec, VirtualRouterSpec } from '../../proto/gen/baton/v1/resources.js';
import { MemberState } from '../../proto/gen/baton/v1/status.js';

/** 2026-11-22 12:00:00 UTC. */
export const NOON = Date.UTC(2026, 10, 22, 12);

export const { INITIALIZE, BACKUP, ACTIVE, FAULT } = MemberState;

export async function openTables(): Promise<Kysely<AlertTables>> {
  const db = new Kysely<AlertTables>({ dialect: new SqliteDialect({ database: openSqlite(':memory:', 0) }) });
  await outbox.up(db);
  return db;
}

export interface Told {
  readonly node: string;
  readonly from: MemberState;
  readonly to: MemberState;
  readonly cause: string;
  readonly router?: string;
  readonly message?: string;
  readonly at?: number;
  readonly priority?: number;
  readonly peer?: string;
}

export function transition(told: Told): Event {
  const { node, from, to, cause, router = 'pg' } = told;
  return Event.fromPartial({
    node,
    router,
    time: new Date(told.at ?? NOON),
    message: told.message ?? `${router} on ${node}: ${cause}`,
    detail: {
      $case: 'transition',
      value: { from, to, cause, effectivePriority: told.priority ?? 100, peer: told.peer ?? '', vrid: 10 },
    },
  });
}

export function groupTransition(told: Omit<Told, 'router' | 'priority' | 'peer'> & { readonly group?: string }): Event {
  const { node, from, to, cause, group = 'both' } = told;
  return Event.fromPartial({
    node,
    time: new Date(told.at ?? NOON),
    message: told.message ?? `group ${group} on ${node}: ${cause}`,
    detail: { $case: 'groupTransition', value: { group, from, to, cause } },
  });
}

export function group(wanted: Partial<SyncGroupSpec>): SyncGroupSpec {
  return SyncGroupSpec.fromPartial({ routers: ['pg', 'web'], ...wanted });
}

export function checkChanged(
  node: string,
  check: string,
  state: 'up' | 'down',
  at = NOON,
  previous = state === 'up' ? 'down' : 'up',
): Event {
  return Event.fromPartial({
    node,
    time: new Date(at),
    message: `check ${check} ${state}`,
    detail: { $case: 'checkChanged', value: { check, state, previous } },
  });
}

/** A clock that stands still until it is turned. */
export class HandClock implements Clock {
  #now = NOON;
  #timers: { at: number; action: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  after(delayMs: number, action: () => void): () => void {
    const timer = { at: this.#now + delayMs, action };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Turns to an instant `ms` ahead, stopping at every timer on the way, and lets what they start run out. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      await quiet();
      const next = this.#timers.filter(({ at }) => at <= end).sort((one, other) => one.at - other.at)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#now = Math.max(this.#now, next.at);
      next.action();
    }
    this.#now = end;
    await quiet();
  }

  /** As when somebody sets the wall clock: no timer runs. */
  set(now: number): void {
    this.#now = now;
  }
}

/** Enough turns of the event loop for everything that waits for nothing but the database in memory. */
export async function quiet(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

export interface Sent {
  readonly settings: SmtpSettings;
  readonly mail: OutgoingMail;
  readonly at: number;
}

/** A notifier with everything around it in hand. */
export class Office {
  readonly clock = new HandClock();
  readonly sent: Sent[] = [];
  readonly receivers = new Map<string, EmailReceiver>([['ops', receiver({ to: ['ops@example.net'] })]]);
  readonly routers = new Map<string, VirtualRouterSpec>([['pg', router(['ops'])]]);
  readonly groups = new Map<string, SyncGroupSpec>();
  readonly secrets = new Map<string, string>();
  /** What the server answers; all good unless a test says otherwise. */
  answer: (mail: OutgoingMail, signal: AbortSignal) => Attempt | Promise<Attempt> = accept;
  notifier: Notifier;
  #nextEvent = 1;
  #nextId = 1;

  constructor(
    readonly db: Kysely<AlertTables>,
    readonly settings: Partial<NotifierOptions<AlertTables>> = {},
  ) {
    this.notifier = this.hire();
  }

  /** A new run over the same database, as after a restart. */
  hire(): Notifier {
    const directory: MailDirectory = {
      virtualRouter: (name) => Promise.resolve(this.routers.get(name)),
      syncGroup: (name) => Promise.resolve(this.groups.get(name)),
      groupOf: (name) => Promise.resolve([...this.groups.values()].find((group) => group.routers.includes(name))),
      emailReceiver: (name) => Promise.resolve(this.receivers.get(name)),
      secret: (name) => Promise.resolve(this.secrets.get(name)),
    };
    this.notifier = createNotifier({
      db: this.db,
      directory,
      log: pino({ level: 'silent' }),
      groupWaitMs: 2_000,
      giveUpAfterMs: 72 * 3_600_000,
      clock: this.clock,
      random: () => 0.5,
      newId: () => `id-${this.#nextId++}`,
      hostName: 'controller.example.net',
      send: async (settings, mail, signal) => {
        this.sent.push({ settings, mail, at: this.clock.now() });
        return this.answer(mail, signal);
      },
      ...this.settings,
    });
    return this.notifier;
  }

  /** Stores events as the event store does. */
  async hear(...events: Event[]): Promise<void> {
    const receivedAt = new Date(this.clock.now());
    await this.db.transaction().execute(async (transaction) => {
      await record(
        transaction,
        events.map((event) => ({ id: this.#nextEvent++, receivedAt, event })),
      );
    });
    this.notifier.wake();
    await quiet();
  }
}

export function accept(mail: OutgoingMail): Attempt {
  return {
    kind: 'delivered',
    accepted: mail.to.map(({ address }) => address),
    refused: [],
    response: '250 ok',
    security: 'TLSv1.3',
  };
}

export function receiver(wanted: Partial<EmailReceiver>): EmailReceiver {
  return EmailReceiver.fromPartial({
    host: 'mail.example.net',
    security: MailSecurity.STARTTLS,
    from: 'baton@example.net',
    ...wanted,
  });
}

export function router(receivers: string[]): VirtualRouterSpec {
  return VirtualRouterSpec.fromPartial({
    vrid: 10,
    addresses: [{ address: '192.0.2.26/24' }],
    members: [{ node: 'base1' }, { node: 'base2' }],
    track: [{ check: 'pg-alive', weight: -10 }],
    receivers,
  });
}
