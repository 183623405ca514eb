/** Unicast: who the members are, and who else takes part. */
import { Transport, type VirtualRouterSpec } from '../gen/baton/v1/resources.js';
import type { Part } from './import-host.js';
import type { Remarks } from './remarks.js';

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
}

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
