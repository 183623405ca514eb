/**
 * Frames' payloads captured with tcpdump. Those of version 2 and 3 over IPv4 are from Debian's keepalived 2.2.7: VRID 10, source 10.9.0.1, virtual addresses
 * 10.9.0.26 and 10.9.0.27, the first advertisement after start (IP identification 1).
 */
import { parseIp, parseIpv6 } from '../../proto/rules/ip.js';
import { parseIpv4 } from '../../proto/rules/ipv4.js';

export function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(hex.replaceAll(/\s/g, '').match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
}

export function ip(text: string): number {
  const address = parseIpv4(text);
  if (address === undefined) throw new RangeError(`${text} is not an IPv4 address`);
  return address;
}

export function ip6(text: string): bigint {
  const address = parseIpv6(text);
  if (address === undefined) throw new RangeError(`${text} is not an IPv6 address`);
  return address;
}

/** Of either family. */
export function anyIp(text: string): number | bigint {
  const address = parseIp(text);
  if (address === undefined) throw new RangeError(`${text} is not an address`);
  return address;
}

/** Exactly 8 bytes, padded with zeros. */
export function secret(text: string): Uint8Array {
  const bytes = new Uint8Array(8);
  bytes.set(new TextEncoder().encode(text));
  return bytes;
}

/** version 2, priority 100, 1 s, auth_type PASS, auth_pass pg-vrrp */
export const V2_PASS = `45c0002c 00010000 ff70d084 0a090001 e0000012
  210a6402 0101e55a 0a09001a 0a09001b 70672d76 72727000`;

/** version 2, priority 150, 1 s, no authentication */
export const V2_NONE = `45c0002c 00010000 ff70d084 0a090001 e0000012
  210a9602 000134ab 0a09001a 0a09001b 00000000 00000000`;

/** version 3, priority 150, 1 s */
export const V3_MULTICAST = `45c00024 00010000 ff70d08c 0a090001 e0000012
  310a9602 006439ab 0a09001a 0a09001b`;

/** version 3, priority 255, 0.05 s, unicast to 10.9.0.2 */
export const V3_UNICAST = `45c00024 00010000 ff70a694 0a090001 0a090002
  310aff02 0005a711 0a09001a 0a09001b`;

/**
 * V3_MULTICAST with the checksum of RFC 9568, worked by hand:
 * 310a + 9602 + 0064 + 0a09 + 001a + 0a09 + 001b = dbb7, complement 2448.
 */
export const V3_MESSAGE_ONLY = `45c00024 00010000 ff70d08c 0a090001 e0000012
  310a9602 00642448 0a09001a 0a09001b`;

/** Ethernet frame: gratuitous ARP for 10.9.0.26 from 72:ed:e7:c2:a8:e9 */
export const GRATUITOUS_ARP = `ffffffffffff 72ede7c2a8e9 0806 0001 0800 06 04 0001
  72ede7c2a8e9 0a09001a ffffffffffff 0a09001a`;

/** Ethernet frame: keepalived's neighbour advertisement for fe80::aa:26 from 02:00:00:00:00:01 */
export const NEIGHBOR_ADVERTISEMENT = `333300000001 020000000001 86dd 60000000 0020 3a ff
  fe80000000000000 0000000000aa0026 ff02000000000000 0000000000000001
  8800 55fd 20000000 fe80000000000000 0000000000aa0026 0201 020000000001`;

/** Ethernet frame: a kernel's duplicate address detection of fe80::d494:cfff:fe95:73f7, with a nonce (RFC 7527) */
export const KERNEL_PROBE = `3333ff9573f7 d694cf9573f7 86dd 60000000 0020 3a ff
  0000000000000000 0000000000000000 ff02000000000000 00000001ff9573f7
  8700 48ac 00000000 fe80000000000000 d494cffffe9573f7 0e01 8ff5d1a63827`;

/*
 * From keepalived 2.4.3: VRID 10, priority 150, 1 s, source fe80::1, virtual addresses fe80::aa:26 and 2001:db8::26.
 * The flow label is the sending kernel's.
 */

