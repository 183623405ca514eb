/** Reads lists of addresses, one a line: virtual_ipaddress, virtual_ipaddress_excluded and static_ipaddress. */
import { isLinkLocal, parseIp } from '../rules/ip.js';
import { reportNested } from './block.js';
import { ADDRESS_FLAGS, type AddressFlag, type VirtualAddress } from './config.js';
import { INTERFACE_RULE, isInterfaceName } from './interface-name.js';
import { keywordSupport, nearestKeyword } from './keywords.js';
import { MAX_U32 } from './read-number.js';
import { quoted, type Remarks } from './remarks.js';
import { scopeOf } from './rtnetlink-names.js';
import type { Statement } from './tree.js';
import { parseAddress, parseWhole } from './values.js';

const MAX_LABEL = 15;
const MAX_ADDRESSES = 4_096;

/** What a list of addresses is for. */
export type AddressRole = 'virtual' | 'excluded' | 'static';

const FATE: Readonly<Record<AddressRole, string>> = {
  virtual: 'will not be moved',
  excluded: 'will not be moved',
  static: 'will not be set',
};

/** Adds the addresses of one block. */
export function readAddresses(statement: Statement, role: AddressRole, into: VirtualAddress[], remarks: Remarks): void {
  for (const line of statement.block ?? []) {
    reportNested(line, remarks);
    const address = readAddress(line, role, remarks);
    if (address === undefined) continue;
    if (into.some((other) => other.address === address.address && other.device === address.device)) {
      remarks.warning(
        line.origin,
        `${role} address ${address.address} is there already; Baton takes it once, keepalived would take it twice`,
      );
      continue;
    }
    if (into.length === MAX_ADDRESSES) {
      remarks.error(line.origin, `more than ${MAX_ADDRESSES} addresses; ${address.address} ${FATE[role]}`);
      continue;
    }
    into.push(address);
  }
}

function readAddress(line: Statement, role: AddressRole, remarks: Remarks): VirtualAddress | undefined {
  const word = line.words[0];
  const slash = word.indexOf('/');
  const parsed = parseAddress(slash < 0 ? word : word.slice(0, slash));
  if (parsed === undefined) {
    remarks.error(line.origin, `${quoted(word)} is not an IP address; the line is ignored, as in keepalived`);
    return undefined;
  }
  const { address, family } = parsed;
  const whole = family === 6 ? 128 : 32;
  const length = slash < 0 ? whole : parseWhole(word.slice(slash + 1));
  const valid = length !== undefined && length >= 0 && length <= whole;
  if (!valid) {
    remarks.error(
      line.origin,
      `${quoted(word)}: the prefix length is not a number from 0 to ${whole}; ${whole} is used, as in keepalived`,
    );
  }
  const prefixLength = valid ? length : whole;
  const options = readOptions(line, { address, family, prefixLength }, role, remarks);
  return options && { address, family, ...options, origin: line.origin };
}

type Options = Omit<VirtualAddress, 'address' | 'family' | 'origin'>;

interface Head {
  readonly address: string;
  readonly family: 4 | 6;
  readonly prefixLength: number;
}

/** Undefined: keepalived drops the address over the option. */
function readOptions(line: Statement, head: Head, role: AddressRole, remarks: Remarks): Options | undefined {
  const { address, family } = head;
  const values = new Map<string, string>();
  const flags = new Set<AddressFlag>();
  const drop = (reason: string): undefined => {
    remarks.error(line.origin, `${address}: ${reason}; the address ${FATE[role]}, as in keepalived`);
    return undefined;
  };
  for (let i = 1; i < line.words.length; i += 1) {
    const option = line.words[i] === 'broadcast' ? 'brd' : (line.words[i] ?? '');
    const flag = ADDRESS_FLAGS.find((one) => one === option);
    const isHere = role === 'static' ? option !== 'use_vmac' : option !== 'track_group';
    if (keywordSupport('virtual_ipaddress option', option) === undefined || !isHere) {
      reportUnknownOption(line, option, role, remarks);
    } else if (flag !== undefined) {
      flags.add(flag);
    } else {
      const value = line.words[i + 1];
      if (value === undefined) return drop(`${option}: the value is missing`);
      i += 1;
      if (values.has(option)) {
        if (option === 'dev') return drop('dev is given twice');
        remarks.warning(line.origin, `${address}: ${option} is given twice; the last one counts`);
      }
      values.set(option, value);
    }
  }
  const device = values.get('dev');
  if (device !== undefined && !isInterfaceName(device))
    return drop(`dev ${quoted(device)} cannot exist: ${INTERFACE_RULE}`);
  const label = values.get('label');
  if (label !== undefined && label.length > MAX_LABEL) {
    return drop(`label ${quoted(label)} is longer than ${MAX_LABEL} characters`);
  }
  const broadcast = values.get('brd');
  if (broadcast !== undefined && family === 6) return drop('an IPv6 address has no broadcast address');
  if (broadcast !== undefined && broadcast !== '+' && broadcast !== '-' && parseAddress(broadcast)?.family !== 4) {
    return drop(`broadcast ${quoted(broadcast)} is not an address, "+" or "-"`);
  }
  const peer = readPeer(line, values.get('peer'), head, remarks);
  const prefixLength = peer?.prefixLength ?? head.prefixLength;
  return {
    prefixLength,
    device,
    label: usable(line, head, 'label', label, remarks),
    broadcast: settleBroadcast(line, head, broadcast, peer !== undefined, remarks),
    scope: readScope(line, head, values.get('scope'), remarks),
    peer: peer?.text,
    preferredLifetime: readLifetime(line, head, prefixLength, values.get('preferred_lft'), remarks),
    flags: onlyForFamily(line, head, flags, remarks),
    trackGroup: values.get('track_group'),
  };
}

