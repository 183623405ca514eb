/**
 * nftables messages (linux/netfilter/nf_tables.h, nfnetlink.h): tables, chains, rules, sets and their elements, in batches
 * that the kernel carries out whole or not at all. Numbers within attributes are in network order. Pure.
 */
import {
  type NetlinkWriter,
  NLM_F_ACK,
  NLM_F_APPEND,
  NLM_F_CREATE,
  NLM_F_REQUEST,
  textBytes,
} from './netlink-message.js';

const BATCH_BEGIN = 0x10;
const BATCH_END = 0x11;
const SUBSYSTEM = 10;
const NEWTABLE = 0;
const DELTABLE = 2;
const NEWCHAIN = 3;
const NEWRULE = 6;
const NEWSET = 9;
const NEWSETELEM = 12;
const DELSETELEM = 14;

const AF_UNSPEC = 0;
const NFPROTO_INET = 1;
export const NFPROTO_IPV4 = 2;
export const NFPROTO_IPV6 = 10;
const HEADER_LENGTH = 4;

const TABLE_NAME = 1;
const TABLE_FLAGS = 2;
const TABLE_OWNER = 2;
const CHAIN_TABLE = 1;
const CHAIN_NAME = 3;
const CHAIN_HOOK = 4;
const CHAIN_POLICY = 5;
const CHAIN_TYPE = 7;
const HOOK_NUMBER = 1;
const HOOK_PRIORITY = 2;
const RULE_TABLE = 1;
const RULE_CHAIN = 2;
const RULE_EXPRESSIONS = 4;
const LIST_ELEMENT = 1;
const EXPRESSION_NAME = 1;
const EXPRESSION_DATA = 2;
const SET_TABLE = 1;
const SET_NAME = 2;
const SET_FLAGS = 3;
const SET_KEY_TYPE = 4;
const SET_KEY_LENGTH = 5;
const SET_ID = 10;
const SET_USERDATA = 13;
const ELEMENTS_TABLE = 1;
const ELEMENTS_SET = 2;
const ELEMENTS_LIST = 3;
const ELEMENT_KEY = 1;
const DATA_VALUE = 1;
const DATA_VERDICT = 2;
const VERDICT_CODE = 1;

const NF_ACCEPT = 1;
const NF_DROP = 0;
export const HOOK_INPUT = 1;
export const HOOK_OUTPUT = 3;

/** Registers: the verdict's, two of 16 bytes. */
const VERDICT = 0;
export const REGISTER_1 = 1;
export const REGISTER_2 = 2;

/** nft(8)'s numbers of the types that a set's key is made of: the kernel only keeps them, for listings. */
export const KEY_IPV4 = 7;
export const KEY_IPV6 = 8;
export const KEY_INTERFACE = 20;
/** Two parts in one. */
export const keyPair = (first: number, second: number): number => (first << 6) | second;

/** A part of a rule: what it is to the kernel, and how its attributes are written. */
export interface Expression {
  readonly name: string;
  readonly write: (writer: NetlinkWriter) => void;
}

export interface SetDefinition {
  readonly name: string;
  readonly keyType: number;
  /** Bytes. */
  readonly keyLength: number;
  /** Of the key's bytes: for listings. */
  readonly byteOrder: 'host' | 'network';
}

/** One transaction within a datagram: begin, messages, end. Only the last message asks for an acknowledgement. */
export class NftablesBatch {
  #count = 0;

  /** `firstSequence` and as many as sequences() says are taken. */
  constructor(
    private readonly writer: NetlinkWriter,
    private readonly table: string,
    private readonly firstSequence: number,
  ) {
    // The subsystem is in network order.
    this.#begin(BATCH_BEGIN, 0, AF_UNSPEC, SUBSYSTEM);
    writer.end();
  }

  /** Sequence numbers taken so far. */
  get sequences(): number {
    return this.#count;
  }

  /** Makes the table if it is not there. `isOwned`: nobody else may change it, and it goes when the socket is closed. */
  addTable(isOwned: boolean): void {
    this.#message(NEWTABLE, NLM_F_CREATE, TABLE_NAME);
    if (isOwned) this.writer.bigEndian32(TABLE_FLAGS, TABLE_OWNER);
    this.writer.end();
  }

  /** With all that is in it. */
  removeTable(isLast = false): void {
    this.#message(DELTABLE, isLast ? NLM_F_ACK : 0, TABLE_NAME);
    this.writer.end();
  }

