/** Several hosts' keepalived.conf files as one set of resources. */
import type { Resource } from '../gen/baton/v1/resources.js';
import { importChecks } from './import-checks.js';
import { type ImportedHost, type NamedHost, nameHosts, type Part } from './import-host.js';
import { importReceivers } from './import-mail.js';
import { importRouter } from './import-router.js';
import { lintRouter, lintSharedIdentifiers } from './lint.js';
import { NameBook, resourceName } from './names.js';
import type { Origin, Remark } from './remark.js';
import { Remarks } from './remarks.js';

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
  const checks = importChecks(named, remarks);
  const receivers = importReceivers(named, remarks);
  const routers = groupInstances(named);
  const book = new NameBook();
  const origins = new Map([...checks.origins, ...receivers.origins]);
  const routerResources: Resource[] = [];
  const secrets: Resource[] = [];
  for (const parts of routers) {
    const name = book.take(resourceName(parts[0].instance.name, `vrid-${parts[0].instance.vrid}`));
    const { router, secret } = importRouter(name, parts, checks, receivers, remarks);
    routerResources.push(router);
    if (secret !== undefined) secrets.push(secret);
    lintRouter(parts, hosts.length, remarks);
    const { instance } = parts[0];
    origins.set(`VirtualRouter ${name}`, instance.origin);
    if (secret?.metadata !== undefined) {
      origins.set(`Secret ${secret.metadata.name}`, instance.origins.get('authentication') ?? instance.origin);
    }
  }
  lintSharedIdentifiers(routers, remarks);
  reportFifos(named, remarks);
  return {
    resources: [...routerResources, ...checks.resources, ...receivers.resources, ...secrets],
    remarks: remarks.list(),
    originOf: (kind, name) => origins.get(`${kind} ${name}`),
  };
}

/** Each group has at most one instance of a host. */
function groupInstances(hosts: readonly NamedHost[]): readonly [Part, ...Part[]][] {
  const groups: [Part, ...Part[]][] = [];
  const byVrid = new Map<number, [Part, ...Part[]][]>();
  for (const host of hosts) {
    for (const instance of host.config.instances) {
      const candidates = byVrid.get(instance.vrid) ?? [];
      const group = candidates.find(
        (parts) =>
          parts.every((part) => part.host !== host) && parts.some((part) => sharesAddress(part, instance.addresses)),
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

function sharesAddress(part: Part, addresses: readonly { readonly address: string }[]): boolean {
  return part.instance.addresses.some((own) => addresses.some((other) => other.address === own.address));
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