/** version 3 over IPv6 */
export const V3_IPV6 = `6c002986 0028 70 ff fe80000000000000 0000000000000001 ff02000000000000 0000000000000012
  310a9602 00640d30 fe80000000000000 0000000000aa0026 20010db800000000 0000000000000026`;

/** version 2 over IPv6, without authentication */
export const V2_IPV6 = `6c002986 0028 70 ff fe80000000000000 0000000000000001 ff02000000000000 0000000000000012
  210a9602 00011d93 fe80000000000000 0000000000aa0026 20010db800000000 0000000000000026`;

/** version 2 over IPv6, PASS: the type is there and the password is not */
export const V2_IPV6_PASS = `6c002986 0028 70 ff fe80000000000000 0000000000000001 ff02000000000000 0000000000000012
  210a9602 01011c93 fe80000000000000 0000000000aa0026 20010db800000000 0000000000000026`;

/*
 * From keepalived 2.4.3 with auth_hmac: key 7 is the text 0123456789abcdef0123456789abcdef. Over IPv4 VRID, priority and
 * addresses are those of V3_MULTICAST. Each is the first of two that follow each other.
 */
export const HMAC_KEY_ID = 7;
export const HMAC_KEY = new TextEncoder().encode('0123456789abcdef0123456789abcdef');
/** Milliseconds since 1970 within the second in which they were sent. */
export const HMAC_SENT_MS = 0x6b034763 * 1000 + 500;

/** version 3, multicast */
export const HMAC_V3 = `45c00040 00010000 ff70d070 0a090001 e0000012
  310a9602 006439ab 0a09001a 0a09001b
  01070000 6b034763 116f 0000 8bafbbbb3c2aa558 21c6745be4a6c8c5`;
export const HMAC_V3_NEXT = `45c00040 00020000 ff70d06f 0a090001 e0000012
  310a9602 006439ab 0a09001a 0a09001b
  01070000 6b034764 12ae 0000 394e881e82cce595 ad744b34f6746078`;

/** version 3, unicast to 10.9.0.2 */
export const HMAC_V3_UNICAST = `45c00040 00010000 ff70a678 0a090001 0a090002
  310a9602 00640fb3 0a09001a 0a09001b
  01070000 6b034763 0d46 0000 8487553fc7cbb31d d11e3a3e12058684`;

/** version 2, without authentication data */
export const HMAC_V2 = `45c00048 00010000 ff70d068 0a090001 e0000012
  210a9602 000134ab 0a09001a 0a09001b 0000000000000000
  01070000 6b034762 eebe 0000 e9b31240eb7738ba 67410226d70bd605`;

/** version 3 over IPv6: the kernel's checksum covers the trailer */
export const HMAC_V3_IPV6 = `6c002986 0044 70 ff fe80000000000000 0000000000000001 ff02000000000000 0000000000000012
  310a9602 0064c84e fe80000000000000 0000000000aa0026 20010db800000000 0000000000000026
  01070000 6b034763 0791 0000 ffec5266039bea77 6f1062e247d62f97`;

/** version 2 over IPv6 */
export const HMAC_V2_IPV6 = `6c002986 0044 70 ff fe80000000000000 0000000000000001 ff02000000000000 0000000000000012
  210a9602 00018af4 fe80000000000000 0000000000aa0026 20010db800000000 0000000000000026
  01070000 6b034763 0ff1 0000 64b3428ef3f6ee2b 455ff30327cce58f`;

/** version 3 over IPv6, unicast to fe80::2, hop limit 64 */
export const HMAC_V3_IPV6_UNICAST = `6c089749 0044 70 40 fe80000000000000 0000000000000001 fe80000000000000 0000000000000002
  310a9602 00644b4f fe80000000000000 0000000000aa0026 20010db800000000 0000000000000026
  01070000 6b034763 1f82 0000 ab5df7b2bc3d3417 117b93db0613b097`;
