/** An ear and a mouth on a host's interface: sees VRRP and ARP frames of both directions, sends any bytes at all. */
import type { Host } from './host.js';
import { VRRP_GROUP_MAC } from './packet.js';
import type { Program } from './program.js';
import { until } from './until.js';

export interface Frame {
  /** Wall clock, milliseconds with fractions. */
  readonly atMs: number;
  /** Sent by this host. */
  readonly outgoing: boolean;
  /** With Ethernet header. */
  readonly bytes: Uint8Array;
}

export class Tap {
  readonly #frames: Frame[] = [];

  private constructor(
    private readonly program: Program,
    private readonly mac: Uint8Array,
  ) {
    program.onLine((line) => {
      if (!line.startsWith('{"atMs"')) return;
      const { atMs, outgoing, frame } = JSON.parse(line) as { atMs: number; outgoing: boolean; frame: string };
      this.#frames.push({ atMs, outgoing, bytes: Buffer.from(frame, 'hex') });
    });
  }

  static async open(host: Host): Promise<Tap> {
    const mac = Buffer.from((await host.mac()).replaceAll(':', ''), 'hex');
    const program = host.startModule(new URL('./tap-main.js', import.meta.url), host.device);
    const tap = new Tap(program, mac);
    await program.untilSays('ready', 5000);
    return tap;
  }

  /** All frames until now, oldest first. */
  get frames(): readonly Frame[] {
    return this.#frames;
  }

  /** IPv4 packets of protocol 112 until now, with their IP header; `source` is a dotted quad. */
  adverts(source?: string): readonly { readonly atMs: number; readonly packet: Uint8Array }[] {
    return this.#frames
      .filter(({ bytes }) => bytes[12] === 0x08 && bytes[13] === 0x00)
      .map(({ atMs, bytes }) => ({ atMs, packet: bytes.subarray(14) }))
      .filter(({ packet }) => source === undefined || packet.subarray(12, 16).join('.') === source);
  }

  /** Gratuitous ARP for the address until now. */
  announcements(address: string): readonly Frame[] {
    return this.#frames.filter(
      ({ bytes }) =>
        bytes[12] === 0x08 &&
        bytes[13] === 0x06 &&
        bytes.subarray(28, 32).join('.') === address &&
        bytes.subarray(38, 42).join('.') === address,
    );
  }

  /** Waits until more adverts of a source have been seen than `seen`; gives the newest. */
  untilAdvert(source: string, withinMs: number, seen = this.adverts(source).length): Promise<Uint8Array> {
    return until(`an advertisement from ${source}`, withinMs, () => {
      const adverts = this.adverts(source);
      return adverts.length > seen ? adverts.at(-1)?.packet : undefined;
    });
  }

  /** Sends an IPv4 packet as it is, to the VRRP group's MAC address or another one. */
  send(packet: Uint8Array, destination: Uint8Array = VRRP_GROUP_MAC): void {
    this.program.write(
      `${Buffer.concat([destination, this.mac, Buffer.from([0x08, 0x00]), packet]).toString('hex')}\n`,
    );
  }

  close(): Promise<void> {
    return this.program.kill();
  }
}
