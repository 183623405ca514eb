/** A host that sends frames by the ten thousand: more than can be told over a pipe one by one. */
import type { Host } from '../lab/host.js';
import {
  type AdvertFields,
  advertPacket,
  ipv6AdvertPacket,
  VRRP_GROUP_MAC,
  VRRP_IPV6_GROUP_MAC,
} from '../lab/packet.js';
import type { Program } from '../lab/program.js';

export interface FloodOrder {
  /** Whole Ethernet frames in hexadecimal, sent in turn. */
  readonly frames: readonly string[];
  readonly count: number;
  readonly perSecond: number;
}

export class Flood {
  private constructor(
    readonly host: Host,
    private readonly program: Program,
    private readonly mac: Uint8Array,
  ) {}

  static async open(host: Host): Promise<Flood> {
    const program = host.startModule(new URL('./flood-main.js', import.meta.url), host.device);
    await program.untilSays('ready', 5000);
    return new Flood(host, program, Buffer.from((await host.mac()).replaceAll(':', ''), 'hex'));
  }

  /** An IPv4 packet to VRRP's group as a frame from this host. */
  ipv4(packet: Uint8Array): Uint8Array {
    return Buffer.concat([VRRP_GROUP_MAC, this.mac, Buffer.from([0x08, 0x00]), packet]);
  }

  ipv6(packet: Uint8Array): Uint8Array {
    return Buffer.concat([VRRP_IPV6_GROUP_MAC, this.mac, Buffer.from([0x86, 0xdd]), packet]);
  }

  ipv4Advert(fields: Omit<AdvertFields, 'source'>): Uint8Array {
    return this.ipv4(advertPacket({ ...fields, source: this.host.address }));
  }

  ipv6Advert(fields: AdvertFields): Uint8Array {
    return this.ipv6(ipv6AdvertPacket(fields));
  }

  /** Resolves when all have been sent; gives how many a second there were. */
  async send(frames: readonly Uint8Array[], count: number, perSecond: number): Promise<number> {
    const before = this.program.lines.length;
    const order: FloodOrder = { frames: frames.map((frame) => Buffer.from(frame).toString('hex')), count, perSecond };
    const said = new Promise<string>((resolve) => {
      const stop = this.program.onLine((line) => {
        stop();
        resolve(line);
      });
    });
    this.program.write(`${JSON.stringify(order)}\n`);
    const line = this.program.lines[before] ?? (await said);
    const { rate } = JSON.parse(line) as { readonly rate: number };
    return rate;
  }

  close(): Promise<void> {
    return this.program.kill();
  }
}
