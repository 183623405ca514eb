/** The virtual addresses of a router, which all its hosts must agree on. */
import { Address } from '../gen/baton/v1/resources.js';
import type { VirtualAddress, VrrpInstance } from './config.js';
import type { Part } from './import-host.js';
import type { Remarks } from './remarks.js';

const WHOLE_PREFIX = 32;

/** The first host's addresses; every difference of another is reported. */
export function importAddresses(parts: readonly Part[], remarks: Remarks): Address[] {
  const first = parts[0]?.instance;
  if (first === undefined) return [];
  const addresses = first.addresses.map((entry) => addressOf(entry, first));
  for (const { instance } of parts.slice(1)) compare(first, addresses, instance, remarks);
  return addresses;
}

/** `dev` is left out when it is the instance's own interface, which is the default. */
function addressOf(entry: VirtualAddress, instance: VrrpInstance): Address {
  return Address.create({
    address: entry.prefixLength === WHOLE_PREFIX ? entry.address : `${entry.address}/${entry.prefixLength}`,
    device: entry.device === undefined || entry.device === instance.interface ? '' : entry.device,
    label: entry.label ?? '',
    broadcast: entry.broadcast ?? '',
  });
}

function compare(first: VrrpInstance, addresses: Address[], instance: VrrpInstance, remarks: Remarks): void {
  const place = `${first.origin.file}:${first.origin.line}`;
  const unmatched = new Set(addresses);
  for (const entry of instance.addresses) {
    const mine = addressOf(entry, instance);
    const theirs = [...unmatched].find((other) => bare(other) === entry.address);
    if (theirs === undefined) {
      remarks.error(
        entry.origin,
        `${entry.address} is not among the addresses of ${place}: the members of a router must have the same ones; it is left out`,
      );
      continue;
    }
    unmatched.delete(theirs);
    if (mine.label !== theirs.label) {
      remarks.warning(entry.origin, `${entry.address}: the label differs from that in ${place}; the address gets none`);
      theirs.label = '';
    }
    for (const field of ['address', 'device', 'broadcast'] as const) {
      if (mine[field] === theirs[field]) continue;
      const what = field === 'address' ? 'prefix length' : field === 'device' ? 'dev' : 'brd';
      remarks.error(
        entry.origin,
        `${entry.address}: ${what} differs from that in ${place}, which is taken; one router has one setting for all its members`,
      );
    }
  }
  for (const missing of unmatched) {
    remarks.error(
      instance.origins.get('virtual_ipaddress') ?? instance.origin,
      `${missing.address} of ${place} is missing here: the members of a router must have the same addresses; it is taken for all`,
    );
  }
}

function bare(address: Address): string {
  return address.address.split('/', 1)[0] ?? '';
}
