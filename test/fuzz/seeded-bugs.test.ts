/**
 * The loop finds what it is there for: readers with one bug put in, each found from a single good input within a number of
 * inputs. A bug that is not found means that the loop, or an oracle, has become blind.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HmacRefusal, HmacVerifier as Verifier } from '../../agent/wire/hmac-verifier.js';
import { CoverageMap, Sampler } from './coverage.js';
import { explore } from './explore.js';
import type { Target } from './target.js';
import { attempt } from './trial.js';

const sampler = new Sampler();
const { decodePacket } = await import('../../agent/bfd/packet.js');
const { decodeSegment } = await import('../../agent/journal/segment.js');
const { parseRequest } = await import('../../agent/local/control-protocol.js');
const { decodeArp } = await import('../../agent/wire/arp.js');
const { HmacVerifier } = await import('../../agent/wire/hmac-verifier.js');
const { decodeNeighbor } = await import('../../agent/wire/neighbor.js');
const { attributesOf, messagesOf } = await import('../../agent/wire/netlink-message.js');
const { decodeAdvertisement } = await import('../../agent/wire/reception.js');
const { bfdTarget } = await import('./targets/bfd.js');
const { controlRequestTarget } = await import('./targets/control-socket.js');
const { hmacTarget } = await import('./targets/hmac.js');
const { arpTarget, neighborTarget } = await import('./targets/link-layer.js');
const { netlinkTarget } = await import('./targets/netlink.js');
const { journalTarget } = await import('./targets/state-files.js');
const { vrrpTarget } = await import('./targets/vrrp.js');

interface Bug {
  readonly what: string;
  readonly target: Target;
  /** The promise that it breaks. */
  readonly oracle: RegExp;
  /** Inputs within which it must be found. */
  readonly within: number;
}

const changed = (bytes: Uint8Array, at: number, value: number): Uint8Array => {
  const copy = bytes.slice();
  copy[at] = value;
  return copy;
};

/** Believes a replay. */
class Credulous extends HmacVerifier {
  override judgeSigned(...parameters: Parameters<Verifier['judgeSigned']>): HmacRefusal | undefined {
    const answer = super.judgeSigned(...parameters);
    return answer === 'auth-replay' ? undefined : answer;
  }
}

