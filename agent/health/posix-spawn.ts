/**
 * posix_spawn(3) through koffi. Node forks: the kernel copies the page tables of the whole agent for every program, and
 * every page that any of its threads then writes to, the elections' too, has to be copied. The C library's posix_spawn
 * (glibc from 2.24, musl) uses vfork: the child borrows the memory until it is another program, on a stack of its own and
 * with all signals blocked; only the calling thread waits, as it does for Node's fork.
 *
 * What the program gets is what Node gives it: a session and process group of its own, "/" as its directory, no signal
 * ignored or blocked (Node ignores SIGPIPE), standard input empty. Every descriptor of this process is close-on-exec; those
 * that it was itself started with are closed (glibc from 2.34).
 */
import { createRequire } from 'node:module';
import { constants } from 'node:os';

type Koffi = typeof import('koffi');

/** spawn.h. */
const POSIX_SPAWN_SETSIGDEF = 0x04;
const POSIX_SPAWN_SETSIGMASK = 0x08;
const POSIX_SPAWN_SETSID = 0x80;
/** No posix_spawnattr_t or posix_spawn_file_actions_t is as large. */
const STRUCT_BYTES = 1_024;
/** sizeof(sigset_t). */
const SIGNAL_SET_BYTES = 128;
const O_RDONLY = 0;
/** Of the descriptors that are none of the three standard ones. */
const FIRST_OF_OTHERS = 3;
const SHELL = '/bin/sh';

export interface SpawnOrder {
  /** Absolute. */
  readonly file: string;
  /** The program's own name first. No text may contain a NUL. */
  readonly words: readonly string[];
  /** "NAME=value". */
  readonly environment: readonly string[];
  /** Descriptor for its standard output and standard error. */
  readonly output: number;
}

/** The process's number, or -errno. A file that the kernel knows no format for goes to the shell, as with execvp(3). */
export type PosixSpawn = (order: SpawnOrder) => number;

/** Absent where the C library lacks a part of it (glibc before 2.29). */
export function loadPosixSpawn(): PosixSpawn | undefined {
  const koffi: Koffi = createRequire(import.meta.url)('koffi');
  const library = koffi.load(null);
  return optional(() => bind((prototype) => library.func(prototype))) as PosixSpawn | undefined;
}

/** Throws when a function is missing. */
function bind(find: (prototype: string) => unknown): PosixSpawn {
  const initActions = find('int posix_spawn_file_actions_init(void*)') as (actions: Uint8Array) => number;
  const destroyActions = find('int posix_spawn_file_actions_destroy(void*)') as (actions: Uint8Array) => number;
  const addDup = find('int posix_spawn_file_actions_adddup2(void*, int, int)') as (
    actions: Uint8Array,
    from: number,
    to: number,
  ) => number;
  const addOpen = find('int posix_spawn_file_actions_addopen(void*, int, const char*, int, unsigned int)') as (
    actions: Uint8Array,
    fd: number,
    file: string,
    flags: number,
    mode: number,
  ) => number;
  const addDirectory = find('int posix_spawn_file_actions_addchdir_np(void*, const char*)') as (
    actions: Uint8Array,
    directory: string,
  ) => number;
  const addCloseFrom = optional(() => find('int posix_spawn_file_actions_addclosefrom_np(void*, int)')) as
    | ((actions: Uint8Array, from: number) => number)
    | undefined;
  const spawn = find(
    'int posix_spawn(_Out_ int*, const char*, const void*, const void*, const char**, const char**)',
  ) as (
    pid: Int32Array,
    file: string,
    actions: Uint8Array,
    attributes: Uint8Array,
    words: readonly (string | null)[],
    environment: readonly (string | null)[],
  ) => number;

  const attributes = attributesOf(find);
  const actions = new Uint8Array(STRUCT_BYTES);
  const pid = new Int32Array(1);

  const start = ({ file, words, environment, output }: SpawnOrder): number => {
    let error = initActions(actions);
    if (error !== 0) return -error;
    // Standard input last: the pipe itself may have been given its number.
    error =
      addDup(actions, output, 1) ||
      addDup(actions, output, 2) ||
      addOpen(actions, 0, '/dev/null', O_RDONLY, 0) ||
      addDirectory(actions, '/') ||
      (addCloseFrom?.(actions, FIRST_OF_OTHERS) ?? 0) ||
      spawn(pid, file, actions, attributes, [...words, null], [...environment, null]);
    destroyActions(actions);
    return error === 0 ? (pid[0] ?? 0) : -error;
  };
  return (order) => {
    const result = start(order);
    if (result !== -constants.errno.ENOEXEC) return result;
    return start({ ...order, file: SHELL, words: [SHELL, order.file, ...order.words.slice(1)] });
  };
}

function optional(find: () => unknown): unknown {
  try {
    return find();
  } catch {
    // The C library lacks it.
    return undefined;
  }
}

/** The same for all programs. */
function attributesOf(find: (prototype: string) => unknown): Uint8Array {
  type Call = (attributes: Uint8Array) => number;
  type SetCall = (attributes: Uint8Array, signals: Uint8Array) => number;
  const init = find('int posix_spawnattr_init(void*)') as Call;
  const setFlags = find('int posix_spawnattr_setflags(void*, short)') as (
    attributes: Uint8Array,
    flags: number,
  ) => number;
  const setDefault = find('int posix_spawnattr_setsigdefault(void*, const void*)') as SetCall;
  const setMask = find('int posix_spawnattr_setsigmask(void*, const void*)') as SetCall;
  const attributes = new Uint8Array(STRUCT_BYTES);
  init(attributes);
  setFlags(attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  setDefault(attributes, new Uint8Array(SIGNAL_SET_BYTES).fill(0xff));
  setMask(attributes, new Uint8Array(SIGNAL_SET_BYTES));
  return attributes;
}
