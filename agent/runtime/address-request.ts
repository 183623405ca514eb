/** A virtual or static address as the kernel is asked for it. Pure. */
import { type IpAddress, parseIp } from '../../proto/rules/ip.js';
import type { AddressRequest, Lifetime } from '../link/rtnetlink.js';
import type { VirtualAddress } from './messages.js';

/**
 * @param address `settings.address`, parsed
 * @param detects whether IPv6 duplicate address detection is left to the kernel: the address is not usable until it has
 *   ended, a second later (docs/decisions/0017)
 */
export function addressRequest(
  settings: VirtualAddress,
  address: IpAddress,
  interfaceIndex: number,
  lifetime: Lifetime,
  detects: boolean,
): AddressRequest {
  const { peer, label, broadcast, scope, preferredLifetime } = settings;
  const isIpv6 = typeof address === 'bigint';
  const peerAddress = peer === undefined ? undefined : parseIp(peer.address);
  const broadcastAddress = broadcast === undefined ? undefined : parseIp(broadcast);
  return {
    interfaceIndex,
    address,
    // With a peer it is the peer's prefix that the kernel knows.
    prefixLength: peer?.prefixLength ?? settings.prefixLength,
    lifetime,
    ...(peerAddress === undefined ? {} : { peer: peerAddress }),
    ...(preferredLifetime === undefined ? {} : { preferredLifetime }),
    ...(label === undefined ? {} : { label }),
    ...(broadcastAddress === undefined ? {} : { broadcast: broadcastAddress }),
    ...(scope === undefined ? {} : { scope }),
    ...(settings.noPrefixRoute === true ? { noPrefixRoute: true } : {}),
    ...(isIpv6 && (!detects || settings.noDad === true) ? { noDad: true } : {}),
    ...(settings.home === true ? { home: true } : {}),
    ...(settings.manageTemporary === true ? { manageTemporary: true } : {}),
    ...(settings.autojoin === true ? { autojoin: true } : {}),
  };
}

/** Whether the kernel can be brought from one to the other without taking the address away for a moment. */
export function areRenewable(a: VirtualAddress, b: VirtualAddress): boolean {
  return a === b || fixedOptions(a) === fixedOptions(b);
}

function fixedOptions({ label, broadcast, scope, peer, noPrefixRoute, autojoin }: VirtualAddress): string {
  return JSON.stringify([label, broadcast, scope, peer?.address, peer?.prefixLength, noPrefixRoute, autojoin]);
}
