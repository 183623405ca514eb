/**
 * The facts of this host that a preflight judges, gathered on the worker thread or in a command of its own: netlink,
 * /proc, and the tools of the packet filters. A tool that is not there, or may not be used, is no fault.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import process from 'node:process';
import type { Bundle } from '../../proto/gen/baton/v1/bundle.js';
import type { Scheduling } from '../../proto/gen/baton/v1/config.js';
import type { PreflightFinding } from '../../proto/gen/baton/v1/status.js';
import type { IpPrefix } from '../../proto/rules/ip.js';
import { type Link, openRtnetlink } from '../link/rtnetlink.js';
import type { Drop, FilteredPacket } from './filtered-packet.js';
import { iptablesDrops } from './iptables-drops.js';
import { nftDrops } from './nftables-drops.js';
import { type HostFacts, type InterfaceFacts, judgeHost } from './preflight.js';

const IFF_LOOPBACK = 0x8;
const IFF_MULTICAST = 0x1000;
const TOOL_TIMEOUT_MS = 5_000;
/** Of a ruleset; more is not looked at. */
const MOST_BYTES = 16 * 1024 * 1024;
/** Bits of CapEff (linux/capability.h). */
const CAPABILITIES = { ipc_lock: 14n, sys_nice: 23n } as const;

export interface PreflightEdges {
  /** Text of a file of /proc; undefined when it cannot be read. */
  read(path: string): string | undefined;
  /** Standard output; undefined when there is no such tool or it failed. */
  run(command: string, ...args: readonly string[]): Promise<string | undefined>;
  links(): readonly (Pick<Link, 'index' | 'name' | 'isUp' | 'flags' | 'mtu'> & {
    readonly prefixes: readonly IpPrefix[];
  })[];
}

/** Rejects when the kernel does not tell the interfaces. */
export async function preflight(
  bundle: Bundle,
  scheduling: Scheduling | undefined,
  edges: PreflightEdges = hostPreflightEdges,
): Promise<PreflightFinding[]> {
  if (bundle.routers.length === 0) return [];
  return judgeHost(bundle, scheduling, await gather(edges));
}

async function gather(edges: PreflightEdges): Promise<HostFacts> {
  const interfaces = new Map<string, InterfaceFacts>();
  for (const { name, isUp, flags, mtu, prefixes } of edges.links()) {
    interfaces.set(name, {
      name,
      isUp,
      isMulticast: (flags & IFF_MULTICAST) !== 0,
      isLoopback: (flags & IFF_LOOPBACK) !== 0,
      mtu,
      prefixes,
    });
  }
  return {
    interfaces,
    sysctl: (name) => numberOf(edges.read(`/proc/sys/${sysctlPath(name)}`)),
    drops: await filterOf(edges),
    defaultInterfaces: defaultInterfaces(edges.read('/proc/net/route')),
    limits: limitsOf(edges.read('/proc/self/limits')),
    capabilities: capabilitiesOf(edges.read('/proc/self/status')),
  };
}

/** An interface's name may have dots: only those around it are separators. */
function sysctlPath(name: string): string {
  const found = /^(net\.ipv[46]\.conf)\.(.+)\.([a-z0-9_]+)$/.exec(name);
  return found === null ? name.replaceAll('.', '/') : `${found[1]?.replaceAll('.', '/')}/${found[2]}/${found[3]}`;
}

function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^-?\d+\s*$/.test(text) ? Number(text) : undefined;
}

/** nft shows what iptables-nft made too; only what the old kernel interface holds is apart. */
async function filterOf(edges: PreflightEdges): Promise<(packet: FilteredPacket) => readonly Drop[]> {
  const ruleset = await edges.run('nft', '-j', 'list', 'ruleset');
  const variant = ruleset === undefined ? '' : '-legacy';
  const [v4, v6] = await Promise.all([edges.run(`iptables${variant}-save`), edges.run(`ip6tables${variant}-save`)]);
  return (packet) => {
    const save = packet.family === 4 ? v4 : v6;
    const command = packet.family === 4 ? 'iptables' : 'ip6tables';
    return [
      ...(ruleset === undefined ? [] : readable(() => nftDrops(ruleset, packet))),
      ...(save === undefined ? [] : iptablesDrops(save, command, packet)),
    ];
  };
}

function readable(drops: () => readonly Drop[]): readonly Drop[] {
  try {
    return drops();
  } catch {
    // A version of nft that does not write JSON.
    return [];
  }
}

/** /proc/net/route: a heading, then "em1 00000000 gateway flags ... mask". */
export function defaultInterfaces(text: string | undefined): readonly string[] {
  const names = (text ?? '')
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [name = '', destination, , , , , , mask] = line.split(/\s+/);
      return destination === '00000000' && mask === '00000000' ? [name] : [];
    });
  return [...new Set(names)];
}

/** /proc/self/limits: "Max locked memory  8388608  8388608  bytes", soft limit first. */
export function limitsOf(text: string | undefined): HostFacts['limits'] {
  const soft = (name: string): number | undefined => {
    const found = new RegExp(`^${name}\\s+(\\S+)`, 'm').exec(text ?? '')?.[1];
    return found === undefined || found === 'unlimited' ? undefined : Number(found);
  };
  const realtimePriority = soft('Max realtime priority');
  const lockedBytes = soft('Max locked memory');
  return {
    ...(realtimePriority === undefined ? {} : { realtimePriority }),
    ...(lockedBytes === undefined ? {} : { lockedBytes }),
  };
}

export function capabilitiesOf(text: string | undefined): ReadonlySet<string> {
  const mask = BigInt(`0x${/^CapEff:\s+([0-9a-f]+)/m.exec(text ?? '')?.[1] ?? '0'}`);
  const held = Object.entries(CAPABILITIES).filter(([, bit]) => ((mask >> bit) & 1n) === 1n);
  return new Set(held.map(([name]) => name));
}

export const hostPreflightEdges: PreflightEdges = {
  read: (path) => {
    try {
      return readFileSync(path, 'latin1');
    } catch {
      return undefined;
    }
  },
  run: async (command, ...args) =>
    await new Promise((resolve) => {
      execFile(
        command,
        [...args],
        {
          timeout: TOOL_TIMEOUT_MS,
          killSignal: 'SIGKILL',
          maxBuffer: MOST_BYTES,
          // Where administrators' tools are, whatever the service manager says.
          env: { PATH: `/usr/sbin:/sbin:/usr/bin:/bin:${process.env['PATH'] ?? ''}`, LC_ALL: 'C' },
        },
        (failure, stdout) => resolve(failure === null ? stdout : undefined),
      );
    }),
  links: () => {
    const rtnetlink = openRtnetlink();
    try {
      const addresses = rtnetlink.addresses();
      return rtnetlink.links().map((link) => ({
        ...link,
        prefixes: addresses.filter(({ interfaceIndex }) => interfaceIndex === link.index),
      }));
    } finally {
      rtnetlink.close();
    }
  },
};
