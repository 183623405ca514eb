/**
 * Carries out what the packet filter's transactions hold, as the kernel would: the input chain of the table, judged for
 * one packet. Knows just the expressions that the agent uses, and refuses any other.
 */
import type { Firewall } from '../../agent/link/firewall.js';
import { NftablesFirewall } from '../../agent/link/firewall.js';
import { writeIpv6Address } from '../../agent/wire/ipv6-header.js';
import { attributesOf, messagesOf, NetlinkWriter, textOf } from '../../agent/wire/netlink-message.js';
import { familyOf, type IpAddress } from '../../proto/rules/ip.js';

const DELTABLE = 2;
const NEWRULE = 6;
const NEWSETELEM = 12;
const DELSETELEM = 14;
const NFNL_HEADER = 4;

export interface FilteredPacket {
  /** From the beginning of the IP header. */
  readonly network: Uint8Array;
  /** From the beginning of the header that follows. */
  readonly transport: Uint8Array;
  /** IP protocol. */
  readonly protocol: number;
  readonly family: 4 | 6;
  readonly interfaceIndex: number;
}

interface Part {
  readonly name: string;
  readonly data: ReadonlyMap<number, Uint8Array>;
}

interface Rule {
  readonly chain: string;
  readonly parts: readonly Part[];
}

export class FilterInterpreter {
  readonly firewall: Firewall;
  readonly #rules: Rule[] = [];
  readonly #sets = new Map<string, Set<string>>();

  constructor() {
    this.firewall = new NftablesFirewall(() => ({
      transact: (_doing, write) => {
        const writer = new NetlinkWriter();
        write(writer, 1);
        for (const { type, payload } of messagesOf(writer.datagram())) this.#take(type & 0xff, payload);
        return { ok: true };
      },
      close: () => undefined,
    }));
  }

  judge(packet: FilteredPacket): 'accepted' | 'dropped' {
    for (const { chain, parts } of this.#rules) {
      if (chain !== 'input') continue;
      const verdict = this.#apply(parts, packet);
      if (verdict !== undefined) return verdict === 0 ? 'dropped' : 'accepted';
    }
    return 'accepted';
  }

  #take(message: number, payload: Uint8Array): void {
    const attributes = attributesOf(payload, NFNL_HEADER);
    if (message === DELTABLE) {
      this.#rules.length = 0;
      this.#sets.clear();
    } else if (message === NEWRULE) {
      this.#rules.push({ chain: textOf(bytes(attributes, 2)), parts: listOf(bytes(attributes, 4)).map(partOf) });
    } else if (message === NEWSETELEM || message === DELSETELEM) {
      const name = textOf(bytes(attributes, 2));
      const set = this.#sets.get(name) ?? new Set();
      this.#sets.set(name, set);
      for (const element of listOf(bytes(attributes, 3))) {
        const key = hex(bytes(attributesOf(bytes(attributesOf(element, 0), 1), 0), 1));
        if (message === NEWSETELEM) set.add(key);
        else set.delete(key);
      }
    }
  }

  /** The verdict's code, if the packet comes to it. */
  #apply(parts: readonly Part[], packet: FilteredPacket): number | undefined {
    let loaded: number[] = [];
    for (const { name, data } of parts) {
      if (name === 'meta') {
        const register = number(data, 1);
        const value = metaOf(number(data, 2), packet);
        // The second register follows the 16 bytes of the first.
        loaded = register === 1 ? value : [...loaded, ...value];
      } else if (name === 'payload') {
        const from = number(data, 2) === 1 ? packet.network : packet.transport;
        const start = number(data, 3);
        loaded = [...from.subarray(start, start + number(data, 4))];
      } else if (name === 'cmp') {
        const wanted = bytes(attributesOf(bytes(data, 3), 0), 1)[0] ?? 0;
        const is = loaded[0] ?? 0;
        const operation = number(data, 2);
        const holds = operation === 0 ? is === wanted : operation === 3 ? is <= wanted : is >= wanted;
        if (!holds) return undefined;
      } else if (name === 'lookup') {
        if (this.#sets.get(textOf(bytes(data, 1)))?.has(hex(Uint8Array.from(loaded))) !== true) return undefined;
      } else if (name === 'immediate') {
        return number(attributesOf(bytes(attributesOf(bytes(data, 2), 0), 2), 0), 1);
      } else {
        throw new TypeError(`the expression ${name} is not known`);
      }
    }
    return undefined;
  }
}

function metaOf(key: number, { family, protocol, interfaceIndex }: FilteredPacket): number[] {
  if (key === 15) return [family === 4 ? 2 : 10];
  if (key === 16) return [protocol];
  if (key === 4) return [...new Uint8Array(Uint32Array.of(interfaceIndex).buffer)];
  throw new TypeError(`the property ${key} is not known`);
}

function partOf(element: Uint8Array): Part {
  const attributes = attributesOf(element, 0);
  return { name: textOf(bytes(attributes, 1)), data: attributesOf(bytes(attributes, 2), 0) };
}

/** The elements of a nested list, all of type 1. */
function listOf(list: Uint8Array): Uint8Array[] {
  const view = new DataView(list.buffer, list.byteOffset, list.byteLength);
  const elements: Uint8Array[] = [];
  for (let at = 0; at + 4 <= list.length; ) {
    const length = view.getUint16(at, true);
    elements.push(list.subarray(at + 4, at + length));
    at += (length + 3) & ~3;
  }
  return elements;
}

function bytes(attributes: ReadonlyMap<number, Uint8Array>, type: number): Uint8Array {
  const found = attributes.get(type);
  if (found === undefined) throw new TypeError(`attribute ${type} is missing`);
  return found;
}

function number(attributes: ReadonlyMap<number, Uint8Array>, type: number): number {
  const value = bytes(attributes, type);
  return new DataView(value.buffer, value.byteOffset).getUint32(0);
}

function hex(value: Uint8Array): string {
  return Buffer.from(value).toString('hex');
}

/** A packet that comes in at the interface, with that first byte of what is in it (of ICMPv6: the type). */
export function packetTo(destination: IpAddress, protocol: number, firstByte: number, interfaceIndex: number) {
  const family = familyOf(destination);
  const network = new Uint8Array(family === 6 ? 40 : 20);
  const view = new DataView(network.buffer);
  if (typeof destination === 'bigint') writeIpv6Address(view, 24, destination);
  else view.setUint32(16, destination);
  return { network, transport: Uint8Array.of(firstByte, 0, 0, 0), protocol, family, interfaceIndex };
}
