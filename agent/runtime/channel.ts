/**
 * The sockets on one interface: protocol 112 for all virtual routers there, and ARP for announcements. They belong to
 * one interface index; an interface that is made anew under the same name gets new sockets.
 */
import type { Link } from '../link/rtnetlink.js';
import type { ArpSocket } from '../net/arp-socket.js';
import type { Outcome } from '../net/system-error.js';
import type { VrrpSocket } from '../net/vrrp-socket.js';
import type { Ipv4 } from '../vrrp/index.js';
import type { Expectations } from '../wire/reception.js';
import type { Edges } from './edges.js';
import type { RunningRouter } from './running-router.js';

/** ARPHRD_ETHER of linux/if_arp.h: only there does ARP mean anything. */
const ETHERNET = 1;

export interface ChannelEvents {
  readonly onPacket: (channel: Channel, packet: Uint8Array) => void;
  readonly onAnnouncement: (channel: Channel, address: Ipv4) => void;
  /** A socket could not be opened, or failed while receiving and was closed: `fit` opens it again. */
  readonly onError: (channel: Channel, doing: string, error: unknown) => void;
}

export class Channel {
  /** Routers on this interface by VRID. */
  readonly routers = new Map<number, RunningRouter>();
  /** What each of them expects of advertisements. */
  readonly expected = new Map<number, Expectations>();
  readonly #counters: Record<string, number> = {};
  #vrrp: VrrpSocket | undefined;
  #arp: ArpSocket | undefined;
  #arpAddress = '';
  readonly #listeners = new Set<RunningRouter>();

  constructor(
    readonly name: string,
    private readonly edges: Edges,
    private readonly events: ChannelEvents,
  ) {}

  get isOpen(): boolean {
    return this.#vrrp !== undefined;
  }

  /** Opens, rebuilds or closes the sockets so that they fit the interface as it is now. Called on every change of it. */
  fit(link: Link | undefined): void {
    if (this.#vrrp !== undefined && this.#vrrp.interfaceIndex !== link?.index) this.#closeVrrp();
    const hardware = link?.hardwareAddress?.join(':') ?? '';
    if (this.#arp !== undefined && (this.#arp.interfaceIndex !== link?.index || this.#arpAddress !== hardware)) {
      this.#closeArp();
    }
    if (link === undefined) return;
    if (this.routers.size > 0) this.#openVrrp(link);
    else this.#closeVrrp();
    if (this.#arp === undefined && link.type === ETHERNET && link.hardwareAddress !== undefined) {
      this.#openArp(link, link.hardwareAddress, hardware);
    }
  }

  send(packet: Uint8Array, destination: Ipv4): Outcome | undefined {
    return this.#vrrp?.send(packet, destination);
  }

  /** Undefined: nothing to announce with (no such interface, or not Ethernet). */
  announce(addresses: readonly Ipv4[], repeat: number): Outcome | undefined {
    return this.#arp?.announce(addresses, repeat);
  }

  /** Hears others' announcements for as long as any router asks for it. */
  listen(router: RunningRouter, on: boolean): Outcome | undefined {
    if (on) this.#listeners.add(router);
    else this.#listeners.delete(router);
    return this.#arp?.listen(this.#listeners.size > 0);
  }

  /** Of packets that concern no router here, by reason, and of those that the kernel had no room for. */
  get packetCounters(): Readonly<Record<string, number>> {
    if (this.#vrrp === undefined) return { ...this.#counters };
    return {
      ...this.#counters,
      overruns: this.#vrrp.overruns(),
      'overruns.not-advertisements': this.#vrrp.uncountedRefuse(),
    };
  }

  countPacket(reason: string): void {
    this.#counters[reason] = (this.#counters[reason] ?? 0) + 1;
  }

  close(): void {
    this.#closeVrrp();
    this.#closeArp();
  }

  #openVrrp(link: Link): void {
    const routers = [...this.routers.values()];
    const multicast = routers.some(({ unicastPeers }) => unicastPeers === undefined);
    const anyTtl = routers.some(({ unicastPeers }) => unicastPeers !== undefined);
    try {
      if (this.#vrrp === undefined) {
        this.#vrrp = this.edges.openVrrpSocket({
          interfaceName: link.name,
          interfaceIndex: link.index,
          multicast,
          anyTtl,
          onPacket: (packet) => this.events.onPacket(this, packet),
          onError: (error) => {
            this.#closeVrrp();
            this.events.onError(this, 'receive advertisements', error);
          },
        });
        return;
      }
      for (const outcome of [this.#vrrp.setMulticast(multicast), this.#vrrp.setAnyTtl(anyTtl)]) {
        if (outcome.ok) continue;
        // It may be deaf to some of its routers: better none than that, until it can be opened as a whole.
        this.#closeVrrp();
        this.events.onError(this, 'set up the advertisement socket', new Error(outcome.message));
        return;
      }
    } catch (error) {
      this.events.onError(this, 'open the advertisement socket', error);
    }
  }

  #openArp(link: Link, hardwareAddress: Uint8Array, hardware: string): void {
    try {
      this.#arp = this.edges.openArpSocket({
        interfaceName: link.name,
        interfaceIndex: link.index,
        hardwareAddress,
        onAnnouncement: (address) => this.events.onAnnouncement(this, address),
        onError: (error) => this.events.onError(this, 'receive announcements', error),
      });
      this.#arpAddress = hardware;
      if (this.#listeners.size > 0) this.#arp.listen(true);
    } catch (error) {
      this.events.onError(this, 'open the announcement socket', error);
    }
  }

  #closeVrrp(): void {
    this.#vrrp?.close();
    this.#vrrp = undefined;
  }

  #closeArp(): void {
    this.#arp?.close();
    this.#arp = undefined;
  }
}
