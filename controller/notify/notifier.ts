import type { Kysely } from 'kysely';
import type { Logger } from 'pino';
import type { SendTestMailResponse } from '../../proto/gen/baton/v1/mail_service.js';
import type { MailOverview } from '../../proto/gen/baton/v1/status_service.js';
import type { MailDirectory } from './directory.js';

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
  /** Unset: the system's host name. */
  readonly hostName?: string;
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

/** Why a test mail was not sent. `not-found`: no such receiver; `invalid`: the receiver's settings; `failed`: the server. */
export class SendTestError extends Error {
  override readonly name = 'SendTestError';
  readonly code: 'not-found' | 'invalid' | 'failed';
  constructor(code: SendTestError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export declare function createNotifier<Database>(options: NotifierOptions<Database>): Notifier;
