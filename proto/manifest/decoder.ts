/**
 * Syntax trees to messages, as the descriptors say. Every field has a value in the result, just as the generated
 * code's fromPartial would give it. All problems are found, not only the first.
 */
import { Buffer } from 'node:buffer';
import { ScalarType } from '@bufbuild/protobuf';
import { microsToDuration, parseDuration } from '../rules/duration.js';
import { suggestion } from '../rules/nearest-name.js';
import { splitCommandLine } from './command-line.js';
import { joinPath, type Tree } from './document-reader.js';
import { readEnum, readScalar } from './scalar.js';
import {
  ADDRESS,
  COMMAND,
  COMMAND_LINES,
  type DescField,
  type DescMessage,
  DURATION,
  fieldNamed,
  isOutputOnly,
  TIMESTAMP,
} from './schema.js';
import type { ProblemList } from './source-text.js';

/** A message under construction, field by field as the generated code names them. */
export type DecodedMessage = Record<string, unknown>;

/** What a tree had to be and was not. The problem is reported already; whatever comes of it is thrown away. */
const REFUSED = Symbol('refused');
type Decoded = unknown | typeof REFUSED;

export class Decoder {
  readonly #problems: ProblemList;
  readonly #offsets: Map<string, number>;

  /** @param offsets Receives the place of everything that is read, by path. */
  constructor(problems: ProblemList, offsets: Map<string, number>) {
    this.#problems = problems;
    this.#offsets = offsets;
  }

  /** Undefined if the tree as a whole cannot be such a message; the reason is among the problems. */
  message(descriptor: DescMessage, tree: Tree, path: string): DecodedMessage | undefined {
    const decoded = this.#message(descriptor, tree, path);
    // Only well-known types decode to something that is no record, and nobody asks for one at the root.
    return decoded === REFUSED ? undefined : (decoded as DecodedMessage);
  }

  #refuse(offset: number, path: string, message: string): typeof REFUSED {
    this.#problems.add(offset, path, message);
    return REFUSED;
  }

  #message(descriptor: DescMessage, tree: Tree, path: string): Decoded {
    switch (descriptor.typeName) {
      case DURATION:
        return this.#duration(tree, path);
      case TIMESTAMP:
        return this.#timestamp(tree, path);
      case ADDRESS:
        if (tree.kind === 'text') {
          return { ...emptyMessage(descriptor), address: tree.text };
        }
        break;
      case COMMAND:
        if (tree.kind === 'text' || tree.kind === 'list') {
          const command = this.#list(fieldOf(descriptor, 'command'), tree, path);
          return command === REFUSED ? REFUSED : { ...emptyMessage(descriptor), command };
        }
        break;
    }
    if (tree.kind !== 'mapping') {
      return this.#wrongKind(tree, path, 'a mapping with fields');
    }
    const message = emptyMessage(descriptor);
    for (const { key, keyOffset, value } of tree.entries) {
      const fieldPath = joinPath(path, key);
      const field = fieldNamed(descriptor, key);
      if (field === undefined) {
        this.#refuse(keyOffset, fieldPath, unknownField(descriptor, key));
        continue;
      }
      this.#offsets.set(fieldPath, value.offset);
      if (isOutputOnly(field)) {
        continue;
      }
      const decoded = this.#field(field, value, fieldPath);
      if (decoded === REFUSED) {
        continue;
      }
      if ('oneof' in field && field.oneof !== undefined) {
        const present = message[field.oneof.localName] as { readonly $case: string } | undefined;
        if (present !== undefined) {
          this.#refuse(keyOffset, fieldPath, `only one of "${present.$case}" and "${field.localName}" can be given`);
          continue;
        }
        message[field.oneof.localName] = { $case: field.localName, value: decoded };
      } else {
        message[field.localName] = decoded;
      }
    }
    return message;
  }

  #field(field: DescField, tree: Tree, path: string): Decoded {
    if (tree.kind === 'empty') {
      const empty = tree.text === '' ? 'no value' : `${tree.text}, which is no value`;
      return this.#refuse(tree.offset, path, `has ${empty}; give one or remove the field`);
    }
    switch (field.fieldKind) {
      case 'list':
        return this.#list(field, tree, path);
      case 'map':
        return this.#map(field, tree, path);
      default:
        return this.#single(field, tree, path);
    }
  }

  /** One value: a field that is neither list nor map, or one element of either. */
  #single(field: DescField, tree: Tree, path: string): Decoded {
    if (field.message !== undefined) {
      return tree.kind === 'empty' ? this.#wrongKind(tree, path, 'a value') : this.#message(field.message, tree, path);
    }
    if (tree.kind !== 'text') {
      return this.#wrongKind(tree, path, field.enum === undefined ? scalarWord(field.scalar) : 'a word');
    }
    const read =
      field.enum === undefined
        ? readScalar(field.scalar ?? ScalarType.STRING, tree.text)
        : readEnum(field.enum, tree.text);
    return read.ok ? read.value : this.#refuse(tree.offset, path, read.reason);
  }

  #list(field: DescField, tree: Tree, path: string): Decoded {
    if (tree.kind === 'text' && COMMAND_LINES.has(`${field.parent.typeName}.${field.name}`)) {
      const split = splitCommandLine(tree.text);
      return split.ok ? split.words : this.#refuse(tree.offset, path, `cannot be split into words: ${split.reason}`);
    }
    if (tree.kind !== 'list') {
      return this.#wrongKind(tree, path, 'a list');
    }
    const elements: unknown[] = [];
    for (const [index, item] of tree.items.entries()) {
      const itemPath = `${path}[${index}]`;
      this.#offsets.set(itemPath, item.offset);
      const decoded = this.#single(field, item, itemPath);
      if (decoded !== REFUSED) {
        elements.push(decoded);
      }
    }
    return elements;
  }

  #map(field: DescField, tree: Tree, path: string): Decoded {
    if (tree.kind !== 'mapping') {
      return this.#wrongKind(tree, path, 'a mapping');
    }
    const pairs: [string, unknown][] = [];
    for (const { key, keyOffset, value } of tree.entries) {
      const entryPath = joinPath(path, key);
      this.#offsets.set(entryPath, value.offset);
      if (key === '__proto__') {
        this.#refuse(keyOffset, entryPath, 'the name "__proto__" cannot be used');
        continue;
      }
      const decoded = this.#single(field, value, entryPath);
      if (decoded !== REFUSED) {
        pairs.push([key, decoded]);
      }
    }
    return Object.fromEntries(pairs);
  }

  #duration(tree: Tree, path: string): Decoded {
    if (tree.kind !== 'text') {
      return this.#wrongKind(tree, path, 'a duration such as "1s"');
    }
    const parsed = parseDuration(tree.text);
    return parsed.ok ? microsToDuration(parsed.micros) : this.#refuse(tree.offset, path, parsed.reason);
  }

  #timestamp(tree: Tree, path: string): Decoded {
    if (tree.kind !== 'text') {
      return this.#wrongKind(tree, path, 'a time such as "2026-01-31T12:00:00Z"');
    }
    const millis = ISO_TIME.test(tree.text) ? Date.parse(tree.text) : Number.NaN;
    return Number.isNaN(millis)
      ? this.#refuse(tree.offset, path, 'is not a time; write it like "2026-01-31T12:00:00Z"')
      : new Date(millis);
  }

  #wrongKind(tree: Tree, path: string, wanted: string): typeof REFUSED {
    if (tree.kind === 'refused') {
      return REFUSED;
    }
    const found = { text: 'a single value', empty: 'nothing', list: 'a list', mapping: 'a mapping' }[tree.kind];
    return this.#refuse(tree.offset, path, `must be ${wanted}, but is ${found}`);
  }
}

