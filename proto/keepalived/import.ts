/** Several hosts' keepalived.conf files as one set of resources. */
import type { Resource, VirtualRouterSpec } from '../gen/baton/v1/resources.js';
import { KEEPALIVED_NAME_LABEL } from '../rules/names.js';
import type { Parts } from './agreement.js';
import type { VrrpInstance } from './config.js';
import { importBfds } from './import-bfd.js';
import { importChecks } from './import-checks.js';
import { type ImportedRouters, importGroups } from './import-groups.js';
import { type ImportedHost, type NamedHost, nameHosts, type Part } from './import-host.js';
import { importReceivers } from './import-mail.js';
import { importNetworks } from './import-network.js';
import { importRouter } from './import-router.js';
import { lintRouter, lintSharedIdentifiers } from './lint.js';
import { NameBook, resourceName } from './names.js';
import type { Origin, Remark } from './remark.js';
import { quoted, Remarks } from './remarks.js';

export type { ImportedHost } from './import-host.js';

/**
 * Never throws. An instance of one host and one of another are the same router when they have the same VRID and an
 * address in common. The remarks are those of the import; what reading a file had to say comes from readKeepalived.
 */
export function importKeepalived(hosts: readonly ImportedHost[]): {
  readonly resources: Resource[];
  readonly remarks: readonly Remark[];
  /** Where the first file speaks of what became a resource; `kind` as in YAML ("VirtualRouter"). */
  readonly originOf: (kind: string, name: string) => Origin | undefined;
} {
  const remarks = new Remarks();
  const named = nameHosts(hosts, remarks);
  const tracked = { checks: importChecks(named, remarks), bfds: importBfds(named, remarks) };
  const receivers = importReceivers(named, remarks);
  const routers = groupInstances(named);
  const book = new NameBook();
  const specs = new Map<string, VirtualRouterSpec>();
  const nameOfInstance = new Map<string, string>();
  const origins = new Map<string, Origin>();
  const routerResources: Resource[] = [];
  const secrets: Resource[] = [];
  for (const parts of routers) {
    const { instance } = parts[0];
    const name = book.take(resourceName(instance.name, `vrid-${instance.vrid}`));
    const imported = importRouter(name, parts, { tracked, receivers }, remarks);
    routerResources.push(imported.router);
    specs.set(name, imported.spec);
    for (const part of parts) nameOfInstance.set(`${part.host.node} ${part.instance.name}`, name);
    lintRouter(parts, hosts.length, remarks);
    origins.set(`VirtualRouter ${name}`, instance.origin);
    for (const { resource, origin } of imported.secrets) {
      secrets.push(resource);
      origins.set(`Secret ${resource.metadata?.name ?? ''}`, origin);
    }
  }
  const importedRouters = {
    nameOf: (host: NamedHost, instance: string) => nameOfInstance.get(`${host.node} ${instance}`),
    specOf: (name: string) => specs.get(name),
  };
  const groups = importGroups(named, importedRouters, tracked, receivers, remarks);
  const networks = importNetworks(named, importedRouters, remarks);
  nameVirtualMacs(routers, specs, importedRouters, remarks);
  reportLowerCase(routers, remarks);
  lintSharedIdentifiers(routers, remarks);
  reportFifos(named, remarks);
  const parts = [groups, tracked.checks, tracked.bfds, networks, receivers];
  for (const part of parts) for (const [key, origin] of part.origins) origins.set(key, origin);
  return {
    resources: [...routerResources, ...parts.flatMap((part) => part.resources), ...secrets],
    remarks: remarks.list(),
    originOf: (kind, name) => origins.get(`${kind} ${name}`),
  };
}

/** One note for all names that differ in nothing but their case. */
function reportLowerCase(routers: readonly Parts[], remarks: Remarks): void {
  const [first] = routers.flatMap(([{ instance }]) => (/[A-Z]/u.test(instance.name) ? [instance] : []));
  if (first === undefined) return;
  remarks.note(
    first.origin,
    `names are in lower case in Baton (${quoted(first.name)} is router ${resourceName(first.name, '')}); label ${KEEPALIVED_NAME_LABEL} keeps the names for notify scripts and FIFO readers`,
  );
}

/** Interfaces of virtual MAC addresses have names that are unique on each host; keepalived finds free ones as well. */
function nameVirtualMacs(
  routers: readonly Parts[],
  specs: ReadonlyMap<string, VirtualRouterSpec>,
  names: ImportedRouters,
  remarks: Remarks,
): void {
  const taken = new Set<string>();
  for (const parts of routers) {
    const [{ host, instance }] = parts;
    const mac = specs.get(names.nameOf(host, instance.name) ?? '')?.virtualMac;
    if (mac === undefined) continue;
    const usual = `vrrp${instance.family === 6 ? '6' : ''}.${instance.vrid}`;
    const wanted = mac.name === '' ? usual : mac.name;
    const isFree = (name: string): boolean => parts.every((part) => !taken.has(`${part.host.node} ${name}`));
    let name = wanted;
    for (let number = 2; !isFree(name); number += 1) name = `${usual}.${number}`;
    if (name !== wanted) {
      mac.name = name;
      remarks.add(
        wanted === usual ? 'note' : 'error',
        instance.origins.get('use_vmac') ?? instance.origin,
        `use_vmac: another instance of the host has the interface ${wanted} already; this one's is called ${name}`,
      );
    }
    for (const part of parts) taken.add(`${part.host.node} ${name}`);
  }
}

/** Each group has at most one instance of a host. */
function groupInstances(hosts: readonly NamedHost[]): Parts[] {
  const groups: [Part, ...Part[]][] = [];
  const byVrid = new Map<number, [Part, ...Part[]][]>();
  for (const host of hosts) {
    for (const instance of host.config.instances) {
      const candidates = byVrid.get(instance.vrid) ?? [];
      const group = candidates.find(
        (parts) =>
          parts.every((part) => part.host !== host) && parts.some((part) => isSameRouter(part.instance, instance)),
      );
      if (group !== undefined) {
        group.push({ host, instance });
        continue;
      }
      const fresh: [Part, ...Part[]] = [{ host, instance }];
      groups.push(fresh);
      byVrid.set(instance.vrid, [...candidates, fresh]);
    }
  }
  return groups;
}

/** Of those with the same VRID. Routers without addresses can be told apart by nothing else. */
function isSameRouter(one: VrrpInstance, other: VrrpInstance): boolean {
  if (one.family !== other.family) return false;
  if (one.addresses.length === 0 && other.addresses.length === 0) return true;
  return one.addresses.some(({ address }) => other.addresses.some((entry) => entry.address === address));
}

function reportFifos(hosts: readonly NamedHost[], remarks: Remarks): void {
  for (const { config } of hosts) {
    const { notifyFifo, vrrpNotifyFifo } = config.global;
    if (notifyFifo !== undefined && vrrpNotifyFifo !== undefined && notifyFifo.value !== vrrpNotifyFifo.value) {
      remarks.error(
        notifyFifo.origin,
        'notify_fifo beside vrrp_notify_fifo: Baton writes to one FIFO only, the latter; this one gets nothing',
      );
    }
  }
}
