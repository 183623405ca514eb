import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeProgram, malformedPath, type ProgramFiles } from '../../agent/health/executable.js';

const ROOT = { uid: 0, gid: 0 };
const USER = { uid: 1000, gid: 1000 };

interface Entry {
  readonly mode: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly target?: string;
}

const DIRECTORY: Entry = { mode: 0o040755 };
const PROGRAM: Entry = { mode: 0o100755 };

/** A file system of a few entries; "/" is there. */
function filesOf(entries: Readonly<Record<string, Entry>>): ProgramFiles {
  const all: Readonly<Record<string, Entry>> = { '/': DIRECTORY, ...entries };
  const find = (file: string): Entry => {
    const entry = all[file];
    if (entry === undefined) throw Object.assign(new Error(file), { code: 'ENOENT' });
    return entry;
  };
  return {
    lstat: (file) => {
      const { mode, uid = 0, gid = 0 } = find(file);
      return { mode, uid, gid };
    },
    readlink: (file) => find(file).target ?? '',
    accessExecute: async () => undefined,
  };
}

function link(target: string, uid = 0): Entry {
  return { mode: 0o120777, uid, target };
}

async function reasonFor(
  entries: Readonly<Record<string, Entry>>,
  file = '/opt/check',
  account = ROOT,
): Promise<string> {
  const judgement = await judgeProgram(file, account, filesOf(entries));
  return judgement.ok ? 'ok' : `${judgement.result.replace('CHECK_RESULT_', '')}: ${judgement.reason}`;
}

test('a program in directories of root is run by its resolved path', async () => {
  const files = filesOf({ '/opt': DIRECTORY, '/opt/check': link('../usr/c'), '/usr': DIRECTORY, '/usr/c': PROGRAM });
  assert.deepEqual(await judgeProgram('/opt/check', ROOT, files), { ok: true, resolved: '/usr/c' });
});

test('each kind of defect has its own result and names what is wrong', async () => {
  const opt = { '/opt': DIRECTORY };
  const rows: readonly (readonly [Readonly<Record<string, Entry>>, string])[] = [
    [{ ...opt, '/opt/check': PROGRAM }, 'ok'],
    [opt, 'NOT_FOUND: /opt/check does not exist'],
    [{ ...opt, '/opt/check': DIRECTORY }, 'REFUSED: /opt/check is not a regular file'],
    [{ ...opt, '/opt/check': { mode: 0o100644 } }, 'REFUSED: /opt/check is not executable for user 0, group 0'],
    [
      { ...opt, '/opt/check': { ...PROGRAM, uid: 5 } },
      'REFUSED: root would run /opt/check, but /opt/check belongs to user 5',
    ],
    [
      { ...opt, '/opt/check': { mode: 0o100757 } },
      'REFUSED: root would run /opt/check, but /opt/check is writable by everybody',
    ],
    [
      { ...opt, '/opt/check': { mode: 0o100775, gid: 50 } },
      'REFUSED: root would run /opt/check, but /opt/check is writable by group 50',
    ],
    [{ ...opt, '/opt/check': { mode: 0o100775, gid: 0 } }, 'ok'],
    [
      { '/opt': { mode: 0o040777 }, '/opt/check': PROGRAM },
      'REFUSED: root would run /opt/check, but /opt is writable by everybody',
    ],
    [{ '/opt': { mode: 0o041777 }, '/opt/check': PROGRAM }, 'ok'],
    [
      { '/opt': { ...DIRECTORY, uid: 7 }, '/opt/check': PROGRAM },
      'REFUSED: root would run /opt/check, but /opt belongs to user 7',
    ],
  ];
  for (const [entries, expected] of rows) assert.equal(await reasonFor(entries), expected);
});

test('every link on the way counts, not only where the way ends', async () => {
  const entries = {
    '/opt': DIRECTORY,
    '/opt/check': link('/home/u/there'),
    '/home': DIRECTORY,
    '/home/u': { ...DIRECTORY, uid: 1000 },
    '/home/u/there': link('/usr/c', 1000),
    '/usr': DIRECTORY,
    '/usr/c': PROGRAM,
  };
  assert.equal(await reasonFor(entries), 'REFUSED: root would run /opt/check, but /home/u belongs to user 1000');
  assert.equal(await reasonFor(entries, '/opt/check', USER), 'ok');
});

test('a loop of links ends', async () => {
  const entries = { '/opt': DIRECTORY, '/opt/check': link('check') };
  assert.equal(await reasonFor(entries), 'REFUSED: /opt/check leads through more than 40 symbolic links');
});

test('for another user than root only the right to execute counts', async () => {
  const file = { '/opt': { mode: 0o040777 }, '/opt/check': { mode: 0o100750, uid: 5, gid: 1000 } };
  assert.equal(await reasonFor(file, '/opt/check', USER), 'ok');
  const foreign = { '/opt': DIRECTORY, '/opt/check': { mode: 0o100750 } };
  assert.match(await reasonFor(foreign, '/opt/check', USER), /not executable for user 1000/);
  // The owner's own bits decide for the owner, even if others have more.
  const own = { '/opt': DIRECTORY, '/opt/check': { mode: 0o100055, uid: 1000 } };
  assert.match(await reasonFor(own, '/opt/check', USER), /not executable/);
});

test('a set-user-ID program of root is judged as if root ran it', async () => {
  const entries = { '/opt': { mode: 0o040777 }, '/opt/check': { mode: 0o104755 } };
  assert.match(await reasonFor(entries, '/opt/check', USER), /root would run/);
});

test('texts that are no plain path are refused before the disk is asked', () => {
  for (const text of ['', 'check', './check', '../x', '/a/../b', '/a/./b', '/a//b', '/a/', '/a/.', '/a\0b', '/']) {
    assert.notEqual(malformedPath(text), undefined, JSON.stringify(text));
  }
  for (const text of ['/a', '/usr/local/bin/check', '/a b', '/a;rm -rf', '/--help']) {
    assert.equal(malformedPath(text), undefined, JSON.stringify(text));
  }
});
