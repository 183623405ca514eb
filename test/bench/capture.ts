/**
 * Packets as they were on the wire, with the kernel's own time stamps: a busy machine that reads them late does not make
 * them late. tcpdump writes them to a file, which is read when somebody asks.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import path from 'node:path';
import type { Host } from '../lab/host.js';
import type { Program } from '../lab/program.js';
import { until } from '../lab/until.js';

/** A VRRP advertisement over IPv4. */
export interface SeenAdvert {
  /** Wall clock, milliseconds with fractions: when the kernel of this host received it. */
  readonly atMs: number;
  /** Dotted quad. */
  readonly source: string;
  readonly vrid: number;
  readonly priority: number;
}

/** A gratuitous ARP. */
export interface SeenAnnouncement {
  readonly atMs: number;
  readonly address: string;
  /** Colon-separated. */
  readonly mac: string;
}

const FILE_HEADER_LENGTH = 24;
const PACKET_HEADER_LENGTH = 16;
/** pcap with nanoseconds, in the byte order of this machine. */
const MAGIC = 0xa1b23c4d;
const ETHERNET_LENGTH = 14;
const TYPE_IPV4 = 0x0800;
const TYPE_ARP = 0x0806;

let opened = 0;

export class Capture {
  readonly adverts: SeenAdvert[] = [];
  readonly announcements: SeenAnnouncement[] = [];
  #read = FILE_HEADER_LENGTH;
  #rest = Buffer.alloc(0);

  private constructor(
    private readonly program: Program,
    private readonly descriptor: number,
  ) {}

  /** Both directions of the host's interface. */
  static async open(host: Host, device = host.device): Promise<Capture> {
    opened += 1;
    const file = path.join(host.directory, `capture-${opened}.pcap`);
    const options = ['-i', device, '-Z', 'root', '-U', '-n', '--immediate-mode', '-s', '128', '-B', '8192'];
    const words = [...options, '--time-stamp-precision=nano', '-w', file, 'ip proto 112 or arp'];
    const program = host.start('tcpdump', ...words);
    await program.untilSays('listening on', 10_000);
    // The file is there when it listens; its header is written before the first packet.
    const descriptor = await until('the capture file', 3000, () => openSync(file, 'r'));
    return new Capture(program, descriptor);
  }

  /** Takes in what was written since the last time. */
  update(): this {
    const chunk = Buffer.alloc(1 << 16);
    for (;;) {
      const length = readSync(this.descriptor, chunk, 0, chunk.length, this.#read);
      if (length === 0) break;
      if (this.#read === FILE_HEADER_LENGTH) this.#judgeHeader();
      this.#read += length;
      this.#rest = Buffer.concat([this.#rest, chunk.subarray(0, length)]);
      this.#takePackets();
    }
    return this;
  }

  /** Forgets all packets so far. */
  clear(): void {
    this.update();
    this.adverts.length = 0;
    this.announcements.length = 0;
  }

  /** The first advertisement of this kind from now on, or already there. */
  untilAdvert(what: string, withinMs: number, matches: (advert: SeenAdvert) => boolean): Promise<SeenAdvert> {
    return until(
      what,
      withinMs,
      () => this.update().adverts.find(matches),
      () => this.adverts.slice(-5),
    );
  }

  async close(): Promise<void> {
    await this.program.stop();
    closeSync(this.descriptor);
  }

  #judgeHeader(): void {
    const header = Buffer.alloc(FILE_HEADER_LENGTH);
    readSync(this.descriptor, header, 0, header.length, 0);
    if (header.readUInt32LE(0) !== MAGIC) throw new Error('tcpdump wrote another format than pcap with nanoseconds');
  }

  #takePackets(): void {
    let at = 0;
    while (this.#rest.length - at >= PACKET_HEADER_LENGTH) {
      const length = this.#rest.readUInt32LE(at + 8);
      const end = at + PACKET_HEADER_LENGTH + length;
      if (end > this.#rest.length) break;
      const atMs = this.#rest.readUInt32LE(at) * 1000 + this.#rest.readUInt32LE(at + 4) / 1e6;
      this.#take(atMs, this.#rest.subarray(at + PACKET_HEADER_LENGTH, end));
      at = end;
    }
    this.#rest = Buffer.from(this.#rest.subarray(at));
  }

  #take(atMs: number, frame: Buffer): void {
    const type = frame.readUInt16BE(12);
    const packet = frame.subarray(ETHERNET_LENGTH);
    if (type === TYPE_IPV4) {
      const message = packet.subarray(((packet[0] ?? 0) & 15) * 4);
      const source = packet.subarray(12, 16).join('.');
      this.adverts.push({ atMs, source, vrid: message[1] ?? 0, priority: message[2] ?? 0 });
    } else if (type === TYPE_ARP) {
      const [sender, target] = [packet.subarray(14, 18).join('.'), packet.subarray(24, 28).join('.')];
      const mac = packet
        .subarray(8, 14)
        .toString('hex')
        .replace(/..(?=.)/g, '$&:');
      if (sender === target) this.announcements.push({ atMs, address: sender, mac });
    }
  }
}
