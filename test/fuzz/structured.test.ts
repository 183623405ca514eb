/**
 * Messages with a structure that is broken on purpose, by fast-check, which makes what it finds small: the fields that say
 * how much there is, and the flags, get every kind of value, alone and together, before and after the message is repaired
 * around them.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { Random } from '../sim/random.js';
import { joined } from './mutator.js';
import type { Target } from './target.js';
import { TARGETS } from './targets.js';
import { attempt, hexOf } from './trial.js';

const SEED = 20_261_122;

/** A field, by where it begins and how many bytes it has. */
type Field = readonly [at: number, size: 1 | 2 | 4];

/** Lengths, counts, types and flags of each format. */
const FIELDS: Readonly<Record<string, readonly Field[]>> = {
  ipv4: [
    [0, 1],
    [2, 2],
    [6, 2],
    [8, 1],
    [9, 1],
    [20, 1],
    [21, 1],
    [22, 1],
    [23, 1],
    [24, 1],
    [24, 2],
    [25, 1],
  ],
  ipv6: [
    [0, 1],
    [4, 2],
    [6, 1],
    [7, 1],
    [40, 1],
    [41, 1],
    [42, 1],
    [43, 1],
    [44, 1],
    [44, 2],
    [45, 1],
  ],
  arp: [
    [12, 2],
    [14, 2],
    [16, 2],
    [18, 1],
    [19, 1],
    [20, 2],
  ],
  neighbor: [
    [12, 2],
    [14, 1],
    [18, 2],
    [20, 1],
    [21, 1],
    [54, 1],
    [55, 1],
    [58, 1],
    [78, 1],
    [79, 1],
    [86, 1],
    [87, 1],
  ],
  bfd: [
    [0, 1],
    [1, 1],
    [2, 1],
    [3, 1],
    [4, 4],
    [8, 4],
  ],
  netlink: [
    [0, 4],
    [4, 2],
    [6, 2],
    [16, 1],
    [17, 1],
    [24, 2],
    [26, 2],
    [28, 2],
    [30, 2],
    [32, 2],
    [34, 2],
    [36, 2],
    [40, 2],
  ],
  'netlink-requests': [
    [0, 1],
    [1, 1],
    [2, 1],
    [3, 1],
  ],
  hmac: [
    [0, 1],
    [1, 1],
    [3, 1],
    [5, 1],
    [7, 1],
    [9, 1],
  ],
  dns: [
    [0, 1],
    [1, 2],
    [3, 2],
    [5, 2],
    [7, 2],
    [13, 1],
    [34, 2],
    [36, 2],
    [44, 2],
  ],
  echo: [
    [0, 1],
    [1, 1],
    [21, 1],
    [22, 1],
    [29, 1],
  ],
  'journal-file': [
    [0, 4],
    [4, 4],
    [8, 1],
  ],
  'bundle-file': [
    [13, 1],
    [15, 1],
    [82, 1],
  ],
  'sequence-file': [
    [0, 4],
    [4, 4],
    [8, 4],
  ],
};

function fieldsOf({ name }: Target): readonly Field[] | undefined {
  return FIELDS[name] ?? (name.startsWith('vrrp') ? FIELDS[name.endsWith('ipv6') ? 'ipv6' : 'ipv4'] : undefined);
}

const value = fc.oneof(
  fc.constantFrom(
    0,
    1,
    2,
    3,
    4,
    7,
    8,
    15,
    16,
    0x7f,
    0x80,
    0xff,
    0x7fff,
    0x8000,
    0xffff,
    0x7fffffff,
    0x80000000,
    0xffffffff,
  ),
  fc.nat(64),
  fc.nat(0xffff),
);
/** Relative to what is there: one more and one less are what counts. */
const change = fc.oneof(
  value.map((to) => ({ to })),
  fc.constantFrom(-8, -4, -1, 1, 4, 8, 28).map((by) => ({ by })),
);

for (const target of TARGETS) {
  const fields = fieldsOf(target);
  if (fields === undefined) continue;
  test(`${target.name}: lengths, counts, types and flags that lie`, async () => {
    const broken = fc.record({
      base: fc.constantFrom(...target.seeds.filter(({ length }) => length <= 400)),
      changes: fc.array(fc.tuple(fc.constantFrom(...fields), change, fc.boolean()), { minLength: 1, maxLength: 4 }),
      cut: fc.option(fc.nat(400), { nil: undefined }),
      more: fc.uint8Array({ maxLength: 40 }),
      repairedFirst: fc.boolean(),
      repairedLast: fc.boolean(),
      seed: fc.nat(1_000),
    });
    await fc.assert(
      fc.asyncProperty(broken, async ({ base, changes, cut, more, repairedFirst, repairedLast, seed }) => {
        const random = new Random(seed);
        const repaired = (bytes: Uint8Array) => target.repairs.reduce((input, repair) => repair(input, random), bytes);
        let input = joined(base.slice(0, cut), more);
        if (repairedFirst) input = joined(repaired(input));
        for (const [field, to, isLittle] of changes) setField(input, field, to, isLittle);
        if (repairedLast) input = joined(repaired(input));
        const trial = await attempt(target, input);
        assert.ok(
          trial.ok,
          trial.ok ? '' : `${trial.oracle}: ${trial.message}\n--target ${target.name} --input ${hexOf(input)}`,
        );
      }),
      { seed: SEED, numRuns: 150 },
    );
  });
}
after(async () => {
  for (const target of TARGETS) await target.close?.();
});

function setField(
  bytes: Uint8Array,
  [at, size]: Field,
  to: { readonly to: number } | { readonly by: number },
  isLittle: boolean,
): void {
  if (at + size > bytes.length) return;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const old = size === 1 ? view.getUint8(at) : size === 2 ? view.getUint16(at, isLittle) : view.getUint32(at, isLittle);
  const number = 'to' in to ? to.to : old + to.by;
  if (size === 1) view.setUint8(at, number);
  else if (size === 2) view.setUint16(at, number, isLittle);
  else view.setUint32(at, number, isLittle);
}
