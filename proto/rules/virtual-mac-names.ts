/**
 * Names of the interfaces with virtual MAC addresses on one node. What is not named gets keepalived's name, vrrp.VRID
 * or vrrp6.VRID; where several routers of a node would have the same one, the first by name keeps it and the others
 * have their interface or a number appended.
 */
import { virtualMacBaseName } from './defaults.js';
import { isInterfaceName, type NamedRouter } from './names.js';

/** By the routers' names. @param routers Sorted by name. */
export function virtualMacNames(routers: readonly NamedRouter[], node: string): ReadonlyMap<string, string> {
  const here = routers.flatMap((router) => {
    const member = router.spec.members.find((one) => one.node === node);
    return member === undefined ? [] : [{ router, member }];
  });
  const taken = new Set(here.map(({ member }) => member.interface));
  const names = new Map<string, string>();
  for (const { router } of here) {
    const given = router.spec.virtualMac?.name ?? '';
    if (given !== '') {
      names.set(router.name, given);
      taken.add(given);
    }
  }
  for (const { router, member } of here) {
    if (router.spec.virtualMac === undefined || names.has(router.name)) {
      continue;
    }
    const name = freeName(virtualMacBaseName(router.spec), member.interface, taken);
    names.set(router.name, name);
    taken.add(name);
  }
  return names;
}

function freeName(base: string, device: string, taken: ReadonlySet<string>): string {
  const candidates = [base, `${base}.${device}`];
  for (const candidate of candidates) {
    if (isInterfaceName(candidate) && !taken.has(candidate)) {
      return candidate;
    }
  }
  for (let number = 2; ; number++) {
    const candidate = `${base}.${number}`;
    if (!taken.has(candidate)) {
      return candidate;
    }
  }
}
