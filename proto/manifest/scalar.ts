/** The text of a scalar as the type of its field wants it. */
import { ScalarType } from '@bufbuild/protobuf';
import { suggestion } from '../rules/nearest-name.js';
import { type DescEnum, shortEnumName } from './schema.js';

export type Read<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly reason: string };

/** Strings are taken as they stand, quoted or not; numbers are plain decimal; booleans are true and false. */
export function readScalar(type: ScalarType, text: string): Read<string | number | boolean | Buffer> {
  switch (type) {
    case ScalarType.STRING:
      return { ok: true, value: text };
    case ScalarType.BOOL:
      return readBoolean(text);
    case ScalarType.BYTES:
      return readBytes(text);
    case ScalarType.INT32:
    case ScalarType.SINT32:
    case ScalarType.SFIXED32:
      return readInteger(text, -(2 ** 31), 2 ** 31 - 1);
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return readInteger(text, 0, 2 ** 32 - 1);
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return readInteger(text, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return readInteger(text, 0, Number.MAX_SAFE_INTEGER);
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return readDecimal(text);
  }
}

function readBoolean(text: string): Read<boolean> {
  if (text === 'true' || text === 'false') {
    return { ok: true, value: text === 'true' };
  }
  return { ok: false, reason: `${quote(text)} is not true or false` };
}

function readInteger(text: string, min: number, max: number): Read<number> {
  if (!/^-?\d+$/.test(text)) {
    return { ok: false, reason: `${quote(text)} is not a whole number; write it in plain decimal digits` };
  }
  if (/^-?0\d/.test(text)) {
    return { ok: false, reason: `${quote(text)} begins with 0; write it in plain decimal digits without it` };
  }
  const value = Number(text);
  if (value < min || value > max) {
    return { ok: false, reason: `${quote(text)} is out of range, ${min} to ${max}` };
  }
  return { ok: true, value: value === 0 ? 0 : value };
}

function readDecimal(text: string): Read<number> {
  return /^-?\d+(\.\d+)?$/.test(text)
    ? { ok: true, value: Number(text) }
    : { ok: false, reason: `${quote(text)} is not a number` };
}

function readBytes(text: string): Read<Buffer> {
  const value = Buffer.from(text, 'base64');
  return value.toString('base64') === text ? { ok: true, value } : { ok: false, reason: 'it is not base64' };
}

/** The generated code's name of the value ("TRANSPORT_MULTICAST") for "multicast" in any case, or for the whole name. */
export function readEnum(descriptor: DescEnum, text: string): Read<string> {
  const names = descriptor.values.filter((value) => value.number !== 0);
  const wanted = text.toLowerCase();
  for (const { name } of names) {
    if (wanted === name.toLowerCase() || wanted === shortEnumName(descriptor, name)) {
      return { ok: true, value: name };
    }
  }
  const known = names.map(({ name }) => shortEnumName(descriptor, name));
  return { ok: false, reason: `${quote(text)} is not one of ${known.join(', ')}${suggestion(text, known)}` };
}

/** A quotation of what was written, short enough for a message. */
function quote(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}
