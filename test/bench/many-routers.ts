/** Hundreds of virtual routers on two hosts, and the wait until the first host has them all. */

import { run } from '../lab/command.js';
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

/** Packets that the host's interfaces have sent and received since they were made. */
export interface Traffic {
  readonly sent: number;
  readonly received: number;
}

interface LinkJson {
  readonly ifname: string;
  readonly stats64: { readonly rx: { readonly packets: number }; readonly tx: { readonly packets: number } };
}

export async function trafficOf(host: Host): Promise<Traffic> {
  const links = JSON.parse(await run('ip', ['-n', host.namespace, '-j', '-s', 'link', 'show'])) as readonly LinkJson[];
  const cables = links.filter(({ ifname }) => ifname.startsWith('em'));
  return {
    sent: cables.reduce((sum, { stats64 }) => sum + stats64.tx.packets, 0),
    received: cables.reduce((sum, { stats64 }) => sum + stats64.rx.packets, 0),
  };
}
