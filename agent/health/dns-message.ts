/**
 * DNS messages as far as a check needs them (RFC 1035 section 4): one question out, the answer section in. Total for
 * whatever bytes come: every read is bounded, a compressed name may only lead backwards, records are counted.
 */
import { formatIp } from '../../proto/rules/ip.js';
import type { DnsType } from './check-settings.js';

const TYPES: Readonly<Record<DnsType, number>> = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
};
const CLASS_IN = 1;
const HEADER = 12;
const MAX_RECORDS = 512;
/** RFC 1035 section 2.3.4, with the dots. */
const MAX_NAME = 255;

const CODES: readonly string[] = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'];

export interface DnsQuestion {
  /** 0 to 65535. */
  readonly id: number;
  readonly name: string;
  readonly type: DnsType;
}

/** One record of the asked type. */
export interface DnsAnswer {
  /** As people write it: "192.0.2.1", "10 mail.example.com". */
  readonly text: string;
  /** What an expectation may say instead of the whole: the host of an MX or SRV, the first server of an SOA. */
  readonly name?: string;
}

export type DnsResponse =
  /** Not the response to this question: another's, or forged. */
  | { readonly kind: 'other' }
  | { readonly kind: 'malformed'; readonly reason: string }
  | {
      readonly kind: 'response';
      /** "NOERROR", "SERVFAIL" ... or "code 23". */
      readonly code: string;
      readonly truncated: boolean;
      readonly answers: readonly DnsAnswer[];
    };

/** The bytes of a query that asks for recursion; undefined when the name cannot be asked for. */
export function encodeQuery({ id, name, type }: DnsQuestion): Uint8Array | undefined {
  const labels = name === '.' || name === '' ? [] : name.replace(/\.$/, '').split('.');
  const encoded = labels.map((label) => Buffer.from(label, 'utf8'));
  if (encoded.some((label) => label.length === 0 || label.length > 63)) return undefined;
  const length = encoded.reduce((sum, label) => sum + label.length + 1, 1);
  if (length > MAX_NAME) return undefined;
  const query = Buffer.alloc(HEADER + length + 4);
  query.writeUInt16BE(id, 0);
  query.writeUInt16BE(0x0100, 2);
  query.writeUInt16BE(1, 4);
  let at = HEADER;
  for (const label of encoded) {
    query.writeUInt8(label.length, at);
    label.copy(query, at + 1);
    at += label.length + 1;
  }
  query.writeUInt16BE(TYPES[type], at + 1);
  query.writeUInt16BE(CLASS_IN, at + 3);
  return query;
}

