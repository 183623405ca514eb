import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { BfdState, ControlPacket } from '../../agent/bfd/packet.js';
import {
  type BfdSession,
  detectionTime,
  initialSession,
  nextBfdDeadline,
  stepBfd,
  transmitInterval,
} from '../../agent/bfd/session.js';
import type { BfdSessionSettings } from '../../agent/bfd/settings.js';

const SETTINGS: BfdSessionSettings = {
  name: 'uplink',
  neighbor: '192.0.2.2',
  minRx: 60_000,
  minTx: 50_000,
  idleTx: 1_000_000,
  multiplier: 3,
  passive: false,
  multihop: false,
  maxHops: 0,
};

/** Two ends and a line between them that takes a millisecond, under a virtual clock. */
class Line {
  now = 1_000_000;
  readonly sent: { readonly at: number; readonly by: number; readonly packet: ControlPacket }[] = [];
  readonly states: string[] = [];
  isCut = [false, false];
  readonly #underWay: { readonly at: number; readonly to: number; readonly packet: ControlPacket }[] = [];
  readonly ends: { settings: BfdSessionSettings; session: BfdSession }[];

  constructor(first: Partial<BfdSessionSettings> = {}, second: Partial<BfdSessionSettings> = {}) {
    this.ends = [first, second].map((more, index) => {
      const settings = { ...SETTINGS, ...more };
      return { settings, session: initialSession(settings, 100 + index, 7 + index, this.now) };
    });
  }

  state(end: number): BfdState | undefined {
    return this.ends[end]?.session.sessionState;
  }

  step(end: number, input: Parameters<typeof stepBfd>[2]): void {
    const own = this.ends[end];
    assert.ok(own);
    const { session, effects } = stepBfd(own.settings, own.session, input, this.now);
    own.session = session;
    for (const effect of effects) {
      if (effect.kind === 'stateChanged') this.states.push(`${end}:${effect.to}:${effect.diagnostic}`);
      else {
        this.sent.push({ at: this.now, by: end, packet: effect.packet });
        if (!this.isCut[end]) this.#underWay.push({ at: this.now + 1_000, to: 1 - end, packet: effect.packet });
      }
    }
  }

  run(duration: number): void {
    const until = this.now + duration;
    for (;;) {
      const deadlines = this.ends.map(({ session }) => nextBfdDeadline(session) ?? Number.POSITIVE_INFINITY);
      const arrival = this.#underWay[0]?.at ?? Number.POSITIVE_INFINITY;
      const next = Math.min(...deadlines, arrival);
      if (next > until) break;
      this.now = Math.max(this.now, next);
      if (arrival <= next) {
        const { to, packet } = this.#underWay.shift() ?? assert.fail();
        this.step(to, { kind: 'packet', packet });
      } else this.step(deadlines.indexOf(next), { kind: 'tick' });
    }
    this.now = until;
  }
}

