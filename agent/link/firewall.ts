/**
 * The packet filter that virtual routers need, as one nftables table of our own ("baton", family inet), kept by netlink:
 * traffic to addresses that are not to be accepted (RFC 9568 section 6.1, Accept_Mode false) is dropped, and the kernel's
 * own multicast reports do not leave by certain interfaces.
 */
import { constants } from 'node:os';
import { type IpAddress, isLinkLocal } from '../../proto/rules/ip.js';
import { OK, type Outcome, refusal, SocketOpenError } from '../net/system-error.js';
import type { NetlinkWriter } from '../wire/netlink-message.js';
import { NftablesBatch } from '../wire/nftables-message.js';
import { addRuleset, SETS, type SetName, TABLE } from './firewall-table.js';
import { NetlinkRequests } from './netlink-requests.js';
import { NETLINK_NETFILTER } from './netlink-socket.js';

export interface FilteredAddress {
  readonly address: IpAddress;
  /** Link-local addresses are an interface's own: required there, without meaning for others. */
  readonly interfaceIndex?: number;
}

/**
 * Nothing is done to the kernel until the first call that needs it, which replaces what a former run left in one step.
 * All calls may be repeated; each is one transaction: carried out whole or not at all. Never throws. Refused with
 * EOPNOTSUPP or EPROTONOSUPPORT: the kernel has no nftables, which the message says.
 *
 * Nobody else may change the table while we have it, and it goes with this process, however that ends (Linux 5.12).
 */
export interface Firewall {
  /** Drops what comes in for these addresses, but IPv6 neighbour solicitations and advertisements. */
  dropTraffic(addresses: readonly FilteredAddress[]): Outcome;
  allowTraffic(addresses: readonly FilteredAddress[]): Outcome;
  /**
   * Keeps IGMP, MLD reports and IPv6 router solicitations from leaving by these interfaces: the kernel sends them by
   * itself, and with a virtual MAC address as their source switches would learn that a backup is where it is.
   */
  blockReports(interfaceIndexes: readonly number[]): Outcome;
  allowReports(interfaceIndexes: readonly number[]): Outcome;
  /** Removes what a former run left, and what we have; ok if there is nothing. */
  clear(): Outcome;
  /** Ends with the table in force, for the process that goes on with the addresses; its first call replaces it. */
  leave(): Outcome;
  /** Ends, and the table with it. */
  close(): void;
}

/** Opens nothing yet; never throws. */
export type OpenFirewall = () => Firewall;

/** One batch of messages to the kernel and how it ended. */
export interface Transactions {
  transact(doing: string, write: (writer: NetlinkWriter, firstSequence: number) => number): Outcome;
  close(): void;
}

export const openFirewall: OpenFirewall = () =>
  new NftablesFirewall(() => new NetlinkRequests(NETLINK_NETFILTER, 'open a netfilter socket'));

const { EINVAL, ENOENT, EOPNOTSUPP, EPROTONOSUPPORT, EAFNOSUPPORT, EPERM } = constants.errno;
const NOT_THERE: ReadonlySet<number> = new Set([EOPNOTSUPP, EPROTONOSUPPORT, EAFNOSUPPORT]);
/** What a netlink attribute can hold. */
const KEYS_PER_MESSAGE = 1000;

/** The sets' keys, by their bytes as text. */
type Keys = ReadonlyMap<SetName, Map<string, Uint8Array>>;

export class NftablesFirewall implements Firewall {
  readonly #open: () => Transactions;
  readonly #keys: Keys = new Map(SETS.map(({ name }) => [name, new Map()]));
  #transactions: Transactions | undefined;
  #isInstalled = false;
  /** Until the kernel says that it knows no owners. */
  #isOwned = true;

  /** `open` throws SocketOpenError. */
  constructor(open: () => Transactions) {
    this.#open = open;
  }

  dropTraffic(addresses: readonly FilteredAddress[]): Outcome {
    return this.#change('add', addresses.map(keyOfAddress), 'drop traffic to virtual addresses');
  }

  allowTraffic(addresses: readonly FilteredAddress[]): Outcome {
    return this.#change('remove', addresses.map(keyOfAddress), 'allow traffic to virtual addresses');
  }

  blockReports(interfaceIndexes: readonly number[]): Outcome {
    return this.#change('add', interfaceIndexes.map(keyOfInterface), 'keep multicast reports in');
  }

  allowReports(interfaceIndexes: readonly number[]): Outcome {
    return this.#change('remove', interfaceIndexes.map(keyOfInterface), 'let multicast reports out');
  }

