/**
 * Requests to the kernel and their answers, synchronous: the kernel carries a request out while it is being sent, so its
 * answer can be read at once and nothing here waits.
 */
import { constants } from 'node:os';
import { OK, type Outcome, refusal } from '../net/system-error.js';
import {
  messagesOf,
  type NetlinkMessage,
  NetlinkWriter,
  NLM_F_DUMP_INTR,
  NLMSG_DONE,
  NLMSG_ERROR,
  readError,
} from '../wire/netlink-message.js';
import { NETLINK_CAP_ACK, NETLINK_EXT_ACK, NETLINK_GET_STRICT_CHK, NetlinkSocket } from './netlink-socket.js';

/** A question to the kernel got no whole answer. `code` is the errno's name. */
export class RtnetlinkError extends Error {
  readonly code: string;
  readonly errno: number;

  constructor(errno: number, doing: string, detail?: string) {
    const refused = refusal(errno, doing, detail);
    super(refused.message);
    this.name = 'RtnetlinkError';
    this.code = refused.code;
    this.errno = refused.errno;
  }
}

/** Messages per datagram: even if every one is refused, the answers fit in the receive queue. */
const BATCH = 64;
const RECEIVE_BUFFER = 512 * 1024;
/** A dump that changes while it is being read is asked for again this many times. */
const DUMP_ATTEMPTS = 5;
const MAX_SEQUENCE = 0xffffffff;
const NO_ANSWER = 'the kernel gave no answer';

export class NetlinkRequests {
  readonly #socket: NetlinkSocket;
  readonly #writer = new NetlinkWriter();
  #sequence = 0;

  /** `doing` completes "cannot ...". Throws SocketOpenError. */
  constructor(protocol: number, doing: string) {
    this.#socket = new NetlinkSocket(protocol, RECEIVE_BUFFER, doing);
    // Refusals without the refused message, with the kernel's words; dumps of what was asked for only.
    this.#socket.enable(NETLINK_CAP_ACK);
    this.#socket.enable(NETLINK_EXT_ACK);
    this.#socket.enable(NETLINK_GET_STRICT_CHK);
  }

  get portId(): number {
    return this.#socket.portId;
  }

  foreignMessages(): number {
    return this.#socket.foreignMessages();
  }

