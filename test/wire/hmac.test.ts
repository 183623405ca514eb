import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AdvertisementSet } from '../../agent/wire/advertisement-set.js';
import type { ReplayGuard } from '../../agent/wire/hmac-signer.js';
import { stampOf, stampsBetween } from '../../agent/wire/hmac-trailer.js';
import { HMAC_REFUSALS, HmacVerifier } from '../../agent/wire/hmac-verifier.js';
import { decodeAdvertisement, type Expectations } from '../../agent/wire/reception.js';
import {
  anyIp,
  bytesOf,
  HMAC_KEY,
  HMAC_KEY_ID,
  HMAC_SENT_MS,
  HMAC_V2,
  HMAC_V2_IPV6,
  HMAC_V3,
  HMAC_V3_IPV6,
  HMAC_V3_IPV6_UNICAST,
  HMAC_V3_NEXT,
  HMAC_V3_UNICAST,
  ip,
  ip6,
  V3_IPV6,
  V3_MULTICAST,
} from './captured.js';
import { type Clocks, type HmacFixture, hmacOf, macOf } from './hmac-fixture.js';

type Verifier = HmacFixture['verifier'];
const SECOND = 1000;
const HOUR = 3_600_000;

function expectationsOf(packet: Uint8Array, hmac: Verifier | undefined): Expectations {
  const isIpv6 = (packet[0] ?? 0) >>> 4 === 6;
  const isUnicast = packet[isIpv6 ? 24 : 16] !== (isIpv6 ? 0xff : 0xe0);
  const range = { least: 0, greatest: 255 };
  return {
    version: (packet[isIpv6 ? 40 : 20] ?? 0) >>> 4 === 2 ? 2 : 3,
    interval: 1_000_000,
    transport: isUnicast
      ? {
          kind: 'unicast',
          peers: new Map<number | bigint, typeof range>([
            [ip('10.9.0.1'), range],
            [ip6('fe80::1'), range],
          ]),
        }
      : { kind: 'multicast', group: isIpv6 ? ip6('ff02::12') : ip('224.0.0.18') },
    ownAddresses: new Set(),
    onLink: [],
    ...(hmac === undefined ? {} : { hmac }),
  };
}

/** 'signed', 'unsigned' or the reason why it is dropped. */
function judge(packet: Uint8Array, hmac: Verifier | undefined): string {
  const family = (packet[0] ?? 0) >>> 4 === 6 ? 6 : 4;
  const reception = decodeAdvertisement(family, packet, new Map([[10, expectationsOf(packet, hmac)]]));
  if (!reception.ok) return reception.reason;
  return reception.isSigned === true ? 'signed' : 'unsigned';
}

const captured = { HMAC_V3, HMAC_V3_UNICAST, HMAC_V2, HMAC_V3_IPV6, HMAC_V2_IPV6, HMAC_V3_IPV6_UNICAST };
for (const [name, hex] of Object.entries(captured)) {
  test(`${name} of keepalived is accepted`, () => assert.equal(judge(bytesOf(hex), hmacOf({}).verifier), 'signed'));

  test(`${name} of keepalived is what we send at that moment`, () => {
    const packet = bytesOf(hex);
    const isIpv6 = (packet[0] ?? 0) >>> 4 === 6;
    const view = new DataView(packet.buffer);
    const trailerAt = packet.length - 28;
    // The middle of the 1/65536 s that it says.
    const wallMs = view.getUint32(trailerAt + 4) * SECOND + ((view.getUint16(trailerAt + 8) + 0.5) * SECOND) / 65_536;
    const { signer } = hmacOf({ clocks: { senderWallMs: wallMs, receiverWallMs: 0, receiverNowMs: 0 } });
    const isUnicast = name.endsWith('UNICAST');
    const set = new AdvertisementSet(
      {
        version: name.includes('V2') ? 2 : 3,
        vrid: 10,
        interval: 1_000_000,
        addresses: (isIpv6 ? ['fe80::aa:26', '2001:db8::26'] : ['10.9.0.26', '10.9.0.27']).map(anyIp),
        source: anyIp(isIpv6 ? 'fe80::1' : '10.9.0.1'),
        checksum: 'pseudo_header',
        ...(isIpv6 && isUnicast ? { ttl: 64 } : {}),
      },
      [anyIp(isIpv6 ? (isUnicast ? 'fe80::2' : 'ff02::12') : isUnicast ? '10.9.0.2' : '224.0.0.18')],
      signer,
    );
    // The flow label is the kernel's.
    if (isIpv6) view.setUint32(0, 0x6c000000);
    assert.deepEqual(set.packets(150)[0]?.bytes, packet);
  });
}

