/** What sync groups, BFD sessions and host networks may hold, each judged by itself. */
import type { BfdSessionSpec, HostNetworkSpec, SyncGroupSpec } from '../gen/baton/v1/resources.js';
import { checkAddressList, checkHostAddress } from './address-rules.js';
import { canonicalIp } from './compile-address.js';
import {
  checkGroupHooks,
  checkInterface,
  checkKnown,
  checkSpan,
  checkWhole,
  DAY,
  type Report,
  type SpanRange,
  within,
} from './field-rules.js';
import { familyOf, isLinkLocal } from './ip.js';
import { isResourceName } from './names.js';
import { checkRoutes, checkRules } from './route-rules.js';
import { type CheckReference, checkReceivers, NAME_RULE } from './router-rules.js';
import { MICROS_PER_MILLISECOND, MICROS_PER_SECOND } from './time.js';
import { checkTracks } from './track-rules.js';
import type { CheckKinds } from './tracks.js';

/** RFC 5880 sections 6.8.1 and 6.8.3; the bounds are keepalived's. */
const BFD_INTERVAL: SpanRange = { min: MICROS_PER_MILLISECOND, max: 1_000 * MICROS_PER_SECOND };
const BFD_IDLE: SpanRange = { min: MICROS_PER_SECOND, max: 1_000 * MICROS_PER_SECOND };
const SPACING: SpanRange = { min: 0, max: DAY };
/** keepalived's interface_up_down_delays. */
const INTERFACE_DELAY: SpanRange = { min: 0, max: 255 * MICROS_PER_SECOND };

export function checkSyncGroup(
  spec: SyncGroupSpec,
  kinds: CheckKinds,
  checkReference: CheckReference,
  report: Report,
): void {
  if (spec.routers.length === 0) {
    report('routers', 'is missing; give the names of the VirtualRouters that move together');
  }
  checkNames(spec.routers, 'routers', (name, path) => checkReference('VirtualRouter', name, path), report);
  checkKnown(spec.policy, 'policy', report);
  checkTracks(spec.track, kinds, new Map(), 'spec.', report);
  if (spec.hooks !== undefined) {
    checkGroupHooks(spec.hooks, within(report, 'hooks'));
  }
  checkReceivers(spec.receivers, checkReference, report);
}

function checkNames(
  names: readonly string[],
  list: string,
  refer: (name: string, path: string) => void,
  report: Report,
): void {
  for (const [index, name] of names.entries()) {
    if (names.indexOf(name) < index) {
      report(`${list}[${index}]`, `${JSON.stringify(name)} is given twice; remove one`);
    } else {
      refer(name, `${list}[${index}]`);
    }
  }
}

export function checkBfdSession(spec: BfdSessionSpec, checkReference: CheckReference, report: Report): void {
  if (spec.endpoints.length === 0) {
    report('endpoints', 'is missing; give a node and its neighbor');
  }
  const nodes = new Set<string>();
  for (const [index, endpoint] of spec.endpoints.entries()) {
    const at = within(report, `endpoints[${index}]`);
    checkNode(endpoint.node, 'node', checkReference, `endpoints[${index}].node`, at);
    if (nodes.has(endpoint.node)) {
      at('node', `${JSON.stringify(endpoint.node)} is given twice; a session has one end on a node`);
    }
    nodes.add(endpoint.node);
    checkSessionEnds(endpoint, spec.multihop, at);
  }
  checkSessionNumbers(spec, report);
}

/** Also of a bundle, where the node is known. */
export function checkSessionEnds(
  { neighbor, source, interface: device }: { neighbor: string; source: string; interface: string },
  multihop: boolean,
  report: Report,
): void {
  if (device !== '') {
    checkInterface(device, 'interface', report);
  }
  if (neighbor === '') {
    report('neighbor', 'is missing; give the address of the other end');
    return;
  }
  const address = checkHostAddress(neighbor, 'neighbor', report);
  if (address === undefined) {
    return;
  }
  if (isLinkLocal(address) && multihop) {
    report('neighbor', `${neighbor} is link-local, which no router leads to; give another, or remove multihop`);
  } else if (isLinkLocal(address) && device === '') {
    report('interface', `is missing; ${neighbor} is link-local, so the interface must be known`);
  }
  if (source !== '') {
    checkHostAddress(source, 'source', report, familyOf(address));
    if (canonicalIp(source) === canonicalIp(neighbor)) {
      report('source', `${source} is the neighbor itself; give this node's own address`);
    }
  }
}