  addSet({ name, keyType, keyLength, byteOrder }: SetDefinition): void {
    const { writer } = this;
    this.#message(NEWSET, NLM_F_CREATE, SET_TABLE);
    writer.text(SET_NAME, name);
    writer.bigEndian32(SET_FLAGS, 0);
    writer.bigEndian32(SET_KEY_TYPE, keyType);
    writer.bigEndian32(SET_KEY_LENGTH, keyLength);
    writer.bigEndian32(SET_ID, this.#count);
    // What nft(8) keeps there: type 0 (byte order of the key), 4 bytes in host order, 1 for host, 2 for network order.
    writer.attribute(SET_USERDATA, Uint8Array.of(0, 4, byteOrder === 'host' ? 1 : 2, 0, 0, 0));
    writer.end();
  }

  /** A filter chain that accepts what its rules do not drop. */
  addChain(name: string, hook: number, priority: number): void {
    const { writer } = this;
    this.#message(NEWCHAIN, NLM_F_CREATE, CHAIN_TABLE);
    writer.text(CHAIN_NAME, name);
    const nested = writer.open(CHAIN_HOOK);
    writer.bigEndian32(HOOK_NUMBER, hook);
    writer.bigEndian32(HOOK_PRIORITY, priority >>> 0);
    writer.close(nested);
    writer.bigEndian32(CHAIN_POLICY, NF_ACCEPT);
    writer.text(CHAIN_TYPE, 'filter');
    writer.end();
  }

  addRule(chain: string, expressions: readonly Expression[]): void {
    const { writer } = this;
    this.#message(NEWRULE, NLM_F_CREATE | NLM_F_APPEND, RULE_TABLE);
    writer.text(RULE_CHAIN, chain);
    const list = writer.open(RULE_EXPRESSIONS);
    for (const { name, write } of expressions) {
      const element = writer.open(LIST_ELEMENT);
      writer.text(EXPRESSION_NAME, name);
      const data = writer.open(EXPRESSION_DATA);
      write(writer);
      writer.close(data);
      writer.close(element);
    }
    writer.close(list);
    writer.end();
  }

  /** At most 1000 keys. Adding one that is there is fine; removing one that is not undoes the whole transaction. */
  changeElements(change: 'add' | 'remove', set: string, keys: readonly Uint8Array[], isLast = false): void {
    const { writer } = this;
    const flags = isLast ? NLM_F_ACK : 0;
    if (change === 'add') this.#message(NEWSETELEM, NLM_F_CREATE | flags, ELEMENTS_TABLE);
    else this.#message(DELSETELEM, flags, ELEMENTS_TABLE);
    writer.text(ELEMENTS_SET, set);
    const list = writer.open(ELEMENTS_LIST);
    for (const key of keys) {
      const element = writer.open(LIST_ELEMENT);
      writeData(writer, ELEMENT_KEY, key);
      writer.close(element);
    }
    writer.close(list);
    writer.end();
  }

  /** Nothing may follow. */
  end(): void {
    this.#count -= 1;
    // Of the same sequence as the last message.
    this.#begin(BATCH_END, 0, AF_UNSPEC, SUBSYSTEM);
    this.writer.end();
  }

  #message(message: number, flags: number, tableAttribute: number): void {
    this.#begin((SUBSYSTEM << 8) | message, flags, NFPROTO_INET, 0);
    this.writer.text(tableAttribute, this.table);
  }

  #begin(type: number, flags: number, family: number, resource: number): void {
    const header = new Uint8Array(HEADER_LENGTH);
    header[0] = family;
    new DataView(header.buffer).setUint16(2, resource);
    this.writer.begin(type, NLM_F_REQUEST | flags, this.firstSequence + this.#count);
    this.#count += 1;
    this.writer.bytes(header);
  }
}

function writeData(writer: NetlinkWriter, type: number, value: Uint8Array): void {
  const data = writer.open(type);
  writer.attribute(DATA_VALUE, value);
  writer.close(data);
}

/** Loads the packet's own property: META_*. */
export function loadMeta(key: number, register = REGISTER_1): Expression {
  return {
    name: 'meta',
    write: (writer) => {
      writer.bigEndian32(1, register);
      writer.bigEndian32(2, key);
    },
  };
}
export const META_INPUT_INTERFACE = 4;
export const META_OUTPUT_INTERFACE = 5;
export const META_FAMILY = 15;
export const META_PROTOCOL = 16;

/** Loads bytes of the packet, from where its network header (1) or its transport header (2) begins. */
export function loadPayload(base: 1 | 2, offset: number, length: number): Expression {
  return {
    name: 'payload',
    write: (writer) => {
      writer.bigEndian32(1, REGISTER_1);
      writer.bigEndian32(2, base);
      writer.bigEndian32(3, offset);
      writer.bigEndian32(4, length);
    },
  };
}

/** Goes on only if the byte that was loaded is equal to, at most, or at least this. */
export function compareByte(comparison: 'equal' | 'at most' | 'at least', value: number): Expression {
  return {
    name: 'cmp',
    write: (writer) => {
      writer.bigEndian32(1, REGISTER_1);
      writer.bigEndian32(2, { equal: 0, 'at most': 3, 'at least': 5 }[comparison]);
      writeData(writer, 3, Uint8Array.of(value));
    },
  };
}

/** Goes on only if what was loaded, from the first register on, is in the set. */
export function lookUp(set: string): Expression {
  return {
    name: 'lookup',
    write: (writer) => {
      writer.attribute(1, textBytes(set));
      writer.bigEndian32(2, REGISTER_1);
    },
  };
}

export const ACCEPT: Expression = verdict(NF_ACCEPT);
export const DROP: Expression = verdict(NF_DROP);

function verdict(code: number): Expression {
  return {
    name: 'immediate',
    write: (writer) => {
      writer.bigEndian32(1, VERDICT);
      const data = writer.open(2);
      const nested = writer.open(DATA_VERDICT);
      writer.bigEndian32(VERDICT_CODE, code);
      writer.close(nested);
      writer.close(data);
    },
  };
}
