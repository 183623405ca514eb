/** Addresses of a bundle as the kernel is to have them. */
import type { Address } from '../../proto/gen/baton/v1/resources.js';
import { durationToMicros } from '../../proto/rules/duration.js';
import { familyOf, formatIp, type IpPrefix, parseIp, parseIpPrefix } from '../../proto/rules/ip.js';
import { broadcastOf, formatIpv4, networkOf } from '../../proto/rules/ipv4.js';
import { scopeNumber } from '../../proto/rules/routing-names.js';
import { MICROS_PER_SECOND } from '../../proto/rules/time.js';
import type { VirtualAddress } from '../runtime/messages.js';

/** @param device Interface of an address that names none. */
export function addressSettings(message: Address, device: string, refuse: (reason: string) => void): VirtualAddress {
  const prefix = parseIpPrefix(message.address);
  if (prefix === undefined) {
    refuse(`"${message.address}" is not an address with prefix length`);
    return { address: '0.0.0.0', prefixLength: 32, device };
  }
  const broadcast = broadcastText(message.broadcast, prefix);
  if (broadcast !== '' && parseIp(broadcast) === undefined) refuse(`"${broadcast}" is not a broadcast address`);
  const scope = message.scope === '' ? 0 : scopeNumber(message.scope);
  if (scope === undefined) refuse(`"${message.scope}" is no scope; give global, site, link, host, nowhere or a number`);
  const peer = message.peer === '' ? undefined : parseIpPrefix(message.peer);
  if (peer === undefined ? message.peer !== '' : familyOf(peer.address) !== familyOf(prefix.address)) {
    refuse(`"${message.peer}" is not an address of the family of ${message.address}`);
  }
  const { preferredLifetime } = message;
  return {
    address: formatIp(prefix.address),
    prefixLength: prefix.prefixLength,
    device: message.device === '' ? device : message.device,
    ...(message.label === '' ? {} : { label: message.label }),
    ...(broadcast === '' ? {} : { broadcast }),
    ...(scope === undefined || scope === 0 ? {} : { scope }),
    ...(peer === undefined ? {} : { peer: { address: formatIp(peer.address), prefixLength: peer.prefixLength } }),
    ...(message.noPrefixRoute ? { noPrefixRoute: true } : {}),
    ...(preferredLifetime === undefined
      ? {}
      : { preferredLifetime: Math.floor(durationToMicros(preferredLifetime) / MICROS_PER_SECOND) }),
    ...(message.home ? { home: true } : {}),
    ...(message.noDad ? { noDad: true } : {}),
    ...(message.manageTemporary ? { manageTemporary: true } : {}),
    ...(message.autojoin ? { autojoin: true } : {}),
    ...(message.noTrack ? { noTrack: true } : {}),
    ...(message.virtualMac ? { virtualMac: true } : {}),
  };
}

function broadcastText(text: string, { address, prefixLength }: IpPrefix): string {
  if ((text !== '+' && text !== '-') || typeof address === 'bigint') return text;
  const cidr = { address, prefixLength };
  return formatIpv4(text === '+' ? broadcastOf(cidr) : networkOf(cidr));
}
