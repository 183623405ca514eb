/**
 * What a fault must not leave behind: everything that the kernels of a laboratory know of its hosts, before and after.
 * Two snapshots are compared line by line; what differs is named.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { attempt } from '../lab/command.js';
import type { Host } from '../lab/host.js';
import type { Program } from '../lab/program.js';
import { until } from '../lab/until.js';

/** A host, and the agents that run there when it is looked at. */
export interface Audited {
  readonly host: Host;
  readonly agents: () => readonly Program[];
}

/** What one look at a host gave: by section, lines that may occur several times. */
type Snapshot = ReadonlyMap<string, readonly string[]>;

/** Commands in the host's namespace, by section; one shell runs them all. */
const SECTIONS = {
  addresses: 'ip -o address',
  links: 'ip -o -d link',
  'nft rules': 'nft -s list ruleset',
  rules: 'ip -4 rule; ip -6 rule',
  routes: 'ip -4 -o route show table all; ip -6 -o route show table all',
  memberships: 'ip maddress',
  raw: 'cat /proc/net/raw /proc/net/raw6',
  packet: 'cat /proc/net/packet',
  netlink: 'cat /proc/net/netlink',
  datagrams: 'cat /proc/net/udp /proc/net/udp6 /proc/net/tcp /proc/net/tcp6',
} as const;

type Section = keyof typeof SECTIONS;

const AT_REST_MS = 10_000;
const BETWEEN_LOOKS_MS = 500;

/** Link-local addresses that the kernel makes of an interface's MAC address, and their groups: another one when it is made anew. */
const MADE_OF_MAC = [
  [/\bfe80::[0-9a-f]+:[0-9a-f]*ff:fe[0-9a-f]+:[0-9a-f]+/g, 'fe80::made-of-mac'],
  [/\bff02::1:ff(?!00:)[0-9a-f:]+/g, 'ff02::1:ff-of-mac'],
  [/\b33:33:ff(?!:00:00)(:[0-9a-f]{2}){3}/g, '33:33:ff-of-mac'],
] as const;

export class Audit {
  private constructor(
    private readonly audited: readonly Audited[],
    private readonly baseline: readonly Snapshot[],
  ) {}

  /**
   * The baseline: as all of it is, once it is the same at two looks with a while between. An agent that was just started
   * still runs programs to judge its host, which it is connected to by sockets.
   */
  static async begin(...audited: readonly Audited[]): Promise<Audit> {
    let audit = new Audit(audited, await Promise.all(audited.map(look)));
    await until('the hosts to be at rest', AT_REST_MS, async () => {
      await pause(BETWEEN_LOOKS_MS);
      const differences = await audit.differences();
      if (differences.length === 0) return true;
      audit = new Audit(audited, await Promise.all(audited.map(look)));
      return false;
    });
    return audit;
  }

  /** Waits until everything is as it was; fails with the differences. */
  async untilAsBefore(withinMs = 8000): Promise<void> {
    let last: readonly string[] = [];
    await until(
      'every host to be as before the fault',
      withinMs,
      async () => {
        last = await this.differences();
        return last.length === 0;
      },
      () => last,
    );
  }

  /** "a: raw: gone: ..." or "a: raw: new: ...", as of now. */
  async differences(): Promise<readonly string[]> {
    const now = await Promise.all(this.audited.map(look));
    return this.audited.flatMap(({ host }, index) => {
      const [before, after] = [this.baseline[index], now[index]];
      return [...(before?.keys() ?? [])].flatMap((section) => {
        const [old, fresh] = [before?.get(section) ?? [], after?.get(section) ?? []];
        return [
          ...without(old, fresh).map((line) => `${host.name}: ${section}: gone: ${line}`),
          ...without(fresh, old).map((line) => `${host.name}: ${section}: new: ${line}`),
        ];
      });
    });
  }
}

