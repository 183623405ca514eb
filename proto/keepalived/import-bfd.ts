/** bfd_instances of several hosts as BfdSession resources. */
import { BfdSessionSpec, type Resource } from '../gen/baton/v1/resources.js';
import { microsToDuration } from '../rules/duration.js';
import { MICROS_PER_MILLISECOND, MICROS_PER_SECOND } from '../rules/time.js';
import type { BfdInstance } from './config.js';
import type { NamedHost } from './import-host.js';
import { joinedName, NameBook, resourceName } from './names.js';
import type { Origin } from './remark.js';
import { quoted, type Remarks } from './remarks.js';

export interface ImportedBfds {
  readonly resources: readonly Resource[];
  /** "BfdSession NAME" to its bfd_instance. */
  readonly origins: ReadonlyMap<string, Origin>;
  readonly nameOf: (host: NamedHost, name: string) => string | undefined;
}

interface Variant {
  readonly content: string;
  readonly spec: BfdSessionSpec;
  readonly instance: BfdInstance;
  readonly host: NamedHost;
  name: string;
}

/** Instances of one name with the same timers are one session with an endpoint on each host. */
export function importBfds(hosts: readonly NamedHost[], remarks: Remarks): ImportedBfds {
  const variants = new Map<string, Variant[]>();
  const used = new Map<string, Variant>();
  for (const host of hosts) {
    for (const instance of host.config.bfdInstances) {
      const spec = specOf(instance);
      const content = JSON.stringify(BfdSessionSpec.toJSON(spec));
      const list = variants.get(instance.name) ?? [];
      let variant = list.find((other) => other.content === content);
      if (variant === undefined) {
        variant = { content, spec, instance, host, name: '' };
        list.push(variant);
        variants.set(instance.name, list);
      }
      variant.spec.endpoints.push({
        node: host.node,
        neighbor: instance.neighbor,
        source: instance.source ?? '',
        interface: instance.interface ?? '',
      });
      used.set(`${host.node} ${instance.name}`, variant);
    }
  }
  const book = new NameBook();
  const resources: Resource[] = [];
  const origins = new Map<string, Origin>();
  for (const [name, list] of variants) {
    for (const variant of list) {
      const base = resourceName(name, 'bfd');
      variant.name = book.take(list.length === 1 ? base : joinedName(base, variant.host.node));
      if (variant.name !== name) {
        const why = list.length > 1 ? ' differs between the hosts; it' : '';
        remarks.note(
          variant.instance.origin,
          `bfd_instance ${quoted(name)}${why} is imported as session ${variant.name}`,
        );
      }
      origins.set(`BfdSession ${variant.name}`, variant.instance.origin);
      resources.push({
        metadata: { name: variant.name, labels: {}, generation: 0, createdAt: undefined, updatedAt: undefined },
        spec: { $case: 'bfdSession', value: variant.spec },
      });
    }
  }
  return { resources, origins, nameOf: (host, name) => used.get(`${host.node} ${name}`)?.name };
}

const NO_LIMIT = 254;

/** What equals Baton's default, which is keepalived's, is left unset. */
function specOf(instance: BfdInstance): BfdSessionSpec {
  const usual = 10 * MICROS_PER_MILLISECOND;
  const { minRx, minTx, idleTx, multihop, maxHops } = instance;
  return BfdSessionSpec.create({
    ...(minRx === usual ? {} : { minRx: microsToDuration(minRx) }),
    ...(minTx === usual ? {} : { minTx: microsToDuration(minTx) }),
    ...(idleTx === MICROS_PER_SECOND ? {} : { idleTx: microsToDuration(idleTx) }),
    multiplier: instance.multiplier === 5 ? 0 : instance.multiplier,
    passive: instance.passive,
    multihop,
    ...(multihop ? { maxHops: maxHops < 0 ? NO_LIMIT : Math.min(maxHops, NO_LIMIT) } : {}),
  });
}
