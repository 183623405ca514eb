/** What of the host a bundle may touch, by agent.yaml: interfaces, addresses, identifiers, priorities, routes. */
import type { Bundle, BundleHostNetwork, BundleRouter } from '../../proto/gen/baton/v1/bundle.js';
import type { HostPolicy } from '../../proto/gen/baton/v1/config.js';
import type { Refusal } from '../../proto/gen/baton/v1/events.js';
import type { Address, Route, Rule } from '../../proto/gen/baton/v1/resources.js';
import { familyOf, formatIpPrefix, parseIpPrefix, prefixContains } from '../../proto/rules/ip.js';

/** Names that Baton gives to interfaces with virtual MAC addresses when nobody else does. */
const OWN_MACVLAN = /^vrrp6?\.\d{1,3}(\.|$)/u;

/** No network on a link is larger: the kernel's route to one would be a route to a good part of the Internet. */
const LEAST_NETWORK_BITS = { 4: 8, 6: 32 } as const;

type Refuse = (field: string, what: string, rule: string, allowed: string) => void;

/** Every limit that the bundle breaks, with its place. Without a policy only routes and rules are limited. */
export function limitsBroken(bundle: Bundle, policy: HostPolicy | undefined): Refusal[] {
  const refusals: Refusal[] = [];
  for (const router of bundle.routers) {
    judgeRouter(router, policy, at(`routers[${router.name}]`, refusals));
  }
  for (const network of bundle.hostNetworks) {
    judgeNetwork(network, policy, at(`hostNetworks[${network.name}].spec`, refusals));
  }
  for (const session of bundle.bfdSessions) {
    judgeInterface(session.interface, 'interface', policy, at(`bfdSessions[${session.name}]`, refusals));
  }
  return refusals;
}

function at(place: string, refusals: Refusal[]): Refuse {
  return (field, what, rule, allowed) =>
    refusals.push({
      path: `${place}.${field}`,
      reason: `${what} is not allowed by ${rule} in this host's agent.yaml (${allowed})`,
    });
}

function judgeRouter(router: BundleRouter, policy: HostPolicy | undefined, refuse: Refuse): void {
  judgeInterface(router.interface, 'interface', policy, refuse);
  const macvlan = router.virtualMac?.name ?? '';
  if (!OWN_MACVLAN.test(macvlan)) judgeInterface(macvlan, 'virtualMac.name', policy, refuse);
  judgeAddresses(router.addresses, 'addresses', policy, refuse);
  judgeAddresses(router.excludedAddresses, 'excludedAddresses', policy, refuse);
  judgeRouting(router.routes, router.rules, policy, refuse);
  const { vrids = [], maxPriority = 0 } = policy ?? {};
  if (vrids.length > 0 && !vrids.some((rule) => matchesNumber(rule, router.vrid))) {
    refuse('vrid', `VRID ${router.vrid}`, 'policy.vrids', vrids.join(', '));
  }
  if (maxPriority > 0 && router.priority > maxPriority) {
    refuse('priority', `priority ${router.priority}`, 'policy.maxPriority', String(maxPriority));
  }
}

function judgeNetwork({ spec }: BundleHostNetwork, policy: HostPolicy | undefined, refuse: Refuse): void {
  if (spec === undefined) return;
  judgeAddresses(spec.addresses, 'addresses', policy, refuse);
  judgeRouting(spec.routes, spec.rules, policy, refuse);
  for (const [index, { interfaces }] of spec.announcementLimits.entries()) {
    for (const name of interfaces) judgeInterface(name, `announcementLimits[${index}].interfaces`, policy, refuse);
  }
  for (const [index, delay] of spec.interfaceDelays.entries()) {
    judgeInterface(delay.interface, `interfaceDelays[${index}].interface`, policy, refuse);
  }
}

function judgeInterface(name: string, field: string, policy: HostPolicy | undefined, refuse: Refuse): void {
  const { interfaces = [] } = policy ?? {};
  if (name === '' || interfaces.length === 0 || interfaces.some((rule) => matchesName(rule, name))) return;
  refuse(field, `interface ${name}`, 'policy.interfaces', interfaces.join(', '));
}