/** Never throws. */
export function decodeResponse(bytes: Uint8Array, question: DnsQuestion): DnsResponse {
  const reader = new Reader(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
  try {
    return decode(reader, question);
  } catch (error) {
    if (error instanceof DnsFormatError) {
      return reader.isOurs ? { kind: 'malformed', reason: error.message } : { kind: 'other' };
    }
    throw error;
  }
}

/** Names compare without regard to case or the dot at the end. */
export function sameDnsText(left: string, right: string): boolean {
  return canonical(left) === canonical(right);
}

function canonical(text: string): string {
  return text.trim().toLowerCase().replace(/\.$/, '');
}

class DnsFormatError extends Error {
  override readonly name = 'DnsFormatError';
}

function decode(reader: Reader, question: DnsQuestion): DnsResponse {
  const id = reader.uint16();
  const flags = reader.uint16();
  const [questions, answers] = [reader.uint16(), reader.uint16()];
  reader.skip(4);
  if (id !== question.id || (flags & 0x8000) === 0) return { kind: 'other' };
  const code = CODES[flags & 0xf] ?? `code ${flags & 0xf}`;
  // A server that does not understand a query may leave the question out.
  if (questions === 0 && code !== 'NOERROR') return { kind: 'response', code, truncated: false, answers: [] };
  const name = questions === 1 ? reader.name() : undefined;
  if (name === undefined || !sameDnsText(name, question.name)) return { kind: 'other' };
  if (reader.uint16() !== TYPES[question.type] || reader.uint16() !== CLASS_IN) return { kind: 'other' };
  reader.isOurs = true;
  const truncated = (flags & 0x0200) !== 0;
  if (answers > MAX_RECORDS) throw new DnsFormatError(`${answers} records in one answer`);
  const found: DnsAnswer[] = [];
  for (let record = 0; record < answers; record += 1) {
    if (truncated && reader.isAtEnd) break;
    reader.name();
    const [type, recordClass] = [reader.uint16(), reader.uint16()];
    reader.skip(4);
    const end = reader.at + reader.uint16() + 2;
    if (end > reader.length) {
      if (truncated) break;
      throw new DnsFormatError('a record is longer than the message');
    }
    if (type === TYPES[question.type] && recordClass === CLASS_IN) found.push(answerOf(reader, question.type, end));
    reader.at = end;
  }
  return { kind: 'response', code, truncated, answers: found };
}

function answerOf(reader: Reader, type: DnsType, end: number): DnsAnswer {
  const length = end - reader.at;
  switch (type) {
    case 'A':
      if (length !== 4) throw new DnsFormatError(`an A record of ${length} bytes`);
      return { text: formatIp(reader.uint32()) };
    case 'AAAA': {
      if (length !== 16) throw new DnsFormatError(`an AAAA record of ${length} bytes`);
      let address = 0n;
      for (let word = 0; word < 4; word += 1) address = (address << 32n) | BigInt(reader.uint32());
      return { text: formatIp(address) };
    }
    case 'CNAME':
    case 'NS':
    case 'PTR':
      return { text: reader.name() };
    case 'MX': {
      const preference = reader.uint16();
      const name = reader.name();
      return { text: `${preference} ${name}`, name };
    }
    case 'SRV': {
      const numbers = [reader.uint16(), reader.uint16(), reader.uint16()];
      const name = reader.name();
      return { text: `${numbers.join(' ')} ${name}`, name };
    }
    case 'SOA': {
      const name = reader.name();
      const mailbox = reader.name();
      const numbers = [reader.uint32(), reader.uint32(), reader.uint32(), reader.uint32(), reader.uint32()];
      return { text: `${name} ${mailbox} ${numbers.join(' ')}`, name };
    }
    case 'TXT': {
      let text = '';
      while (reader.at < end) text += reader.string();
      return { text };
    }
  }
}

class Reader {
  /** Whether the question was ours: what is wrong afterwards is the server's doing. */
  isOurs = false;
  at = 0;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get length(): number {
    return this.#bytes.length;
  }

  get isAtEnd(): boolean {
    return this.at >= this.#bytes.length;
  }

  skip(count: number): void {
    this.#need(count);
    this.at += count;
  }

  uint16(): number {
    this.#need(2);
    this.at += 2;
    return this.#bytes.readUInt16BE(this.at - 2);
  }

  uint32(): number {
    this.#need(4);
    this.at += 4;
    return this.#bytes.readUInt32BE(this.at - 4);
  }

  /** RFC 1035 section 3.3: a length and so many bytes. */
  string(): string {
    this.#need(1);
    const length = this.#bytes.readUInt8(this.at);
    this.skip(1 + length);
    return this.#bytes.toString('utf8', this.at - length, this.at);
  }

  /** RFC 1035 section 4.1.4. Without the dot at the end; the root is ".". */
  name(): string {
    const labels: string[] = [];
    let length = 0;
    let at = this.at;
    let after: number | undefined;
    for (;;) {
      const size = this.#bytes[at];
      if (size === undefined) throw new DnsFormatError('a name is longer than the message');
      if (size === 0) break;
      if (size >= 0xc0) {
        const low = this.#bytes[at + 1];
        if (low === undefined) throw new DnsFormatError('a name is longer than the message');
        const target = ((size & 0x3f) << 8) | low;
        // Only ever backwards: so it ends.
        if (target >= at) throw new DnsFormatError('a compressed name leads forwards');
        after ??= at + 2;
        at = target;
        // The bytes before a pointer's target can lead to the pointer again; the length bounds how often.
        length += 1;
      } else if (size > 63) throw new DnsFormatError('a label of an unknown kind');
      else {
        if (at + 1 + size > this.#bytes.length) throw new DnsFormatError('a name is longer than the message');
        labels.push(this.#bytes.toString('utf8', at + 1, at + 1 + size));
        length += size + 1;
        at += size + 1;
      }
      if (length > MAX_NAME) throw new DnsFormatError(`a name of more than ${MAX_NAME} bytes`);
    }
    this.at = after ?? at + 1;
    return labels.length === 0 ? '.' : labels.join('.');
  }

  #need(count: number): void {
    if (this.at + count > this.#bytes.length) throw new DnsFormatError('it is cut short');
  }
}
