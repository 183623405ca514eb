/** What several hosts track by scripts, files and processes, as Check resources. */
import { CheckSpec, type Resource } from '../gen/baton/v1/resources.js';
import { microsToDuration } from '../rules/duration.js';
import { MICROS_PER_SECOND } from '../rules/time.js';
import type { Tracked, TrackFile, TrackProcess, VrrpScript } from './config.js';
import { importWords } from './import-command.js';
import type { NamedHost } from './import-host.js';
import { joinedName, NameBook, resourceName } from './names.js';
import type { Origin } from './remark.js';
import { quoted, type Remarks } from './remarks.js';

/** The block of keepalived that a Check is made from. */
export type CheckKind = 'vrrp_script' | 'track_file' | 'vrrp_track_process';

export interface ImportedChecks {
  readonly resources: readonly Resource[];
  /** "Check NAME" to its block. */
  readonly origins: ReadonlyMap<string, Origin>;
  /** The Check that a host's block became. */
  readonly nameOf: (host: NamedHost, kind: CheckKind, name: string) => string | undefined;
}

interface Variant {
  readonly content: string;
  readonly spec: CheckSpec;
  readonly tracked: Tracked;
  readonly host: NamedHost;
  name: string;
}

/** One Check for blocks of the same kind, name and content; differing ones are told apart by their node. */
export function importChecks(hosts: readonly NamedHost[], remarks: Remarks): ImportedChecks {
  const variants = new Map<string, Variant[]>();
  const used = new Map<string, Variant>();
  for (const host of hosts) {
    for (const { kind, tracked, spec } of checksOf(host, remarks)) {
      const key = `${kind} ${tracked.name}`;
      const content = JSON.stringify(CheckSpec.toJSON(spec));
      const list = variants.get(key) ?? [];
      let variant = list.find((other) => other.content === content);
      if (variant === undefined) {
        variant = { content, spec, tracked, host, name: '' };
        list.push(variant);
        variants.set(key, list);
      }
      used.set(`${host.node} ${key}`, variant);
    }
  }
  const book = new NameBook();
  const resources: Resource[] = [];
  const origins = new Map<string, Origin>();
  for (const [key, list] of variants) {
    const kind = key.slice(0, key.indexOf(' '));
    for (const variant of list) {
      const { name } = variant.tracked;
      const base = resourceName(name, 'check');
      variant.name = book.take(list.length === 1 ? base : joinedName(base, variant.host.node));
      if (list.length > 1) {
        const others = list.filter((other) => other !== variant).map((other) => placeOf(other.tracked));
        remarks.warning(
          variant.tracked.origin,
          `${kind} ${quoted(name)} differs from that in ${others.join(', ')}; it is imported as check ${variant.name}`,
        );
      } else if (variant.name !== name) {
        remarks.note(variant.tracked.origin, `${kind} ${quoted(name)} is imported as check ${variant.name}`);
      }
      origins.set(`Check ${variant.name}`, variant.tracked.origin);
      resources.push({
        metadata: { name: variant.name, labels: {}, generation: 0, createdAt: undefined, updatedAt: undefined },
        spec: { $case: 'check', value: variant.spec },
      });
    }
  }
  return { resources, origins, nameOf: (host, kind, name) => used.get(`${host.node} ${kind} ${name}`)?.name };
}

function placeOf({ origin }: Tracked): string {
  return `${origin.file}:${origin.line}`;
}

function checksOf(
  host: NamedHost,
  remarks: Remarks,
): readonly { readonly kind: CheckKind; readonly tracked: Tracked; readonly spec: CheckSpec }[] {
  const { scripts, trackFiles, trackProcesses } = host.config;
  return [
    ...scripts.map((tracked) => ({
      kind: 'vrrp_script' as const,
      tracked,
      spec: specOfScript(tracked, host, remarks),
    })),
    ...trackFiles.map((tracked) => ({ kind: 'track_file' as const, tracked, spec: specOfFile(tracked) })),
    ...trackProcesses.map((tracked) => ({
      kind: 'vrrp_track_process' as const,
      tracked,
      spec: specOfProcess(tracked),
    })),
  ];
}

/** What equals Baton's default is left unset: both have 1s, the interval as timeout, 1 and 1. */
function specOfScript(script: VrrpScript, host: NamedHost, remarks: Remarks): CheckSpec {
  const command = importWords(script.command, host.findProgram, remarks);
  return CheckSpec.create({
    kind: { $case: 'exec', value: { command, user: script.command.user ?? '' } },
    ...(script.interval === MICROS_PER_SECOND ? {} : { interval: microsToDuration(script.interval) }),
    ...(script.timeout === script.interval ? {} : { timeout: microsToDuration(script.timeout) }),
    rise: script.rise === 1 ? 0 : script.rise,
    fall: script.fall === 1 ? 0 : script.fall,
  });
}

function specOfFile({ path, initialValue, overwrite }: TrackFile): CheckSpec {
  return CheckSpec.create({
    kind: { $case: 'file', value: { path, overwrite, ...(initialValue === undefined ? {} : { initialValue }) } },
  });
}

function specOfProcess(process: TrackProcess): CheckSpec {
  const { quorum, quorumMax, upDelay, downDelay } = process;
  return CheckSpec.create({
    kind: {
      $case: 'process',
      value: {
        name: process.process,
        arguments: [...process.arguments],
        match: process.match,
        fullCommand: process.fullCommand,
        quorum: quorum === 1 ? 0 : quorum,
        ...(quorumMax === undefined ? {} : { quorumMax }),
        ...(upDelay === 0 ? {} : { upDelay: microsToDuration(upDelay) }),
        ...(downDelay === 0 ? {} : { downDelay: microsToDuration(downDelay) }),
      },
    },
  });
}
