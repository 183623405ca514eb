/** Random messages of any type, made from the descriptors: a field added to a .proto file is covered from then on. */
import { Buffer } from 'node:buffer';
import { ScalarType } from '@bufbuild/protobuf';
import fc from 'fast-check';
import {
  type DescField,
  type DescMessage,
  DURATION,
  isOutputOnly,
  messageDescriptor,
  TIMESTAMP,
} from '../../proto/manifest/schema.js';
import { microsToDuration } from '../../proto/rules/duration.js';

type Fields = Record<string, unknown>;

/** Text that YAML would take for something else, or that hides. */
const TRICKY = [
  ...[
    '',
    ' ',
    '~',
    'null',
    'true',
    'no',
    '0777',
    '1e3',
    '0x1F',
    '12',
    '.5',
    '-',
    '- a',
    '? a',
    ': ',
    'a: b',
    'a #b',
    '#',
  ],
  ...[
    '%YAML',
    '---',
    '...',
    '--- a',
    '*a',
    '&a',
    '!a',
    '!!str x',
    '{',
    '[',
    '}',
    ',',
    '|',
    '>',
    '@',
    '`',
    '<<',
    "'",
    '"',
  ],
  ...[
    'a\nb',
    'a\n',
    '\na',
    'a\r\nb',
    ' lead',
    'trail ',
    '\t',
    '\u0000',
    '\u0007',
    '\u007f',
    '\u0085',
    '\u2028',
    '\ufeff',
  ],
  ...[
    '\ud800',
    '\u202e',
    '全局定义',
    '👍🏽',
    'constructor',
    '2026-01-31',
    "it's",
    'a\\b',
    'a\n\n  b\n',
    '\\n',
    'x'.repeat(300),
  ],
];

export const arbitraryText = fc.oneof(
  fc.constantFrom(...TRICKY),
  fc.string({ maxLength: 20, unit: 'binary' }),
  fc.string(),
);

/** The fields of a message as the generated code's fromPartial takes them. */
export function arbitraryMessage(typeName: string, withOutputOnly = false): fc.Arbitrary<Fields> {
  return arbitraryFields(messageDescriptor(typeName), withOutputOnly);
}

function arbitraryFields(descriptor: DescMessage, withOutputOnly: boolean): fc.Arbitrary<Fields> {
  const parts = descriptor.members.flatMap((member): (readonly [string, fc.Arbitrary<unknown>])[] => {
    if (member.kind === 'oneof') {
      const cases = member.fields.map((field) =>
        arbitrarySingle(field, withOutputOnly).map((value) => ({ $case: field.localName, value })),
      );
      return [[member.localName, fc.option(fc.oneof(...cases), { nil: undefined })]];
    }
    return isOutputOnly(member) && !withOutputOnly ? [] : [[member.localName, arbitraryField(member, withOutputOnly)]];
  });
  return fc.record(Object.fromEntries(parts));
}

function arbitraryField(field: DescField, withOutputOnly: boolean): fc.Arbitrary<unknown> {
  const single = arbitrarySingle(field, withOutputOnly);
  switch (field.fieldKind) {
    case 'list':
      return fc.array(single, { maxLength: 3 });
    case 'map':
      return fc.dictionary(
        arbitraryText.filter((key) => key !== '__proto__'),
        single,
        { maxKeys: 3, noNullPrototype: true },
      );
    case 'message':
      return fc.option(single, { nil: undefined });
    default:
      return field.proto.proto3Optional ? fc.option(single, { nil: undefined }) : single;
  }
}

function arbitrarySingle(field: DescField, withOutputOnly: boolean): fc.Arbitrary<unknown> {
  if (field.enum !== undefined) {
    return fc.constantFrom(...field.enum.values.map(({ name }) => name));
  }
  if (field.message !== undefined) {
    switch (field.message.typeName) {
      case DURATION:
        return fc
          .oneof(
            fc.nat(5_000_000),
            fc.nat(3_600_000).map((ms) => ms * 1_000),
            fc.nat(2 ** 31),
          )
          .map(microsToDuration);
      case TIMESTAMP:
        return fc.date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true });
      default:
        return arbitraryFields(field.message, withOutputOnly);
    }
  }
  return arbitraryScalar(field.scalar ?? ScalarType.STRING);
}

function arbitraryScalar(type: ScalarType): fc.Arbitrary<unknown> {
  switch (type) {
    case ScalarType.STRING:
      return arbitraryText;
    case ScalarType.BOOL:
      return fc.boolean();
    case ScalarType.BYTES:
      return fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes));
    case ScalarType.UINT32:
      return fc.oneof(
        fc.nat(300),
        fc.nat({ max: 2 ** 31 - 1 }).map((half) => half * 2 + 1),
      );
    case ScalarType.INT32:
      return fc.integer();
    case ScalarType.UINT64:
      return fc.oneof(fc.nat(), fc.constant(Number.MAX_SAFE_INTEGER));
    default:
      throw new TypeError(`no arbitrary for scalar type ${type}; add one`);
  }
}
