/** What this host means for a virtual router: the address it sends from, and whom it believes. */
import {
  bitsOf,
  familyOf,
  type IpAddress,
  type IpPrefix,
  isLinkLocal,
  parseIp,
  prefixContains,
} from '../../proto/rules/ip.js';
import { VRRP_GROUPS } from '../wire/advertisement.js';
import type { Expectations, TtlRange } from '../wire/reception.js';
import { type InterfaceTable, isUsable } from './interface-table.js';
import type { RunningRouter } from './running-router.js';

/**
 * The address to send from: the configured one if this host has it, else the interface's first address that is not
 * virtual. For IPv6 a link-local one (RFC 9568 section 5.1.2.1), unless unicast peers are elsewhere. Undefined: there is
 * none.
 *
 * @param own what OwnAddresses gives for the router's interface
 */
export function sourceOf(
  router: RunningRouter,
  table: InterfaceTable,
  own: ReadonlySet<IpAddress>,
): IpAddress | undefined {
  const { configuredSource, hostOwned, unicastPeers, family } = router;
  // An owner's virtual address is its own and may be all that it has.
  const isOwn = (address: IpAddress) => own.has(address) || hostOwned.has(address);
  if (configuredSource !== undefined) return isOwn(configuredSource) ? configuredSource : undefined;
  const link = table.link(router.settings.interface);
  if (link === undefined) return undefined;
  const isRouted = unicastPeers !== undefined && !unicastPeers.every(isLinkLocal);
  return table.sourceOn(
    link.index,
    family,
    (address) => isOwn(address) && (family === 4 || isLinkLocal(address) !== isRouted),
    router.source,
  );
}

/** The virtual addresses of a priority 255 router that the host has by itself, for ever. */
export function hostOwnedAddresses(router: RunningRouter, table: InterfaceTable): ReadonlySet<IpAddress> {
  const owned = new Set<IpAddress>();
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
 * Nor is one that another host was found to have. A link-local one is this host's on its own link alone: on another link
 * another host may have it (RFC 4291 section 2.5.6).
 */
export class OwnAddresses {
  readonly #everywhere = new Set<IpAddress>();
  readonly #linkLocal = new Map<number, IpAddress[]>();
  /** Made for each link once, for all of its routers. */
  readonly #onLink = new Map<number, ReadonlySet<IpAddress>>();

  /** @param isVirtual whether the address on the interface is one of a virtual router of this node */
  constructor(table: InterfaceTable, isVirtual: (address: IpAddress, device: string) => boolean) {
    for (const known of table.everyAddress()) {
      const { address, interfaceIndex } = known;
      if (!isUsable(known) || isVirtual(address, table.linkOf(interfaceIndex)?.name ?? '')) continue;
      if (!isLinkLocal(address)) {
        this.#everywhere.add(address);
        continue;
      }
      const others = this.#linkLocal.get(interfaceIndex);
      if (others === undefined) this.#linkLocal.set(interfaceIndex, [address]);
      else others.push(address);
    }
  }

  /** What is this host's on the link of an interface; of none, what is so everywhere. */
  on(interfaceIndex: number | undefined): ReadonlySet<IpAddress> {
    const linkLocal = interfaceIndex === undefined ? undefined : this.#linkLocal.get(interfaceIndex);
    if (interfaceIndex === undefined || linkLocal === undefined) return this.#everywhere;
    const known = this.#onLink.get(interfaceIndex);
    if (known !== undefined) return known;
    const own = new Set([...this.#everywhere, ...linkLocal]);
    this.#onLink.set(interfaceIndex, own);
    return own;
  }
}

/**
 * By what received advertisements are judged.
 *
 * @param own what OwnAddresses gives for the router's interface
 */
export function expectationsOf(
  router: RunningRouter,
  table: InterfaceTable,
  own: ReadonlySet<IpAddress>,
): Expectations {
  const { settings, hostOwned, family, authentication } = router;
  return {
    version: settings.router.version,
    interval: settings.router.advertisementInterval,
    ...(settings.password === undefined ? {} : { password: settings.password }),
    transport: transportOf(router),
    ownAddresses: hostOwned.size === 0 ? own : new Set([...own, ...hostOwned]),
    onLink: family === 6 ? [] : onLinkPrefixes(router, table, own),
    mayBeEmpty: settings.addresses.length === 0,
    linkLocalFirst: settings.router.strictRfc,
    ...(authentication === undefined ? {} : { hmac: authentication.verifier }),
  };
}

function transportOf({ settings, unicastPeers, multicastGroup, family }: RunningRouter): Expectations['transport'] {
  const { unicast, believedSources } = settings;
  if (unicastPeers === undefined) {
    const believed = believedSources?.flatMap((text) => parseIp(text) ?? []);
    return {
      kind: 'multicast',
      group: multicastGroup ?? VRRP_GROUPS[family],
      ...(believed === undefined ? {} : { believed: new Set(believed) }),
    };
  }
  const limits = new Map<IpAddress, TtlRange>();
  for (const peer of unicastPeers) limits.set(peer, { least: unicast.minTtl, greatest: unicast.maxTtl });
  for (const { address, minTtl, maxTtl } of unicast.peerTtl) {
    const peer = parseIp(address);
    if (peer !== undefined && limits.has(peer)) limits.set(peer, { least: minTtl, greatest: maxTtl });
  }
  return { kind: 'unicast', peers: limits };
}

/** Subnets of the interface. None, which is to say any, where its addresses tell of no subnet that the source is in. */
function onLinkPrefixes(
  router: RunningRouter,
  table: InterfaceTable,
  own: ReadonlySet<IpAddress>,
): readonly IpPrefix[] {
  const link = table.link(router.settings.interface);
  const { source, hostOwned, family } = router;
  if (link === undefined || source === undefined) return [];
  const prefixes: IpPrefix[] = [];
  for (const { address, prefixLength } of table.addressesOn(link.index)) {
    if (familyOf(address) !== family || prefixLength >= bitsOf(family)) continue;
    if (own.has(address) || hostOwned.has(address)) prefixes.push({ address, prefixLength });
  }
  return prefixes.some((prefix) => prefixContains(prefix, source)) ? prefixes : [];
}
