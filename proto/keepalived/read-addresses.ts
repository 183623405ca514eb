/** Reads virtual_ipaddress and unicast_peer, one address a line. */
import { reportNested } from './block.js';
import type { VirtualAddress } from './config.js';
import { INTERFACE_RULE, isInterfaceName } from './interface-name.js';
import { keywordSupport, nearestKeyword } from './keywords.js';
import type { Located } from './remark.js';
import { quoted, type Remarks } from './remarks.js';
import type { Statement } from './tree.js';
import { looksLikeIpv6, parseIpv4, parseWhole } from './values.js';

const MAX_LABEL = 15;
const MAX_ADDRESSES = 255;
const MAX_PEERS = 1_000;

/** Adds the addresses of one block. `sawIpv6` is told when one was left out because it is IPv6. */
export function readAddresses(
  statement: Statement,
  into: VirtualAddress[],
  sawIpv6: () => void,
  remarks: Remarks,
): void {
  for (const line of statement.block ?? []) {
    reportNested(line, remarks);
    const address = readAddress(line, sawIpv6, remarks);
    if (address === undefined) continue;
    if (into.some((other) => other.address === address.address && other.device === address.device)) {
      remarks.warning(
        line.origin,
        `virtual address ${address.address} is there already; Baton takes it once, keepalived would advertise it twice`,
      );
      continue;
    }
    if (into.length === MAX_ADDRESSES) {
      remarks.error(line.origin, `more than ${MAX_ADDRESSES} virtual addresses; ${address.address} will not be moved`);
      continue;
    }
    into.push(address);
  }
}

function readAddress(line: Statement, sawIpv6: () => void, remarks: Remarks): VirtualAddress | undefined {
  const word = line.words[0];
  if (looksLikeIpv6(word)) {
    sawIpv6();
    remarks.error(line.origin, `${quoted(word)}: IPv6 is not supported yet; this address will not be moved`);
    return undefined;
  }
  const slash = word.indexOf('/');
  const address = slash < 0 ? word : word.slice(0, slash);
  if (parseIpv4(address) === undefined) {
    remarks.error(line.origin, `${quoted(word)} is not an IP address; the line is ignored, as in keepalived`);
    return undefined;
  }
  const length = slash < 0 ? 32 : parseWhole(word.slice(slash + 1));
  const valid = length !== undefined && length >= 0 && length <= 32;
  if (!valid) {
    remarks.error(
      line.origin,
      `${quoted(word)}: the prefix length is not a number from 0 to 32; 32 is used, as in keepalived`,
    );
  }
  const options = readOptions(line, address, remarks);
  return options && { address, prefixLength: valid ? length : 32, ...options, origin: line.origin };
}

type Options = Pick<VirtualAddress, 'device' | 'label' | 'broadcast'>;

/** Undefined: keepalived drops the address over the option. */
function readOptions(line: Statement, address: string, remarks: Remarks): Options | undefined {
  let device: string | undefined;
  let label: string | undefined;
  let broadcast: string | undefined;
  for (let i = 1; i < line.words.length; i += 1) {
    const option = line.words[i] ?? '';
    const support = keywordSupport('virtual_ipaddress option', option);
    if (support === undefined) {
      reportUnknownOption(line, option, remarks);
      continue;
    }
    const value = line.words[i + 1];
    if (support.support === 'reported') {
      remarks.add(support.severity, line.origin, `${address} ${option}: ${support.meaning}`);
      if (OPTIONS_WITH_VALUE.has(option)) i += 1;
      continue;
    }
    if (value === undefined) {
      remarks.error(
        line.origin,
        `${address} ${option}: the value is missing; the address will not be moved, as in keepalived`,
      );
      return undefined;
    }
    i += 1;
    if (option === 'dev') device = value;
    else if (option === 'label') label = value;
    else broadcast = value;
  }
  if (device !== undefined && !isInterfaceName(device)) {
    remarks.error(
      line.origin,
      `${address}: dev ${quoted(device)} cannot exist: ${INTERFACE_RULE}; the address will not be moved`,
    );
    return undefined;
  }
  if (label !== undefined && label.length > MAX_LABEL) {
    remarks.error(
      line.origin,
      `${address}: label ${quoted(label)} is longer than ${MAX_LABEL} characters; the address will not be moved, as in keepalived`,
    );
    return undefined;
  }
  if (broadcast !== undefined && broadcast !== '+' && broadcast !== '-' && parseIpv4(broadcast) === undefined) {
    remarks.error(
      line.origin,
      `${address}: broadcast ${quoted(broadcast)} is not an address, "+" or "-"; it is left out`,
    );
    broadcast = undefined;
  }
  return { device, label, broadcast };
}

const OPTIONS_WITH_VALUE: ReadonlySet<string> = new Set(['scope', 'peer', 'preferred_lft', 'track_group']);

function reportUnknownOption(line: Statement, option: string, remarks: Remarks): void {
  const address = line.words[0];
  if (parseIpv4(option.split('/', 1)[0] ?? '') !== undefined) {
    remarks.error(
      line.origin,
      `${quoted(option)} stands on the line of ${quoted(address)}; keepalived takes one address a line and ignores it: it will not be moved`,
    );
    return;
  }
  const nearest = nearestKeyword('virtual_ipaddress option', option);
  remarks.warning(
    line.origin,
    `${quoted(address)}: unknown option ${quoted(option)} is ignored, as keepalived ignores it${nearest === undefined ? '' : `; did you mean '${nearest}'?`}`,
  );
}

/** Adds the peers of one unicast_peer block. */
export function readPeers(statement: Statement, into: Located<string>[], remarks: Remarks): void {
  for (const line of statement.block ?? []) {
    reportNested(line, remarks);
    const [peer, ...options] = line.words;
    for (let i = 0; i < options.length; i += 2) {
      const option = options[i] ?? '';
      const support = keywordSupport('unicast_peer option', option);
      if (support?.support === 'reported') {
        remarks.add(support.severity, line.origin, `unicast_peer ${peer} ${option}: ${support.meaning}`);
      } else {
        remarks.warning(line.origin, `unicast_peer ${quoted(peer)}: unknown option ${quoted(option)} is ignored`);
      }
    }
    if (looksLikeIpv6(peer)) {
      remarks.error(
        line.origin,
        `unicast_peer ${quoted(peer)}: IPv6 is not supported yet; this peer would get no advertisements`,
      );
    } else if (parseIpv4(peer) === undefined) {
      remarks.error(line.origin, `unicast_peer ${quoted(peer)} is not an IP address; it is ignored, as in keepalived`);
    } else if (into.some((other) => other.value === peer)) {
      remarks.warning(line.origin, `unicast_peer ${peer} is there already; it is taken once`);
    } else if (into.length === MAX_PEERS) {
      remarks.error(line.origin, `more than ${MAX_PEERS} unicast peers; ${peer} and those below it are left out`);
      return;
    } else {
      into.push({ value: peer, origin: line.origin });
    }
  }
}
