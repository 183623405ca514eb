/**
 * How the election thread is scheduled and the program kept in memory: sched_setscheduler(2), setpriority(2),
 * sched_setaffinity(2) and mlock2(2). Called on the worker thread. The election thread is the main one, whose thread id
 * is the process's: the worker, and the checks and hooks that it starts, inherit nothing of it.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { endianness } from 'node:os';
import process from 'node:process';
import { getSystemErrorName } from 'node:util';
import { Scheduling } from '../../proto/gen/baton/v1/config.js';

type Koffi = typeof import('koffi');

const SCHED_OTHER = 0;
const SCHED_RR = 2;
const PRIO_PROCESS = 0;
/** mlock2(2): pages are locked as they are first used. */
const MLOCK_ONFAULT = 1;
/**
 * Of the election thread, where nothing else was asked for: it works for microseconds at a time, and an advertisement that is
 * late by what other programs were given is a takeover (docs/decisions/0032-nice-elections.md).
 */
export const DEFAULT_NICE = -10;
/** Of system calls that name a thread: the one that calls. */
const THIS_THREAD = 0;
/** Processors that a mask can name (cpu_set_t of sched.h). */
const MOST_CPUS = 1024;

/** The system calls, so that a test can see what is asked for. Each gives 0 or a positive errno. */
export interface SchedulingCalls {
  setScheduler(thread: number, policy: number, priority: number): number;
  setNice(thread: number, nice: number): number;
  setAffinity(thread: number, mask: Uint8Array): number;
  lock(start: bigint, length: number): number;
  /** The text of /proc/self/maps. */
  mappings(): string;
}

/**
 * Puts the settings in force for the election thread.
 *
 * @param startedNice nice value that the process was started with; one other than 0 was somebody's wish
 * @returns what could not be done, as sentences that say what to do about it
 */
export function schedule(
  settings: Scheduling | undefined,
  startedNice: number,
  calls: SchedulingCalls = hostCalls(),
  thread = process.pid,
): readonly string[] {
  const problems: string[] = [];
  const judge = (errno: number, what: string, remedy: string): void => {
    if (errno !== 0) problems.push(`${what}: ${getSystemErrorName(-errno)}; ${remedy}`);
  };
  const { realtimePriority, nice, cpus, lockMemory } = settings ?? Scheduling.fromPartial({});
  if (realtimePriority > 0) {
    judge(
      calls.setScheduler(thread, SCHED_RR, realtimePriority),
      `the election thread cannot have the real-time priority ${realtimePriority}`,
      'it needs CAP_SYS_NICE or a sufficient LimitRTPRIO, and 1 to 99',
    );
  } else if (settings !== undefined) calls.setScheduler(thread, SCHED_OTHER, 0);
  if (nice !== undefined) {
    judge(
      calls.setNice(thread, nice),
      `the election thread cannot have the nice value ${nice}`,
      'it needs CAP_SYS_NICE or a sufficient LimitNICE',
    );
    // Nobody asked for the default: where it is not allowed the thread stays as it was started.
  } else calls.setNice(thread, startedNice === 0 ? DEFAULT_NICE : startedNice);
  if (cpus.length > 0) {
    judge(
      calls.setAffinity(thread, maskOf(cpus)),
      `the election thread cannot be kept on the processors ${cpus.join(', ')}`,
      'see /proc/cpuinfo for those that there are',
    );
  }
  if (lockMemory) problems.push(...lockProgram(calls));
  return problems;
}

/**
 * A worker in the place of one that died is started by the election thread, and would be scheduled as that is, and the
 * checks and hooks that it starts as well.
 *
 * @param processors all that there are; empty: as they are
 */
export function inheritNothing(
  startedNice: number,
  processors: readonly number[],
  calls: SchedulingCalls = hostCalls(),
): void {
  calls.setScheduler(THIS_THREAD, SCHED_OTHER, 0);
  calls.setNice(THIS_THREAD, startedNice);
  if (processors.length > 0) calls.setAffinity(THIS_THREAD, maskOf(processors));
}

function maskOf(cpus: readonly number[]): Uint8Array {
  const mask = new Uint8Array(MOST_CPUS / 8);
  for (const cpu of cpus) {
    if (cpu >= MOST_CPUS) continue;
    // The kernel reads an array of unsigned long: on a big-endian machine the bytes of each lie the other way round.
    const byte = endianness() === 'LE' ? cpu >> 3 : (cpu >> 6) * 8 + 7 - ((cpu & 63) >> 3);
    mask[byte] = (mask[byte] ?? 0) | (1 << (cpu & 7));
  }
  return mask;
}

/**
 * Locks the program's and its libraries' files, which the kernel would otherwise drop under memory pressure and read
 * from disk in the middle of an election. Not the heap: V8 gives pages back by madvise(2), which fails on locked ones and
 * ends the process. The heap is kept out of swap by the unit's MemorySwapMax=0. docs/decisions/0023-locked-memory.md.
 */
function lockProgram(calls: SchedulingCalls): string[] {
  let failure: number | undefined;
  for (const line of calls.mappings().split('\n')) {
    const found = /^([0-9a-f]+)-([0-9a-f]+) (r.[-x]p) [0-9a-f]+ [0-9a-f:]+ [1-9]\d*\s+(\/.*)$/.exec(line);
    if (found === null || found[3]?.[1] === 'w') continue;
    const start = BigInt(`0x${found[1]}`);
    const errno = calls.lock(start, Number(BigInt(`0x${found[2]}`) - start));
    if (errno !== 0) failure = errno;
  }
  if (failure === undefined) return [];
  return [
    `the program cannot be locked in memory: ${getSystemErrorName(-failure)}; it needs CAP_IPC_LOCK or a sufficient LimitMEMLOCK`,
  ];
}

function hostCalls(): SchedulingCalls {
  const koffi: Koffi = createRequire(import.meta.url)('koffi');
  const library = koffi.load(null);
  const setScheduler = library.func('int sched_setscheduler(int pid, int policy, const uint8_t *param)');
  const setPriority = library.func('int setpriority(int which, uint32_t who, int priority)');
  const setAffinity = library.func('int sched_setaffinity(int pid, size_t size, const uint8_t *mask)');
  const lock = library.func('int mlock2(uintptr_t start, size_t length, uint32_t flags)');
  const errnoOf = (result: unknown): number => (result === 0 ? 0 : koffi.errno());
  return {
    setScheduler: (thread, policy, priority) => {
      const parameters = new Uint8Array(4);
      new DataView(parameters.buffer).setInt32(0, priority, endianness() === 'LE');
      return errnoOf(setScheduler(thread, policy, parameters));
    },
    setNice: (thread, nice) => errnoOf(setPriority(PRIO_PROCESS, thread, nice)),
    setAffinity: (thread, mask) => errnoOf(setAffinity(thread, mask.length, mask)),
    lock: (start, length) => errnoOf(lock(start, length, MLOCK_ONFAULT)),
    mappings: () => readFileSync('/proc/self/maps', 'utf8'),
  };
}