function judgeAddresses(
  addresses: readonly Address[],
  list: string,
  policy: HostPolicy | undefined,
  refuse: Refuse,
): void {
  const prefixes = policy?.addresses ?? [];
  for (const [index, given] of addresses.entries()) {
    const { address, device } = given;
    judgeInterface(device, `${list}[${index}].device`, policy, refuse);
    if (prefixes.length > 0 && !liesWithin(address, prefixes)) {
      refuse(`${list}[${index}]`, `address ${address}`, 'policy.addresses', prefixes.join(', '));
    }
    if (policy?.routes !== true) judgeConnectedRoute(given, `${list}[${index}]`, prefixes, refuse);
  }
}

function liesWithin(text: string, prefixes: readonly string[]): boolean {
  const wanted = parseIpPrefix(text);
  return prefixes.some((rule) => {
    const prefix = parseIpPrefix(rule);
    return prefix !== undefined && wanted !== undefined && prefixContains(prefix, wanted.address);
  });
}

/** With an address the kernel makes a route to its network, or to its peer: it must not be a way round policy.routes. */
function judgeConnectedRoute(
  { address, peer, noPrefixRoute }: Address,
  field: string,
  prefixes: readonly string[],
  refuse: Refuse,
): void {
  if (noPrefixRoute) return;
  const unset = 'unset: no routes but to the networks of addresses';
  const network = parseIpPrefix(peer === '' ? address : peer);
  if (network === undefined) return;
  if (peer !== '' && !liesWithin(peer, prefixes)) {
    refuse(`${field}.peer`, `a peer's route to ${peer}`, 'policy.routes', `${unset}; or list it in policy.addresses`);
  } else if (network.prefixLength < LEAST_NETWORK_BITS[familyOf(network.address)]) {
    refuse(field, `the route to ${formatIpPrefix(network)} that comes with it`, 'policy.routes', unset);
  }
}

/** Who may change the routing of a host may send its traffic elsewhere: only where the owner says so. */
function judgeRouting(
  routes: readonly Route[],
  rules: readonly Rule[],
  policy: HostPolicy | undefined,
  refuse: Refuse,
): void {
  if (policy?.routes !== true) {
    for (const [index, { to }] of routes.entries()) {
      refuse(`routes[${index}]`, `a route to ${to}`, 'policy.routes', 'unset: no routes and rules');
    }
    for (const index of rules.keys()) {
      refuse(`rules[${index}]`, 'a rule', 'policy.routes', 'unset: no routes and rules');
    }
  }
  for (const [index, { device, nextHops }] of routes.entries()) {
    judgeInterface(device, `routes[${index}].device`, policy, refuse);
    for (const [hop, { device: name }] of nextHops.entries()) {
      judgeInterface(name, `routes[${index}].nextHops[${hop}].device`, policy, refuse);
    }
  }
}

function matchesName(rule: string, name: string): boolean {
  return rule.endsWith('*') ? name.startsWith(rule.slice(0, -1)) : rule === name;
}

function matchesNumber(rule: string, value: number): boolean {
  const [from, to = from] = rule.split('-').map((part) => Number(part.trim()));
  return from !== undefined && to !== undefined && value >= from && value <= to;
}

/** What in the limits themselves can never match. */
export function mistakesInLimits(policy: HostPolicy | undefined): string[] {
  const mistakes: string[] = [];
  for (const rule of policy?.addresses ?? []) {
    if (parseIpPrefix(rule) === undefined) mistakes.push(`policy.addresses: "${rule}" is not a prefix`);
  }
  for (const rule of policy?.vrids ?? []) {
    if (!/^\s*\d{1,3}\s*(-\s*\d{1,3}\s*)?$/.test(rule)) {
      mistakes.push(`policy.vrids: "${rule}" is neither a number nor a range such as 20-29`);
    }
  }
  return mistakes;
}
