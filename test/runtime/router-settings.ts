/** Settings of a virtual router for tests: everything has a default. */
import type { RouterSettings, VirtualAddress } from '../../agent/runtime/messages.js';
import type { Track, VirtualRouter } from '../../agent/vrrp/index.js';
import { ipv4 } from './virtual-host.js';

export interface SettingsOptions {
  readonly name?: string;
  readonly vrid?: number;
  readonly version?: 2 | 3;
  readonly priority?: number;
  /** Microseconds; default 1 s. */
  readonly interval?: number;
  readonly preempt?: boolean;
  readonly leased?: boolean;
  readonly interface?: string;
  /** Dotted quads with or without prefix length; default 10.0.0.100. */
  readonly addresses?: readonly string[];
  readonly tracks?: readonly Track[];
  readonly more?: Partial<Omit<RouterSettings, 'router' | 'addresses' | 'interface'>>;
}

export function settings(options: SettingsOptions = {}): RouterSettings {
  const device = options.interface ?? 'em1';
  const addresses = (options.addresses ?? ['10.0.0.100']).map((text): VirtualAddress => {
    const [address = '', prefixLength = '32'] = text.split('/');
    return { address, prefixLength: Number(prefixLength), device };
  });
  const router: VirtualRouter = {
    name: options.name ?? 'r',
    vrid: options.vrid ?? 10,
    version: options.version ?? 3,
    priority: options.priority ?? 100,
    advertisementInterval: options.interval ?? 1_000_000,
    preemptMode: options.preempt ?? true,
    preemptDelay: 0,
    strictRfc: false,
    addresses: addresses.map(({ address }) => ipv4(address)),
    tracks: [
      { id: `interface ${device}`, weight: 0, reverse: false },
      { id: 'source address', weight: 0, reverse: false },
      ...(options.tracks ?? []),
    ],
    announcements: {
      repeat: 1,
      delay: 0,
      refresh: 0,
      refreshRepeat: 1,
      lowerPriorityRepeat: 1,
      lowerPriorityDelay: 0,
    },
    leased: options.leased ?? true,
  };
  return { router, interface: device, checksum: 'pseudo_header', addresses, ...options.more };
}
