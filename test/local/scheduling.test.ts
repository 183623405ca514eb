import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inheritNothing, type SchedulingCalls, schedule } from '../../agent/local/scheduling.js';
import { Scheduling } from '../../proto/gen/baton/v1/config.js';

const EPERM = 1;
const ENOMEM = 12;
const MAPPINGS = `
55d0c0000000-55d0c0010000 r--p 00000000 08:01 1311 /usr/bin/node
55d0c0010000-55d0c0090000 r-xp 00010000 08:01 1311 /usr/bin/node
55d0c0090000-55d0c00a0000 rw-p 00090000 08:01 1311 /usr/bin/node
7f0000000000-7f0000100000 rw-p 00000000 00:00 0
7f0000100000-7f0000200000 r-xp 00000000 00:00 0
7f0000200000-7f0000210000 r-xp 00000000 08:01 99 /lib/x86_64-linux-gnu/libc.so.6
7fff00000000-7fff00021000 rw-p 00000000 00:00 0 [stack]
7fff00100000-7fff00102000 r-xp 00000000 00:00 0 [vdso]
`;

function calls(failing: Partial<Record<keyof SchedulingCalls, number>> = {}) {
  const asked: unknown[][] = [];
  const answer =
    (name: Exclude<keyof SchedulingCalls, 'mappings'>) =>
    (...given: unknown[]): number => {
      asked.push([name, ...given]);
      return failing[name] ?? 0;
    };
  const fake: SchedulingCalls = {
    setScheduler: answer('setScheduler'),
    setNice: answer('setNice'),
    setAffinity: answer('setAffinity'),
    lock: answer('lock'),
    mappings: () => MAPPINGS,
  };
  return { asked, fake };
}

test('nothing configured: ahead of ordinary programs, and nothing is said where that is not allowed', () => {
  for (const failing of [{}, { setNice: EPERM }]) {
    const { asked, fake } = calls(failing);
    assert.deepEqual(schedule(undefined, 0, fake, 42), []);
    assert.deepEqual(asked, [['setNice', 42, -10]]);
  }
});

test('a nice value that the process was started with is kept', () => {
  const { asked, fake } = calls();
  schedule(undefined, 7, fake, 42);
  assert.deepEqual(asked, [['setNice', 42, 7]]);
});

test('a worker that the election thread has started is an ordinary one', () => {
  const { asked, fake } = calls();
  inheritNothing(0, [0, 1], fake);
  const mask = new Uint8Array(128);
  mask[0] = 0b11;
  assert.deepEqual(asked, [
    ['setScheduler', 0, 0, 0],
    ['setNice', 0, 0],
    ['setAffinity', 0, mask],
  ]);
});

test('the election thread gets its policy, nice value and processors', () => {
  const { asked, fake } = calls();
  const settings = Scheduling.fromPartial({ realtimePriority: 50, nice: -5, cpus: [0, 3, 9] });
  assert.deepEqual(schedule(settings, 0, fake, 42), []);
  const mask = new Uint8Array(128);
  mask[0] = 0b1001;
  mask[1] = 0b10;
  assert.deepEqual(asked, [
    ['setScheduler', 42, 2, 50],
    ['setNice', 42, -5],
    ['setAffinity', 42, mask],
  ]);
});

test('an ordinary priority again after a real-time one', () => {
  const { asked, fake } = calls();
  schedule(Scheduling.fromPartial({ nice: 0 }), 0, fake, 42);
  assert.deepEqual(asked[0], ['setScheduler', 42, 0, 0]);
});

test('of the memory only what is read from files and never written is locked', () => {
  const { asked, fake } = calls();
  assert.deepEqual(schedule(Scheduling.fromPartial({ lockMemory: true }), 0, fake, 42), []);
  assert.deepEqual(
    asked.filter(([name]) => name === 'lock'),
    [
      ['lock', 0x55d0c0000000n, 0x10000],
      ['lock', 0x55d0c0010000n, 0x80000],
      ['lock', 0x7f0000200000n, 0x10000],
    ],
  );
});

test('what the kernel refuses is said with what it needs', () => {
  const { fake } = calls({ setScheduler: EPERM, setNice: EPERM, setAffinity: 22, lock: ENOMEM });
  const settings = Scheduling.fromPartial({ realtimePriority: 50, nice: -5, cpus: [70], lockMemory: true });
  assert.deepEqual(schedule(settings, 0, fake, 42), [
    'the election thread cannot have the real-time priority 50: EPERM; it needs CAP_SYS_NICE or a sufficient LimitRTPRIO, and 1 to 99',
    'the election thread cannot have the nice value -5: EPERM; it needs CAP_SYS_NICE or a sufficient LimitNICE',
    'the election thread cannot be kept on the processors 70: EINVAL; see /proc/cpuinfo for those that there are',
    'the program cannot be locked in memory: ENOMEM; it needs CAP_IPC_LOCK or a sufficient LimitMEMLOCK',
  ]);
});