test('the next one is accepted after it, the first one not after the next', () => {
  const { verifier } = hmacOf({});
  assert.equal(judge(bytesOf(HMAC_V3), verifier), 'signed');
  assert.equal(judge(bytesOf(HMAC_V3_NEXT), verifier), 'signed');
  assert.equal(judge(bytesOf(HMAC_V3), verifier), 'auth-replay');
  assert.equal(judge(bytesOf(HMAC_V3_NEXT), verifier), 'auth-replay');
});

/** Both forms of checksum do without the trailer or cover it: changes to it are only seen by their own checks. */
function changedTrailer(offset: number, value: number): Uint8Array {
  const packet = bytesOf(HMAC_V3);
  packet[packet.length - 28 + offset] = value;
  return packet;
}
const otherKeys = new Map([[HMAC_KEY_ID, macOf(new TextEncoder().encode('another key of thirty-two bytes!'))]]);
const at = (offsetMs: number): Clocks => ({
  senderWallMs: 0,
  receiverWallMs: HMAC_SENT_MS + offsetMs,
  receiverNowMs: 0,
});
const rows: readonly (readonly [string, string, Uint8Array, Verifier | undefined])[] = [
  ['no trailer', 'auth-missing', bytesOf(V3_MULTICAST), hmacOf({}).verifier],
  ['no trailer over IPv6', 'auth-missing', bytesOf(V3_IPV6), hmacOf({}).verifier],
  ['no trailer, none demanded', 'unsigned', bytesOf(V3_MULTICAST), hmacOf({ isRequired: false }).verifier],
  ['a trailer, none demanded', 'signed', bytesOf(HMAC_V3), hmacOf({ isRequired: false }).verifier],
  ['a wrong signature, none demanded', 'auth-invalid', changedTrailer(27, 0), hmacOf({ isRequired: false }).verifier],
  ['a trailer, none expected', 'bad-length', bytesOf(HMAC_V3), undefined],
  ['a trailer over IPv6, none expected', 'bad-length', bytesOf(HMAC_V3_IPV6), undefined],
  ['type 0', 'auth-malformed', changedTrailer(0, 0), hmacOf({}).verifier],
  ['type 2', 'auth-malformed', changedTrailer(0, 2), hmacOf({}).verifier],
  ['key 8', 'auth-unknown-key', changedTrailer(1, 8), hmacOf({}).verifier],
  ['key 0', 'auth-unknown-key', changedTrailer(1, 0), hmacOf({}).verifier],
  ['a bad tag', 'auth-invalid', changedTrailer(12, 0), hmacOf({}).verifier],
  ['another counter', 'auth-invalid', changedTrailer(11, 1), hmacOf({}).verifier],
  ['another key of that id', 'auth-invalid', bytesOf(HMAC_V3), hmacOf({ keys: otherKeys }).verifier],
  ['5.4 s old', 'signed', bytesOf(HMAC_V3), hmacOf({ clocks: at(4500) }).verifier],
  ['6 s old', 'auth-stale', bytesOf(HMAC_V3), hmacOf({ clocks: at(6000) }).verifier],
  ['6 s in the future', 'auth-stale', bytesOf(HMAC_V3), hmacOf({ clocks: at(-6000) }).verifier],
  ['years old', 'auth-stale', bytesOf(HMAC_V3), hmacOf({ clocks: at(10 * 365 * 24 * HOUR) }).verifier],
  [
    'years old, first heard, monotonic',
    'signed',
    bytesOf(HMAC_V3),
    hmacOf({ clocks: at(10 * 365 * 24 * HOUR), guard: 'monotonic' }).verifier,
  ],
];
for (const [name, verdict, packet, verifier] of rows) {
  test(`${name}: ${verdict}`, () => assert.equal(judge(packet, verifier), verdict));
}

