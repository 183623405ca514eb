/**
 * The election thread as the worker sees it: questions with an answer. The election thread answers when it gets round to
 * it; whoever waits here waits on the worker only.
 */
import type { MessagePort } from 'node:worker_threads';
import type { Millis } from '../../proto/rules/time.js';
import type { RecordingChunk } from '../record/recording-format.js';
import type {
  ElectionSettings,
  ElectionStatus,
  FromElection,
  Occurrence,
  Problem,
  ResumedRouter,
  ToElection,
} from '../runtime/messages.js';
import type { TrackState } from '../vrrp/index.js';
import type { CancelTimer, Clock } from './clock.js';

/** The election thread answers in microseconds; after so long something is badly wrong. */
const ANSWER_TIMEOUT_MS: Millis = 10_000;

const STOPPING: readonly Problem[] = [{ path: '', reason: 'the agent is stopping' }];

export class ElectionTimeout extends Error {
  readonly code = 'BATON_ELECTION_TIMEOUT';
  override readonly name = 'ElectionTimeout';
  constructor(what: string) {
    super(`the election thread did not answer ${what} within ${ANSWER_TIMEOUT_MS / 1_000} s`);
  }
}

export interface ElectionListener {
  occurrence(occurrence: Occurrence): void;
  /** Every router has stopped; nothing more comes. `resumable`: what the next process may go on with. */
  stopped(resumable: readonly ResumedRouter[]): void;
  /** To be answered with `recordingTaken`. Absent: nothing is recorded. */
  recorded?(chunk: RecordingChunk): void;
}

/** What of a MessagePort is used. */
export type ElectionPort = Pick<MessagePort, 'postMessage'>;

interface Waiting<T> {
  readonly resolve: (value: T) => void;
  readonly cancelTimer: CancelTimer;
}

export class ElectionClient {
  readonly #port: ElectionPort;
  readonly #clock: Clock;
  readonly #listener: ElectionListener;
  readonly #configures = new Map<number, Waiting<readonly Problem[]>>();
  readonly #statuses = new Map<number, Waiting<ElectionStatus>>();
  #lastNumber = 0;
  #lastStatus: ElectionStatus | undefined;

  constructor(port: ElectionPort, clock: Clock, listener: ElectionListener) {
    this.#port = port;
    this.#clock = clock;
    this.#listener = listener;
  }

  /** To be called with every message from the election thread. */
  received(message: FromElection): void {
    switch (message.kind) {
      case 'configured':
        settle(this.#configures, message.nonce, message.problems);
        break;
      case 'status':
        settle(this.#statuses, message.id, message.status);
        break;
      case 'occurrence':
        this.#listener.occurrence(message.occurrence);
        break;
      case 'recorded':
        this.#listener.recorded?.(message.chunk);
        break;
      case 'stopped':
        this.#lastStatus = message.status;
        // What was asked while it stopped is not answered any more.
        for (const id of this.#statuses.keys()) settle(this.#statuses, id, message.status);
        for (const nonce of this.#configures.keys()) settle(this.#configures, nonce, STOPPING);
        this.#listener.stopped(message.resumable);
        break;
    }
  }

  /**
   * Replaces the whole configuration; the problems say why nothing of it is in force. Rejects with ElectionTimeout.
   *
   * @param resumed at the start of the process: routers that its predecessor left active
   */
  async configure(settings: ElectionSettings, resumed: readonly ResumedRouter[] = []): Promise<readonly Problem[]> {
    return await this.#ask(this.#configures, 'a configuration', (nonce) => ({
      kind: 'configure',
      nonce,
      settings,
      ...(resumed.length === 0 ? {} : { resumed }),
    }));
  }

  /** How it is now, or, when the election is over, how it ended. Rejects with ElectionTimeout. */
  async status(): Promise<ElectionStatus> {
    if (this.#lastStatus !== undefined) return this.#lastStatus;
    return await this.#ask(this.#statuses, 'a question for its status', (id) => ({ kind: 'statusRequest', id }));
  }

  /** A track that this thread knows the state of: "check NAME", "bfd NAME". */
  trackChanged(id: string, state: TrackState): void {
    this.#post({ kind: 'track', id, state });
  }

  /** Stop at once and keep what the routers hold, for the next process. Answered by `stopped`. */
  suspend(): void {
    this.#post({ kind: 'suspend' });
  }

  /** Part of a recording is dealt with. */
  recordingTaken(characters: number, again: boolean): void {
    this.#post({ kind: 'recordingTaken', characters, again });
  }

  /** Occurrences kept until now may be sent. */
  ready(): void {
    this.#post({ kind: 'workerReady' });
  }

  async #ask<T>(waiting: Map<number, Waiting<T>>, what: string, message: (number: number) => ToElection): Promise<T> {
    this.#lastNumber += 1;
    const number = this.#lastNumber;
    return await new Promise<T>((resolve, reject) => {
      const cancelTimer = this.#clock.after(ANSWER_TIMEOUT_MS, () => {
        waiting.delete(number);
        reject(new ElectionTimeout(what));
      });
      waiting.set(number, { resolve, cancelTimer });
      this.#post(message(number));
    });
  }

  #post(message: ToElection): void {
    this.#port.postMessage(message);
  }
}

function settle<T>(waiting: Map<number, Waiting<T>>, number: number, value: T): void {
  const found = waiting.get(number);
  if (found === undefined) return;
  waiting.delete(number);
  found.cancelTimer();
  found.resolve(value);
}