/** Labels and scopes are IPv4's. */
function usable(
  line: Statement,
  { address, family }: Head,
  option: string,
  value: string | undefined,
  remarks: Remarks,
): string | undefined {
  if (value === undefined || family === 4) return value;
  remarks.error(line.origin, `${address}: an IPv6 address has no ${option}; it is left out, as in keepalived`);
  return undefined;
}

function readScope(line: Statement, head: Head, word: string | undefined, remarks: Remarks): string | undefined {
  const given = usable(line, head, 'scope', word, remarks);
  if (given === undefined) return undefined;
  const scope = scopeOf(given);
  if (scope === undefined) {
    remarks.error(line.origin, `${head.address}: scope ${quoted(given)} is not known; it is global, as in keepalived`);
  }
  return scope === 'global' ? undefined : scope;
}

function readPeer(
  line: Statement,
  word: string | undefined,
  { address, family, prefixLength }: Head,
  remarks: Remarks,
): { readonly text: string; readonly prefixLength: number } | undefined {
  if (word === undefined) return undefined;
  const whole = family === 6 ? 128 : 32;
  const [bare = '', length] = word.split('/', 2);
  const peer = parseAddress(bare);
  const peerLength = length === undefined ? whole : parseWhole(length);
  if (peer === undefined || peerLength === undefined || peerLength < 0 || peerLength > whole) {
    remarks.error(line.origin, `${address}: peer ${quoted(word)} is not an address; it is left out, as in keepalived`);
    return undefined;
  }
  if (peer.family !== family) {
    remarks.error(
      line.origin,
      `${address}: peer ${quoted(word)} is of the other family; it is left out, as in keepalived`,
    );
    return undefined;
  }
  if (length !== undefined) {
    remarks.warning(
      line.origin,
      `${address}: keepalived's manual has a prefix length after peer, and so has Baton; keepalived itself leaves such a peer out`,
    );
  }
  if (prefixLength !== whole) {
    remarks.warning(line.origin, `${address}: with peer the prefix length is the peer's, as in keepalived`);
  }
  return { text: `${peer.address}/${peerLength}`, prefixLength: whole };
}

function settleBroadcast(
  line: Statement,
  { address, prefixLength }: Head,
  broadcast: string | undefined,
  hasPeer: boolean,
  remarks: Remarks,
): string | undefined {
  if (broadcast === undefined) return undefined;
  if (hasPeer) {
    remarks.warning(line.origin, `${address}: brd is left out beside peer, as in keepalived`);
    return undefined;
  }
  if ((broadcast === '+' || broadcast === '-') && prefixLength > 30) {
    remarks.warning(
      line.origin,
      `${address}: a prefix of length ${prefixLength} has no broadcast address; brd is left out, as in keepalived`,
    );
    return undefined;
  }
  return broadcast;
}

/** An IPv6 address without prefix length is deprecated from the start, so that it is no source of connections. */
function readLifetime(
  line: Statement,
  { address, family }: Head,
  prefixLength: number,
  word: string | undefined,
  remarks: Remarks,
): number | undefined {
  const usual = family === 6 && prefixLength === 128 ? 0 : undefined;
  if (word === undefined) return usual;
  if (word === 'forever') return undefined;
  const seconds = parseWhole(word);
  if (seconds === undefined || seconds < 0 || seconds > MAX_U32) {
    remarks.error(
      line.origin,
      `${address}: preferred_lft ${quoted(word)} is neither a number of seconds nor "forever"`,
    );
    return usual;
  }
  if (family === 4) {
    remarks.note(line.origin, `${address}: preferred_lft means nothing for IPv4; it is left out`);
    return undefined;
  }
  return seconds;
}

const IPV6_FLAGS: ReadonlySet<AddressFlag> = new Set(['home', '-nodad', 'mngtmpaddr']);

function onlyForFamily(
  line: Statement,
  { address, family }: Head,
  flags: ReadonlySet<AddressFlag>,
  remarks: Remarks,
): ReadonlySet<AddressFlag> {
  if (family === 6) return flags;
  return new Set(
    [...flags].filter((flag) => {
      if (!IPV6_FLAGS.has(flag)) return true;
      remarks.note(line.origin, `${address}: ${flag} means nothing for IPv4; it is left out`);
      return false;
    }),
  );
}

function reportUnknownOption(line: Statement, option: string, role: AddressRole, remarks: Remarks): void {
  const address = line.words[0];
  if (parseAddress(option.split('/', 1)[0] ?? '') !== undefined) {
    remarks.error(
      line.origin,
      `${quoted(option)} stands on the line of ${quoted(address)}; keepalived takes one address a line and ignores it: it ${FATE[role]}`,
    );
    return;
  }
  const nearest = nearestKeyword('virtual_ipaddress option', option);
  const hint = nearest === undefined || nearest === option ? '' : `; did you mean '${nearest}'?`;
  remarks.warning(
    line.origin,
    `${quoted(address)}: unknown option ${quoted(option)} is ignored, as keepalived ignores it${hint}`,
  );
}

/** Whether an address, as this reader writes it, is of the IPv6 link alone. */
export function isLinkLocalText(address: string): boolean {
  const value = parseIp(address);
  return value !== undefined && isLinkLocal(value);
}
