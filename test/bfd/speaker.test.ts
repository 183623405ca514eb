/** Which sockets the sessions of a host have, and what becomes of them when interfaces come and go. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type BfdState, encodePacket } from '../../agent/bfd/packet.js';
import type { BfdSessionSettings } from '../../agent/bfd/settings.js';
import { BfdSpeaker, type ExpectedNeighbor, type OnBfdPacket } from '../../agent/bfd/speaker.js';
import { neighborFilter } from '../../agent/bfd/udp-sockets.js';
import type { FilterInstruction } from '../../agent/net/packet-filter.js';
import { parseIp } from '../../proto/rules/ip.js';

const SETTINGS: BfdSessionSettings = {
  name: 'up',
  neighbor: '10.0.0.2',
  interface: 'em1',
  minRx: 100_000,
  minTx: 100_000,
  idleTx: 1_000_000,
  multiplier: 3,
  passive: false,
  multihop: false,
  maxHops: 0,
};

test('a session over one hop hears its neighbour over its own interface alone', () => {
  let expected: readonly ExpectedNeighbor[] = [];
  const speaker = new BfdSpeaker(
    {
      now: () => 0,
      random: () => 1,
      openSender: () => ({ send: () => undefined, close: () => undefined }),
      openReceiver: () => ({ expect: (neighbors) => (expected = neighbors), close: () => undefined }),
    },
    { stateChanged: () => undefined, failed: () => undefined },
  );
  speaker.configure([SETTINGS]);
  assert.deepEqual(expected, [{ address: 0x0a000002, leastTtl: 255, interface: 'em1' }]);
  speaker.configure([{ ...SETTINGS, multihop: true, maxHops: 5 }]);
  assert.deepEqual(expected, [{ address: 0x0a000002, leastTtl: 250 }]);
});

test('a session goes on over an interface that was deleted and has come again', () => {
  let now = 0;
  let isThere = true;
  let opened = 0;
  let discriminator = 0;
  const told: string[] = [];
  const speaker = new BfdSpeaker(
    {
      now: () => now,
      random: () => ++discriminator,
      openSender: () => {
        if (!isThere) throw new Error('there is no interface em1');
        opened += 1;
        const born = opened;
        return {
          send: () => (isThere && born === opened && now !== 2e6 ? undefined : 'ENODEV'),
          close: () => undefined,
        };
      },
      openReceiver: () => ({ expect: () => undefined, close: () => undefined }),
    },
    { stateChanged: (_name, state, why) => told.push(`${state}: ${why}`), failed: (sentence) => told.push(sentence) },
  );
  speaker.configure([SETTINGS]);
  speaker.tick();
  assert.equal(speaker.isWaiting, false);
  isThere = false;
  now = 2e6;
  speaker.tick();
  assert.equal(speaker.isWaiting, true);
  speaker.retry();
  assert.deepEqual(told.slice(-2), [
    'BFD session up waits: there is no interface em1',
    'down: there is no interface em1',
  ]);
  assert.equal(speaker.isWaiting, true);
  isThere = true;
  now = 4e6;
  speaker.retry();
  assert.equal(speaker.isWaiting, false);
  assert.equal(opened, 2);
  now = 6e6;
  speaker.tick();
  assert.equal(speaker.isWaiting, false);
  assert.deepEqual(
    speaker.reports().map(({ counters }) => counters),
    [{ 'packets-sent': 1 }],
  );
});

test('one link-local neighbour on two interfaces has a session on each', () => {
  let hear: OnBfdPacket = () => undefined;
  let discriminator = 0;
  const speaker = new BfdSpeaker(
    {
      now: () => 0,
      random: () => ++discriminator,
      openSender: () => ({ send: () => undefined, close: () => undefined }),
      openReceiver: (_kind, onPacket) => {
        hear = onPacket;
        return { expect: () => undefined, close: () => undefined };
      },
    },
    { stateChanged: () => undefined, failed: () => undefined },
  );
  const neighbor = 'fe80::2';
  speaker.configure([
    { ...SETTINGS, name: 'left', neighbor, interface: 'em1' },
    { ...SETTINGS, name: 'right', neighbor, interface: 'em2' },
  ]);
  const states = () => speaker.reports().map(({ name, state }) => `${name} ${state}`);
  const says = (state: BfdState, yourDiscriminator: number, device: string | undefined, source = neighbor) =>
    hear(
      encodePacket({
        state,
        diagnostic: 0,
        poll: false,
        final: false,
        demand: false,
        multiplier: 3,
        myDiscriminator: 77,
        yourDiscriminator,
        desiredMinTx: 100_000,
        requiredMinRx: 100_000,
        requiredMinEchoRx: 0,
      }),
      parseIp(source) ?? 0,
      device,
    );
  // It knows no session yet: what it is about is said by where it comes from.
  says('down', 0, 'em2');
  assert.deepEqual(states(), ['left down', 'right init']);
  says('down', 0, 'em1');
  assert.deepEqual(states(), ['left init', 'right init']);
  // Discriminators are 1 and 3: the second number of each session is the seed of its jitter.
  says('up', 3, 'em1');
  says('up', 3, 'em2', 'fe80::3');
  assert.deepEqual(states(), ['left init', 'right init']);
  says('up', 3, 'em2');
  assert.deepEqual(states(), ['left init', 'right up']);
  assert.deepEqual(
    speaker.reports().map(({ counters }) => counters['dropped.unknown-discriminator']),
    [1, undefined],
  );
});

/** What the kernel does with the instructions that are used: the words by their offsets. */
function isAccepted(program: readonly FilterInstruction[], words: ReadonlyMap<number, number>): boolean {
  let accumulator = 0;
  for (let at = 0; at < program.length; at += 1) {
    const [code, ifTrue, ifFalse, operand] = program[at] ?? [0, 0, 0, 0];
    if (code === 0x20 || code === 0x30) accumulator = words.get(operand) ?? 0;
    else if (code === 0x15) at += accumulator === operand ? ifTrue : ifFalse;
    else if (code === 0x35) at += accumulator >= operand ? ifTrue : ifFalse;
    else return operand !== 0;
  }
  assert.fail('the program has no end');
}

test('the filter judges source, interface and hops of each neighbour by itself', () => {
  const first = 0xfe80n << 112n;
  const v6 = neighborFilter(6, [
    { source: first | 1n, leastTtl: 255, interfaceIndex: 3 },
    { source: first | 1n, leastTtl: 255, interfaceIndex: 4 },
    { source: first | 2n, leastTtl: 250 },
  ]);
  const packet = (host: number, hops: number, index: number) =>
    new Map([
      [0xfff0_0008, 0xfe80_0000],
      [0xfff0_0014, host],
      [0xfff0_0007, hops],
      [0xffff_f008, index],
    ]);
  assert.equal(isAccepted(v6, packet(1, 255, 3)), true);
  assert.equal(isAccepted(v6, packet(1, 255, 4)), true);
  assert.equal(isAccepted(v6, packet(1, 255, 5)), false);
  assert.equal(isAccepted(v6, packet(1, 254, 4)), false);
  assert.equal(isAccepted(v6, packet(2, 250, 9)), true);
  assert.equal(isAccepted(v6, packet(2, 249, 9)), false);
  assert.equal(isAccepted(v6, packet(3, 255, 3)), false);
});
