/** File access on a real file system: what is no file never blocks, and patterns match as glob(7) says. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { after, test } from 'node:test';
import { expandBraces, globSegment } from '../../proto/keepalived/glob.js';
import { findProgram, nodeEdges, readKeepalived } from '../../proto/keepalived/index.js';
import { instanceText } from './memory-files.js';

const directory = mkdtempSync(join(tmpdir(), 'baton-keepalived-'));
after(() => rmSync(directory, { recursive: true }));

const write = (name: string, content: string): string => {
  const path = join(directory, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, content);
  return path;
};

test('what is not a regular file is refused at once', () => {
  const fifo = join(directory, 'fifo');
  assert.equal(spawnSync('mkfifo', [fifo]).status, 0);
  for (const [path, reason, detail] of [
    [fifo, 'not-a-file', /FIFO/u],
    [directory, 'not-a-file', /directory/u],
    ['/dev/zero', 'not-a-file', /device/u],
    [join(directory, 'absent'), 'missing', /no such file/u],
    [join(write('plain', ''), 'below'), 'missing', /no such file/u],
  ] as const) {
    const content = nodeEdges.readFile(path);
    assert.ok(!content.ok, path);
    assert.equal(content.reason, reason, path);
    assert.match(content.detail, detail);
  }
  const loop = join(directory, 'loop');
  symlinkSync(loop, loop);
  const looping = nodeEdges.readFile(loop);
  assert.ok(!looping.ok && looping.detail === 'too many symbolic links');
});

test('a file behind a directory that may not be entered is not called missing', () => {
  const file = write('closed/secret.conf', '');
  chmodSync(join(directory, 'closed'), 0);
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid?.(65_534);
  try {
    assert.deepEqual(nodeEdges.glob(file), [file]);
    const content = nodeEdges.readFile(file);
    assert.ok(!content.ok && content.detail === 'permission denied');
  } finally {
    if (isRoot) process.seteuid?.(0);
    chmodSync(join(directory, 'closed'), 0o700);
  }
});

test('a file of /proc, which has no size, is read', () => {
  const content = nodeEdges.readFile('/proc/self/status');
  assert.ok(content.ok && content.bytes.length > 100);
});

test('a configuration that includes a FIFO, a directory, a device and itself through a link ends with errors', () => {
  const main = write('conf/main.conf', `include *.inc\ninclude /dev/zero\ninclude self\n${instanceText()}`);
  spawnSync('mkfifo', [join(directory, 'conf/pipe.inc')]);
  mkdirSync(join(directory, 'conf/directory.inc'));
  symlinkSync(main, join(directory, 'conf/self'));
  const { config, remarks } = readKeepalived(main, nodeEdges);
  assert.equal(config.instances.length, 1);
  const messages = remarks.map((remark) => remark.message).join('\n');
  assert.match(messages, /pipe\.inc' is left out, as in keepalived: it is a FIFO/u);
  assert.match(messages, /directory\.inc' is left out, as in keepalived: it is a directory/u);
  assert.match(messages, /zero': it is a device/u);
  assert.match(messages, /includes itself|levels of include/u);
});

test('patterns on disk', () => {
  for (const name of [
    'a.conf',
    'b.conf',
    'c.txt',
    '.hidden.conf',
    'x/a.conf',
    'y/a.conf',
    'y/b.conf',
    '[z].conf',
    'sp ace.conf',
  ]) {
    write(`glob/${name}`, '');
  }
  const root = join(directory, 'glob');
  for (const [pattern, expected] of [
    ['*.conf', ['[z].conf', 'a.conf', 'b.conf', 'sp ace.conf']],
    ['.*.conf', ['.hidden.conf']],
    ['?.conf', ['a.conf', 'b.conf']],
    ['[ab].conf', ['a.conf', 'b.conf']],
    ['[!a].conf', ['b.conf']],
    ['*/a.conf', ['x/a.conf', 'y/a.conf']],
    ['{x,y}/{a,b}.conf', ['x/a.conf', 'y/a.conf', 'y/b.conf']],
    ['sp ace.conf', ['sp ace.conf']],
    ['\\[z\\].conf', ['[z].conf']],
    ['absent/*', []],
    ['a.conf/x', []],
    ['x/../a.conf', ['a.conf']],
  ] as const) {
    assert.deepEqual(
      nodeEdges.glob(join(root, '/').concat(pattern)),
      expected.map((name) => join(root, name)),
      pattern,
    );
  }
});

test('braces', () => {
  assert.deepEqual(expandBraces('a{b,c}d'), ['abd', 'acd']);
  assert.deepEqual(expandBraces('a{b{1,2},}'), ['a', 'ab1', 'ab2']);
  assert.deepEqual(expandBraces('a{b'), ['a{b']);
  assert.deepEqual(expandBraces('a}b'), ['a}b']);
  assert.ok(expandBraces('{a,b}'.repeat(40)).length <= 256);
});

test('many stars take no exponential time', () => {
  const { test: matches } = globSegment(`${'*a'.repeat(60)}*b`);
  assert.equal(matches('a'.repeat(250)), false);
  assert.equal(matches(`${'a'.repeat(250)}b`), true);
});

test('programs are looked up in the usual directories only', () => {
  assert.match(findProgram('sh') ?? '', /^\/(?:usr\/)?bin\/sh$/u);
  assert.equal(findProgram('no-such-program-here'), undefined);
  assert.equal(findProgram('../bin/sh'), undefined);
  assert.equal(findProgram(''), undefined);
});