  /**
   * Each request is one message, all in as few datagrams as can be. One outcome per request, in order. `write` is to ask
   * for an acknowledgement only where told: the others are answered if refused, and the acknowledgement of the last,
   * which is always the last answer, proves that all were looked at.
   */
  change<Request>(
    requests: readonly Request[],
    write: (writer: NetlinkWriter, request: Request, sequence: number, acknowledge: boolean) => void,
    doing: (request: Request) => string,
  ): readonly Outcome[] {
    if (requests.length <= BATCH) return this.#changeBatch(requests, write, doing);
    const outcomes: Outcome[] = [];
    for (let start = 0; start < requests.length; start += BATCH) {
      outcomes.push(...this.#changeBatch(requests.slice(start, start + BATCH), write, doing));
    }
    return outcomes;
  }

  #changeBatch<Request>(
    requests: readonly Request[],
    write: (writer: NetlinkWriter, request: Request, sequence: number, acknowledge: boolean) => void,
    doing: (request: Request) => string,
  ): readonly Outcome[] {
    if (requests.length === 0) return [];
    const last = requests.length - 1;
    const firstSequence = this.#takeSequences(requests.length);
    this.#writer.clear();
    for (const [i, request] of requests.entries()) write(this.#writer, request, firstSequence + i, i === last);
    const outcomes: Outcome[] = requests.map(() => OK);
    const failAll = (errno: number, detail?: string) =>
      requests.map((request) => refusal(errno, doing(request), detail));

    const sent = this.#socket.send(this.#writer.datagram());
    if (sent < 0) return failAll(-sent);
    try {
      const isAnswered = this.#readAnswers('read the answers', (message) => {
        const index = message.sequence - firstSequence;
        const request = requests[index];
        const error = readError(message);
        if (request === undefined || error === undefined) return false;
        if (error.errno !== 0) outcomes[index] = refusal(error.errno, doing(request), error.message);
        return index === last;
      });
      return isAnswered ? outcomes : failAll(constants.errno.EIO, NO_ANSWER);
    } catch (error) {
      if (error instanceof RtnetlinkError) return failAll(error.errno);
      throw error;
    }
  }

  /**
   * Several messages in one datagram that make one change, of which each may be refused: the first refusal. `write`
   * returns how many messages it wrote; each of them, or at least the last, asks for an acknowledgement.
   */
  transact(doing: string, write: (writer: NetlinkWriter, firstSequence: number) => number): Outcome {
    // Reserved generously: sequence numbers are free.
    const firstSequence = this.#takeSequences(1 << 16);
    this.#writer.clear();
    const lastSequence = firstSequence + write(this.#writer, firstSequence) - 1;
    const sent = this.#socket.send(this.#writer.datagram());
    if (sent < 0) return refusal(-sent, doing);
    let outcome: Outcome = OK;
    try {
      const isAnswered = this.#readAnswers(doing, (message) => {
        const error = readError(message);
        if (message.sequence < firstSequence || message.sequence > lastSequence || error === undefined) return false;
        if (error.errno !== 0 && outcome.ok) outcome = refusal(error.errno, doing, error.message);
        return message.sequence === lastSequence;
      });
      return isAnswered || !outcome.ok ? outcome : refusal(constants.errno.EIO, doing, NO_ANSWER);
    } catch (error) {
      if (error instanceof RtnetlinkError) return refusal(error.errno, doing);
      throw error;
    }
  }

  /** One question, one answer: a message, or the refusal's errno. Throws RtnetlinkError. */
  ask<Answer>(
    doing: string,
    write: (writer: NetlinkWriter, sequence: number) => void,
    read: (message: NetlinkMessage) => Answer | undefined,
    absent: number,
  ): Answer | undefined {
    const sequence = this.#takeSequences(1);
    this.#writer.clear();
    write(this.#writer, sequence);
    this.#send(doing);
    let answer: Answer | undefined;
    const isAnswered = this.#readAnswers(doing, (message) => {
      if (message.sequence !== sequence) return false;
      const error = readError(message);
      if (error !== undefined && error.errno !== absent && error.errno !== 0) {
        throw new RtnetlinkError(error.errno, doing, error.message);
      }
      answer = read(message);
      return true;
    });
    if (!isAnswered) throw new RtnetlinkError(constants.errno.EIO, doing, NO_ANSWER);
    return answer;
  }

  /** All that `read` makes of the messages of a dump. Throws RtnetlinkError. */
  dump<Item>(
    doing: string,
    write: (writer: NetlinkWriter, sequence: number) => void,
    read: (message: NetlinkMessage) => Item | undefined,
  ): readonly Item[] {
    for (let attempt = 0; attempt < DUMP_ATTEMPTS; attempt++) {
      const items: Item[] = [];
      const sequence = this.#takeSequences(1);
      this.#writer.clear();
      write(this.#writer, sequence);
      this.#send(doing);
      let isConsistent = true;
      const isAnswered = this.#readAnswers(doing, (message) => {
        if (message.sequence !== sequence) return false;
        if ((message.flags & NLM_F_DUMP_INTR) !== 0) isConsistent = false;
        const error = readError(message);
        if (error !== undefined && error.errno !== 0) throw new RtnetlinkError(error.errno, doing, error.message);
        if (message.type === NLMSG_DONE) return true;
        const item = message.type === NLMSG_ERROR ? undefined : read(message);
        if (item !== undefined) items.push(item);
        return false;
      });
      if (isAnswered && isConsistent) return items;
    }
    throw new RtnetlinkError(constants.errno.EIO, doing, 'it kept changing while being read');
  }

  close(): void {
    this.#socket.close();
  }

  /** Reserves consecutive sequence numbers and returns the first. */
  #takeSequences(count: number): number {
    if (this.#sequence + count > MAX_SEQUENCE) this.#sequence = 0;
    const first = this.#sequence + 1;
    this.#sequence += count;
    return first;
  }

  #send(doing: string): void {
    const sent = this.#socket.send(this.#writer.datagram());
    if (sent < 0) throw new RtnetlinkError(-sent, doing);
  }

  /** Reads answers until `isLast` says so (true) or there is none (false). Throws RtnetlinkError. */
  #readAnswers(doing: string, isLast: (message: NetlinkMessage) => boolean): boolean {
    for (;;) {
      const received = this.#socket.receive();
      if (received === 'empty') return false;
      if (typeof received === 'number') throw new RtnetlinkError(-received, doing);
      for (const message of messagesOf(received)) if (isLast(message)) return true;
    }
  }
}
