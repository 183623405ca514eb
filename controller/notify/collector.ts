/** Turns recorded state changes into alerts and puts their mails into the outbox, in one transaction per router or group. */
import type { Kysely } from 'kysely';
import { Event } from '../../proto/gen/baton/v1/events.js';
import { MemberState } from '../../proto/gen/baton/v1/status.js';
import { type Alert, judgeChanges, type MemberChange } from './alert.js';
import type { Evidence } from './cause.js';
import type { MailDirectory } from './directory.js';
import { completeAt, hasCome, LATE_HALF_WAIT_MS } from './gathering.js';
import { renderAlert } from './mail-text.js';
import { mailDomain, parseMailbox } from './mailbox.js';
import { memberStateFromRow } from './record.js';
import { subjectOfKey } from './subject.js';
import { factsOf } from './subject-facts.js';
import type { AlertTables, AlertTransitionRow } from './tables.js';

export interface CollectorOptions {
  readonly db: Kysely<AlertTables>;
  readonly directory: MailDirectory;
  readonly groupWaitMs: number;
  /** When the controller was started, by its clock. */
  readonly startedAt: number;
  /** Makes identifiers that are never used twice. */
  readonly newId: () => string;
  readonly hostName: string;
}

/** What was collected, and when there is more to collect; undefined: nothing waits. */
export interface Collected {
  readonly alerts: readonly Alert[];
  readonly nextAt: number | undefined;
}

/** Sent and failed mail is forgotten after this long. */
const FINISHED_KEPT_MS = 30 * 86_400_000;

export async function collect(options: CollectorOptions, now: number): Promise<Collected> {
  const waiting = await options.db.selectFrom('alert_transitions').selectAll().orderBy('event_id').execute();
  const alerts: Alert[] = [];
  let nextAt: number | undefined;
  for (const [router, rows] of byRouter(waiting)) {
    const changes = rows.map(changeFromRow);
    const due = completeAt(
      changes.map((change) => ({
        node: change.node,
        receivedAt: change.receivedAt,
        happenedAt: change.at,
        leftActive: change.from === MemberState.ACTIVE,
        becameActive: change.to === MemberState.ACTIVE,
        suspended: change.cause === 'suspended',
      })),
      options.groupWaitMs,
      options.startedAt,
    );
    if (hasCome(due, now, Math.max(options.groupWaitMs, LATE_HALF_WAIT_MS))) {
      const alert = await tell(options, router, changes, now);
      if (alert !== undefined) alerts.push(alert);
    } else {
      nextAt = Math.min(nextAt ?? due, due);
    }
  }
  return { alerts, nextAt };
}

async function tell(
  { db, directory, newId, hostName }: CollectorOptions,
  key: string,
  changes: readonly MemberChange[],
  now: number,
): Promise<Alert | undefined> {
  const subject = subjectOfKey(key);
  // Asked before the transaction: the inventory may be behind the same, single connection.
  const facts = await factsOf(subject, directory);
  const domains = new Map<string, string>();
  for (const receiver of facts.receivers) {
    const from = parseMailbox((await directory.emailReceiver(receiver))?.from ?? '');
    const domain = from.ok ? from.mailbox.address.slice(from.mailbox.address.lastIndexOf('@') + 1) : hostName;
    domains.set(receiver, /^\[/u.test(domain) ? 'baton.invalid' : (mailDomain(domain) ?? 'baton.invalid'));
  }

  return db.transaction().execute(async (transaction) => {
    const known = await transaction.selectFrom('alert_members').selectAll().where('router', '=', key).execute();
    const nodes = [...new Set(changes.map((change) => change.node))];
    const rows = await transaction
      .selectFrom('alert_evidence')
      .selectAll()
      .where('node', 'in', nodes)
      .orderBy('event_id')
      .execute();
    const alert = judgeChanges({
      router: subject.name,
      isGroup: subject.kind === 'group',
      vrid: facts.vrid || vridOf(changes),
      addresses: facts.addresses,
      tracked: facts.tracked,
      changes,
      members: known
        .filter(({ node }) => facts.nodes?.has(node) ?? true)
        .map(({ node, state, since, priority }) => ({ node, state: memberStateFromRow(state), since, priority })),
      evidence: rows.map((row): Evidence => ({ node: row.node, at: row.happened_at, event: Event.decode(row.event) })),
    });
    const toldByGroup = alert === undefined ? undefined : facts.toldByGroup(alert.kind);
    const receivers = facts.receivers.filter((receiver) => toldByGroup?.has(receiver) !== true);
    if (alert !== undefined && receivers.length > 0) {
      const id = newId();
      const mail = renderAlert(alert);
      for (const receiver of receivers) {
        const mailId = newId();
        await transaction
          .insertInto('outbox')
          .values({
            id: mailId,
            alert: id,
            router: key,
            receiver,
            kind: alert.kind,
            message_id: `<${mailId}@${domains.get(receiver) ?? 'baton.invalid'}>`,
            state: 'pending',
            created_at: now,
            attempts: 0,
            next_attempt_at: now,
            attempted_at: 0,
            finished_at: 0,
            last_error: '',
            ...mail,
            recipients_left: '',
            accepted: '[]',
            refused: '[]',
          })
          .execute();
      }
      await transaction
        .deleteFrom('outbox')
        .where('state', '!=', 'pending')
        .where('finished_at', '<', now - FINISHED_KEPT_MS)
        .execute();
    }
    // One statement each: a list of many thousand numbers would be more than SQLite binds at once.
    for (const { eventId } of changes) {
      await transaction.deleteFrom('alert_transitions').where('event_id', '=', eventId).execute();
    }
    return alert;
  });
}

function byRouter(rows: readonly AlertTransitionRow[]): ReadonlyMap<string, AlertTransitionRow[]> {
  const groups = new Map<string, AlertTransitionRow[]>();
  for (const row of rows) {
    const group = groups.get(row.router);
    if (group === undefined) groups.set(row.router, [row]);
    else group.push(row);
  }
  return groups;
}

function changeFromRow(row: AlertTransitionRow): MemberChange {
  const event = Event.decode(row.event);
  const transition = event.detail?.$case === 'transition' ? event.detail.value : undefined;
  const moved = event.detail?.$case === 'groupTransition' ? event.detail.value : transition;
  return {
    eventId: row.event_id,
    node: row.node,
    from: memberStateFromRow(moved?.from ?? ''),
    to: memberStateFromRow(moved?.to ?? ''),
    cause: moved?.cause ?? '',
    message: event.message,
    at: event.time?.getTime() ?? row.received_at,
    receivedAt: row.received_at,
    priority: transition?.effectivePriority ?? 0,
    peer: transition?.peer ?? '',
    vrid: transition?.vrid ?? 0,
    knownState: memberStateFromRow(row.known_state),
    knownSince: row.known_since,
  };
}

function vridOf(changes: readonly MemberChange[]): number {
  return changes.at(-1)?.vrid ?? 0;
}
