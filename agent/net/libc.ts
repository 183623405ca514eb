/**
 * The few C library calls that Node does not offer, typed, through koffi. Every call is synchronous and non-blocking
 * (the sockets are), for the main thread. Failures are negative errno numbers; nothing throws.
 *
 * koffi is loaded at the first open, and each symbol is bound when it is first called.
 */
import { createRequire } from 'node:module';
import { endianness } from 'node:os';

type Koffi = typeof import('koffi');

export const AF_INET = 2;
export const AF_INET6 = 10;
export const AF_NETLINK = 16;
export const AF_PACKET = 17;
export const SOCK_RAW = 3;
export const SOL_SOCKET = 1;
export const SO_RCVBUF = 8;
export const SO_PRIORITY = 12;
export const SO_BINDTODEVICE = 25;
export const SO_ATTACH_FILTER = 26;
export const SO_RCVBUFFORCE = 33;
export const MSG_DONTROUTE = 0x4;

/** O_CLOEXEC is the same. */
const SOCK_CLOEXEC = 0o2000000;
const F_SETFL = 4;
const F_DUPFD_CLOEXEC = 1030;
const SOCK_NONBLOCK = 0o4000;
const O_NONBLOCK = SOCK_NONBLOCK;
const PR_SET_CHILD_SUBREAPER = 36;
const WNOHANG = 1;
/** TFD_CLOEXEC and TFD_NONBLOCK are the same as the sockets'. */
export const CLOCK_MONOTONIC = 1;
export const CLOCK_BOOTTIME = 7;
export const TFD_TIMER_ABSTIME = 1;
/** pidfd_open(2), Linux 5.3: the same number on every architecture; the C library has had a name for it since 2.36 only. */
const SYS_PIDFD_OPEN = 434;

interface Libc {
  /** Descriptor, close-on-exec and non-blocking, or -errno. */
  socket(domain: number, type: number, protocol: number): number;
  bind(fd: number, address: Uint8Array): number;
  /** Bytes sent or -errno. Without `address` the socket must be connected or netlink (to the kernel). */
  sendto(fd: number, bytes: Uint8Array, length: number, flags: number, address: Uint8Array): number;
  /** Bytes received or -errno. `address`, when given, is overwritten with the sender's. */
  recvfrom(fd: number, into: Uint8Array, flags: number, address: Uint8Array): number;
  /**
   * Sends several messages (struct mmsghdr) in one call, in their order; gives how many were. -errno is of the first
   * one; an error of a later one is told by the next call.
   */
  sendmmsg(fd: number, messages: Uint8Array, count: number, flags: number): number;
  /** Receives up to `count` messages (struct mmsghdr) in one call; gives how many, or -errno. */
  recvmmsg(fd: number, messages: Uint8Array, count: number, flags: number): number;
  getsockname(fd: number, into: Uint8Array): number;
  setsockopt(fd: number, level: number, option: number, value: Uint8Array): number;
  /** Fills `into`; -errno also for a descriptor that is not open or is no socket. */
  getsockopt(fd: number, level: number, option: number, into: Uint8Array): number;
  /** Another descriptor, close-on-exec, of what this one is of; or -errno. */
  duplicate(fd: number): number;
  /** Descriptor of a timer, close-on-exec and non-blocking, or -errno. */
  timer(clock: number): number;
  /** `times`: struct itimerspec, interval and first expiration, each seconds and nanoseconds of 64 bits; zero disarms. */
  setTimer(fd: number, flags: number, times: Uint8Array): number;
  close(fd: number): number;
  /** Fills `ends` with the descriptors to read from and to write to, close-on-exec. 0 or -errno. */
  pipe(ends: Int32Array): number;
  /** Orphaned descendants of this process become its children instead of init's (prctl(2), PR_SET_CHILD_SUBREAPER). */
  becomeSubreaper(): number;
  /** Takes the exit status of a child that has ended, so that it is no zombie any more: its number, 0 if it still runs. */
  reap(child: number): number;
  /** The same, and fills `status` with the exit status as wait(2) gives it. */
  wait(child: number, status: Int32Array): number;
  /** A descriptor, close-on-exec, that is readable once the process has ended; or -errno (ENOSYS before Linux 5.3). */
  pidfd(process: number): number;
  /** Reading from this end and writing to it never wait; the other end of a pipe stays as it is. */
  nonBlocking(fd: number): number;
  /** Bytes read, 0 at the end, or -errno. */
  read(fd: number, into: Uint8Array): number;
  /**
   * Calls back while the descriptor has something to receive, data or an error, until closed. The callback must receive
   * until there is nothing left, or close: an error stays until it is received.
   */
  poll(fd: number, onReadable: () => void): Poll;
  /**
   * The process ends at once (_exit(2)), and nothing is waited for: neither threads nor what they have asked the system
   * for, as process.exit would.
   */
  exitNow(code: number): never;
  /** Address of the bytes' memory; keep the array referenced while the address is in use. */
  addressOf(bytes: Uint8Array): bigint;
}

export interface Poll {
  close(): void;
}

/**
 * Strong references to all open polls: what is only referenced from native code is garbage-collected, and its poll
 * stops without a word.
 */
const openPolls = new Set<object>();

let loaded: Libc | undefined;

/** Throws if koffi or the C library cannot be loaded. */
export function libc(): Libc {
  loaded ??= load();
  return loaded;
}

