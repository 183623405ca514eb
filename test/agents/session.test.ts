import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  nextSessionDeadline,
  openSession,
  REFUSED_AGAIN_AFTER,
  type SessionEffect,
  type SessionInput,
  type SessionState,
  stepSession,
  type WantedBundleIdentity,
} from '../../controller/agents/session.js';
import { BundleResult, type SessionRequest } from '../../proto/gen/baton/v1/agent_service.js';
import { Event } from '../../proto/gen/baton/v1/events.js';
import { NodeStatus } from '../../proto/gen/baton/v1/status.js';

const DAY_MS = 24 * 3_600_000;
const A: WantedBundleIdentity = { generation: 1, hash: 'aa' };
const B: WantedBundleIdentity = { generation: 2, hash: 'bb' };

/** Feeds inputs at growing times and keeps what came of each. */
class Session {
  state: SessionState;
  now = 1_000;

  constructor(wanted: WantedBundleIdentity | undefined) {
    this.state = openSession(this.now, this.now + DAY_MS, wanted);
  }

  feed(input: SessionInput, afterMs = 10): readonly SessionEffect[] {
    this.now += afterMs;
    const { state, effects } = stepSession(this.state, input, this.now);
    this.state = state;
    return effects;
  }

  message(message: NonNullable<SessionRequest['message']>): readonly SessionEffect[] {
    return this.feed({ kind: 'message', message: { message } });
  }

  hello(inForce?: WantedBundleIdentity, statusSequence = 0): readonly SessionEffect[] {
    const value = { agentVersion: '1', capabilities: [], status: status(inForce), statusSequence, journalId: 'j' };
    return this.message({ $case: 'hello', value });
  }

  report(sequence: number, full: boolean, inForce?: WantedBundleIdentity): readonly SessionEffect[] {
    return this.message({ $case: 'status', value: { sequence, full, status: status(inForce) } });
  }

  answer(nonce: number, bundle: WantedBundleIdentity, accepted: boolean): readonly SessionEffect[] {
    return this.message({ $case: 'bundleResult', value: BundleResult.fromPartial({ nonce, bundle, accepted }) });
  }

  want(bundle: WantedBundleIdentity | undefined): readonly SessionEffect[] {
    return this.feed({ kind: 'wanted', bundle });
  }
}

function status(bundle?: WantedBundleIdentity): NodeStatus {
  return NodeStatus.fromPartial(bundle === undefined ? {} : { bundle });
}

function kinds(effects: readonly SessionEffect[]): string[] {
  return effects.map(({ kind }) => kind);
}

test('hello is answered with welcome, its state is taken, and what is wanted is pushed', () => {
  const session = new Session(A);
  assert.deepEqual(session.hello(), [
    { kind: 'welcome' },
    { kind: 'status', status: status(), full: true },
    { kind: 'push', nonce: 1, bundle: A },
  ]);
  assert.deepEqual(kinds(session.answer(1, A, true)), ['bundleAccepted']);
});

test('nothing is pushed to an agent that runs what is wanted, whatever the generation', () => {
  const session = new Session({ generation: 7, hash: 'aa' });
  assert.deepEqual(kinds(session.hello(A)), ['welcome', 'status']);
});

test('a newer wish is pushed while the older is unanswered, and only the newer answer counts', () => {
  const session = new Session(A);
  session.hello();
  assert.deepEqual(session.want(B), [{ kind: 'push', nonce: 2, bundle: B }]);
  assert.deepEqual(session.want(B), []);
  assert.deepEqual(session.answer(1, A, true), []);
  assert.deepEqual(kinds(session.answer(2, B, true)), ['bundleAccepted']);
  assert.equal(session.state.inForce, 'bb');
});

test('back to what runs while something else is on its way: it is pushed again', () => {
  const session = new Session(A);
  session.hello(A);
  session.want(B);
  assert.deepEqual(session.want(A), [{ kind: 'push', nonce: 2, bundle: A }]);
});

