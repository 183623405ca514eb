/**
 * Failures of system calls as values: an interface that is deleted under a socket is an ordinary event here, not an
 * exception.
 */
import { constants } from 'node:os';

/** A refused system call. */
export interface Refusal {
  readonly ok: false;
  /** Symbolic, such as "ENODEV"; "E<number>" when it has no name here. */
  readonly code: string;
  readonly errno: number;
  /** What was tried, on what, and why it failed. */
  readonly message: string;
}

export type Outcome = { readonly ok: true } | Refusal;

export const OK: Outcome = { ok: true };

const NAMES = new Map<number, string>(Object.entries(constants.errno).map(([name, number]) => [number, name]));
// Both names have one number on Linux; callers compare with the one that manual pages of sockets use.
NAMES.set(constants.errno.EAGAIN, 'EAGAIN');
NAMES.set(constants.errno.EOPNOTSUPP, 'EOPNOTSUPP');

/** What an operator can do about the errors that are met in practice. */
const HINTS: Readonly<Record<string, string>> = {
  EPERM: 'CAP_NET_ADMIN and CAP_NET_RAW are needed',
  EACCES: 'CAP_NET_RAW is needed',
  ENODEV: 'the interface does not exist',
  ENXIO: 'the interface does not exist any more',
  ENETDOWN: 'the interface is down',
  ENETUNREACH: 'there is no route; is the interface up?',
  EADDRNOTAVAIL: 'the address or interface does not exist',
  EEXIST: 'it exists already',
  ENOBUFS: 'the queue of the interface or socket is full',
};

export function errnoName(errno: number): string {
  return NAMES.get(errno) ?? `E${errno}`;
}

/**
 * The number behind the words of strerror(), for a library that passes on nothing else; undefined for words that are
 * none of those met on sockets.
 */
export function errnoOfText(text: string): number | undefined {
  const name = STRERROR[text];
  return name === undefined ? undefined : constants.errno[name];
}

const STRERROR: Readonly<Record<string, keyof typeof constants.errno>> = {
  'Operation not permitted': 'EPERM',
  'Permission denied': 'EACCES',
  'No such device': 'ENODEV',
  'No such device or address': 'ENXIO',
  'Network is down': 'ENETDOWN',
  'Network is unreachable': 'ENETUNREACH',
  'Cannot assign requested address': 'EADDRNOTAVAIL',
  'Address already in use': 'EADDRINUSE',
  'Resource temporarily unavailable': 'EAGAIN',
  'Interrupted system call': 'EINTR',
  'No buffer space available': 'ENOBUFS',
  'Cannot allocate memory': 'ENOMEM',
  'Too many open files': 'EMFILE',
  'Bad file descriptor': 'EBADF',
  'Invalid argument': 'EINVAL',
  'Protocol not available': 'ENOPROTOOPT',
};

/** `doing` completes "cannot ..."; `detail` is what the kernel said in words, if it did. */
export function refusal(errno: number, doing: string, detail?: string): Refusal {
  const code = errnoName(errno);
  const why = detail ?? HINTS[code];
  return { ok: false, code, errno, message: `cannot ${doing}: ${code}${why === undefined ? '' : ` (${why})`}` };
}

/** A socket could not be opened. `code` is the errno's name. */
export class SocketOpenError extends Error {
  readonly code: string;
  readonly errno: number;

  constructor(refused: Refusal) {
    super(refused.message);
    this.name = 'SocketOpenError';
    this.code = refused.code;
    this.errno = refused.errno;
  }
}
