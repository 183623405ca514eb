/** What this host means for a virtual router: its source address, whom it believes, and the tracks about the host. */
import type { Ipv4, TrackState } from '../vrrp/index.js';
import { type Ipv4Prefix, isInPrefix, VRRP_GROUP } from '../wire/ipv4-address.js';
import type { Expectations } from '../wire/reception.js';
import type { Channels } from './channels.js';
import type { InterfaceTable } from './interface-table.js';
import type { RunningRouter } from './running-router.js';

export const SOURCE_ADDRESS_TRACK = 'source address';
const INTERFACE_TRACK = 'interface ';

/**
 * The address to send from: the configured one if this host has it, else the interface's first address that is not
 * virtual. Undefined: there is none.
 *
 * @param own what ownAddressesOf gave
 */
export function sourceOf(router: RunningRouter, table: InterfaceTable, own: ReadonlySet<Ipv4>): Ipv4 | undefined {
  const { configuredSource, hostOwned } = router;
  // An owner's virtual address is its own and may be all that it has.
  const isOwn = (address: Ipv4) => own.has(address) || hostOwned.has(address);
  if (configuredSource !== undefined) return isOwn(configuredSource) ? configuredSource : undefined;
  const link = table.link(router.settings.interface);
  return link === undefined ? undefined : table.sourceOn(link.index, (address) => !isOwn(address));
}

/** State of a track that is about this host; undefined for one that is not. */
export function hostTrack(
  router: RunningRouter,
  id: string,
  table: InterfaceTable,
  channels: Channels,
): TrackState | undefined {
  if (id === SOURCE_ADDRESS_TRACK) return router.source === undefined ? 'down' : 'up';
  if (!id.startsWith(INTERFACE_TRACK)) return undefined;
  const name = id.slice(INTERFACE_TRACK.length);
  // To be up and deaf would be to become active beside another active router.
  const isDeaf = name === router.settings.interface && channels.get(name)?.isOpen !== true;
  return table.link(name)?.isUp === true && !isDeaf ? 'up' : 'down';
}

/** The virtual addresses of a priority 255 router that the host has by itself, for ever. */
export function hostOwnedAddresses(router: RunningRouter, table: InterfaceTable): ReadonlySet<Ipv4> {
  const owned = new Set<Ipv4>();
  if (router.router.priority !== 255) return owned;
  for (const { address, device, key } of router.wanted) {
    const link = table.link(device);
    if (link === undefined || router.held.has(key)) continue;
    for (const there of table.addressesOn(link.index)) {
      if (there.address === address && there.validLifetime === 'forever') owned.add(address);
    }
  }
  return owned;
}

/**
 * Addresses of this host that nobody else may send from. A virtual one is not among them: it may be another router's own.
 *
 * @param virtual addresses of all virtual routers of this node
 */
export function ownAddressesOf(table: InterfaceTable, virtual: ReadonlySet<Ipv4>): ReadonlySet<Ipv4> {
  const own = new Set<Ipv4>();
  for (const address of table.everyAddress()) if (!virtual.has(address)) own.add(address);
  return own;
}

/**
 * By what received advertisements are judged.
 *
 * @param own what ownAddressesOf gave
 */
export function expectationsOf(router: RunningRouter, table: InterfaceTable, own: ReadonlySet<Ipv4>): Expectations {
  const { settings, unicastPeers, hostOwned } = router;
  return {
    version: settings.router.version,
    interval: settings.router.advertisementInterval,
    ...(settings.password === undefined ? {} : { password: settings.password }),
    transport:
      unicastPeers === undefined
        ? { kind: 'multicast', group: VRRP_GROUP }
        : { kind: 'unicast', peers: new Set(unicastPeers) },
    ownAddresses: hostOwned.size === 0 ? own : new Set([...own, ...hostOwned]),
    onLink: onLinkPrefixes(router, table, own),
  };
}

/** Subnets of the interface. None, which is to say any, where its addresses tell of no subnet that the source is in. */
function onLinkPrefixes(router: RunningRouter, table: InterfaceTable, own: ReadonlySet<Ipv4>): readonly Ipv4Prefix[] {
  const link = table.link(router.settings.interface);
  const { source, hostOwned } = router;
  if (link === undefined || source === undefined) return [];
  const prefixes: Ipv4Prefix[] = [];
  for (const { address, prefixLength } of table.addressesOn(link.index)) {
    if (prefixLength < 32 && (own.has(address) || hostOwned.has(address))) prefixes.push({ address, prefixLength });
  }
  return prefixes.some((prefix) => isInPrefix(source, prefix)) ? prefixes : [];
}
