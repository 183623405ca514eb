/** Hundreds of virtual routers on two hosts, and the wait until the first host has them all. */

import type { Host } from '../lab/host.js';
import { keepalivedFile, vrrpInstance } from '../lab/keepalived.js';

/** IPv4 routers on one interface: VRIDs 1 to `count`, one address each. */
export interface RouterBlock {
  readonly device: string;
  readonly count: number;
  /** Third number of the addresses 10.9.N.VRID. */
  readonly network: number;
}

/** @param intervalMs a multiple of ten */
export function manyRouters(blocks: readonly RouterBlock[], priority: number, intervalMs: number): string {
  return keepalivedFile(
    ...blocks.flatMap(({ device, count, network }) =>
      Array.from({ length: count }, (_, index) =>
        vrrpInstance(`VI_${network}_${index + 1}`, {
          vrid: index + 1,
          priority,
          interval: intervalMs / 1000,
          interface: device,
          addresses: [`10.9.${network}.${index + 1}/32`],
        }),
      ),
    ),
  );
}

/**
 * IPv4 packets to a group that the host's kernel has received and sent: adverts, and none of the ARP beside them. IGMP is
 * among them, a handful at each start.
 */
export interface Multicasts {
  readonly received: number;
  readonly sent: number;
}

export async function multicastsOf(host: Host): Promise<Multicasts> {
  const lines = (await host.run('cat', '/proc/net/netstat')).split('\n').filter((line) => line.startsWith('IpExt:'));
  const [names = [], values = []] = lines.map((line) => line.split(' '));
  const counter = (name: string): number => {
    const value = Number(values[names.indexOf(name)]);
    if (Number.isNaN(value)) throw new Error(`this kernel does not count ${name} in /proc/net/netstat`);
    return value;
  };
  return { received: counter('InMcastPkts'), sent: counter('OutMcastPkts') };
}
