/** An ear and a mouth on a host's interface: sees VRRP, ARP and neighbour discovery frames of both directions, sends any bytes at all. */
import type { Host } from './host.js';
import { ipv6Bytes, VRRP_GROUP_MAC, VRRP_IPV6_GROUP_MAC } from './packet.js';
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
  readonly #ipv6Frames: Frame[] = [];

  private constructor(
    private readonly program: Program,
    private readonly mac: Uint8Array,
    readonly host: Host,
  ) {
    program.onLine((line) => {
      if (!line.startsWith('{"atMs"')) return;
      const { atMs, outgoing, frame } = JSON.parse(line) as { atMs: number; outgoing: boolean; frame: string };
      const bytes = Buffer.from(frame, 'hex');
      const frames = bytes.readUInt16BE(12) === 0x86dd ? this.#ipv6Frames : this.#frames;
      frames.push({ atMs, outgoing, bytes });
    });
  }

  static async open(host: Host): Promise<Tap> {
    const mac = Buffer.from((await host.mac()).replaceAll(':', ''), 'hex');
    const program = host.startModule(new URL('./tap-main.js', import.meta.url), host.device);
    const tap = new Tap(program, mac, host);
    await program.untilSays('ready', 5000);
    return tap;
  }

  /** All frames of IPv4 and ARP until now, oldest first. */
  get frames(): readonly Frame[] {
    return this.#frames;
  }

  /** All frames of IPv6 until now, oldest first: VRRP, neighbour solicitations and advertisements. */
  get ipv6Frames(): readonly Frame[] {
    return this.#ipv6Frames;
  }

  /** IPv6 packets of protocol 112 until now, with their IP header. */
  ipv6Adverts(source?: string): readonly Frame[] {
    const from = source === undefined ? undefined : ipv6Bytes(source);
    return this.#ipv6Frames
      .filter(({ bytes }) => bytes[20] === 112 && (from === undefined || from.equals(bytes.subarray(22, 38))))
      .map((frame) => ({ ...frame, bytes: frame.bytes.subarray(14) }));
  }

  /** Unsolicited neighbour advertisements of the address until now. */
  neighborAnnouncements(address: string): readonly Frame[] {
    const target = ipv6Bytes(address);
    return this.#ipv6Frames.filter(({ bytes }) => bytes[54] === 136 && target.equals(bytes.subarray(62, 78)));
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

  /** Sends an IPv6 packet as it is, to the VRRP group's MAC address or another one. */
  sendIpv6(packet: Uint8Array, destination: Uint8Array = VRRP_IPV6_GROUP_MAC): void {
    this.sendFrame(Buffer.concat([destination, this.mac, Buffer.from([0x86, 0xdd]), packet]));
  }

  /** Sends a whole Ethernet frame as it is. */
  sendFrame(frame: Uint8Array): void {
    this.program.write(`${Buffer.from(frame).toString('hex')}\n`);
  }

  close(): Promise<void> {
    return this.program.kill();
  }
}
