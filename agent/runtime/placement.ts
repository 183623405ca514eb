/**
 * Which interface each virtual address is on, and which macvlan interfaces a router needs for that. Pure.
 *
 * The addresses of a router with a virtual MAC that are on its own interface go on the router's macvlan. One elsewhere
 * stays where it is, unless it asks for the virtual MAC itself: then it has a macvlan of its own on that interface.
 */
import type { RouterSettings, VirtualAddress } from './messages.js';

/** A macvlan interface that a router needs. */
export interface WantedMacvlan {
  readonly name: string;
  /** The interface that it is on. */
  readonly base: string;
  /** Six bytes as aa:bb:cc:dd:ee:ff. */
  readonly address: string;
}

type Placed = Pick<RouterSettings, 'interface' | 'family' | 'virtualMac' | 'addresses' | 'excludedAddresses'> & {
  readonly router: Pick<RouterSettings['router'], 'vrid'>;
};

/** The router's own macvlan first, if its advertisements are sent with the virtual MAC. */
export function macvlansOf(settings: Placed): readonly WantedMacvlan[] {
  const { virtualMac, router, family } = settings;
  const wanted: WantedMacvlan[] = [];
  if (virtualMac !== undefined) {
    wanted.push({ name: virtualMac.name, base: settings.interface, address: virtualMac.address });
  }
  const standard = `vrrp${family === 6 ? '6' : ''}.${router.vrid}`;
  const address = virtualMac?.address ?? standardMac(family, router.vrid);
  for (const each of [...settings.addresses, ...settings.excludedAddresses]) {
    if (each.virtualMac !== true || wanted.some(({ base }) => base === each.device)) continue;
    wanted.push({
      name: wanted.length === 0 ? standard : `${standard}.${wanted.length}`,
      base: each.device,
      address,
    });
  }
  return wanted;
}

/** The interface that the kernel is to have the address on. */
export function deviceOf(settings: Placed, { device, virtualMac }: VirtualAddress): string {
  const isOnMacvlan = virtualMac === true || (settings.virtualMac !== undefined && device === settings.interface);
  if (!isOnMacvlan) return device;
  return macvlansOf(settings).find(({ base }) => base === device)?.name ?? device;
}

/** RFC 9568 section 7.3. */
function standardMac(family: 4 | 6, vrid: number): string {
  return `00:00:5e:00:0${family === 6 ? 2 : 1}:${vrid.toString(16).padStart(2, '0')}`;
}
