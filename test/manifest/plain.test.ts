import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Bundle } from '../../proto/gen/baton/v1/bundle.js';
import { EventSeverity, Event as StoredEvent } from '../../proto/gen/baton/v1/events.js';
import { MemberState, RouterStatus } from '../../proto/gen/baton/v1/status.js';
import { ClusterStatus } from '../../proto/gen/baton/v1/status_service.js';
import { messageToPlain, parseConfigFile } from '../../proto/manifest/index.js';
import { messageDescriptor, OUTPUT_ONLY } from '../../proto/manifest/schema.js';
import { arbitraryMessage } from './arbitrary-message.js';

describe('any message for machines', () => {
  test('a status: lower-case states, readable spans, ISO times, every field', () => {
    const status = RouterStatus.fromPartial({
      name: 'pg',
      state: MemberState.ACTIVE,
      since: new Date('2026-01-31T12:00:00.250Z'),
      skewTime: { seconds: 0, nanos: 609_375_000 },
      activeDownInterval: { seconds: 3, nanos: 609_375_000 },
      counters: { 'rejected.bad-checksum': 2 },
    });
    const plain = messageToPlain('baton.v1.RouterStatus', status);
    assert.equal(plain['state'], 'active');
    assert.equal(plain['since'], '2026-01-31T12:00:00.250Z');
    assert.equal(plain['skewTime'], '609.375ms');
    assert.equal(plain['activeDownInterval'], '3.609375s');
    assert.deepStrictEqual(plain['counters'], { 'rejected.bad-checksum': 2 });
    assert.equal(plain['handingOver'], false);
    assert.deepStrictEqual(plain['peers'], []);
    assert.ok(!('lease' in plain));
  });

  test('a oneof is a field of the case that is set', () => {
    const event = StoredEvent.fromPartial({
      severity: EventSeverity.WARNING,
      detail: { $case: 'leaseLost', value: { awayUs: 5 } },
    });
    const plain = messageToPlain('baton.v1.Event', event);
    assert.equal(plain['severity'], 'warning');
    assert.deepStrictEqual(plain['leaseLost'], { awayUs: 5 });
  });

  test('every message of the status path can be written as JSON', () => {
    for (const [typeName, fromPartial] of [
      ['baton.v1.ClusterStatus', ClusterStatus.fromPartial],
      ['baton.v1.Bundle', Bundle.fromPartial],
      ['baton.v1.Event', StoredEvent.fromPartial],
    ] as const) {
      fc.assert(
        fc.property(arbitraryMessage(typeName, true), (fields) => {
          const plain = messageToPlain(typeName, fromPartial(fields));
          assert.deepStrictEqual(JSON.parse(JSON.stringify(plain)), plain);
        }),
        { seed: 20_261_122, numRuns: 30 },
      );
    }
  });

  test('a name that is no message is a mistake of the caller', () => {
    assert.throws(() => messageDescriptor('baton.v1.Nothing'), TypeError);
  });
});

describe('the .proto files', () => {
  /** From the compiled test's place up to the folder that holds proto/baton. */
  function protoFolder(): string {
    for (let folder = import.meta.dirname; folder !== path.dirname(folder); folder = path.dirname(folder)) {
      const candidate = path.join(folder, 'proto/baton/v1');
      try {
        readdirSync(candidate);
        return candidate;
      } catch {
        // Not here; one level up.
      }
    }
    return path.resolve('proto/baton/v1');
  }

  test('the fields marked as output only are those that the reader leaves out', () => {
    const text = readFileSync(path.join(protoFolder(), 'resources.proto'), 'utf8');
    const marked: string[] = [];
    let message = '';
    let isMarked = false;
    for (const line of text.split('\n')) {
      message = /^message (\w+)/.exec(line)?.[1] ?? message;
      isMarked ||= line.includes('// Output only.');
      const field = /^ {2}[\w.]+ (\w+) = \d+;/.exec(line)?.[1];
      if (isMarked && field !== undefined) {
        marked.push(`baton.v1.${message}.${field}`);
        isMarked = false;
      }
    }
    assert.deepStrictEqual(new Set(marked), OUTPUT_ONLY);
  });
});

describe('configuration files', () => {
  test('an empty file is a configuration with nothing set', () => {
    const { config, problems } = parseConfigFile('# nothing yet\n', 'agent.yaml', 'baton.v1.AgentConfig');
    assert.deepStrictEqual(problems, []);
    assert.equal(config?.scripts, undefined);
    assert.deepStrictEqual(config?.controllers, []);
  });

  test('values', () => {
    const text = 'controllers: [c:7443]\nscripts: {allow: [/usr/local/bin/*], user: nobody}\neventQueueLimit: 5\n';
    const { config } = parseConfigFile(text, 'agent.yaml', 'baton.v1.AgentConfig');
    assert.deepStrictEqual(config?.scripts, { allow: ['/usr/local/bin/*'], user: 'nobody', users: [] });
    assert.equal(config?.eventQueueLimit, 5);
    const controller = parseConfigFile('certificateLifetime: 168h', 'c', 'baton.v1.ControllerConfig').config;
    assert.deepStrictEqual(controller?.certificateLifetime, { seconds: 604_800, nanos: 0 });
  });

  test('problems leave no configuration', () => {
    const { config, problems } = parseConfigFile(
      'script: {allow: []}\n---\nlogLevel: info\n',
      'agent.yaml',
      'baton.v1.AgentConfig',
    );
    assert.equal(config, undefined);
    assert.deepStrictEqual(
      problems.map(({ line, message }) => `${line} ${message}`),
      ['1 unknown field "script" (did you mean "scripts"?)', '3 the file must hold one document only'],
    );
  });
});
