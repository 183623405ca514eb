/** Tells what processes of this host begin, change and end, by the kernel's process connector (linux/cn_proc.h). */
import { constants } from 'node:os';
import { libc, type Poll, SO_ATTACH_FILTER, SOL_SOCKET } from '../net/libc.js';
import { type FilterInstruction, withFilter } from '../net/packet-filter.js';
import { refusal, SocketOpenError } from '../net/system-error.js';
import { messagesOf, NetlinkWriter } from '../wire/netlink-message.js';
import {
  CN_IDX_PROC,
  PROCESS_ANSWER,
  PROCESS_COMM,
  PROCESS_EXEC,
  PROCESS_EXIT,
  PROCESS_FORK,
  type ProcessEvent,
  readProcessEvent,
  writeProcessListening,
} from '../wire/process-event.js';
import { NETLINK_CONNECTOR, NetlinkSocket } from './netlink-socket.js';

export type { ProcessEvent } from '../wire/process-event.js';

export interface ProcessConnectorOptions {
  readonly onEvent: (event: ProcessEvent) => void;
  /** Events were lost: the owner must look at /proc anew. */
  readonly onOverrun: () => void;
  /** Listening failed for good; the connector is closed. */
  readonly onError: (error: Error) => void;
}

export interface ProcessConnector {
  /** Events that were ignored because another process than the kernel had sent them. */
  foreignMessages(): number;
  close(): void;
}

/**
 * From any thread. Throws SocketOpenError: without CAP_NET_ADMIN, in a container (other than the initial user, process
 * or network namespace), or on a kernel without it; its message says which is likely.
 */
export type OpenProcessConnector = (options: ProcessConnectorOptions) => ProcessConnector;

export const openProcessConnector: OpenProcessConnector = (options) => new HostProcessConnector(options);

const DOING = 'watch processes by the process connector';
const ELSEWHERE =
  'it answers in the initial network, process and user namespaces only, which a container is not in, and not on a kernel without CONFIG_PROC_EVENTS';
/** A storm of processes must not overrun the queue while a thread is busy. */
const RECEIVE_BUFFER = 4 << 20;
const READ_BATCH = 512;

class HostProcessConnector implements ProcessConnector {
  readonly #options: ProcessConnectorOptions;
  readonly #socket: NetlinkSocket;
  readonly #poll: Poll;
  #isClosed = false;

  constructor(options: ProcessConnectorOptions) {
    this.#options = options;
    this.#socket = new NetlinkSocket(NETLINK_CONNECTOR, RECEIVE_BUFFER, DOING);
    try {
      this.#listen();
    } catch (error) {
      this.#socket.close();
      throw error;
    }
    this.#poll = libc().poll(this.#socket.fd, () => this.#receive());
  }

  foreignMessages(): number {
    return this.#socket.foreignMessages();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#poll.close();
    // Kernels before Linux 6.6 count the listeners by hand.
    this.#request(false);
    this.#socket.close();
  }

  #listen(): void {
    const filtered = withFilter(PROCESSES, (option) =>
      libc().setsockopt(this.#socket.fd, SOL_SOCKET, SO_ATTACH_FILTER, option),
    );
    if (filtered < 0) throw new SocketOpenError(refusal(-filtered, DOING));
    const joined = this.#socket.subscribe(CN_IDX_PROC, true);
    if (joined < 0) throw new SocketOpenError(refusal(-joined, DOING));
    const sent = this.#request(true);
    if (sent < 0) throw new SocketOpenError(refusal(-sent, DOING, sent === -ECONNREFUSED ? ELSEWHERE : undefined));
    const errno = this.#answer();
    if (errno !== 0)
      throw new SocketOpenError(refusal(errno ?? EOPNOTSUPP, DOING, errno === undefined ? ELSEWHERE : undefined));
  }

  /** Tagged with what no other listener has. */
  #request(on: boolean): number {
    const writer = new NetlinkWriter();
    writeProcessListening(writer, on, this.#socket.portId);
    return this.#socket.send(writer.datagram());
  }

  /**
   * The answer is there when the request has been sent; undefined: there is none. Events that come before it do not
   * matter: the owner looks at /proc after the connector is open.
   */
  #answer(): number | undefined {
    for (;;) {
      const received = this.#socket.receive();
      if (received === 'empty') return undefined;
      if (typeof received === 'number') return -received;
      for (const message of messagesOf(received)) {
        const answer = readProcessEvent(message);
        if (answer?.kind === 'answer' && answer.tag === this.#socket.portId) return answer.errno;
      }
    }
  }

  #receive(): void {
    for (let i = 0; i < READ_BATCH && !this.#isClosed; i++) {
      const received = this.#socket.receive();
      if (received === 'empty') return;
      if (received === -ENOBUFS) {
        this.#options.onOverrun();
        continue;
      }
      if (typeof received === 'number') {
        this.close();
        this.#options.onError(new SocketOpenError(refusal(-received, DOING)));
        return;
      }
      for (const message of messagesOf(received)) {
        const event = readProcessEvent(message);
        if (event !== undefined && event.kind !== 'answer' && !this.#isClosed) this.#options.onEvent(event);
      }
    }
  }
}

const { ECONNREFUSED, EOPNOTSUPP, ENOBUFS } = constants.errno;

const LOAD_WORD = 0x20;
const A_TO_X = 0x07;
const JUMP_EQUAL = 0x15;
const JUMP_EQUAL_X = 0x1d;
const RETURN = 0x06;
/** In the datagram: what happened, and then the numbers of the thread and the process. */
const WHAT = 36;
const THREAD = 52;
const CHILD_THREAD = 60;

/** Events of threads cost no wake-up, nor those of kinds that are not told. Loads are big-endian, netlink is not. */
const PROCESSES: readonly FilterInstruction[] = [
  [LOAD_WORD, 0, 0, WHAT],
  [JUMP_EQUAL, 13, 0, PROCESS_ANSWER],
  [JUMP_EQUAL, 12, 0, swap32(PROCESS_EXEC)],
  [JUMP_EQUAL, 6, 0, swap32(PROCESS_COMM)],
  [JUMP_EQUAL, 5, 0, swap32(PROCESS_EXIT)],
  [JUMP_EQUAL, 0, 8, swap32(PROCESS_FORK)],
  [LOAD_WORD, 0, 0, CHILD_THREAD],
  [A_TO_X, 0, 0, 0],
  [LOAD_WORD, 0, 0, CHILD_THREAD + 4],
  [JUMP_EQUAL_X, 5, 4, 0],
  [LOAD_WORD, 0, 0, THREAD],
  [A_TO_X, 0, 0, 0],
  [LOAD_WORD, 0, 0, THREAD + 4],
  [JUMP_EQUAL_X, 1, 0, 0],
  [RETURN, 0, 0, 0],
  [RETURN, 0, 0, 0xffffffff],
];

function swap32(value: number): number {
  return ((value << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)) >>> 0;
}
