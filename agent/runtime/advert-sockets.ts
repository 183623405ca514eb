/** The sockets of protocol 112 of one family on one interface, and the virtual routers that they serve. */
import type { Family, IpAddress } from '../../proto/rules/ip.js';
import type { Link } from '../link/rtnetlink.js';
import type { Outcome } from '../net/system-error.js';
import type { VrrpSender } from '../net/vrrp-sender.js';
import type { VrrpSocket } from '../net/vrrp-socket.js';
import type { Expectations } from '../wire/reception.js';
import { RepeatedAdvertisements } from '../wire/repeated-advertisements.js';
import type { Edges } from './edges.js';
import type { RunningRouter } from './running-router.js';

export interface AdvertEvents {
  readonly onPackets: (packets: readonly Uint8Array[]) => void;
  /** A socket could not be opened, or failed while receiving and was closed: `fit` opens it again. */
  readonly onError: (doing: string, error: unknown) => void;
}

export class AdvertSockets {
  /** Routers that hear on this interface, by VRID. */
  readonly routers = new Map<number, RunningRouter>();
  /**
   * Routers that hear on a macvlan above this interface, by VRID. The groups are joined here for them, so that a switch
   * that listens to membership reports learns of it by this interface's MAC address.
   */
  readonly above = new Map<number, RunningRouter>();
  /** What each of those that hear here expects of advertisements. */
  readonly expected = new Map<number, Expectations>();
  readonly decoder: RepeatedAdvertisements;
  /** Whether a router that hears elsewhere sends from here: the interface is its macvlan. */
  isSending = false;
  #socket: VrrpSocket | undefined;
  #takesFrames = false;
  #sender: VrrpSender | undefined;

  constructor(
    readonly family: Family,
    private readonly edges: Edges,
    private readonly events: AdvertEvents,
  ) {
    this.decoder = new RepeatedAdvertisements(family);
  }

  /** Everything that is needed is open. */
  get isOpen(): boolean {
    return (!this.#needsSocket || this.#socket !== undefined) && (!this.isSending || this.#sends() !== undefined);
  }

  /** Its routers hear. */
  get isHearing(): boolean {
    return this.#socket !== undefined;
  }

  /** Opens, rebuilds or closes the sockets so that they fit the interface as it is now. Called on every change of it. */
  fit(link: Link | undefined): void {
    if (this.#socket !== undefined && this.#socket.interfaceIndex !== link?.index) this.#closeSocket();
    if (this.#sender !== undefined && this.#sender.interfaceIndex !== link?.index) this.#closeSender();
    if (!this.#needsSocket || this.#takesFrames !== this.#isMacvlan) this.#closeSocket();
    if (!this.isSending) this.#closeSender();
    if (link === undefined) return;
    if (this.#needsSocket) this.#openSocket(link);
    if (this.isSending && this.#sends() === undefined) this.#openSender(link);
  }

  /** Undefined: nothing to send with. */
  send(packet: Uint8Array, destination: IpAddress): Outcome | undefined {
    return this.#sends()?.send(packet, destination);
  }

  get overruns(): number {
    return this.#socket?.overruns() ?? 0;
  }

  get uncountedRefuse(): number {
    return this.#socket?.uncountedRefuse() ?? 0;
  }

  close(): void {
    this.#closeSocket();
    this.#closeSender();
  }

  get #needsSocket(): boolean {
    return this.routers.size + this.above.size > 0;
  }

  /** Routers that are on the interface below hear here. */
  get #isMacvlan(): boolean {
    for (const { settings, hearingDevice } of this.routers.values()) {
      if (hearingDevice !== settings.interface) return true;
    }
    return false;
  }

  #sends(): VrrpSender | undefined {
    return this.#socket ?? this.#sender;
  }

  #openSocket(link: Link): void {
    const routers = [...this.routers.values(), ...this.above.values()];
    const groups = [...new Set(routers.flatMap(({ multicastGroup }) => multicastGroup ?? []))];
    const anyTtl = routers.some(({ unicastPeers }) => unicastPeers !== undefined);
    try {
      if (this.#socket === undefined) {
        this.#takesFrames = this.#isMacvlan;
        this.#socket = this.edges.openVrrpSocket({
          family: this.family,
          interfaceName: link.name,
          interfaceIndex: link.index,
          groups,
          anyTtl,
          takesFrames: this.#takesFrames,
          onPackets: this.events.onPackets,
          onError: (error) => {
            this.#closeSocket();
            this.events.onError('receive advertisements', error);
          },
        });
        return;
      }
      for (const outcome of [this.#socket.setGroups(groups), this.#socket.setAnyTtl(anyTtl)]) {
        if (outcome.ok) continue;
        // It may be deaf to some of its routers: better none than that, until it can be opened as a whole.
        this.#closeSocket();
        this.events.onError('set up the advertisement socket', new Error(outcome.message));
        return;
      }
    } catch (error) {
      this.events.onError('open the advertisement socket', error);
    }
  }

  #openSender(link: Link): void {
    try {
      this.#sender = this.edges.openVrrpSender({
        family: this.family,
        interfaceName: link.name,
        interfaceIndex: link.index,
      });
    } catch (error) {
      this.events.onError('open a socket to send advertisements', error);
    }
  }

  #closeSocket(): void {
    this.#socket?.close();
    this.#socket = undefined;
  }

  #closeSender(): void {
    this.#sender?.close();
    this.#sender = undefined;
  }
}
