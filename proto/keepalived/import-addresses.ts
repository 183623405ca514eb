/** The addresses of a router, which all its hosts must agree on. */
import { Address } from '../gen/baton/v1/resources.js';
import type { VirtualAddress, VrrpInstance } from './config.js';
import type { Part } from './import-host.js';
import { quoted, type Remarks } from './remarks.js';

type AddressList = 'addresses' | 'excludedAddresses';

const KEYWORD: Readonly<Record<AddressList, string>> = {
  addresses: 'virtual_ipaddress',
  excludedAddresses: 'virtual_ipaddress_excluded',
};

/** The first host's addresses; every difference of another is reported. */
export function importAddresses(parts: readonly Part[], list: AddressList, remarks: Remarks): Address[] {
  const first = parts[0]?.instance;
  if (first === undefined) return [];
  const addresses = first[list].map((entry) => virtualAddress(entry, first));
  for (const { instance } of parts.slice(1)) compare(first, addresses, instance, list, remarks);
  return addresses;
}

/** `dev` is left out when it is the instance's own interface, which is the default. */
function virtualAddress(entry: VirtualAddress, instance: VrrpInstance): Address {
  const address = importAddress(entry);
  // Those of a router never have it (decision 0017).
  address.noDad = false;
  if (address.device === instance.interface) address.device = '';
  if (address.device !== '' && instance.virtualMacElsewhere) address.virtualMac = true;
  return address;
}

/** As it stands, with its interface. */
export function importAddress(entry: VirtualAddress): Address {
  const whole = entry.family === 6 ? 128 : 32;
  const { flags, preferredLifetime } = entry;
  return Address.create({
    address: entry.prefixLength === whole ? entry.address : `${entry.address}/${entry.prefixLength}`,
    device: entry.device ?? '',
    label: entry.label ?? '',
    broadcast: entry.broadcast ?? '',
    scope: entry.scope ?? '',
    peer: entry.peer ?? '',
    noPrefixRoute: flags.has('noprefixroute'),
    ...(preferredLifetime === undefined ? {} : { preferredLifetime: { seconds: preferredLifetime, nanos: 0 } }),
    home: flags.has('home'),
    // keepalived's own addresses have no duplicate address detection; "-nodad" takes that away.
    noDad: entry.family === 6 && !flags.has('-nodad'),
    manageTemporary: flags.has('mngtmpaddr'),
    autojoin: flags.has('autojoin'),
    noTrack: flags.has('no_track'),
    virtualMac: flags.has('use_vmac'),
  });
}

/** How the fields are called in keepalived's file. */
const OPTIONS: readonly (readonly [keyof Address, string])[] = [
  ['address', 'prefix length'],
  ['device', 'dev'],
  ['broadcast', 'brd'],
  ['scope', 'scope'],
  ['peer', 'peer'],
  ['preferredLifetime', 'preferred_lft'],
  ['noPrefixRoute', 'noprefixroute'],
  ['home', 'home'],
  ['manageTemporary', 'mngtmpaddr'],
  ['autojoin', 'autojoin'],
  ['noTrack', 'no_track'],
  ['virtualMac', 'use_vmac'],
];

function compare(
  first: VrrpInstance,
  addresses: Address[],
  instance: VrrpInstance,
  list: AddressList,
  remarks: Remarks,
): void {
  const place = `${first.origin.file}:${first.origin.line}`;
  const what = list === 'addresses' ? 'addresses' : 'excluded addresses';
  const unmatched = new Set(addresses);
  for (const entry of instance[list]) {
    const mine = virtualAddress(entry, instance);
    const theirs = [...unmatched].find((other) => bare(other) === entry.address);
    if (theirs === undefined) {
      remarks.error(
        entry.origin,
        `${entry.address} is not among the ${what} of ${place}: the members of a router must have the same ones; it is left out`,
      );
      continue;
    }
    unmatched.delete(theirs);
    if (mine.label !== theirs.label) {
      remarks.warning(entry.origin, `${entry.address}: the label differs from that in ${place}; the address gets none`);
      theirs.label = '';
    }
    for (const [field, option] of OPTIONS) {
      if (JSON.stringify(mine[field]) === JSON.stringify(theirs[field])) continue;
      remarks.error(
        entry.origin,
        `${entry.address}: ${option} differs from that in ${place}, which is taken; one router has one setting for all its members`,
      );
    }
  }
  for (const missing of unmatched) {
    remarks.error(
      instance.origins.get(KEYWORD[list]) ?? instance.origin,
      `${quoted(missing.address).slice(1, -1)} of ${place} is missing here: the members of a router must have the same ${what}; it is taken for all`,
    );
  }
}

function bare(address: Address): string {
  return address.address.split('/', 1)[0] ?? '';
}
