/** What is received on the channels, as inputs of the core: advertisements, and claims to our addresses. */
import { type Family, formatIp, type IpAddress } from '../../proto/rules/ip.js';
import type { Instant } from '../../proto/rules/time.js';
import type { Claim } from '../net/claim.js';
import type { Reception as Received } from '../wire/reception.js';
import type { Channel } from './channel.js';
import type { Elector } from './elector.js';
import type { Outbox } from './outbox.js';
import type { Roster } from './roster.js';
import type { RunningRouter } from './running-router.js';
import type { Trouble } from './trouble.js';

export interface ReceptionTools {
  readonly roster: Roster;
  readonly elector: Elector;
  readonly outbox: Outbox;
  readonly trouble: Trouble;
  /** Somebody else says on the interface that it has an address. */
  readonly onClaim: (device: string, claim: Claim, now: Instant) => void;
}

export class Reception {
  /** How many packets have been received. */
  received = 0;

  constructor(private readonly tools: ReceptionTools) {}

  packets(channel: Channel, family: Family, packets: readonly Uint8Array[], now: Instant): void {
    this.received += packets.length;
    for (const packet of packets) {
      try {
        this.#packet(channel, family, packet, now);
      } catch (error) {
        // A fault of ours, which must not cost the other routers what came with it.
        this.tools.trouble.fault('a packet could not be handled', channel.name, error, now);
      }
    }
  }

  #packet(channel: Channel, family: Family, packet: Uint8Array, now: Instant): void {
    const { routers, above, expected, decoder } = channel.of(family);
    const reception = decoder.decode(packet, expected);
    const router = reception.vrid === undefined ? undefined : routers.get(reception.vrid);
    if (reception.ok && router !== undefined) {
      const { source, advertisement, checksumForm, isSigned } = reception;
      // Not by `count`: a name that is written here costs nothing to find, and this is done for every packet.
      router.counters['advertisements-received'] = (router.counters['advertisements-received'] ?? 0) + 1;
      router.peers.heard(source, advertisement.priority, advertisement.interval, checksumForm, isSigned, now);
      const local = router.source ?? (family === 6 ? 0n : 0);
      this.tools.elector.step(router, { kind: 'advertisement', source, local, advertisement }, now);
      if (router.knownSources !== undefined && !router.knownSources.has(source)) this.#foreign(router, source, now);
      return;
    }
    // Its router hears it on its macvlan.
    if (router === undefined && reception.vrid !== undefined && above.has(reception.vrid)) return;
    if (!reception.ok) this.#refused(channel, router, reception, now);
  }

  claim(channel: Channel, claim: Claim, now: Instant): void {
    const { roster, elector, onClaim } = this.tools;
    onClaim(channel.name, claim, now);
    // Only who announces an address has taken it over; who asks or answers may have had it all along.
    if (claim.kind !== 'announcement') return;
    for (const router of roster.wanting(claim.address, channel.name)) {
      const { phase } = router.member;
      if (phase.name !== 'active' || phase.handover === undefined) continue;
      const { wanted, announced } = router;
      announced.add(claim.address);
      if (wanted.every(({ address }) => announced.has(address)))
        elector.step(router, { kind: 'announcementHeard' }, now);
    }
  }

  #refused(
    channel: Channel,
    router: RunningRouter | undefined,
    refused: Extract<Received, { readonly ok: false }>,
    now: Instant,
  ): void {
    const { reason } = refused;
    const source = refused.source === undefined ? '' : formatIp(refused.source);
    if (router !== undefined) {
      router.count(`rejected.${reason}`);
      router.rejected.note(source, reason, now);
      this.tools.trouble.rejected(router.name, reason, source, now);
      return;
    }
    channel.countPacket(reason);
    if (reason !== 'unknown-vrid') this.tools.trouble.stray(channel.name, reason, source, now);
    else if (refused.vrid !== undefined && refused.source !== undefined)
      this.#unknownVrid(channel, refused.vrid, refused.source, now);
  }

  /** It takes part in the election all the same: who may is said by `peers`. */
  #foreign(router: RunningRouter, source: IpAddress, now: Instant): void {
    router.count('foreign-advertisements');
    if (!router.strangers.heard(router.router.vrid, source, now)) return;
    router.count('notices.foreign-router');
    this.tools.outbox.tell({
      kind: 'notice',
      router: router.name,
      notice: 'foreign-router',
      source: formatIp(source),
      sentence: `${formatIp(source)} advertises this virtual router and is none of its members: another virtual router uses VRID ${router.router.vrid}, or somebody wants to take it over`,
    });
  }

  /** Other virtual routers on the same LAN are nothing to worry about. */
  #unknownVrid(channel: Channel, vrid: number, source: IpAddress, now: Instant): void {
    if (!channel.foreign.heard(vrid, source, now)) return;
    const key = `${typeof source} ${vrid}`;
    if (channel.toldVrids.has(key)) return;
    channel.toldVrids.add(key);
    this.tools.outbox.tell({ kind: 'unknownVrid', interface: channel.name, vrid, source: formatIp(source) });
  }
}
