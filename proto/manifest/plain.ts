/**
 * Messages to plain objects for YAML and JSON: fields in the order of the .proto file, enums in lower case without
 * prefix, durations "1.5s", times in ISO 8601, bytes in base64. What the reader reads back.
 */
import { Buffer } from 'node:buffer';
import type { Resource } from '../gen/baton/v1/resources.js';
import { type DurationMessage, durationToMicros, formatDuration } from '../rules/duration.js';
import { kindOf } from '../rules/names.js';
import { API_VERSION, LIST_KIND } from './manifest.js';
import { type DescField, type DescMessage, DURATION, messageDescriptor, shortEnumName, TIMESTAMP } from './schema.js';

export type PlainValue = string | number | boolean | null | readonly PlainValue[] | PlainObject;
export interface PlainObject {
  readonly [name: string]: PlainValue;
}

/** A resource as its file has it: apiVersion, kind, metadata, spec; only what is set. */
export function toPlain(resource: Resource): PlainObject {
  const metadata = resource.metadata === undefined ? {} : writeMessage('baton.v1.Metadata', resource.metadata, 'set');
  const specType = messageDescriptor('baton.v1.Resource').field[resource.spec?.$case ?? '']?.message?.typeName;
  const spec =
    resource.spec === undefined || specType === undefined ? {} : writeMessage(specType, resource.spec.value, 'set');
  return { apiVersion: API_VERSION, kind: kindOf(resource), metadata, spec };
}

/** Several resources as one object, which the reader takes apart again. */
export function toPlainList(resources: readonly Resource[]): PlainObject {
  return { apiVersion: API_VERSION, kind: LIST_KIND, items: resources.map(toPlain) };
}

/**
 * Any message, for machines: every field is there, also with its zero value, except absent messages, absent optional
 * fields and unset oneofs.
 * @param typeName Such as "baton.v1.ClusterStatus"; the message must be of that type.
 */
export function messageToPlain(typeName: string, message: object): PlainObject {
  return writeMessage(typeName, message, 'all');
}

/** Which fields are written: those that differ from their zero value, or all. */
type Extent = 'set' | 'all';

function writeMessage(typeName: string, message: object, extent: Extent): PlainObject {
  return writeFields(messageDescriptor(typeName), message, extent);
}

function writeFields(descriptor: DescMessage, message: object, extent: Extent): PlainObject {
  // The caller vouches that the message is of that type; its fields are looked up by the descriptor's names.
  const values = message as Readonly<Record<string, unknown>>;
  const written: [string, PlainValue][] = [];
  for (const member of descriptor.members) {
    const value = values[member.localName];
    if (member.kind === 'oneof') {
      const chosen = value as { readonly $case: string; readonly value: unknown } | undefined;
      const field = member.fields.find(({ localName }) => localName === chosen?.$case);
      if (field !== undefined && chosen !== undefined) {
        written.push([field.jsonName, writeSingle(field, chosen.value, extent)]);
      }
    } else if (value !== undefined && value !== null && (extent === 'all' || isSet(member, value))) {
      written.push([member.jsonName, writeField(member, value, extent)]);
    }
  }
  return Object.fromEntries(written);
}

function isSet(field: DescField, value: unknown): boolean {
  switch (field.fieldKind) {
    case 'list':
      return (value as readonly unknown[]).length > 0;
    case 'map':
      return Object.keys(value as object).length > 0;
    case 'message':
      return true;
    case 'enum':
      return field.proto.proto3Optional || value !== field.enum.values[0]?.name;
    case 'scalar':
      return field.proto.proto3Optional || !(value === 0 || value === '' || value === false || isEmptyBytes(value));
  }
}

function isEmptyBytes(value: unknown): boolean {
  return value instanceof Uint8Array && value.length === 0;
}

function writeField(field: DescField, value: unknown, extent: Extent): PlainValue {
  switch (field.fieldKind) {
    case 'list':
      return (value as readonly unknown[]).map((item) => writeSingle(field, item, extent));
    case 'map':
      return Object.fromEntries(
        Object.entries(value as object).map(([key, item]) => [key, writeSingle(field, item, extent)]),
      );
    default:
      return writeSingle(field, value, extent);
  }
}

function writeSingle(field: DescField, value: unknown, extent: Extent): PlainValue {
  if (field.enum !== undefined) {
    return shortEnumName(field.enum, String(value));
  }
  if (field.message !== undefined) {
    switch (field.message.typeName) {
      case DURATION:
        return writeDuration(value as DurationMessage);
      case TIMESTAMP:
        return writeTime(value as Date);
      default:
        return writeFields(field.message, value as object, extent);
    }
  }
  if (value instanceof Uint8Array) {
    return Buffer.from(value).toString('base64');
  }
  // What is left is a string, a number or a boolean.
  return value as string | number | boolean;
}

function writeDuration(duration: DurationMessage): string {
  const micros = durationToMicros(duration);
  return micros < 0 ? `-${formatDuration(-micros)}` : formatDuration(micros);
}

/** A status from the network may carry a time that no calendar has. */
function writeTime(time: Date): string {
  return Number.isNaN(time.getTime()) ? '' : time.toISOString();
}
