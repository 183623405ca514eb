import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CommandSpec, helpOf, parseCommand } from '../../agent/cli/command-line.js';
import { RUN, runOptions } from '../../agent/cli/run-command.js';

const SPEC: CommandSpec = {
  name: 'check',
  usage: 'FILE',
  summary: 'Judges.',
  operands: ['FILE'],
  options: {
    node: { type: 'string', value: 'NAME', help: 'the node' },
    host: { type: 'boolean', help: 'this host' },
    output: { type: 'string', short: 'o', value: 'text|json', help: 'how' },
  },
};

function complaint(...args: string[]): string {
  try {
    parseCommand(SPEC, args);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return 'none';
}

test('options in every usual form', () => {
  for (const args of [
    ['f', '--node', 'a', '-o', 'json', '--host'],
    ['--node=a', '-ojson', '--host', 'f'],
    ['--output=json', '--node', 'a', '--host', '--', 'f'],
  ]) {
    const command = parseCommand(SPEC, args);
    assert.deepEqual(
      [command?.operands, command?.text('node'), command?.text('output'), command?.flag('host')],
      [['f'], 'a', 'json', true],
    );
  }
});

test('a value may be "-", as for standard input', () => {
  assert.equal(parseCommand(SPEC, ['f', '--node', '-'])?.text('node'), '-');
  assert.equal(parseCommand(SPEC, ['f', '--node=-'])?.text('node'), '-');
});

test('one clear sentence for what cannot be understood', () => {
  const more = '; "baton-agent check --help" lists what there is';
  assert.equal(complaint('f', '--hots'), `check has no option --hots (did you mean "host"?)${more}`);
  assert.equal(complaint('f', '--xyzzy'), `check has no option --xyzzy${more}`);
  assert.equal(complaint('f', '-x'), `check has no option -x${more}`);
  assert.equal(complaint('f', '--constructor'), `check has no option --constructor${more}`);
  assert.equal(complaint('f', '--host=yes'), `--host takes no value${more}`);
  assert.equal(complaint('f', '--node'), `--node needs a value (NAME)${more}`);
  assert.equal(complaint('f', '--node', '--host'), `--node needs a value (NAME)${more}`);
  assert.equal(complaint('f', '--node', '--'), `--node needs a value (NAME)${more}`);
  assert.equal(complaint('f', '--node='), `--node needs a value (NAME)${more}`);
  assert.equal(complaint(), `check needs FILE${more}`);
  assert.equal(complaint('f', 'g'), `check does not know what to do with "g"${more}`);
});

test('help is asked for in two ways and lists every option', () => {
  assert.equal(parseCommand(SPEC, ['--help']), undefined);
  assert.equal(parseCommand(SPEC, ['-h']), undefined);
  assert.equal(
    helpOf(SPEC),
    [
      'usage: baton-agent check FILE [options]',
      '',
      'Judges.',
      '',
      'options:',
      '      --node NAME         the node',
      '      --host              this host',
      '  -o, --output text|json  how',
      '  -h, --help              this text',
      '',
    ].join('\n'),
  );
});

function run(...args: string[]): unknown {
  const command = parseCommand(RUN, args);
  assert.ok(command);
  try {
    return runOptions(command);
  } catch (error) {
    return error instanceof Error ? error.message : error;
  }
}

test('run: joined by default, standalone with a file, and no mixture', () => {
  assert.deepEqual(run(), { mode: { kind: 'joined', configFile: '/etc/baton/agent.yaml', isDefaultFile: true } });
  assert.deepEqual(run('--config', '/x.yaml', '--state-dir', '/s', '--run-dir=/r', '--log-level', 'debug'), {
    mode: { kind: 'joined', configFile: '/x.yaml', isDefaultFile: false },
    stateDir: '/s',
    runDir: '/r',
    logLevel: 'debug',
  });
  assert.deepEqual(run('--standalone', '/k.conf', '--node', 'n'), {
    mode: { kind: 'standalone', file: '/k.conf', node: 'n' },
  });
  assert.match(String(run('--standalone', '/k.conf', '--config', '/x')), /^--config is for a joined agent/);
  assert.match(String(run('--node', 'n')), /^--node goes with --standalone/);
  assert.equal(run('--log-level', 'loud'), '--log-level is one of trace, debug, info, warn, error, not "loud"');
});