const BUGS: readonly Bug[] = [
  {
    what: 'a TTL of 254 is accepted',
    target: vrrpTarget(3, 4, (family, packet, routers) =>
      decodeAdvertisement(family, packet[8] === 254 ? changed(packet, 8, 255) : packet, routers),
    ),
    oracle: /accept-set/,
    within: 3_000,
  },
  {
    what: 'the reserved bits are read as part of the interval',
    target: vrrpTarget(3, 4, (family, packet, routers) => {
      const reception = decodeAdvertisement(family, packet, routers);
      if (!reception.ok) return reception;
      const interval = (256 * (packet[24] ?? 0) + (packet[25] ?? 0)) * 10_000;
      return { ...reception, advertisement: { ...reception.advertisement, interval } };
    }),
    oracle: /interval as sent/,
    within: 3_000,
  },
  {
    what: 'a list of more than three addresses loses its last',
    target: vrrpTarget(3, 6, (family, packet, routers) => {
      const reception = decodeAdvertisement(family, packet, routers);
      if (!reception.ok || reception.advertisement.addresses.length < 4) return reception;
      const addresses = reception.advertisement.addresses.slice(0, -1);
      return { ...reception, advertisement: { ...reception.advertisement, addresses } };
    }),
    oracle: /addresses as sent/,
    within: 6_000,
  },
  {
    what: 'the checksum is set to zero in the packet that it is looked for in',
    target: vrrpTarget(2, 4, (family, packet, routers) => {
      const reception = decodeAdvertisement(family, packet, routers);
      if (reception.ok && reception.advertisement.priority === 0) packet.fill(0, 26, 28);
      return reception;
    }),
    oracle: /input unchanged/,
    within: 3_000,
  },
  {
    what: 'a packet of two words more than its addresses is not too long',
    target: vrrpTarget(2, 6, (family, packet, routers) => {
      const reception = decodeAdvertisement(family, packet, routers);
      if (reception.ok || reception.reason !== 'bad-length' || packet.length % 16 !== 0) return reception;
      const { vrid = 0, source = 0n } = reception;
      return { ok: true, vrid, source, advertisement: { priority: 1, interval: 1_000_000, addresses: [] } };
    }),
    oracle: /accept-set/,
    within: 3_000,
  },
  {
    what: 'an ARP reply of another hardware type is read',
    target: arpTarget((frame) => decodeArp(frame[21] === 2 ? changed(frame, 15, 1) : frame)),
    oracle: /RFC 826/,
    within: 3_000,
  },
  {
    what: 'an option of no length throws when it is not the first',
    target: neighborTarget((frame) => {
      if (frame.length > 94 && frame[79] === 1 && frame[87] === 0) throw new RangeError('an option of no length');
      return decodeNeighbor(frame);
    }),
    oracle: /nothing thrown: RangeError/,
    within: 6_000,
  },
  {
    what: 'a multiplier of zero is accepted',
    target: bfdTarget((bytes) => decodePacket(bytes[2] === 0 ? changed(bytes, 2, 3) : bytes)),
    oracle: /accept-set/,
    within: 3_000,
  },
  {
    what: 'what is left after the last attribute is read as one more',
    target: netlinkTarget({
      messagesOf,
      attributesOf: (payload, start) => {
        const attributes = attributesOf(payload, start);
        if (payload.length % 4 === 3)
          new DataView(payload.buffer, payload.byteOffset, payload.length).getUint32(payload.length - 3);
        return attributes;
      },
    }),
    oracle: /nothing thrown: RangeError/,
    within: 3_000,
  },
  {
    what: 'the next message is looked for without its padding',
    target: netlinkTarget({
      attributesOf,
      messagesOf: function* (datagram) {
        let rest = datagram;
        for (;;) {
          const [first] = messagesOf(rest);
          if (first === undefined) return;
          yield first;
          rest = rest.subarray(16 + first.payload.length);
        }
      },
    }),
    oracle: /messages as netlink/,
    within: 6_000,
  },
  {
    what: 'a replayed advertisement is believed',
    target: hmacTarget((options) => new Credulous(options)),
    oracle: /decision 0019/,
    within: 3_000,
  },
  {
    what: "a record of the journal's with a wrong checksum ends the file without damage",
    target: journalTarget((bytes) => {
      const segment = decodeSegment(bytes);
      const { damage, ...rest } = segment;
      return damage === 'a record has a wrong checksum' ? { ...rest, isCutShort: false } : segment;
    }),
    oracle: /sound to its end/,
    within: 1_000,
  },
  {
    what: 'what follows a request on its line is ignored',
    target: controlRequestTarget((line) => parseRequest(line.slice(0, line.indexOf('}') + 1))),
    oracle: /accept-set/,
    within: 3_000,
  },
];

for (const { what, target, oracle, within } of BUGS) {
  test(`${target.name}: ${what}: found`, async (t) => {
    const [first] = target.seeds;
    assert.ok(first !== undefined);
    const goesOn = (inputs: number) => inputs < within;
    const discoveries = await found({ ...target, seeds: [first] }, goesOn);
    const [discovery] = discoveries.filter((one) => oracle.test(one.oracle));
    assert.ok(
      discovery !== undefined,
      `not found within ${within} inputs: ${discoveries.map((one) => one.oracle).join()}`,
    );
    t.diagnostic(`after ${discovery.after} inputs, ${discovery.input.length} bytes when made small`);
    // The small input shows the same, and the reader without the bug has nothing wrong with it.
    assert.equal((await attempt(target, discovery.input)).ok, false);
  });
}

async function found(target: Target, goesOn: (inputs: number) => boolean) {
  let isOver = false;
  const { discoveries } = await explore({
    target: {
      ...target,
      run: async (input) => {
        try {
          return await target.run(input);
        } catch (error) {
          isOver = true;
          throw error;
        }
      },
    },
    seed: 7,
    corpus: [],
    sampler,
    map: new CoverageMap(target.files),
    goesOn: (inputs) => !isOver && goesOn(inputs),
  });
  return discoveries;
}