test('every refusal has a row', () => {
  const verdicts = new Set([...rows.map(([, verdict]) => verdict), 'auth-replay']);
  assert.deepEqual(
    HMAC_REFUSALS.filter((reason) => !verdicts.has(reason)),
    [],
  );
});

test('any change to what is signed is noticed', () => {
  for (const hex of [HMAC_V3, HMAC_V2]) {
    const packet = bytesOf(hex);
    for (let bit = 20 * 8; bit < packet.length * 8; bit++) {
      const flipped = packet.slice();
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (0x80 >> (bit & 7));
      assert.notEqual(judge(flipped, hmacOf({}).verifier), 'signed', `bit ${bit}`);
    }
  }
  // The source address is signed as well.
  const other = bytesOf(HMAC_V3);
  other[15] = 3;
  new DataView(other.buffer).setUint16(26, 0x39a9);
  assert.equal(judge(other, hmacOf({}).verifier), 'auth-invalid');
});

/** A sender and a receiver with clocks of their own; time passes for both. */
class Pair {
  readonly clocks: Clocks = { senderWallMs: HMAC_SENT_MS, receiverWallMs: HMAC_SENT_MS, receiverNowMs: 0 };
  fixture: HmacFixture;
  readonly #guard: ReplayGuard;
  #set: AdvertisementSet;

  constructor(guard: ReplayGuard) {
    this.#guard = guard;
    this.fixture = hmacOf({ guard, clocks: this.clocks });
    this.#set = this.#newSet();
  }

