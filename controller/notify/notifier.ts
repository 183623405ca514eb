/**
 * The running part of notification: collects alerts when they are complete, delivers the outbox, one mail at a time
 * per receiver, and sleeps until the next of either is due. Everything it knows is in the database; a new run goes on
 * where the last one ended.
 */
import { randomUUID } from 'node:crypto';
import os from 'node:os';
import type { Kysely } from 'kysely';
import type { Logger } from 'pino';
import type { SendTestMailResponse } from '../../proto/gen/baton/v1/mail_service.js';
import type { MailOverview } from '../../proto/gen/baton/v1/status_service.js';
import { collect } from './collector.js';
import { type Attempt, judgeAttempt, type RecipientRefusal, type Verdict } from './delivery.js';
import type { MailDirectory } from './directory.js';
import { renderTest } from './mail-text.js';
import type { Mailbox } from './mailbox.js';
import { dueMails, nextDueAt, overview, type PendingMail, recipientsLeft, settle } from './outbox.js';
import { readRecipients, readSmtpSettings, type SmtpSettings } from './smtp-settings.js';
import { type SendMail, sendBySmtp } from './smtp-transport.js';
import { subjectOfKey } from './subject.js';
import type { AlertTables } from './tables.js';

/** Time as the notifier sees it; tests turn it by hand. */
export interface Clock {
  /** Milliseconds of Unix time. */
  now(): number;
  /** Calls `action` once after `delayMs`; the answer cancels it. */
  after(delayMs: number, action: () => void): () => void;
}

export interface NotifierOptions<Database> {
  /** A database with the alert tables. */
  readonly db: Kysely<Database>;
  readonly directory: MailDirectory;
  readonly log: Logger;
  /** ControllerConfig.mail_group_wait. */
  readonly groupWaitMs: number;
  /** ControllerConfig.mail_give_up_after. */
  readonly giveUpAfterMs: number;
  /** Unset: the system's. */
  readonly clock?: Clock;
  /** 0 (included) to 1 (excluded). Unset: Math.random. */
  readonly random?: () => number;
  /** Makes identifiers that are never used twice, of letters, digits and "-". Unset: random UUIDs. */
  readonly newId?: () => string;
  /** Unset: the system's host name. */
  readonly hostName?: string;
  /** Unset: SMTP. */
  readonly send?: SendMail;
}

export interface Notifier {
  /** Takes up what an earlier run left and goes on until stop(). */
  start(): void;
  /** Ends what is under way (it is tried again by the next run) and resolves when nothing runs any more. */
  stop(): Promise<void>;
  /** To be called after a transaction with record() has committed; cheap, never throws. */
  wake(): void;
  /** Sends one mail at once, past the outbox. @throws SendTestError */
  sendTest(receiver: string): Promise<SendTestMailResponse>;
  overview(): Promise<MailOverview>;
}