describe('a BFD session', () => {
  test('comes up in three steps on both ends and then keeps the times that were agreed', () => {
    const line = new Line();
    line.run(3_000_000);
    assert.equal(line.state(0), 'up');
    assert.equal(line.state(1), 'up');
    for (const { session } of line.ends) {
      assert.equal(session.polling, undefined, 'the poll was answered');
      assert.equal(transmitInterval(session), 60_000, 'what the neighbour can take');
      assert.equal(detectionTime(session), 3 * 60_000);
    }
    const before = line.sent.length;
    line.run(6_000_000);
    const gaps = [0, 1].flatMap((end) => {
      const times = line.sent.slice(before).flatMap(({ at, by }) => (by === end ? [at] : []));
      return times.slice(1).map((at, index) => at - (times[index] ?? 0));
    });
    assert.ok(
      gaps.every((gap) => gap >= 45_000 && gap <= 60_000),
      `${Math.min(...gaps)}..${Math.max(...gaps)}`,
    );
  });

  test('is down a detection time after the last packet, and says so to the neighbour at once', () => {
    const line = new Line();
    line.run(3_000_000);
    line.isCut = [false, true];
    const cutAt = line.now;
    line.run(180_000 + 1_000);
    assert.equal(line.state(0), 'down');
    assert.ok(line.states.includes('0:down:1'), 'control detection time expired');
    const first = line.sent.find(({ at, by, packet }) => by === 0 && at > cutAt && packet.state === 'down');
    assert.ok(first !== undefined && first.at - cutAt <= 180_000);
    line.run(2_000);
    assert.equal(line.state(1), 'down', 'the other one hears that, though its own line is cut');
    assert.ok(line.states.includes('1:down:3'), 'neighbor signaled session down');
  });

  test('comes back by itself', () => {
    const line = new Line();
    line.run(3_000_000);
    line.isCut = [true, true];
    line.run(5_000_000);
    assert.deepEqual([line.state(0), line.state(1)], ['down', 'down']);
    assert.equal(line.ends[0]?.session.remoteDiscr, 0);
    line.isCut = [false, false];
    line.run(3_000_000);
    assert.deepEqual([line.state(0), line.state(1)], ['up', 'up']);
  });

  test('not up, sends once a second at most', () => {
    const line = new Line({ idleTx: 10_000 });
    line.isCut = [true, true];
    line.run(10_000_000);
    const own = line.sent.filter(({ by }) => by === 0);
    assert.ok(own.length >= 10 && own.length <= 14, `${own.length} packets in 10 s`);
    assert.ok(own.every(({ packet }) => packet.desiredMinTx >= 1_000_000));
  });

  test('a passive end says nothing until it is spoken to, and again after silence', () => {
    const both = new Line({ passive: true }, { passive: true });
    both.run(5_000_000);
    assert.equal(both.sent.length, 0);
    const one = new Line({ passive: true });
    one.run(3_000_000);
    assert.deepEqual([one.state(0), one.state(1)], ['up', 'up']);
    one.isCut = [true, true];
    one.run(2_000_000);
    const before = one.sent.filter(({ by }) => by === 0).length;
    one.run(5_000_000);
    assert.equal(one.sent.filter(({ by }) => by === 0).length, before);
  });

  test('the neighbour is told when the session ends on purpose, and takes that for no failure of the path', () => {
    const line = new Line();
    line.run(3_000_000);
    line.step(0, { kind: 'shutdown' });
    line.run(2_000);
    assert.equal(line.state(1), 'down');
    assert.ok(line.states.includes('1:down:3'));
    const last = line.sent.filter(({ by }) => by === 0).at(-1);
    assert.deepEqual([last?.packet.state, last?.packet.diagnostic], ['admin-down', 7]);
  });

  test('slower times while up count from the neighbour’s answer on; faster ones at once', () => {
    const line = new Line();
    line.run(3_000_000);
    const end = line.ends[0] ?? assert.fail();
    end.settings = { ...end.settings, minTx: 500_000, minRx: 20_000 };
    line.step(0, { kind: 'reconfigured' });
    assert.equal(transmitInterval(end.session), 60_000, 'not before the neighbour knows');
    assert.equal(detectionTime(end.session), 3 * 60_000);
    line.run(10_000);
    assert.equal(transmitInterval(end.session), 500_000);
    assert.equal(detectionTime(end.session), 3 * 50_000, 'the neighbour sends each 50 ms now that it may');
    line.run(10_000_000);
    assert.deepEqual([line.state(0), line.state(1)], ['up', 'up']);
    assert.equal(line.states.filter((state) => state.includes('down')).length, 0);
  });

  test('a neighbour that can receive nothing is sent nothing', () => {
    const line = new Line({}, { minRx: 0 });
    line.run(3_000_000);
    const before = line.sent.filter(({ by }) => by === 0).length;
    line.run(100_000);
    assert.equal(line.sent.filter(({ by }) => by === 0).length, before);
  });

  test('with a multiplier of 1, no packet takes more than 90 % of the interval', () => {
    const line = new Line({ multiplier: 1, minTx: 100_000 });
    line.run(3_000_000);
    const before = line.sent.length;
    line.run(10_000_000);
    const times = line.sent.slice(before).flatMap(({ at, by }) => (by === 0 ? [at] : []));
    const gaps = times.slice(1).map((at, index) => at - (times[index] ?? 0));
    assert.ok(gaps.length > 100);
    assert.ok(Math.max(...gaps) <= 90_000, `${Math.max(...gaps)}`);
    assert.ok(Math.min(...gaps) >= 75_000, `${Math.min(...gaps)}`);
  });

  test('an early or repeated tick changes nothing', () => {
    const line = new Line();
    line.run(2_500_000);
    const end = line.ends[0] ?? assert.fail();
    const at = (nextBfdDeadline(end.session) ?? 0) - 1;
    assert.deepEqual(stepBfd(end.settings, end.session, { kind: 'tick' }, at), { session: end.session, effects: [] });
  });
});