export function checkSessionNumbers(
  spec: Pick<BfdSessionSpec, 'minRx' | 'minTx' | 'idleTx' | 'multiplier' | 'multihop' | 'maxHops'>,
  report: Report,
): void {
  checkSpan(spec.minRx, BFD_INTERVAL, 'minRx', report);
  checkSpan(spec.minTx, BFD_INTERVAL, 'minTx', report);
  checkSpan(spec.idleTx, BFD_IDLE, 'idleTx', report);
  checkWhole(spec.multiplier, 0, 255, 'multiplier', report);
  if (spec.maxHops !== undefined) {
    checkWhole(spec.maxHops, 0, 254, 'maxHops', report);
    if (!spec.multihop && spec.maxHops !== 0) {
      report('maxHops', 'is for multihop; set it, or remove this');
    }
  }
}

export function checkHostNetwork(spec: HostNetworkSpec, checkReference: CheckReference, report: Report): void {
  if (spec.nodes.length === 0) {
    report('nodes', 'is missing; give the names of the nodes that have it');
  }
  for (const [index, node] of spec.nodes.entries()) {
    checkNode(node, `nodes[${index}]`, checkReference, `nodes[${index}]`, report);
    if (spec.nodes.indexOf(node) < index) {
      report(`nodes[${index}]`, `${JSON.stringify(node)} is given twice; remove one`);
    }
  }
  checkNames(spec.requiredBy, 'requiredBy', (name, path) => checkReference('VirtualRouter', name, path), report);
  checkHostItems(spec, report);
  const isEmpty =
    spec.addresses.length + spec.routes.length + spec.rules.length === 0 &&
    spec.announcementLimits.length + spec.interfaceDelays.length === 0;
  if (isEmpty) {
    report('', 'holds nothing; give addresses, routes, rules, announcementLimits or interfaceDelays');
  }
}

/** Everything but the names; also of a bundle. */
export function checkHostItems(spec: HostNetworkSpec, report: Report): void {
  const list = { path: 'addresses', advertised: false, needsDevice: true } as const;
  checkAddressList(spec.addresses, list, new Map(), report);
  checkRoutes(spec.routes, 4, true, report);
  checkRules(spec.rules, 4, report);
  const limited = new Map<string, string>();
  for (const [index, limit] of spec.announcementLimits.entries()) {
    const at = within(report, `announcementLimits[${index}]`);
    if (limit.interfaces.length === 0) {
      at('interfaces', 'is missing; give the interfaces over which announcements are spaced');
    }
    for (const [position, name] of limit.interfaces.entries()) {
      checkInterface(name, `interfaces[${position}]`, at);
      checkUnused(limited, name, `announcementLimits[${index}]`, `interfaces[${position}]`, at);
    }
    if (limit.arpInterval === undefined && limit.neighborInterval === undefined) {
      at('arpInterval', 'is missing; give it or neighborInterval');
    }
    checkSpan(limit.arpInterval, SPACING, 'arpInterval', at);
    checkSpan(limit.neighborInterval, SPACING, 'neighborInterval', at);
  }
  const delayed = new Map<string, string>();
  for (const [index, delay] of spec.interfaceDelays.entries()) {
    const at = within(report, `interfaceDelays[${index}]`);
    checkInterface(delay.interface, 'interface', at);
    checkUnused(delayed, delay.interface, `interfaceDelays[${index}]`, 'interface', at);
    checkSpan(delay.down, INTERFACE_DELAY, 'down', at);
    checkSpan(delay.up, INTERFACE_DELAY, 'up', at);
  }
}

function checkUnused(taken: Map<string, string>, name: string, place: string, path: string, report: Report): void {
  const first = taken.get(name);
  if (first !== undefined) {
    report(path, `${JSON.stringify(name)} is in ${first} already; an interface stands in one only`);
  } else {
    taken.set(name, place);
  }
}

function checkNode(node: string, path: string, checkReference: CheckReference, full: string, report: Report): void {
  if (isResourceName(node)) {
    checkReference('Node', node, full);
  } else {
    report(path, node === '' ? 'is missing; give the name of the node' : NAME_RULE);
  }
}
