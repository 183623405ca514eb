import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createLogger, isLogLevel, type LogLevel } from '../../proto/process/logger.js';

function capture(level: LogLevel = 'info') {
  const lines: string[] = [];
  const logger = createLogger({ name: 'baton-agent', level, destination: { write: (line) => void lines.push(line) } });
  return { logger, lines };
}

describe('the logger', () => {
  test('writes JSON lines with the level as a word and the time in ISO', () => {
    const { logger, lines } = capture();
    logger.child({ router: 'pg' }).info({ from: 'backup', to: 'active' }, 'state changed');
    const [line] = lines;
    const entry: unknown = JSON.parse(line ?? '');
    assert.ok(typeof entry === 'object' && entry !== null && 'time' in entry);
    assert.match(String(entry.time), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    assert.deepStrictEqual(
      { ...entry, time: '', pid: 0, hostname: '' },
      {
        level: 'info',
        time: '',
        pid: 0,
        hostname: '',
        name: 'baton-agent',
        router: 'pg',
        from: 'backup',
        to: 'active',
        msg: 'state changed',
      },
    );
  });

  test('keeps quiet below its level', () => {
    const { logger, lines } = capture('warn');
    logger.info('no');
    logger.warn('yes');
    assert.equal(lines.length, 1);
  });

  test('text from outside forges no line', () => {
    const { logger, lines } = capture();
    logger.info({ output: 'x\n{"level":"fatal"}' }, 'check failed');
    assert.equal(lines.length, 1);
    assert.equal(lines[0]?.indexOf('\n'), (lines[0]?.length ?? 0) - 1);
  });

  const secret = 'hunter2';
  const rows: readonly (readonly [string, object])[] = [
    ['a password', { password: secret }],
    ['a token in a request', { request: { token: secret } }],
    ['a key in depth', { a: { b: { c: { privateKeyPem: secret } } } }],
    ['a Secret resource', { resource: { spec: { $case: 'secret', value: { value: secret } } } }],
    ['a Secret resource itself', { spec: { $case: 'secret', value: { value: secret } } }],
    ['a Secret as its file has it', { spec: { value: secret } }],
    ['the password of a bundle', { bundle: { router: { password: Buffer.from(secret) } } }],
    ['mail credentials', { receiver: { auth: { user: 'u', pass: secret } } }],
  ];
  for (const [what, fields] of rows) {
    test(`hides ${what}`, () => {
      const { logger, lines } = capture();
      logger.info(fields, 'test');
      logger.child(fields).info('test');
      assert.equal(lines.length, 2);
      assert.ok(!lines.join('').includes(secret), lines.join(''));
      assert.ok(!lines.join('').includes(JSON.stringify([...Buffer.from(secret)]).slice(1, -1)), lines.join(''));
      assert.ok(lines.every((line) => line.includes('***')));
    });
  }

  test('hides what an Error and a list carry; the Error stays one', () => {
    const { logger, lines } = capture();
    const circle: Record<string, unknown> = { password: secret };
    circle['itself'] = circle;
    const err = Object.assign(new TypeError('refused'), { request: { token: secret } });
    logger.warn({ err, receivers: [{ auth: { pass: secret } }], circle }, 'test');
    assert.ok(!lines.join('').includes(secret), lines.join(''));
    const { err: written } = JSON.parse(lines[0] ?? '') as { readonly err: Readonly<Record<string, unknown>> };
    assert.equal(written['type'], 'TypeError');
    assert.equal(written['message'], 'refused');
    assert.match(String(written['stack']), /logger\.test/);
    assert.equal(err.request.token, secret);
  });

  test('levels', () => {
    assert.ok(isLogLevel('debug'));
    assert.ok(!isLogLevel('verbose'));
    assert.ok(!isLogLevel('toString'));
  });
});
