/** Which of an instance's addresses are advertised, with keepalived's rules. */
import type { VirtualAddress, VrrpInstance } from './config.js';
import { isLinkLocalText } from './read-addresses.js';
import type { RawInstance } from './read-instance.js';
import type { Origin } from './remark.js';
import { quoted, type Remarks } from './remarks.js';

const MAX_ADDRESSES = 255;

/** Undefined and reported when keepalived does not start without any. */
export function settleAddresses(
  raw: RawInstance,
  version: 2 | 3 | undefined,
  family: 4 | 6,
  strict: boolean,
  at: (keyword: string) => Origin,
  remarks: Remarks,
): Pick<VrrpInstance, 'addresses' | 'excludedAddresses'> | undefined {
  const addresses: VirtualAddress[] = [...raw.addresses];
  const excluded = raw.excludedAddresses.filter((entry) => {
    const isTwice = addresses.some((other) => other.address === entry.address && other.device === entry.device);
    if (isTwice) remarks.warning(entry.origin, `${entry.address} is a virtual address already; it is taken once`);
    return !isTwice;
  });
  if (addresses.length === 0) {
    const allowed = (raw.switches.get('no_virtual_ipaddress') ?? false) && !strict;
    if (!allowed && (version === 3 || strict)) {
      remarks.error(
        raw.origin,
        `${quoted(raw.name)} has no virtual_ipaddress; the instance is left out, and keepalived does not start over this`,
      );
      return undefined;
    }
    if (!allowed) {
      remarks.warning(
        raw.origin,
        `${quoted(raw.name)} has no virtual_ipaddress: it elects a master and moves no address, as in keepalived`,
      );
    }
  }
  const maximum = greatestCount(raw, version, family);
  if (addresses.length > maximum) {
    const moved = addresses.splice(maximum);
    remarks.warning(
      moved[0]?.origin ?? at('virtual_ipaddress'),
      `more virtual addresses than the ${maximum} that an advertisement has room for; the ${moved.length} from here on are not advertised, as in keepalived`,
    );
    excluded.unshift(...moved);
  }
  const first = addresses[0];
  if (family === 6 && raw.unicastPeers.length === 0 && first !== undefined && !isLinkLocalText(first.address)) {
    remarks.add(
      strict ? 'error' : 'note',
      first.origin,
      `the first address of an IPv6 instance should be link-local (RFC 9568 section 5.2.9)${strict ? '; keepalived complains in strict mode' : ', for keepalived and Baton it need not be'}`,
    );
  }
  return { addresses, excludedAddresses: excluded };
}

/** As many addresses as keepalived puts into one Ethernet frame of 1500 bytes; the count itself is one byte. */
function greatestCount(raw: RawInstance, version: 2 | 3 | undefined, family: 4 | 6): number {
  const ethernet = 14;
  const header = family === 6 ? 40 : 20;
  const vrrp = 8 + (family === 4 && version === 2 ? 8 : 0) + (raw.hmac === undefined ? 0 : 28);
  return Math.min(MAX_ADDRESSES, Math.floor((1_500 - ethernet - header - vrrp) / (family === 6 ? 16 : 4)));
}
