/**
 * Resources to bundles: what one node must run, with nothing left to decide. Deterministic: the same resources in any
 * order give the same bytes, so that the hash of a bundle changes only if the node's work does.
 */
import type { Bundle, BundleCheck, BundleRouter } from '../gen/baton/v1/bundle.js';
import { type Address, type Member, type Resource, Transport } from '../gen/baton/v1/resources.js';
import {
  advertisementIntervalOf,
  announcementsOf,
  checksumOf,
  checkWithDefaults,
  hooksOf,
  leaseOf,
  preemptDelayOf,
  preemptOf,
  priorityOf,
  transportOf,
  versionOf,
} from './defaults.js';
import { microsToDuration } from './duration.js';
import { broadcastOf, type Cidr, formatCidr, formatIpv4, networkOf, parseCidr } from './ipv4.js';
import { compareText, type NamedRouter, routersOf } from './names.js';

/** Bytes of a version 2 password on the wire (RFC 2338 section 5.3.10). */
export const PASSWORD_BYTES = 8;

/**
 * What a node must run. A node that no router names has an empty bundle.
 * @param resources All of them, free of validateResources' errors.
 */
export function compileBundle(resources: readonly Resource[], nodeName: string): Bundle {
  const secrets = new Map<string, string>();
  for (const { metadata, spec } of resources) {
    if (spec?.$case === 'secret') {
      secrets.set(metadata?.name ?? '', spec.value.value);
    }
  }
  const routers = routersOf(resources).flatMap((router) => {
    const member = router.spec.members.find(({ node }) => node === nodeName);
    return member === undefined ? [] : [compileRouter(router, member, secrets)];
  });
  const tracked = new Set(routers.flatMap(({ track }) => track.map(({ check }) => check)));
  return { node: nodeName, routers, checks: compileChecks(resources, tracked) };
}

/** Names of every node that is declared or is a member of a router, sorted. */
export function nodesOf(resources: readonly Resource[]): string[] {
  const names = new Set<string>();
  for (const { metadata, spec } of resources) {
    if (spec?.$case === 'node') {
      names.add(metadata?.name ?? '');
    } else if (spec?.$case === 'virtualRouter') {
      for (const { node } of spec.value.members) {
        names.add(node);
      }
    }
  }
  return [...names].sort(compareText);
}

function compileRouter(router: NamedRouter, member: Member, secrets: ReadonlyMap<string, string>): BundleRouter {
  const { spec } = router;
  const transport = transportOf(spec);
  const others = spec.members.filter(({ node }) => node !== member.node).map(({ address }) => address);
  const peers = transport === Transport.UNICAST ? [...new Set([...others, ...spec.externalPeers])] : [];
  const secret = spec.authentication === undefined ? undefined : secrets.get(spec.authentication.secret);
  return {
    name: router.name,
    vrid: spec.vrid,
    version: versionOf(spec),
    interface: member.interface,
    priority: priorityOf(member),
    advertisementInterval: microsToDuration(advertisementIntervalOf(spec)),
    preempt: preemptOf(spec, member),
    preemptDelay: microsToDuration(preemptDelayOf(spec, member)),
    password: secret === undefined ? Buffer.alloc(0) : passwordBytes(secret),
    transport,
    peers,
    sourceAddress: member.address,
    addresses: spec.addresses.map((address) => compileAddress(address, member.interface)),
    track: [...spec.track, ...member.track],
    hooks: hooksOf(spec, member),
    announcements: announcementsOf(spec),
    checksum: checksumOf(spec),
    lease: leaseOf(spec),
    strictRfc: spec.strictRfc,
    displayName: router.displayName,
  };
}

/** The first 8 bytes in UTF-8, zero padded. */
function passwordBytes(secret: string): Buffer {
  const padded = Buffer.alloc(PASSWORD_BYTES);
  Buffer.from(secret, 'utf8').copy(padded, 0, 0, PASSWORD_BYTES);
  return padded;
}

function compileAddress(given: Address, memberInterface: string): Address {
  const cidr = parseCidr(given.address);
  if (cidr === undefined) {
    throw new RangeError(`cannot compile the address ${JSON.stringify(given.address)}: validate resources first`);
  }
  return {
    address: formatCidr(cidr),
    device: given.device === '' ? memberInterface : given.device,
    label: given.label,
    broadcast: compileBroadcast(given.broadcast, cidr),
  };
}

/** ip-address(8): "+" sets the host bits, "-" clears them; a prefix of 31 or 32 bits has no host bits to speak of. */
function compileBroadcast(given: string, cidr: Cidr): string {
  if (given !== '+' && given !== '-') {
    return given;
  }
  if (cidr.prefixLength > 30) {
    return '';
  }
  return formatIpv4(given === '+' ? broadcastOf(cidr) : networkOf(cidr));
}

function compileChecks(resources: readonly Resource[], tracked: ReadonlySet<string>): BundleCheck[] {
  return resources
    .flatMap(({ metadata, spec }): BundleCheck[] => {
      const name = metadata?.name ?? '';
      return spec?.$case === 'check' && tracked.has(name) ? [{ name, spec: checkWithDefaults(spec.value) }] : [];
    })
    .sort((a, b) => compareText(a.name, b.name));
}
