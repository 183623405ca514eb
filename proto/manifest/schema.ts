/** The descriptors of every message, from the .proto files: what the reader and the writer go by. */
import { Buffer } from 'node:buffer';
import {
  createFileRegistry,
  type DescEnum,
  type DescField,
  type DescMessage,
  type FileRegistry,
  fromBinary,
} from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { descriptorSet } from '../gen/descriptor.js';

export type { DescEnum, DescField, DescMessage };

let loaded: FileRegistry | undefined;

/** Decoded at first use, as starting an agent must not pay for it; the same for the life of the process. */
function registry(): FileRegistry {
  loaded ??= createFileRegistry(fromBinary(FileDescriptorSetSchema, Buffer.from(descriptorSet, 'base64')));
  return loaded;
}

/** @param typeName Such as "baton.v1.Resource". Throws for a name that no .proto file declares. */
export function messageDescriptor(typeName: string): DescMessage {
  const descriptor = registry().getMessage(typeName);
  if (descriptor === undefined) {
    throw new TypeError(`no message is called ${typeName}`);
  }
  return descriptor;
}

/** The field that YAML calls so. */
export function fieldNamed(descriptor: DescMessage, name: string): DescField | undefined {
  return descriptor.fields.find((field) => field.jsonName === name);
}

/** Fields that the controller sets; given back to it, as by "get -o yaml" and "apply", they are left out of account. */
export const OUTPUT_ONLY: ReadonlySet<string> = new Set([
  'baton.v1.Metadata.generation',
  'baton.v1.Metadata.created_at',
  'baton.v1.Metadata.updated_at',
  'baton.v1.NodeSpec.id',
]);

export function isOutputOnly(field: DescField): boolean {
  return OUTPUT_ONLY.has(`${field.parent.typeName}.${field.name}`);
}

/** "multicast" for TRANSPORT_MULTICAST of Transport. */
export function shortEnumName(descriptor: DescEnum, protoName: string): string {
  const prefix = `${descriptor.name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase()}_`;
  return (protoName.startsWith(prefix) ? protoName.slice(prefix.length) : protoName).toLowerCase();
}

/** The messages that generated code has no class of its own for. */
export const DURATION = 'google.protobuf.Duration';
export const TIMESTAMP = 'google.protobuf.Timestamp';
/** Where plain text stands for the whole message. */
export const ADDRESS = 'baton.v1.Address';
export const COMMAND = 'baton.v1.Command';
/** Lists of words that may be written as one line. */
export const COMMAND_LINES: ReadonlySet<string> = new Set(['baton.v1.Command.command', 'baton.v1.ExecCheck.command']);
