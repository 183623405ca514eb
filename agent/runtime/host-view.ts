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
 * @param virtual addresses of all virtual routers of this node
 */
export function sourceOf(router: RunningRouter, table: InterfaceTable, virtual: ReadonlySet<Ipv4>): Ipv4 | undefined {
  const { configuredSource } = router;
  if (configuredSource !== undefined) return table.isLocal(configuredSource) ? configuredSource : undefined;
  const link = table.link(router.settings.interface);
  // An owner's virtual address is its own and may be all that it has.
  const isVirtual = (address: Ipv4) => virtual.has(address) && !router.hostOwned.has(address);
  return link === undefined ? undefined : table.sourceOn(link.index, isVirtual);
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
    const there = table.addressesOn(link.index).find((known) => known.address === address);
    if (there?.validLifetime === 'forever') owned.add(address);
  }
  return owned;
}

/** By what received advertisements are judged. */
export function expectationsOf(router: RunningRouter, table: InterfaceTable, virtual: ReadonlySet<Ipv4>): Expectations {
  const { settings, unicastPeers } = router;
  // A virtual address may be another router's own: its owner sends from it.
  const isOwn = (address: Ipv4) => !virtual.has(address) || router.hostOwned.has(address);
  return {
    version: settings.router.version,
    interval: settings.router.advertisementInterval,
    ...(settings.password === undefined ? {} : { password: settings.password }),
    transport:
      unicastPeers === undefined
        ? { kind: 'multicast', group: VRRP_GROUP }
        : { kind: 'unicast', peers: new Set(unicastPeers) },
    ownAddresses: new Set([...table.everyAddress()].filter(isOwn)),
    onLink: onLinkPrefixes(router, table, isOwn),
  };
}

/** Subnets of the interface. None, which is to say any, where its addresses tell of no subnet that the source is in. */
function onLinkPrefixes(
  router: RunningRouter,
  table: InterfaceTable,
  isOwn: (address: Ipv4) => boolean,
): readonly Ipv4Prefix[] {
  const link = table.link(router.settings.interface);
  if (link === undefined) return [];
  const prefixes = table
    .addressesOn(link.index)
    .filter(({ address, prefixLength }) => prefixLength < 32 && isOwn(address))
    .map(({ address, prefixLength }) => ({ address, prefixLength }));
  const { source } = router;
  return source !== undefined && prefixes.some((prefix) => isInPrefix(source, prefix)) ? prefixes : [];
}