/** Why a test mail was not sent. `not-found`: no such receiver; `invalid`: its settings; `failed`: the server. */
export class SendTestError extends Error {
  override readonly name = 'SendTestError';
  readonly code: 'not-found' | 'invalid' | 'failed';
  constructor(code: SendTestError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/** Looks at the tables at least this often, whatever the timers say: the wall clock may have been set. */
const LONGEST_SLEEP_MS = 60_000;
const RETRY_AFTER_ERROR_MS = 5_000;
/** Sessions under way at a time, each with another receiver. */
const PARALLEL_SESSIONS = 8;

export function createNotifier<Database>(options: NotifierOptions<Database>): Notifier {
  // The caller's schema has more tables; the alert tables are there since the migration "outbox".
  const db = options.db as unknown as Kysely<AlertTables>;
  const { directory, giveUpAfterMs, groupWaitMs } = options;
  const log = options.log.child({ part: 'notify' });
  const clock = options.clock ?? systemClock;
  const random = options.random ?? Math.random;
  const newId = options.newId ?? randomUUID;
  const hostName = options.hostName ?? os.hostname();
  const send = options.send ?? sendBySmtp;

  const stopping = new AbortController();
  const sessions = new Map<string, Promise<void>>();
  let running: Promise<void> | undefined;
  let again = false;
  let started = false;
  let startedAt = clock.now();
  let cancelTimer = (): void => {};

  function wake(): void {
    if (!started || stopping.signal.aborted) return;
    again = true;
    running ??= run().finally(() => {
      running = undefined;
      // Asked again after the last round had begun to end.
      if (again) wake();
    });
  }

  async function run(): Promise<void> {
    cancelTimer();
    let sleepMs = LONGEST_SLEEP_MS;
    while (again && !stopping.signal.aborted) {
      again = false;
      try {
        sleepMs = await work();
      } catch (err) {
        log.error({ err }, 'mail cannot be prepared now');
        sleepMs = RETRY_AFTER_ERROR_MS;
      }
    }
    if (!stopping.signal.aborted) cancelTimer = clock.after(sleepMs, wake);
  }

  /** One round; answers how long the next can wait. */
  async function work(): Promise<number> {
    const { alerts, nextAt } = await collect({ db, directory, groupWaitMs, startedAt, newId, hostName }, clock.now());
    for (const { router, isGroup, kind, headline, cause } of alerts) {
      log.info({ [isGroup ? 'group' : 'router']: router, kind, headline, cause }, 'alert');
    }
    for (const mail of await dueMails(db, clock.now(), new Set(sessions.keys()))) {
      if (sessions.size >= PARALLEL_SESSIONS || stopping.signal.aborted) break;
      sessions.set(mail.receiver, deliver(mail));
    }
    // When all sessions are taken, the end of one wakes us.
    const due = sessions.size >= PARALLEL_SESSIONS ? undefined : await nextDueAt(db, new Set(sessions.keys()));
    const wakeAt = Math.min(nextAt ?? Number.POSITIVE_INFINITY, due ?? Number.POSITIVE_INFINITY);
    return Math.min(LONGEST_SLEEP_MS, Math.max(0, wakeAt - clock.now()));
  }

  async function deliver(mail: PendingMail): Promise<void> {
    const { kind, name } = subjectOfKey(mail.router);
    const about = { [kind]: name, receiver: mail.receiver, messageId: mail.message_id };
    try {
      const verdict = await attempt(mail);
      if (verdict === undefined) return;
      const outcome = await settle(db, mail, verdict, { now: clock.now(), random: random(), giveUpAfterMs });
      const { state, attempts, error } = outcome;
      if (state === 'sent') log.info({ ...about, attempts }, 'mail sent');
      else if (state === 'pending') log.warn({ ...about, attempts, detail: error }, 'mail not sent yet');
      else log.error({ ...about, attempts, detail: error }, 'mail not sent, given up');
    } catch (err) {
      log.error({ ...about, err }, 'mail cannot be sent now');
      // Without this the mail would be due again at once.
      await new Promise<void>((resolve) => {
        const cancel = clock.after(RETRY_AFTER_ERROR_MS, resolve);
        stopping.signal.addEventListener(
          'abort',
          () => {
            cancel();
            resolve();
          },
          { once: true },
        );
      });
    } finally {
      sessions.delete(mail.receiver);
      wake();
    }
  }

  /** undefined: we are being stopped and the mail stays as it was. */
  async function attempt(mail: PendingMail): Promise<Verdict | undefined> {
    const receiver = await directory.emailReceiver(mail.receiver);
    if (receiver === undefined) {
      const reason = `there is no e-mail receiver "${mail.receiver}" any more`;
      const lost = (recipientsLeft(mail) ?? ['everybody']).map((recipient) => ({ recipient, code: undefined, reason }));
      return { accepted: [], lost, left: [], error: reason, serverDown: false };
    }
    const { recipients, refused } = readRecipients(receiver.to);
    const earlier = recipientsLeft(mail);
    const wanted = earlier === undefined ? recipients : recipients.filter(({ address }) => earlier.includes(address));
    const unusable = earlier === undefined ? refused.map((refusal) => ({ ...refusal, code: undefined })) : [];
    if (wanted.length === 0) return nobodyLeft(mail, unusable);
    const password = receiver.authentication && (await directory.secret(receiver.authentication.secret));
    const read = readSmtpSettings(receiver, password, hostName);
    const outcome: Attempt = read.ok
      ? await send(read.settings, outgoing(mail, wanted), stopping.signal)
      : { kind: 'unreachable', reason: read.reason };
    if (outcome.kind === 'unreachable' && stopping.signal.aborted) return undefined;
    const verdict = judgeAttempt(
      outcome,
      wanted.map(({ address }) => address),
    );
    const error = [...unusable.map(({ reason }) => reason), verdict.error].filter((part) => part !== '').join('; ');
    return { ...verdict, lost: [...unusable, ...verdict.lost], error };
  }

  async function sendTest(name: string): Promise<SendTestMailResponse> {
    const receiver = await directory.emailReceiver(name);
    if (receiver === undefined) throw new SendTestError('not-found', `there is no e-mail receiver "${name}"`);
    const password = receiver.authentication && (await directory.secret(receiver.authentication.secret));
    const read = readSmtpSettings(receiver, password, hostName);
    if (!read.ok) throw new SendTestError('invalid', `receiver "${name}": ${read.reason}`);
    const { recipients, refused } = readRecipients(receiver.to);
    if (recipients.length === 0) {
      const why = refused.map(({ reason }) => reason).join('; ');
      throw new SendTestError('invalid', `receiver "${name}" has no recipient${why === '' ? '' : `: ${why}`}`);
    }
    const now = clock.now();
    const messageId = messageIdFor(newId(), read.settings);
    const mail = {
      to: recipients,
      messageId,
      date: new Date(now),
      ...renderTest(name, hostName, now),
      headers: { 'Auto-Submitted': 'auto-generated', 'X-Baton-Event': 'test' },
    };
    const outcome = await send(read.settings, mail, stopping.signal);
    if (outcome.kind !== 'delivered') {
      const reasons = outcome.kind === 'refused' ? outcome.refused.map(explainRefusal).join('; ') : outcome.reason;
      throw new SendTestError('failed', `receiver "${name}": ${reasons}`);
    }
    return {
      accepted: [...outcome.accepted],
      rejected: [...refused.map(({ reason }) => reason), ...outcome.refused.map(explainRefusal)],
      response: outcome.response,
      messageId,
      security: outcome.security,
    };
  }

  return {
    start(): void {
      started = true;
      startedAt = clock.now();
      wake();
    },
    async stop(): Promise<void> {
      stopping.abort();
      cancelTimer();
      await running;
      cancelTimer();
      await Promise.all(sessions.values());
    },
    wake,
    sendTest,
    overview: () => overview(db),
  };
}

function outgoing(mail: PendingMail, to: readonly Mailbox[]): Parameters<SendMail>[1] {
  const { kind, name } = subjectOfKey(mail.router);
  return {
    to,
    messageId: mail.message_id,
    date: new Date(mail.created_at),
    subject: mail.subject,
    text: mail.text,
    html: mail.html,
    headers: {
      // RFC 3834 section 5: no vacation notices in answer.
      'Auto-Submitted': 'auto-generated',
      [kind === 'group' ? 'X-Baton-Group' : 'X-Baton-Router']: name,
      'X-Baton-Event': mail.kind,
      'X-Baton-Alert': mail.alert,
    },
  };
}

/** The receiver has no recipients, or no longer those that the mail waited for. */
function nobodyLeft(mail: PendingMail, unusable: readonly RecipientRefusal[]): Verdict {
  const nobody = { recipient: 'everybody', code: undefined, reason: 'the receiver has no recipient for it (any more)' };
  const isUntold = mail.accepted === '[]' && mail.refused === '[]';
  const lost = unusable.length > 0 ? unusable : isUntold ? [nobody] : [];
  return { accepted: [], lost, left: [], error: lost.map(({ reason }) => reason).join('; '), serverDown: false };
}

function messageIdFor(id: string, { from }: SmtpSettings): string {
  const domain = from.address.slice(from.address.lastIndexOf('@') + 1);
  return `<${id}@${domain.startsWith('[') ? 'baton.invalid' : domain}>`;
}

function explainRefusal({ recipient, reason }: RecipientRefusal): string {
  return `${recipient}: ${reason}`;
}

const systemClock: Clock = {
  now: () => Date.now(),
  after(delayMs, action) {
    const timer = setTimeout(action, delayMs);
    return () => clearTimeout(timer);
  },
};