/** The lines of `all` that are not in `others`, each as often as there are more of it. */
function without(all: readonly string[], others: readonly string[]): readonly string[] {
  const left = [...others];
  return all.filter((line) => {
    const at = left.indexOf(line);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}

async function look({ host, agents }: Audited): Promise<Snapshot> {
  const names = Object.keys(SECTIONS) as Section[];
  const script = names.map((name) => `echo '@@${name}'; ${SECTIONS[name]}`).join('; ');
  const { stdout } = await host.attempt('sh', '-c', script);
  const snapshot = new Map<string, readonly string[]>();
  for (const part of stdout.split('@@').slice(1)) {
    const [name = '', ...lines] = part.split('\n');
    const shown = name in SECTIONS ? showers[name as Section] : plain;
    const kept = shown(lines.filter((line) => line.trim() !== ''));
    snapshot.set(name, kept.map(withoutMacs));
  }
  snapshot.set('processes', await processes(host));
  snapshot.set('descriptors', agents().flatMap(descriptors));
  snapshot.set('zombies', agents().flatMap(zombies));
  return snapshot;
}

function withoutMacs(line: string): string {
  return MADE_OF_MAC.reduce((text, [pattern, word]) => text.replace(pattern, word), line);
}

const plain = (lines: readonly string[]): readonly string[] => lines.map((line) => line.trim().replace(/\s+/g, ' '));
/** Columns of a table of /proc/net, without its heading. */
const columns =
  (...wanted: readonly number[]) =>
  (lines: readonly string[]): readonly string[] =>
    lines
      .filter((line) => !/^\s*(sl|sk)\b/.test(line))
      .map((line) => {
        const fields = line.trim().split(/\s+/);
        return wanted.map((column) => fields[column]).join(' ');
      });

/** What of a section's lines says the same of the same thing at every time: no counters, no remaining seconds, no numbers. */
const showers: Readonly<Record<Section, (lines: readonly string[]) => readonly string[]>> = {
  addresses: (lines) =>
    plain(lines).map((line) => line.replace(/^\d+: /, '').replace(/ (dynamic|tentative|temporary)\b|\\.*$/g, '')),
  links: (lines) =>
    plain(lines).map((line) => {
      const [, name = '', flags = ''] = /^\d+: ([^:@]+)[^<]*<([^>]*)>/.exec(line) ?? [];
      const kind = /(macvlan mode \S+|bridge|veth)/.exec(line)?.[1] ?? 'other';
      return `${name} ${flags} ${kind} ${/alias (.*)$/.exec(line)?.[1] ?? ''}`.trim();
    }),
  'nft rules': (lines) => plain(lines).map((line) => line.replace(/\s*#.*$/, '')),
  rules: plain,
  // The route of a leased IPv6 address outlives it until the kernel's next collection; it is not used any more.
  routes: (lines) =>
    plain(lines)
      .filter((line) => !/ expires (-\d+|0)sec/.test(line))
      .map((line) => line.replace(/ (expires \S+|linkdown|dead)/g, '')),
  memberships: (lines) => plain(lines).map((line) => line.replace(/^\d+:\s*/, '')),
  // A sender is bound to its source by its first advertisement.
  raw: (lines) => columns(1)(lines).map((line) => line.replace(/^[0-9A-F]*:/, 'protocol ')),
  packet: columns(2, 3),
  netlink: columns(1, 3),
  // Connections come and go; who listens stays.
  datagrams: (lines) => columns(1, 3)(lines).filter((line) => / (0A|07)$/.test(line)),
};

async function processes(host: Host): Promise<readonly string[]> {
  const { stdout } = await attempt('ip', ['netns', 'pids', host.namespace]);
  return stdout
    .split('\n')
    .filter((pid) => pid !== '')
    .flatMap((pid) => {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
        return [
          words
            .slice(0, 3)
            .map((word) => path.basename(word).replaceAll(/\d+/g, 'N'))
            .join(' '),
        ];
      } catch {
        // It has ended since.
        return [];
      }
    });
}

/** What the agent's descriptors are, without their numbers. */
function descriptors({ pid }: Program): readonly string[] {
  const directory = `/proc/${pid}/fd`;
  return readdirSync(directory).flatMap((fd) => {
    try {
      return [readlinkSync(path.join(directory, fd)).replace(/:\[\d+\]$/, '')];
    } catch {
      return [];
    }
  });
}

function zombies({ pid }: Program): readonly string[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8')
      .trim()
      .split(' ')
      .filter((child) => child !== '')
      .flatMap((child) => {
        try {
          const stat = readFileSync(`/proc/${child}/stat`, 'utf8');
          return /\) Z /.test(stat) ? [/\((.*)\)/.exec(stat)?.[1] ?? ''] : [];
        } catch {
          return [];
        }
      }),
  );
}