function load(): Libc {
  const koffi: Koffi = createRequire(import.meta.url)('koffi');
  const library = koffi.load(null);

  /** Binds at the first call. A C result of -1 becomes -errno. */
  const bound = <Arguments extends readonly unknown[]>(prototype: string): ((...values: Arguments) => number) => {
    let call: ((...values: Arguments) => number) | undefined;
    return (...values) => {
      call ??= library.func(prototype) as (...values: Arguments) => number;
      const result = call(...values);
      return result === -1 ? -koffi.errno() : result;
    };
  };

  const socket = bound<[number, number, number]>('int socket(int, int, int)');
  const bind = bound<[number, Uint8Array, number]>('int bind(int, const void*, uint32_t)');
  const sendto = bound<[number, Uint8Array, number, number, Uint8Array, number]>(
    'long sendto(int, const void*, size_t, int, const void*, uint32_t)',
  );
  const recvfrom = bound<[number, Uint8Array, number, number, Uint8Array, Uint32Array]>(
    'long recvfrom(int, _Out_ void*, size_t, int, _Out_ void*, _Inout_ void*)',
  );
  const sendmmsg = bound<[number, Uint8Array, number, number]>('int sendmmsg(int, _Inout_ void*, unsigned int, int)');
  const recvmmsg = bound<[number, Uint8Array, number, number, null]>(
    'int recvmmsg(int, _Inout_ void*, unsigned int, int, void*)',
  );
  const getsockname = bound<[number, Uint8Array, Uint32Array]>('int getsockname(int, _Out_ void*, _Inout_ void*)');
  const setsockopt = bound<[number, number, number, Uint8Array, number]>(
    'int setsockopt(int, int, int, const void*, uint32_t)',
  );
  const getsockopt = bound<[number, number, number, Uint8Array, Uint32Array]>(
    'int getsockopt(int, int, int, _Out_ void*, _Inout_ void*)',
  );
  const timerfdCreate = bound<[number, number]>('int timerfd_create(int, int)');
  const timerfdSettime = bound<[number, number, Uint8Array, null]>('int timerfd_settime(int, int, const void*, void*)');
  // Variadic in C: koffi wants the type before each further argument.
  const fcntl = bound<[number, number, 'int', number]>('int fcntl(int, int, ...)');
  const close = bound<[number]>('int close(int)');
  const pipe2 = bound<[Int32Array, number]>('int pipe2(_Out_ int*, int)');
  const prctl = bound<[number, 'ulong', number]>('int prctl(int, ...)');
  const waitpid = bound<[number, null, number]>('int waitpid(int, void*, int)');
  const waitStatus = bound<[number, Int32Array, number]>('int waitpid(int, _Out_ int*, int)');
  const syscall = bound<[number, 'int', number, 'uint', number]>('long syscall(long, ...)');
  const read = bound<[number, Uint8Array, number]>('long read(int, _Out_ void*, size_t)');
  const exit = bound<[number]>('int _exit(int)');
  const length = new Uint32Array(1);

  return {
    socket: (domain, type, protocol) => socket(domain, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol),
    bind: (fd, address) => bind(fd, address, address.length),
    sendto: (fd, bytes, count, flags, address) => sendto(fd, bytes, count, flags, address, address.length),
    recvfrom: (fd, into, flags, address) => {
      length[0] = address.length;
      return recvfrom(fd, into, into.length, flags, address, length);
    },
    sendmmsg: (fd, messages, count, flags) => sendmmsg(fd, messages, count, flags),
    recvmmsg: (fd, messages, count, flags) => recvmmsg(fd, messages, count, flags, null),
    getsockname: (fd, into) => {
      length[0] = into.length;
      return getsockname(fd, into, length);
    },
    setsockopt: (fd, level, option, value) => setsockopt(fd, level, option, value, value.length),
    getsockopt: (fd, level, option, into) => {
      length[0] = into.length;
      return getsockopt(fd, level, option, into, length);
    },
    duplicate: (fd) => fcntl(fd, F_DUPFD_CLOEXEC, 'int', 0),
    timer: (clock) => timerfdCreate(clock, SOCK_CLOEXEC | SOCK_NONBLOCK),
    setTimer: (fd, flags, times) => timerfdSettime(fd, flags, times, null),
    close: (fd) => close(fd),
    pipe: (ends) => pipe2(ends, SOCK_CLOEXEC),
    becomeSubreaper: () => prctl(PR_SET_CHILD_SUBREAPER, 'ulong', 1),
    reap: (child) => waitpid(child, null, WNOHANG),
    wait: (child, status) => waitStatus(child, status, WNOHANG),
    pidfd: (process) => syscall(SYS_PIDFD_OPEN, 'int', process, 'uint', 0),
    nonBlocking: (fd) => fcntl(fd, F_SETFL, 'int', O_NONBLOCK),
    read: (fd, into) => read(fd, into, into.length),
    poll: (fd, onReadable) => {
      // The first argument is libuv's status; koffi's declaration leaves it out. At a pending error of the socket libuv
      // stops the poll and reports it as -EBADF.
      const onEvent = (status: unknown) => {
        if (typeof status === 'number' && status < 0) handle.start({ readable: true }, onEvent);
        onReadable();
      };
      const handle = koffi.node.poll(fd, { readable: true }, onEvent);
      openPolls.add(handle);
      return {
        close: () => {
          if (openPolls.delete(handle)) handle.close();
        },
      };
    },
    exitNow: (code) => {
      exit(code);
      throw new Error(`_exit(${code}) has come back`);
    },
    addressOf: (bytes) => koffi.address(bytes),
  };
}

/** A 32-bit number as the C library expects an int option. */
export function intOption(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value, endianness() === 'LE');
  return bytes;
}
