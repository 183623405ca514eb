/** Resources as YAML that people like to read and the reader reads back to the same messages. */
import { Document, isMap, isScalar, isSeq, Scalar, visit } from 'yaml';
import type { Resource } from '../gen/baton/v1/resources.js';
import { type PlainObject, type PlainValue, toPlain } from './plain.js';

/** Short lists and mappings of plain values are written on one line up to this width. */
const MAX_FLOW = 100;

/** One document per resource, in the order given, separated by "---". */
export function renderManifest(resources: readonly Resource[]): string {
  return resources.map((resource) => renderYaml(shorten(toPlain(resource)))).join('---\n');
}

/** Any plain object as one YAML document. */
export function renderYaml(plain: PlainObject): string {
  const document = new Document(plain, { version: '1.2' });
  visit(document, {
    Scalar: (_key, node) => {
      // Characters that an editor or a terminal would hide are written as escapes.
      if (typeof node.value === 'string' && /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(node.value.replaceAll('\n', ''))) {
        node.type = Scalar.QUOTE_DOUBLE;
      }
    },
    Collection: (_key, node, path) => {
      const inner = path.length > 1;
      if (inner && node.items.length > 0 && isFlat(node) && JSON.stringify(node).length <= MAX_FLOW) {
        node.flow = true;
      }
    },
  });
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}

function isFlat(node: unknown): boolean {
  const isShort = (item: unknown): boolean => isScalar(item) && !String(item.value).includes('\n');
  if (isSeq(node)) {
    return node.items.every(isShort);
  }
  return isMap(node) && node.items.every(({ value }) => isShort(value) || (isSeq(value) && value.items.every(isShort)));
}

/** Addresses and hooks in their short form. */
function shorten(resource: PlainObject): PlainObject {
  const spec = resource['spec'];
  if (resource['kind'] !== 'VirtualRouter' || !isObject(spec)) {
    return resource;
  }
  const { addresses, hooks, members } = spec;
  return {
    ...resource,
    spec: {
      ...spec,
      ...(Array.isArray(addresses) ? { addresses: addresses.map(shortAddress) } : {}),
      ...(Array.isArray(members) ? { members: members.map(shortMember) } : {}),
      ...(isObject(hooks) ? { hooks: shortHooks(hooks) } : {}),
    },
  };
}

function shortAddress(address: PlainValue): PlainValue {
  const only = isObject(address) && Object.keys(address).length === 1 ? address['address'] : undefined;
  return typeof only === 'string' ? only : address;
}

function shortMember(member: PlainValue): PlainValue {
  if (!isObject(member)) {
    return member;
  }
  const { hooks } = member;
  return isObject(hooks) ? { ...member, hooks: shortHooks(hooks) } : member;
}

function shortHooks(hooks: PlainObject): PlainObject {
  return Object.fromEntries(
    Object.entries(hooks).map(([name, hook]) => {
      const words = isObject(hook) && Object.keys(hook).length === 1 ? hook['command'] : undefined;
      if (!Array.isArray(words)) {
        return [name, hook];
      }
      const [program] = words;
      // One word of a path needs no quotes; with arguments the list shows where each begins.
      return [
        name,
        words.length === 1 && typeof program === 'string' && /^[\w./+@:-]+$/.test(program) ? program : words,
      ];
    }),
  );
}

function isObject(value: PlainValue | undefined): value is PlainObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