  /** Sends now. */
  send(): Uint8Array {
    return (this.#set.packets(100)[0]?.bytes ?? new Uint8Array()).slice();
  }

  receive(packet: Uint8Array): string {
    return judge(packet, this.fixture.verifier);
  }

  /** An interval later: sends and receives. */
  next(ms = SECOND): string {
    this.pass(ms);
    return this.receive(this.send());
  }

  pass(ms: number): void {
    this.clocks.senderWallMs += ms;
    this.clocks.receiverWallMs += ms;
    this.clocks.receiverNowMs += ms;
  }

  /** The sender's process begins anew and knows nothing of its stamps. */
  restartSender(): void {
    this.fixture = { ...hmacOf({ guard: this.#guard, clocks: this.clocks }), verifier: this.fixture.verifier };
    this.#set = this.#newSet();
  }

  #newSet(): AdvertisementSet {
    return new AdvertisementSet(
      {
        version: 3,
        vrid: 10,
        interval: 1_000_000,
        addresses: [ip('10.9.0.26')],
        source: ip('10.9.0.1'),
        checksum: 'message_only',
      },
      [ip('224.0.0.18')],
      this.fixture.signer,
    );
  }
}

/** How many advertisements are refused until one is accepted again; at most `most`. */
function refusedBefore(pair: Pair, most: number): number {
  for (let refused = 0; refused < most; refused++) if (pair.next() === 'signed') return refused;
  return most;
}

for (const guard of ['time', 'monotonic'] as const) {
  test(`${guard}: stamps grow while the clock stands still`, () => {
    const pair = new Pair(guard);
    for (let i = 0; i < 100_000; i += 1) pair.send();
    assert.equal(pair.receive(pair.send()), 'signed');
    assert.equal(pair.receive(pair.send()), 'signed');
  });

  test(`${guard}: our clock set an hour forward or back loses nothing of a sender that we hear`, () => {
    for (const step of [HOUR, -HOUR, 10 * 365 * 24 * HOUR]) {
      const pair = new Pair(guard);
      assert.equal(pair.next(), 'signed');
      const old = pair.send();
      pair.clocks.receiverWallMs += step;
      for (let i = 0; i < 30; i++) assert.equal(pair.next(), 'signed', `${step} ms`);
      assert.notEqual(pair.receive(old), 'signed');
      pair.clocks.receiverWallMs -= step;
      for (let i = 0; i < 30; i++) assert.equal(pair.next(), 'signed', `${step} ms and back`);
    }
  });

  test(`${guard}: the sender's clock set back a little loses nothing`, () => {
    const pair = new Pair(guard);
    for (const step of [1, 100, 1500, 900]) {
      assert.equal(pair.next(), 'signed');
      pair.clocks.senderWallMs -= step;
      pair.clocks.receiverWallMs -= step;
      for (let i = 0; i < 5; i++) assert.equal(pair.next(), 'signed', `${step} ms back`);
    }
  });

  test(`${guard}: both clocks an hour ahead and put right: within two advertisements, old ones refused`, () => {
    const pair = new Pair(guard);
    pair.pass(HOUR);
    const early = pair.send();
    assert.equal(pair.next(), 'signed');
    const heard: Uint8Array[] = [];
    for (let i = 0; i < 5; i++) {
      pair.pass(SECOND);
      const packet = pair.send();
      heard.push(packet);
      assert.equal(pair.receive(packet), 'signed');
    }
    pair.clocks.senderWallMs -= HOUR;
    pair.clocks.receiverWallMs -= HOUR;
    assert.ok(refusedBefore(pair, 10) <= 1);
    for (const packet of [early, ...heard]) assert.notEqual(pair.receive(packet), 'signed');
    for (let i = 0; i < 10; i++) assert.equal(pair.next(), 'signed');
  });

  test(`${guard}: a sender that starts again with a clock put right is heard within two advertisements`, () => {
    const pair = new Pair(guard);
    pair.pass(HOUR);
    for (let i = 0; i < 3; i++) assert.equal(pair.next(), 'signed');
    pair.clocks.senderWallMs -= HOUR;
    pair.clocks.receiverWallMs -= HOUR;
    pair.restartSender();
    assert.ok(refusedBefore(pair, 10) <= 1);
  });

  test(`${guard}: a sender that starts again goes on`, () => {
    const pair = new Pair(guard);
    assert.equal(pair.next(), 'signed');
    pair.restartSender();
    assert.equal(pair.next(), 'signed');
  });

  test(`${guard}: what was recorded before our own clock was set back is no use while the sender is heard`, () => {
    const pair = new Pair(guard);
    const recorded: Uint8Array[] = [];
    for (let i = 0; i < 20; i++) {
      pair.pass(SECOND);
      recorded.push(pair.send());
      assert.equal(pair.receive(recorded.at(-1) ?? new Uint8Array()), 'signed');
    }
    pair.clocks.receiverWallMs -= 15 * SECOND;
    for (let i = 0; i < 20; i++) {
      for (const packet of recorded) assert.notEqual(pair.receive(packet), 'signed');
      assert.equal(pair.next(), 'signed');
    }
  });
}

test('time: a sender whose clock is wrong is refused until it is right again, then heard at once', () => {
  for (const step of [HOUR, -HOUR]) {
    const pair = new Pair('time');
    for (let i = 0; i < 3; i++) assert.equal(pair.next(), 'signed');
    pair.clocks.senderWallMs += step;
    // Set back, it keeps its place by growing from its last stamp, as long as that is in the window.
    for (let i = 0; i < 30; i++) pair.next();
    assert.equal(pair.next(), 'auth-stale', `${step} ms`);
    pair.clocks.senderWallMs -= step;
    assert.ok(refusedBefore(pair, 10) <= 1, `${step} ms and back`);
    for (let i = 0; i < 10; i++) assert.equal(pair.next(), 'signed');
  }
});

test('monotonic: clocks need not agree, and one that is set loses nothing', () => {
  const pair = new Pair('monotonic');
  pair.clocks.senderWallMs += 5 * HOUR;
  for (const step of [0, HOUR, -HOUR, -3 * HOUR, HOUR]) {
    pair.clocks.senderWallMs += step;
    for (let i = 0; i < 5; i++) assert.equal(pair.next(), 'signed', `${step} ms`);
  }
});

test('what was held up for longer than the window is stale, though it is new', () => {
  const pair = new Pair('time');
  assert.equal(pair.next(), 'signed');
  const late = pair.send();
  pair.pass(6 * SECOND);
  assert.equal(pair.receive(late), 'auth-stale');
});

test('senders are told apart, and new settings remember them', () => {
  const { signer, verifier, clocks } = hmacOf({});
  const packetOf = (source: string) =>
    (
      new AdvertisementSet(
        { version: 3, vrid: 10, interval: 1_000_000, addresses: [1], source: ip(source), checksum: 'message_only' },
        [ip('224.0.0.18')],
        signer,
      ).packets(100)[0]?.bytes ?? new Uint8Array()
    ).slice();
  const first = packetOf('10.9.0.1');
  clocks.senderWallMs += 100;
  assert.equal(judge(packetOf('10.9.0.2'), verifier), 'signed');
  assert.equal(judge(first, verifier), 'signed');
  assert.equal(judge(first, verifier), 'auth-replay');
  const options = {
    macs: new Map([[HMAC_KEY_ID, macOf(HMAC_KEY)]]),
    replayGuard: 'time',
    timeWindow: 60_000_000,
    isRequired: true,
    interval: 1_000_000,
    wallMs: () => clocks.receiverWallMs,
    now: () => 0,
  } as const;
  assert.equal(judge(first, new HmacVerifier(options)), 'signed');
  assert.equal(judge(first, new HmacVerifier(options, verifier)), 'auth-replay');
});

test('only who has a key takes a place, and there are at least sixteen', () => {
  const { signer, verifier, clocks } = hmacOf({});
  const packetsOf = (host: number) =>
    new AdvertisementSet(
      { version: 3, vrid: 10, interval: 1_000_000, addresses: [1], source: host, checksum: 'message_only' },
      [ip('224.0.0.18')],
      signer,
    );
  const recorded: Uint8Array[] = [];
  for (let host = 1; host <= 16; host++) {
    clocks.senderWallMs += 1;
    const packet = (packetsOf(ip('10.9.0.0') + host).packets(1)[0]?.bytes ?? new Uint8Array()).slice();
    recorded.push(packet);
    assert.equal(judge(packet, verifier), 'signed');
  }
  for (let host = 1; host <= 1000; host++) {
    const forged = (packetsOf(ip('10.10.0.0') + host).packets(1)[0]?.bytes ?? new Uint8Array()).slice();
    forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1;
    assert.equal(judge(forged, verifier), 'auth-invalid');
  }
  for (const packet of recorded) assert.equal(judge(packet, verifier), 'auth-replay');
});

test('stamps compare as RFC 1982 has it', () => {
  const last = stampOf(0xffff_ffff * SECOND);
  const around = stampOf(0x1_0000_0000 * SECOND);
  assert.equal(around, 0n);
  assert.ok(stampsBetween(around, last) > 0n && stampsBetween(last, around) < 0n);
  fc.assert(
    fc.property(fc.nat(2 ** 41), fc.nat(2 ** 20), (ms, later) => {
      assert.ok(stampsBetween(stampOf(ms + later), stampOf(ms)) >= 0n);
    }),
    { seed: 29, numRuns: 200 },
  );
});
