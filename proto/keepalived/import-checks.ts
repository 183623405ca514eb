/** vrrp_scripts of several hosts as Check resources. */
import { CheckSpec, type Resource } from '../gen/baton/v1/resources.js';
import { microsToDuration } from '../rules/duration.js';
import { MICROS_PER_SECOND } from '../rules/time.js';
import type { VrrpScript } from './config.js';
import { importWords } from './import-command.js';
import type { NamedHost } from './import-host.js';
import { joinedName, NameBook, resourceName } from './names.js';
import type { Origin } from './remark.js';
import { quoted, type Remarks } from './remarks.js';

export interface ImportedChecks {
  readonly resources: readonly Resource[];
  /** "Check NAME" to its vrrp_script. */
  readonly origins: ReadonlyMap<string, Origin>;
  /** The Check that a script of a host became. */
  readonly nameOf: (host: NamedHost, script: string) => string | undefined;
}

interface Variant {
  readonly content: string;
  readonly spec: CheckSpec;
  readonly script: VrrpScript;
  readonly host: NamedHost;
  name: string;
}

/** One Check for scripts of the same name and content; differing ones are told apart by their node. */
export function importChecks(hosts: readonly NamedHost[], remarks: Remarks): ImportedChecks {
  const variants = new Map<string, Variant[]>();
  const used = new Map<string, Variant>();
  for (const host of hosts) {
    for (const script of host.config.scripts) {
      const spec = specOf(script, host, remarks);
      const content = JSON.stringify(CheckSpec.toJSON(spec));
      const list = variants.get(script.name) ?? [];
      let variant = list.find((other) => other.content === content);
      if (variant === undefined) {
        variant = { content, spec, script, host, name: '' };
        list.push(variant);
        variants.set(script.name, list);
      }
      used.set(keyOf(host, script.name), variant);
    }
  }
  const book = new NameBook();
  const resources: Resource[] = [];
  const origins = new Map<string, Origin>();
  for (const [name, list] of variants) {
    for (const variant of list) {
      const base = resourceName(name, 'check');
      variant.name = book.take(list.length === 1 ? base : joinedName(base, variant.host.node));
      if (list.length > 1) {
        const others = list.filter((other) => other !== variant).map((other) => placeOf(other.script));
        remarks.warning(
          variant.script.origin,
          `vrrp_script ${quoted(name)} differs from that in ${others.join(', ')}; it is imported as check ${variant.name}`,
        );
      } else if (variant.name !== name) {
        remarks.note(variant.script.origin, `vrrp_script ${quoted(name)} is imported as check ${variant.name}`);
      }
      origins.set(`Check ${variant.name}`, variant.script.origin);
      resources.push({
        metadata: { name: variant.name, labels: {}, generation: 0, createdAt: undefined, updatedAt: undefined },
        spec: { $case: 'check', value: variant.spec },
      });
    }
  }
  return { resources, origins, nameOf: (host, script) => used.get(keyOf(host, script))?.name };
}

function keyOf(host: NamedHost, script: string): string {
  return `${host.node} ${script}`;
}

function placeOf(script: VrrpScript): string {
  return `${script.origin.file}:${script.origin.line}`;
}

/** What equals Baton's default is left unset: both have 1s, the interval as timeout, 1 and 1. */
function specOf(script: VrrpScript, host: NamedHost, remarks: Remarks): CheckSpec {
  const command = importWords(script.command, host.findProgram, remarks);
  return {
    kind: { $case: 'exec', value: { command, user: script.command.user ?? '' } },
    interval: script.interval === MICROS_PER_SECOND ? undefined : microsToDuration(script.interval),
    timeout: script.timeout === script.interval ? undefined : microsToDuration(script.timeout),
    rise: script.rise === 1 ? 0 : script.rise,
    fall: script.fall === 1 ? 0 : script.fall,
    startJitter: undefined,
  };
}
