/**
 * Hears Ethernet frames that concern some addresses on one interface; off while there are none. The kernel's filter may let
 * pass more: it is made anew only for an address that it lacks, so that routers that come and go do not cost one each time.
 */
import { constants } from 'node:os';
import { AF_PACKET, libc, type Poll, SO_ATTACH_FILTER, SOCK_RAW, SOL_SOCKET } from './libc.js';
import { type FilterInstruction, withFilter } from './packet-filter.js';
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
  readonly #frame = new Uint8Array(FRAME_BUFFER);
  readonly #from = new Uint8Array(SOCKADDR_LL_LENGTH);
  #isClosed = false;
  /** What passes the filter. */
  #passing: ReadonlySet<Address> = new Set();
  #open: { readonly fd: number; readonly poll: Poll } | undefined;

  constructor(private readonly options: FrameListenerOptions<Address>) {}

  /** Listens for frames that concern these addresses, in the place of those before; none: stops. */
  listen(addresses: readonly Address[]): Outcome {
    if (addresses.length === 0) {
      this.#stop();
      return OK;
    }
    if (this.#open !== undefined && addresses.every((address) => this.#passing.has(address))) return OK;
    const doing = `listen for ${this.options.what} on ${this.options.interfaceName}`;
    if (this.#isClosed) return refusal(constants.errno.EBADF, doing);
    const c = libc();
    // Protocol 0 until the filter is attached: nothing else can be received.
    const fd = this.#open?.fd ?? c.socket(AF_PACKET, SOCK_RAW, 0);
    if (fd < 0) return refusal(-fd, doing);
    let result = withFilter(this.options.filter(addresses), (option) =>
      c.setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, option),
    );
    if (this.#open !== undefined) {
      if (result < 0) return refusal(-result, doing);
      this.#passing = new Set(addresses);
      return OK;
    }
    if (result >= 0) result = c.bind(fd, linkAddress(this.options.interfaceIndex, this.options.etherType));
    if (result < 0) {
      c.close(fd);
      return refusal(-result, doing);
    }
    this.#open = { fd, poll: c.poll(fd, () => this.#receive(fd)) };
    this.#passing = new Set(addresses);
    return OK;
  }

  close(): void {
    this.#isClosed = true;
    this.#stop();
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
        this.options.onFrame(this.#frame.subarray(0, count));
        continue;
      }
      const { EAGAIN, EINTR, ENETDOWN } = constants.errno;
      // ENETDOWN is told once when the interface goes down; the socket works again when it is up.
      if (count === -EAGAIN || count === -EINTR || count === -ENETDOWN) return;
      this.#stop();
      const doing = `listen for ${this.options.what} on ${this.options.interfaceName}`;
      this.options.onError(new SocketOpenError(refusal(-count, doing)));
      return;
    }
  }
}