const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;

function fieldOf(descriptor: DescMessage, name: string): DescField {
  const field = fieldNamed(descriptor, name);
  if (field === undefined) {
    throw new TypeError(`${descriptor.typeName} has no field ${name}`);
  }
  return field;
}

/** A message with nothing set, as the generated code makes it. */
function emptyMessage(descriptor: DescMessage): DecodedMessage {
  return Object.fromEntries(
    descriptor.members.map((member): [string, unknown] => {
      if (member.kind === 'oneof') {
        return [member.localName, undefined];
      }
      return [member.localName, defaultOf(member)];
    }),
  );
}

function defaultOf(field: DescField): unknown {
  switch (field.fieldKind) {
    case 'list':
      return [];
    case 'map':
      return {};
    case 'message':
      return undefined;
    case 'enum':
      return field.proto.proto3Optional ? undefined : field.enum.values[0]?.name;
    case 'scalar':
      return field.proto.proto3Optional ? undefined : zeroOf(field.scalar);
  }
}

function zeroOf(type: ScalarType): unknown {
  switch (type) {
    case ScalarType.STRING:
      return '';
    case ScalarType.BOOL:
      return false;
    case ScalarType.BYTES:
      return Buffer.alloc(0);
    default:
      return 0;
  }
}

function scalarWord(type: ScalarType | undefined): string {
  switch (type) {
    case ScalarType.STRING:
      return 'text';
    case ScalarType.BOOL:
      return 'true or false';
    case ScalarType.BYTES:
      return 'base64 text';
    default:
      return 'a number';
  }
}

function unknownField(descriptor: DescMessage, key: string): string {
  const names = descriptor.fields.filter((field) => !isOutputOnly(field)).map((field) => field.jsonName);
  if (key === '<<') {
    return 'merge keys (<<) are not supported; write the fields out';
  }
  const nearest = suggestion(key, names);
  const known =
    nearest === '' ? (names.length === 0 ? '; none is known here' : `; known here: ${names.join(', ')}`) : nearest;
  return `unknown field ${JSON.stringify(key.slice(0, 80))}${known}`;
}