  clear(): Outcome {
    for (const keys of this.#keys.values()) keys.clear();
    this.#isInstalled = false;
    const removed = this.#transact('remove the nftables table', (batch) => {
      batch.addTable(false);
      batch.removeTable(true);
    });
    return !removed.ok && NOT_THERE.has(removed.errno) ? OK : removed;
  }

  leave(): Outcome {
    if (!this.#isInstalled) return OK;
    const left = this.#isOwned
      ? this.#transact('leave the nftables table', (batch) => {
          batch.removeTable();
          this.#install(batch, false);
        })
      : OK;
    this.#transactions?.close();
    this.#transactions = undefined;
    this.#isInstalled = false;
    return left;
  }

  close(): void {
    if (this.#isInstalled) this.clear();
    this.#transactions?.close();
    this.#transactions = undefined;
  }

  #change(change: 'add' | 'remove', entries: readonly Entry[], doing: string): Outcome {
    const changed = entries.filter(({ set, text }) => this.#keysOf(set).has(text) === (change === 'remove'));
    if (changed.length === 0) return OK;
    this.#apply(change, changed);
    const outcome = this.#isInstalled ? this.#changeInstalled(change, changed, doing) : this.#installAnew(doing);
    if (!outcome.ok) this.#apply(change === 'add' ? 'remove' : 'add', changed);
    return outcome;
  }

  #changeInstalled(change: 'add' | 'remove', entries: readonly Entry[], doing: string): Outcome {
    const outcome = this.#transact(doing, (batch) => {
      const parts = SETS.flatMap(({ name }) =>
        chunks(
          name,
          entries.filter(({ set }) => set === name),
        ),
      );
      for (const [index, { set, keys }] of parts.entries()) {
        batch.changeElements(change, set, keys, index === parts.length - 1);
      }
    });
    // Where tables have no owners somebody may have removed ours.
    return !outcome.ok && outcome.errno === ENOENT ? this.#installAnew(doing) : outcome;
  }

  /** Replaces whatever is there by what there is to be, in one step. */
  #installAnew(doing: string): Outcome {
    const replace = () =>
      this.#transact(doing, (batch) => {
        batch.addTable(false);
        batch.removeTable();
        this.#install(batch, this.#isOwned);
      });
    let outcome = replace();
    if (!outcome.ok && this.#isOwned && (outcome.errno === EINVAL || outcome.errno === EOPNOTSUPP)) {
      this.#isOwned = false;
      outcome = replace();
      if (!outcome.ok) this.#isOwned = true;
    }
    this.#isInstalled = outcome.ok;
    return outcome;
  }

  #install(batch: NftablesBatch, isOwned: boolean): void {
    batch.addTable(isOwned);
    addRuleset(batch);
    const parts = SETS.flatMap(({ name }) =>
      chunks(
        name,
        [...this.#keysOf(name)].map(([, key]) => ({ key })),
      ),
    );
    for (const [index, { set, keys }] of parts.entries()) {
      batch.changeElements('add', set, keys, index === parts.length - 1);
    }
  }

  #transact(doing: string, write: (batch: NftablesBatch) => void): Outcome {
    try {
      this.#transactions ??= this.#open();
    } catch (error) {
      if (!(error instanceof SocketOpenError)) throw error;
      return explained(error.errno, doing);
    }
    const outcome = this.#transactions.transact(doing, (writer, firstSequence) => {
      const batch = new NftablesBatch(writer, TABLE, firstSequence);
      write(batch);
      batch.end();
      return batch.sequences;
    });
    return outcome.ok ? OK : explained(outcome.errno, doing);
  }

  #apply(change: 'add' | 'remove', entries: readonly Entry[]): void {
    for (const { set, text, key } of entries) {
      if (change === 'add') this.#keysOf(set).set(text, key);
      else this.#keysOf(set).delete(text);
    }
  }

  #keysOf(set: SetName): Map<string, Uint8Array> {
    return this.#keys.get(set) ?? new Map();
  }
}

interface Entry {
  readonly set: SetName;
  readonly key: Uint8Array;
  readonly text: string;
}

function keyOfAddress({ address, interfaceIndex }: FilteredAddress): Entry {
  if (typeof address === 'number') {
    const key = new Uint8Array(4);
    new DataView(key.buffer).setUint32(0, address);
    return { set: 'dropped4', key, text: `${address}` };
  }
  const isScoped = isLinkLocal(address);
  const key = new Uint8Array(isScoped ? 20 : 16);
  const view = new DataView(key.buffer);
  view.setBigUint64(0, address >> 64n);
  view.setBigUint64(8, address & 0xffff_ffff_ffff_ffffn);
  if (!isScoped) return { set: 'dropped6', key, text: `${address}` };
  view.setUint32(16, interfaceIndex ?? 0, true);
  return { set: 'dropped_link_local', key, text: `${address} ${interfaceIndex}` };
}

function keyOfInterface(index: number): Entry {
  const key = new Uint8Array(4);
  new DataView(key.buffer).setUint32(0, index, true);
  return { set: 'quiet', key, text: `${index}` };
}

function chunks(
  set: SetName,
  entries: readonly { readonly key: Uint8Array }[],
): readonly { readonly set: SetName; readonly keys: readonly Uint8Array[] }[] {
  const parts: { set: SetName; keys: readonly Uint8Array[] }[] = [];
  for (let start = 0; start < entries.length; start += KEYS_PER_MESSAGE) {
    parts.push({ set, keys: entries.slice(start, start + KEYS_PER_MESSAGE).map(({ key }) => key) });
  }
  return parts;
}

function explained(errno: number, doing: string): Outcome {
  if (NOT_THERE.has(errno)) {
    return refusal(errno, doing, 'this kernel has no nftables: load the modules nf_tables and nf_tables_inet');
  }
  if (errno === EPERM) {
    return refusal(errno, doing, `CAP_NET_ADMIN is needed, or another process owns the table inet ${TABLE}`);
  }
  return refusal(errno, doing);
}
