/** The channels of this node: one for each interface that a virtual router or one of its addresses is on. */
import { hardwareAddressText } from '../wire/ethernet.js';
import { Channel, type ChannelEvents } from './channel.js';
import type { Edges } from './edges.js';
import type { InterfaceTable } from './interface-table.js';
import { macvlansOf } from './placement.js';
import type { RunningRouter } from './running-router.js';

export class Channels {
  readonly #channels = new Map<string, Channel>();
  /** MAC addresses of virtual routers, which others have as well. */
  #shared: ReadonlySet<string> = new Set();

  constructor(
    private readonly edges: Edges,
    private readonly events: ChannelEvents,
  ) {}

  get all(): Iterable<Channel> {
    return this.#channels.values();
  }

  get(name: string): Channel | undefined {
    return this.#channels.get(name);
  }

  /**
   * Makes and closes channels so that there is one for each interface in use, and puts every router on its own.
   *
   * @param others further interfaces on which addresses are announced
   */
  arrange(routers: readonly RunningRouter[], others: Iterable<string> = []): void {
    this.#shared = new Set(
      routers.flatMap(({ settings }) => macvlansOf(settings).map(({ address }) => address.toLowerCase())),
    );
    const used = new Set<string>(others);
    for (const { settings, wanted, sendingDevice, hearingDevice } of routers) {
      used.add(settings.interface);
      used.add(hearingDevice);
      used.add(sendingDevice);
      for (const { device } of wanted) used.add(device);
    }
    for (const [name, channel] of this.#channels) {
      if (used.has(name)) continue;
      channel.close();
      this.#channels.delete(name);
    }
    for (const name of used) {
      if (!this.#channels.has(name)) this.#channels.set(name, new Channel(name, this.edges, this.events));
    }
    for (const channel of this.#channels.values()) channel.clear();
    for (const router of routers) {
      const { settings, sendingDevice, hearingDevice, family } = router;
      const { vrid } = router.router;
      this.#channels.get(hearingDevice)?.of(family).routers.set(vrid, router);
      if (hearingDevice !== settings.interface) {
        this.#channels.get(settings.interface)?.of(family).above.set(vrid, router);
      }
      const sending = this.#channels.get(sendingDevice)?.of(family);
      if (sendingDevice !== hearingDevice && sending !== undefined) sending.isSending = true;
    }
  }

  /** Fits every channel to its interface as it is now. False: one could not be opened; try again. */
  fit(table: InterfaceTable): boolean {
    const own: Uint8Array[] = [];
    for (const { hardwareAddress } of table.links) {
      if (hardwareAddress?.length === 6 && !this.#shared.has(hardwareAddressText(hardwareAddress)))
        own.push(hardwareAddress);
    }
    let allOpen = true;
    for (const channel of this.#channels.values()) {
      const link = table.link(channel.name);
      channel.fit(link, own);
      if (link !== undefined && !channel.isOpen) allOpen = false;
    }
    return allOpen;
  }

  close(): void {
    for (const channel of this.#channels.values()) channel.close();
    this.#channels.clear();
  }
}
