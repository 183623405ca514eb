/** Unicast: who the members are, and who else takes part. */
import { Transport, UnicastOptions, type VirtualRouterSpec } from '../gen/baton/v1/resources.js';
import type { Part } from './import-host.js';
import { quoted, type Remarks } from './remarks.js';

/** Fills in transport, the members' addresses and the external peers. `spec.members` stand in the order of `parts`. */
export function importTransport(parts: readonly Part[], spec: VirtualRouterSpec, remarks: Remarks): void {
  const first = parts[0];
  const unicast = first?.instance.unicastPeers !== undefined;
  spec.transport = unicast ? Transport.UNICAST : Transport.MULTICAST;
  for (const { instance } of parts.slice(1)) {
    if ((instance.unicastPeers !== undefined) === unicast) continue;
    const origin = instance.origins.get('unicast_peer') ?? instance.origin;
    remarks.error(
      origin,
      `${instance.name} ${unicast ? 'has no unicast_peer' : 'uses unicast'}, unlike ${first?.instance.origin.file}:${first?.instance.origin.line}; they would not hear each other`,
    );
  }
  for (const [index, part] of parts.entries()) {
    const member = spec.members[index];
    if (member !== undefined) member.address = part.instance.sourceAddress ?? '';
  }
  if (!unicast) return;
  remarks.note(
    first.instance.origins.get('unicast_peer') ?? first.instance.origin,
    'Baton hears only the listed peers, as keepalived does with check_unicast_src: a peer that sends from another address is not heard, and counted as not-a-peer',
  );
  for (const [index, part] of parts.entries()) {
    const member = spec.members[index];
    if (member === undefined || member.address !== '') continue;
    const guess = guessAddress(parts, index, spec);
    const origin = part.instance.origins.get('unicast_peer') ?? part.instance.origin;
    if (guess !== undefined) {
      member.address = guess;
      remarks.note(
        origin,
        `without unicast_src_ip: ${guess} is taken, the one address that all the other hosts have as a peer`,
      );
    } else if (parts.length > 1) {
      remarks.error(origin, 'without unicast_src_ip the other nodes cannot know where to send; write unicast_src_ip');
    } else {
      remarks.note(origin, "without unicast_src_ip: the interface's first address is the source, as in keepalived");
    }
  }
  importExternalPeers(parts, spec, remarks);
  importLimits(parts, spec, remarks);
}

/** TTL limits, of which a router has one set; unset where keepalived's and Baton's defaults hold. */
function importLimits(parts: readonly Part[], spec: VirtualRouterSpec, remarks: Remarks): void {
  const [first] = parts;
  if (first === undefined) return;
  const place = `${first.instance.origin.file}:${first.instance.origin.line}`;
  const options = UnicastOptions.create({
    ttl: first.instance.unicastTtl ?? 0,
    faultWithoutPeers: first.instance.faultWithoutPeers,
  });
  for (const { instance } of parts.slice(1)) {
    for (const [keyword, isSame] of [
      ['unicast_ttl', instance.unicastTtl === first.instance.unicastTtl],
      ['unicast_fault_no_peer', instance.faultWithoutPeers === first.instance.faultWithoutPeers],
    ] as const) {
      if (isSame) continue;
      remarks.warning(
        instance.origins.get(keyword) ?? instance.origin,
        `${keyword} of ${quoted(instance.name)} differs from that in ${place}, which is taken for all`,
      );
    }
  }
  for (const peer of parts.flatMap(({ instance }) => instance.unicastPeers ?? [])) {
    const { value: address, minTtl = 0, maxTtl = MAX_TTL } = peer;
    const known = options.peerTtl.find((other) => other.address === address);
    if (known !== undefined && (known.minTtl !== minTtl || known.maxTtl !== maxTtl)) {
      remarks.warning(
        peer.origin,
        `the TTL limits of ${address} differ between the hosts; the first ones are taken for all`,
      );
    }
    if (known === undefined) options.peerTtl.push({ address, minTtl, maxTtl });
  }
  options.peerTtl = options.peerTtl.filter(({ minTtl, maxTtl }) => minTtl > 0 || maxTtl < MAX_TTL);
  if (options.ttl > 0 || options.faultWithoutPeers || options.peerTtl.length > 0) spec.unicast = options;
}

const MAX_TTL = 255;

/** The address that every other host lists as a peer and that no other member has. */
function guessAddress(parts: readonly Part[], index: number, spec: VirtualRouterSpec): string | undefined {
  const others = parts.filter((_, other) => other !== index);
  const taken = new Set([
    ...spec.members.map((member) => member.address),
    ...(parts[index]?.instance.unicastPeers ?? []).map((peer) => peer.value),
  ]);
  const lists = others.map((part) => new Set((part.instance.unicastPeers ?? []).map((peer) => peer.value)));
  const candidates = [...(lists[0] ?? [])].filter(
    (address) => !taken.has(address) && lists.every((list) => list.has(address)),
  );
  return candidates.length === 1 ? candidates[0] : undefined;
}

function importExternalPeers(parts: readonly Part[], spec: VirtualRouterSpec, remarks: Remarks): void {
  const members = new Set(spec.members.map((member) => member.address));
  const reported = new Set<string>();
  for (const [index, part] of parts.entries()) {
    const own = spec.members[index]?.address;
    for (const peer of part.instance.unicastPeers ?? []) {
      if (peer.value === own) {
        remarks.note(peer.origin, `unicast_peer ${peer.value} is this host itself; it is left out`);
      } else if (!members.has(peer.value) && !reported.has(peer.value)) {
        reported.add(peer.value);
        spec.externalPeers.push(peer.value);
        remarks.note(
          peer.origin,
          `unicast_peer ${peer.value} is none of the imported hosts; it becomes an external peer of every member: import its file as well when it is to run Baton`,
        );
      }
    }
    for (const [other, otherPart] of parts.entries()) {
      const address = spec.members[other]?.address ?? '';
      const listed = (part.instance.unicastPeers ?? []).some((peer) => peer.value === address);
      if (other === index || address === '' || listed || part.instance.unicastPeers === undefined) continue;
      remarks.warning(
        part.instance.origins.get('unicast_peer') ?? part.instance.origin,
        `${otherPart.host.node} (${address}) is not among the peers; in Baton every member sends to every other`,
      );
    }
  }
}