test('a refused bundle is not pushed again on this stream before its time until something else was wanted', () => {
  const session = new Session(A);
  session.hello();
  assert.deepEqual(kinds(session.answer(1, A, false)), ['bundleRefused']);
  assert.deepEqual(session.want(A), []);
  assert.deepEqual(session.want(B), [{ kind: 'push', nonce: 2, bundle: B }]);
  assert.deepEqual(session.want(A), [{ kind: 'push', nonce: 3, bundle: A }]);
});

test('a refused bundle is pushed again a minute after each refusal, and not before', () => {
  const session = new Session(B);
  session.hello(A);
  for (const nonce of [1, 2, 3]) {
    assert.deepEqual(kinds(session.answer(nonce, B, false)), ['bundleRefused']);
    const again = nextSessionDeadline(session.state);
    assert.deepEqual(session.feed({ kind: 'tick' }, REFUSED_AGAIN_AFTER - 1), []);
    assert.deepEqual(session.feed({ kind: 'tick' }, 1), [{ kind: 'push', nonce: nonce + 1, bundle: B }]);
    // While it is on its way nothing is due but the end of the certificate.
    assert.deepEqual([again, nextSessionDeadline(session.state)], [session.now, 1_000 + DAY_MS]);
    assert.deepEqual(session.feed({ kind: 'tick' }, REFUSED_AGAIN_AFTER), []);
  }
  assert.deepEqual(kinds(session.answer(4, B, true)), ['bundleAccepted']);
  assert.equal(nextSessionDeadline(session.state), 1_000 + DAY_MS);
});

test('back to what runs after a refusal: the agent is told, and the refused one is pushed at once when wanted again', () => {
  const session = new Session(A);
  session.hello(A);
  assert.deepEqual(session.want(B), [{ kind: 'push', nonce: 1, bundle: B }]);
  session.answer(1, B, false);
  assert.deepEqual(session.want(A), [{ kind: 'push', nonce: 2, bundle: A }]);
  assert.deepEqual(kinds(session.answer(2, A, true)), ['bundleAccepted']);
  assert.deepEqual(session.want(B), [{ kind: 'push', nonce: 3, bundle: B }]);
  session.answer(3, B, false);
  // The same before the agent has answered.
  assert.deepEqual(session.want(A), [{ kind: 'push', nonce: 4, bundle: A }]);
  assert.deepEqual(session.want(B), [{ kind: 'push', nonce: 5, bundle: B }]);
});

test('a refused bundle is not pushed again while nothing is wanted', () => {
  const session = new Session(B);
  session.hello(A);
  session.answer(1, B, false);
  session.want(undefined);
  assert.deepEqual(session.feed({ kind: 'tick' }, REFUSED_AGAIN_AFTER), []);
  assert.equal(nextSessionDeadline(session.state), 1_000 + DAY_MS);
  assert.deepEqual(session.want(B), [{ kind: 'push', nonce: 2, bundle: B }]);
});

test('answers to what was never pushed change nothing', () => {
  const session = new Session(A);
  session.hello(A);
  for (const effects of [session.answer(1, A, true), session.answer(0, A, true), session.answer(99, B, false)]) {
    assert.deepEqual(kinds(effects), ['ignored']);
  }
  assert.equal(session.state.inForce, 'aa');
});

test('reports in sequence are taken; a gap asks once for full state and waits for it', () => {
  const session = new Session(undefined);
  session.hello(undefined, 4);
  assert.deepEqual(kinds(session.report(5, false)), ['status']);
  assert.deepEqual(session.report(7, false), [{ kind: 'requestFullState', reason: 'report 7 came after report 5' }]);
  assert.deepEqual(session.report(8, false), []);
  assert.deepEqual(kinds(session.report(9, true)), ['status']);
  assert.deepEqual(kinds(session.report(10, false)), ['status']);
});

test('a replayed report is ignored', () => {
  const session = new Session(undefined);
  session.hello(undefined, 4);
  session.report(5, false);
  assert.deepEqual(kinds(session.report(5, false)), ['ignored']);
  assert.deepEqual(kinds(session.report(3, false)), ['ignored']);
});

