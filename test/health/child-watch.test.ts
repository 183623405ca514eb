import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { test } from 'node:test';
import { type ChildCalls, type ChildEnd, ChildWatch, endOf } from '../../agent/health/child-watch.js';

/** The system as far as it is asked about one child, number 7 with the descriptor 40. */
function setUp(pidfd = 40) {
  const ends: ChildEnd[] = [];
  const closed: string[] = [];
  let readable = (): void => undefined;
  let found = 0;
  const system: ChildCalls = {
    pidfd: () => pidfd,
    poll: (_fd, onReadable) => {
      readable = onReadable;
      return { close: () => closed.push('poll') };
    },
    wait: (child, status) => {
      assert.equal(child, 7);
      if (found > 0) status[0] = 3 << 8;
      return found;
    },
    close: (fd) => closed.push(String(fd)),
  };
  const end = (result = 7) => {
    found = result;
  };
  const watch = new ChildWatch(system, 7, (seen) => ends.push(seen));
  return { watch, ends, closed, end, readable: () => readable() };
}

test('its end is told once, and its descriptor closed with it', () => {
  const { watch, ends, closed, end, readable } = setUp();
  readable();
  assert.equal(watch.look(), false);
  assert.deepEqual(ends, []);
  end();
  readable();
  assert.deepEqual(ends, [{ exitCode: 3, signal: null }]);
  assert.deepEqual(closed, ['poll', '40']);
  assert.equal(watch.look(), true);
  assert.equal(ends.length, 1);
});

test('whoever looks before the kernel has been heard sees the end', () => {
  const { watch, ends, end } = setUp();
  end();
  assert.equal(watch.look(), true);
  assert.deepEqual(ends, [{ exitCode: 3, signal: null }]);
});

test('a child that somebody else waited for has ended, and not well', () => {
  const { ends, end, readable } = setUp();
  end(-constants.errno.ECHILD);
  readable();
  assert.deepEqual(ends, [{ exitCode: null, signal: 'a signal that nobody saw' }]);
});

test('a kernel without descriptors for processes: it is looked for now and then', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const { ends, end } = setUp(-constants.errno.ENOSYS);
  t.mock.timers.tick(100);
  assert.deepEqual(ends, []);
  end();
  t.mock.timers.tick(20);
  assert.deepEqual(ends, [{ exitCode: 3, signal: null }]);
  t.mock.timers.tick(1_000);
  assert.equal(ends.length, 1);
});

test('an exit status is a code or a signal by its common name', () => {
  assert.deepEqual(endOf(0), { exitCode: 0, signal: null });
  assert.deepEqual(endOf(255 << 8), { exitCode: 255, signal: null });
  assert.deepEqual(endOf(6), { exitCode: null, signal: 'SIGABRT' });
  // With a core dump.
  assert.deepEqual(endOf(11 | 0x80), { exitCode: null, signal: 'SIGSEGV' });
  assert.deepEqual(endOf(29), { exitCode: null, signal: 'SIGIO' });
  assert.deepEqual(endOf(34), { exitCode: null, signal: 'signal 34' });
});
