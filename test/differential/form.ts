/** The dimensions that every family of scenarios is run in: version, address family, transport, virtual MAC. */

/** How a scenario's routers speak. */
export interface Form {
  readonly title: string;
  readonly version: 2 | 3;
  readonly family: 4 | 6;
  readonly unicast: boolean;
  readonly virtualMac: boolean;
  /** Of advertisements, milliseconds. */
  readonly intervalMs: number;
}

/**
 * Long enough that a busy machine's delays are no missed advertisements, short enough that hundreds of performances end
 * within minutes. Version 2 has whole seconds only.
 */
const INTERVAL_MS = 300;

const PLAIN: Form = {
  title: 'v3',
  version: 3,
  family: 4,
  unicast: false,
  virtualMac: false,
  intervalMs: INTERVAL_MS,
};

export const V3 = PLAIN;
/** With a password, as most of version 2 are. */
export const V2: Form = { ...PLAIN, title: 'v2', version: 2, intervalMs: 1000 };
export const IPV6: Form = { ...PLAIN, title: 'v3 IPv6', family: 6 };
export const UNICAST: Form = { ...PLAIN, title: 'v3 unicast', unicast: true };
export const UNICAST_IPV6: Form = { ...PLAIN, title: 'v3 IPv6 unicast', family: 6, unicast: true };
export const VMAC: Form = { ...PLAIN, title: 'v3 VMAC', virtualMac: true };
export const VMAC_IPV6: Form = { ...PLAIN, title: 'v3 IPv6 VMAC', family: 6, virtualMac: true };

/** No router waits longer for its active one: three intervals and the skew of the least priority (RFC 9568 section 6.1). */
export function downMs({ intervalMs }: Form): number {
  return 4 * intervalMs;
}

/** After that a dead Baton's addresses are gone: the longest lease, and what the kernel adds. */
export function leaseEndMs(form: Form): number {
  return Math.max(2000, downMs(form)) + 1500;
}