test('a message of an unknown kind after hello changes nothing', () => {
  const session = new Session(A);
  session.hello(A);
  assert.deepEqual(kinds(session.feed({ kind: 'message', message: { message: undefined } })), ['ignored']);
});

test('events go to the store with the journal of the hello', () => {
  const session = new Session(undefined);
  session.hello();
  const events = [Event.fromPartial({ sequence: 1 })];
  assert.deepEqual(session.message({ $case: 'events', value: { events } }), [{ kind: 'events', journal: 'j', events }]);
});

const broken: readonly (readonly [string, (session: Session) => readonly SessionEffect[]])[] = [
  ['a report before hello', (session) => session.report(1, true)],
  ['something unknown before hello', (session) => session.feed({ kind: 'message', message: { message: undefined } })],
  [
    'hello twice',
    (session) => {
      session.hello();
      return session.hello();
    },
  ],
  [
    'hello without a journal',
    (session) =>
      session.message({
        $case: 'hello',
        value: { agentVersion: '', capabilities: [], status: status(), statusSequence: 0, journalId: '' },
      }),
  ],
  [
    'hello with a time beyond all clocks',
    (session) => {
      const impossible = NodeStatus.fromPartial({ routers: [{ name: 'pg', since: new Date(Number.NaN) }] });
      const value = { agentVersion: '', capabilities: [], status: impossible, statusSequence: 0, journalId: 'j' };
      return session.message({ $case: 'hello', value });
    },
  ],
  [
    'an event with a time beyond all clocks',
    (session) => {
      session.hello();
      const events = [Event.fromPartial({ sequence: 1, time: new Date(Number.NaN) })];
      return session.message({ $case: 'events', value: { events } });
    },
  ],
  [
    'an event without a sequence',
    (session) => {
      session.hello();
      return session.message({ $case: 'events', value: { events: [Event.fromPartial({})] } });
    },
  ],
];

for (const [what, feed] of broken) {
  test(`${what} ends the stream, and nothing after it counts`, () => {
    const session = new Session(A);
    assert.deepEqual(kinds(feed(session)), ['fail']);
    assert.deepEqual(session.hello(), []);
    assert.equal(nextSessionDeadline(session.state), undefined);
  });
}

test('without hello the stream ends after 15 seconds, not before', () => {
  const session = new Session(A);
  assert.deepEqual(session.feed({ kind: 'tick' }, 14_999), []);
  assert.deepEqual(kinds(session.feed({ kind: 'tick' }, 1)), ['fail']);
});

test('the stream ends with the certificate that opened it', () => {
  const session = new Session(A);
  session.hello(A);
  assert.equal(nextSessionDeadline(session.state), 1_000 + DAY_MS);
  assert.deepEqual(session.feed({ kind: 'tick' }, DAY_MS - 11), []);
  assert.deepEqual(kinds(session.feed({ kind: 'tick' }, 1)), ['end']);
});

test('an ended stream is told why', () => {
  for (const cause of ['replaced', 'revoked', 'stopping'] as const) {
    const session = new Session(A);
    session.hello(A);
    const [effect] = session.feed({ kind: 'end', cause });
    assert.equal(effect?.kind === 'end' ? effect.goodbye.code : '', cause);
    assert.deepEqual(session.want(B), []);
  }
});

test('a whole report of another bundle than the wanted one has that pushed again; a report of changes has not', () => {
  const session = new Session(A);
  session.hello(A);
  assert.deepEqual(kinds(session.report(1, false, B)), ['status'], 'it may be older than what was accepted');
  assert.deepEqual(kinds(session.report(2, true, A)), ['status']);
  assert.deepEqual(kinds(session.report(3, true, B)), ['status', 'push']);
  assert.deepEqual(kinds(session.report(4, true, B)), ['status'], 'it is on its way');
  assert.deepEqual(kinds(session.answer(1, A, true)), ['bundleAccepted']);
});
