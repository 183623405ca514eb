/**
 * Hears Ethernet frames that concern some addresses on one interface. The kernel's filter lets pass nothing while there are
 * none, and may let pass more than those that there are: it is made anew only for an address that it lacks, so that routers
 * that come and go do not cost one each time. The socket is open all the time: opening it would make a takeover late, and
 * closing it blocks for milliseconds (packet(7) waits for readers of the hook).
 */
import { constants } from 'node:os';
import { AF_PACKET, libc, type Poll, SO_ATTACH_FILTER, SOCK_RAW, SOL_SOCKET } from './libc.js';
import { type FilterInstruction, NOTHING, withFilter } from './packet-filter.js';
import { linkAddress, SOCKADDR_LL_LENGTH } from './socket-address.js';
import { OK, type Outcome, refusal, SocketOpenError } from './system-error.js';

/** Greater than any frame that is of interest; longer ones are cut. */
const FRAME_BUFFER = 512;
/** Frames read per wake-up, so that a flood cannot hold the loop. */
const READ_BATCH = 16;

export interface FrameListenerOptions<Address> {
  readonly interfaceName: string;
  readonly interfaceIndex: number;
  readonly etherType: number;
  /** For messages: "ARP". */
  readonly what: string;
  /** What lets frames that concern these addresses pass. */
  readonly filter: (addresses: readonly Address[]) => readonly FilterInstruction[];
  /** Of any address that was ever asked for. The bytes are only valid during the call. */
  readonly onFrame: (frame: Uint8Array) => void;
  /** Listening failed; it has been turned off. */
  readonly onError: (error: Error) => void;
}

export class FrameListener<Address> {
  readonly #options: FrameListenerOptions<Address>;
  readonly #frame = new Uint8Array(FRAME_BUFFER);
  readonly #from = new Uint8Array(SOCKADDR_LL_LENGTH);
  /** What passes the filter. */
  #passing: ReadonlySet<Address> = new Set();
  #open: { readonly fd: number; readonly poll: Poll } | undefined;
  #isClosed = false;

  /** Throws SocketOpenError. */
  constructor(options: FrameListenerOptions<Address>) {
    this.#options = options;
    const outcome = this.#start();
    if (!outcome.ok) throw new SocketOpenError(outcome);
  }

  /** Listens for frames that concern these addresses, in the place of those before; none: stops. */
  listen(addresses: readonly Address[]): Outcome {
    if (this.#isClosed && addresses.length > 0) return refusal(constants.errno.EBADF, this.#doing);
    if (this.#open === undefined) {
      if (addresses.length === 0) return OK;
      const outcome = this.#start();
      if (!outcome.ok) return outcome;
    }
    if (addresses.length === 0 ? this.#passing.size === 0 : addresses.every((each) => this.#passing.has(each)))
      return OK;
    const outcome = this.#attach(addresses.length === 0 ? NOTHING : this.#options.filter(addresses));
    if (outcome.ok) this.#passing = new Set(addresses);
    return outcome;
  }

  close(): void {
    this.#isClosed = true;
    this.#stop();
  }

  get #doing(): string {
    return `listen for ${this.#options.what} on ${this.#options.interfaceName}`;
  }

  /** Opens the socket; nothing passes yet. */
  #start(): Outcome {
    const c = libc();
    // Protocol 0 until the filter is attached: nothing else can be received.
    const fd = c.socket(AF_PACKET, SOCK_RAW, 0);
    if (fd < 0) return refusal(-fd, this.#doing);
    this.#open = { fd, poll: c.poll(fd, () => this.#receive(fd)) };
    let outcome = this.#attach(NOTHING);
    if (outcome.ok) {
      const { interfaceIndex, etherType } = this.#options;
      const result = c.bind(fd, linkAddress(interfaceIndex, etherType));
      if (result < 0) outcome = refusal(-result, this.#doing);
    }
    if (!outcome.ok) this.#stop();
    return outcome;
  }

  #attach(filter: readonly FilterInstruction[]): Outcome {
    const fd = this.#open?.fd ?? -1;
    const result = withFilter(filter, (option) => libc().setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, option));
    return result < 0 ? refusal(-result, this.#doing) : OK;
  }

  #stop(): void {
    if (this.#open === undefined) return;
    const { fd, poll } = this.#open;
    this.#open = undefined;
    this.#passing = new Set();
    poll.close();
    libc().close(fd);
  }

  #receive(fd: number): void {
    for (let i = 0; i < READ_BATCH && this.#open?.fd === fd; i++) {
      const count = libc().recvfrom(fd, this.#frame, 0, this.#from);
      if (count >= 0) {
        this.#options.onFrame(this.#frame.subarray(0, count));
        continue;
      }
      const { EAGAIN, EINTR, ENETDOWN } = constants.errno;
      // ENETDOWN is told once when the interface goes down; the socket works again when it is up.
      if (count === -EAGAIN || count === -EINTR || count === -ENETDOWN) return;
      this.#stop();
      this.#options.onError(new SocketOpenError(refusal(-count, this.#doing)));
      return;
    }
  }
}
