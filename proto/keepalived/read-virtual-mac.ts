/** Reads use_vmac: `use_vmac [[name] INTERFACE] [MAC] [netlink_notify_msg] [group GROUP]`. */
import { INTERFACE_RULE, isInterfaceName } from './interface-name.js';
import { keywordSupport } from './keywords.js';
import { quoted, type Remarks } from './remarks.js';
import type { Statement } from './tree.js';

export interface RawVirtualMac {
  name: string | undefined;
  /** Five or six octets; with five the VRID is the sixth. */
  octets: readonly number[] | undefined;
}

export function readVirtualMac(line: Statement, remarks: Remarks): RawVirtualMac {
  const read: RawVirtualMac = { name: undefined, octets: undefined };
  const words = line.words.slice(1);
  for (let i = 0; i < words.length; i += 1) {
    const word = words[i] ?? '';
    if (word.includes(':')) {
      read.octets = readOctets(line, word, remarks) ?? read.octets;
      continue;
    }
    const support = keywordSupport('use_vmac option', word);
    if (support?.support === 'reported') {
      remarks.add(support.severity, line.origin, `use_vmac ${word}: ${support.meaning}`);
      if (word === 'group') i += 1;
      continue;
    }
    if (word === 'name') i += 1;
    const name = words[i];
    if (read.name !== undefined)
      remarks.warning(line.origin, `use_vmac: ${quoted(name ?? '')} is ignored, it has a name already`);
    else if (name === undefined || !isInterfaceName(name)) {
      remarks.error(
        line.origin,
        `use_vmac ${quoted(name ?? '')} cannot exist: ${INTERFACE_RULE}; the usual name is used`,
      );
    } else read.name = name;
  }
  return read;
}

function readOctets(line: Statement, word: string, remarks: Remarks): readonly number[] | undefined {
  const parts = word.replace(/:$/u, '').split(':');
  const octets = parts.map((part) => (/^[0-9a-fA-F]{1,2}$/u.test(part) ? Number.parseInt(part, 16) : Number.NaN));
  const refuse = (reason: string): undefined => {
    remarks.error(line.origin, `use_vmac: MAC address ${quoted(word)} ${reason}; it is ignored, as in keepalived`);
    return undefined;
  };
  if (octets.some(Number.isNaN) || octets.length < 5 || octets.length > 6) return refuse('has not five or six octets');
  const [first = 0] = octets;
  if ((first & 1) === 1) return refuse('is a multicast address');
  if (/^00:00:5e:00:0[12]:?/iu.test(octets.map((octet) => octet.toString(16).padStart(2, '0')).join(':'))) {
    return refuse('is of those that RFC 9568 gives to virtual routers; leave it out');
  }
  return octets;
}

/** As aa:bb:cc:dd:ee:ff. */
export function virtualMacText(octets: readonly number[], vrid: number): string {
  const all = octets.length === 5 ? [...octets, vrid] : octets;
  return all.map((octet) => octet.toString(16).padStart(2, '0')).join(':');
}
